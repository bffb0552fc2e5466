"""What a question must be."""

from __future__ import annotations

from qa_bot.errors import UsageError

QUEUED = 32
"""Questions that may wait; one more is told that too many do."""
MOST_CHARACTERS = 4_000
"""The longest question."""


def checked_question(question: str) -> None:
    """Refuse what is no question, or too long a one.

    Raises:
        UsageError: it is.
    """
    if not isinstance(question, str) or not question.strip():
        raise UsageError("the question is empty; write one, in any language")
    if len(question) > MOST_CHARACTERS:
        raise UsageError(
            f"the question has {len(question)} characters; ask one of at most {MOST_CHARACTERS}"
        )
