"""Ask questions of your own documents, on your own machine, with verified citations.

import qa_bot
bot = qa_bot.open()
print(bot.ask("Who attended the Wuzhen summit in 2022?").answer)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa_bot.streaming import continued

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding
    from llama_index.core.llms import LLM

    from qa_bot.app import QABot
    from qa_bot.types import Question

__all__ = ["answer_all", "continued", "open"]

try:
    __version__ = version("qa-bot")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0.0.0"


def open(  # noqa: A001 - `qa_bot.open()` is the name people are promised
    documents: str | Path | Sequence[str | Path] | None = None,
    *,
    llm: str | Path | LLM | None = None,
    embed: str | BaseEmbedding | None = None,
    config: str | Path | None = None,
    **settings: Any,
) -> QABot:
    """Open a bot over an index; a missing index is built at the first question.

    Args:
        documents: folder or folders to answer from; by default those the store holds,
            and the seeds for a new one.
        llm: a name (`auto`, `embedded`, `ollama/NAME`, a .gguf path) or any LlamaIndex `LLM`.
        embed: a name (`auto`, `e5+use`, `use`, `ollama/NAME`) or any LlamaIndex `BaseEmbedding`.
        config: a `qa_bot.toml` to read.
        settings: any other field of `qa_bot.settings.Settings`, e.g. `store=`.

    Raises:
        UsageError: an unknown setting or value.
    """
    from qa_bot.app import QABot
    from qa_bot.settings import load_settings

    overrides: dict[str, Any] = dict(settings, documents=documents)
    if isinstance(llm, Path):
        llm = str(llm)
    overrides["llm"] = llm if isinstance(llm, str) else None
    overrides["embed"] = embed if isinstance(embed, str) else None
    return QABot(
        load_settings(overrides, Path(config) if config else None),
        llm=None if llm is None or isinstance(llm, str) else llm,
        embedder=None if embed is None or isinstance(embed, str) else embed,
    )


def answer_all(
    bot: QABot,
    questions: Path | Iterable[str | Mapping[str, Any] | Question],
    *,
    jobs: int = 1,
) -> Iterator[dict[str, Any]]:
    """Answer many questions as `qa-bot batch` does: one answer record each, in their order.

    A question that fails gives a record with the status `error`, and the next one is asked.

    Args:
        bot: what answers.
        questions: a file, or texts, or rows with the fields of a file's.
        jobs: questions in hand at once, where the bot takes several.

    Raises:
        UsageError: the file cannot be read.
        ServiceError: a needed model or server is not there.
        IndexUnusable: the index must be rebuilt.
    """
    from qa_bot.questions import as_questions, read_questions
    from qa_bot.runner import answer_all as run

    rows = read_questions(questions) if isinstance(questions, Path) else as_questions(questions)
    bot.load()
    return run(bot.ask, rows, jobs=jobs if bot.takes_jobs else 1)
