"""The error tree. Every message names the value at fault and the cure.

QABotError              exit code 1
├── UsageError          2  a wrong option, setting or input file
├── ThresholdMissed     4  an evaluation is worse than it was asked to be
├── ServiceError        5  a needed service or model is not there
│   ├── ModelMissing       the model's file is absent, or cannot be fetched
│   └── BackendError       the language model's server or engine failed
│       └── BackendBusy       … for now: the same call may succeed in a while
└── IndexUnusable       6  the index is locked or must be rebuilt
"""


class QABotError(Exception):
    """Anything qa_bot can name; shown to people as its message alone."""

    exit_code = 1


class UsageError(QABotError):
    """A wrong option, setting or input file."""

    exit_code = 2


class ThresholdMissed(QABotError):
    """An evaluation is worse than it was asked to be."""

    exit_code = 4


class ServiceError(QABotError):
    """A needed service or model is not there."""

    exit_code = 5


class ModelMissing(ServiceError):
    """A model's file is absent, damaged, or cannot be fetched."""


class BackendError(ServiceError):
    """The language model's server or engine failed."""


class BackendBusy(BackendError):
    """The language model's server is busy or slow: the same call may succeed in a while."""


class IndexUnusable(QABotError):
    """The index is locked by another process, or must be rebuilt."""

    exit_code = 6
