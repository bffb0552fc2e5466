"""The bot behind the page: loaded in the background, shared by all who ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, Unpack

import qa_bot
from qa_bot.errors import QABotError, ServiceError, UsageError
from qa_bot.prompts import answer_languages
from qa_bot.types import (
    Answer,
    Filter,
    Hit,
    IndexedDocument,
    IndexReport,
    Manner,
    Strictness,
    Turn,
)
from qa_bot.ui.line import LOOK_SECONDS, Line
from qa_bot.ui.uploads import Uploads

Progress = Callable[[str, int, int], None]


class Bot(Protocol):
    """What the page needs of a bot; `qa_bot.app.QABot` is one."""

    def load(self) -> None:
        """Open the index and load the models."""

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        id: str = "1",
        strictness: Strictness | None = None,
        answer_language: str | None = None,
        **only: Unpack[Filter],
    ) -> Iterator[str | Answer]:
        """Pieces of text, then the answer."""

    def search(self, query: str, k: int = 5, **only: Unpack[Filter]) -> list[Hit]:
        """The best passages."""

    def translate(self, text: str, language: str, into: str) -> str:
        """A text in another language."""

    def read_text(self, source: str) -> str | None:
        """A document's text."""

    def read_pages(self, source: str) -> tuple[int, ...]:
        """Where each page of a document starts in its text."""

    def documents(self) -> tuple[IndexedDocument, ...]:
        """What is indexed."""

    def configuration(self) -> dict[str, Any]:
        """What answers depend on besides the question."""

    def folders(self) -> tuple[Path, ...]:
        """The folders that are indexed."""

    def index(self, paths: Sequence[str | Path] = (), *, rebuild: bool = False) -> IndexReport:
        """Bring the index up to date."""

    def close(self) -> None:
        """Let go of the index."""

    def models(self) -> list[str]:
        """The language models that can be used at once; the first is in use."""

    def use_model(self, name: str) -> None:
        """Answer with another language model from now on."""

    @property
    def model(self) -> Any:
        """The language model; it has a `name` and a `context_window`, in tokens."""


OpenBot = Callable[[Progress], Bot]
"""Makes the bot, which then reports what it is busy with."""


class Desk:
    """One bot for every visitor. `start` it once; the rest waits until it is loaded."""

    def __init__(self, open_bot: OpenBot, store: Path) -> None:
        self.uploads = Uploads(store)
        self._open_bot = open_bot
        self._bot: Bot | None = None
        self._line = Line()
        self._updating = threading.Lock()
        self._changing = threading.Lock()
        self._held = 0
        """How many want the model to stay as it is."""
        self._switching: str | None = None
        self._loaded = threading.Event()
        self._starting = threading.Lock()
        self._fault: str | None = None
        self._doing: tuple[str, int, int] | None = None
        self._documents: tuple[IndexedDocument, ...] = ()
        self._folders: tuple[Path, ...] = ()

    def start(self) -> None:
        """Load in the background, also once more after a failure."""
        if self._starting.locked():
            return
        threading.Thread(target=self._load, name="load", daemon=True).start()

    def close(self) -> None:
        """Let go of the bot; an answer that is being written fails."""
        if self._bot and self._loaded.is_set():
            self._bot.close()

    def fail(self, error: Exception) -> None:
        """Say on the page why nothing can be asked."""
        self._fault = f"{type(error).__name__}: {error}"

    def state(self) -> dict[str, Any]:
        """What the page shows of us: `loading`, `indexing`, `ready` or `failed`, and with what."""
        doing = self._doing
        ready = self._loaded.is_set()
        known = {
            "state": "failed" if self._fault else "loading",
            "fault": self._fault,
            "doing": None if doing is None else dict(zip(("what", "done", "total"), doing,
                                                         strict=True)),
            "documents": len(self._documents),
            "version": qa_bot.__version__,
            "model": None,
            "window": None,
            "switching": self._switching,
        }  # fmt: skip
        if ready and self._bot:
            known["state"] = "switching" if self._switching else "indexing" if doing else "ready"
            known["model"] = self._bot.model.name
            known["window"] = self._bot.model.context_window
        return known

    def examples(self) -> list[dict[str, str]]:
        """Documents to suggest a question about: one a language, the most telling first."""
        titled = [item for item in self._documents if 12 <= len(item.title) <= 200]
        chosen: dict[str, IndexedDocument] = {}
        for item in sorted(titled, key=lambda each: -each.passages):
            chosen.setdefault(item.language, item)
        return [{"language": language, "title": item.title} for language, item in chosen.items()]

    def wait(self, leaving: Callable[[], bool] = lambda: False) -> None:
        """Until questions can be answered, or `leaving` says that nobody waits any more.

        Raises:
            ServiceError: the bot could not be loaded.
        """
        while not (self._loaded.wait(LOOK_SECONDS) or leaving()):
            if self._fault:
                raise ServiceError(self._fault)

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        only: Filter | None = None,
        manner: Manner | None = None,
        *,
        id: str = "1",
        waiting: Callable[[int], None] = lambda before: None,
        begun: Callable[[], None] = lambda: None,
        leaving: Callable[[], bool] = lambda: False,
    ) -> Generator[str | Answer, None, None]:
        """An answer piece by piece, once it is its turn; closing the iterator stops the model.

        Args:
            question: in any language.
            history: earlier (question, answer) turns.
            only: what documents to answer from.
            manner: how to answer, where it is not as the settings say.
            id: what the answer record is called.
            waiting: told how many questions are before this one.
            begun: told that it is its turn.
            leaving: asked whether to give up waiting; then there is no answer.

        Raises:
            QABotError: what the bot raises, or that it could not be loaded.
        """
        bot = self._ready()
        with self._line.turn(waiting, leaving) as ours:
            if ours:
                begun()
                yield from bot.stream(question, history, id=id, **(manner or {}), **(only or {}))

    def search(self, query: str, k: int, only: Filter | None = None) -> list[Hit]:
        """The `k` best passages, without the language model."""
        return self._ready().search(query, k, **(only or {}))

    def translate(self, text: str, language: str, into: str) -> str:
        """A text in another language, by the language model, once it is its turn."""
        bot = self._ready()
        with self._line.turn():
            return bot.translate(text, language, into)

    def documents(self) -> tuple[IndexedDocument, ...]:
        """What is indexed."""
        self._ready()
        return self._documents

    def configuration(self) -> dict[str, Any]:
        """What answers depend on besides the question, as flat names and values."""
        return self._ready().configuration()

    def choices(self) -> dict[str, list[str]]:
        """What can be chosen: the languages to answer in, and the language models."""
        return {"languages": answer_languages(), "models": self._ready().models()}

    def use_model(self, name: str) -> None:
        """Answer everybody with another language model, once the answers before it are written.

        Raises:
            UsageError: there is no such model, or something runs that must keep its own.
            ServiceError: it could not be loaded; the one before answers again.
        """
        bot = self._ready()
        with self._changing:
            if self._held:
                raise UsageError("a batch or an evaluation is running, and must keep its model; "
                                 "stop it first, or wait")  # fmt: skip
            if name not in (known := bot.models()):
                raise UsageError(f"the model {name!r} is not ready here; take {', '.join(known)}")
            if name == known[0]:  # it is the one in use
                return
            self._switching = name
            try:
                with self._line.turn():
                    bot.use_model(name)
            finally:
                self._switching = None

    @contextmanager
    def same_model(self) -> Iterator[None]:
        """Nobody can change the model inside the block."""
        with self._changing:
            self._held += 1
        try:
            yield
        finally:
            with self._changing:
                self._held -= 1

    def dates(self) -> dict[str, str | None]:
        """The date of every document that is known by now, by its source."""
        return {item.source: item.date for item in self._documents}

    def document(self, source: str) -> tuple[IndexedDocument, str | None, tuple[int, ...]] | None:
        """A document of the index, its text now, and its pages; None where it is not indexed.

        An answer of before may name it otherwise: sources start with their folder's name only
        where there are several folders, as there are once something was uploaded.
        """
        bot = self._ready()
        named = [item for item in self._documents if item.source == source] or [
            item
            for item in self._documents
            if item.source.endswith(f"/{source}") or source.endswith(f"/{item.source}")
        ]
        if len(named) != 1:
            return None
        known = named[0].source
        return named[0], bot.read_text(known), bot.read_pages(known)

    def uploaded(self, source: str) -> str | None:
        """The name of the uploaded file behind a source; None for a document of a folder."""
        folder, name = self.uploads.folder, source
        if len(self._folders) > 1:
            prefix, _, name = source.partition("/")
            if prefix != folder.name:
                return None
        return name if folder in self._folders and name in self.uploads.names() else None

    def read_text(self, source: str) -> str | None:
        """A document's text, as its file has it now."""
        return self._ready().read_text(source)

    def update(self, *, rebuild: bool = False) -> IndexReport:
        """Bring the index up to date with its folders and what was uploaded.

        Questions are answered meanwhile, from the index as it was.

        Raises:
            QABotError: what the bot raises.
        """
        bot = self._ready()
        with self._updating:
            try:
                self._doing = ("indexing", 0, 0)
                report = bot.index(self._wanted(bot), rebuild=rebuild)
                self._look(bot)
                return report
            finally:
                self._doing = None

    def _wanted(self, bot: Bot) -> list[Path]:
        ours = self.uploads.folder
        folders = [folder for folder in bot.folders() if folder != ours]
        # An empty folder of ours is left out: with one folder, sources carry no prefix.
        return [*folders, ours] if self.uploads.names() or not folders else folders

    def _look(self, bot: Bot) -> None:
        self._documents, self._folders = bot.documents(), bot.folders()

    def _load(self) -> None:
        with self._starting:
            if self._loaded.is_set():
                return
            self._fault = None
            try:
                bot = self._bot = self._bot or self._open_bot(self._report)
                # Before the index is opened, which would drop what was uploaded where
                # only the other folders were named.
                if set(self._wanted(bot)) != set(bot.folders()):
                    bot.index(self._wanted(bot))
                self._look(bot)
                bot.load()
                self._loaded.set()
            except QABotError as exc:
                self._fault = str(exc)
            except Exception as exc:
                self.fail(exc)
                raise
            finally:
                self._doing = None

    def _report(self, what: str, done: int, total: int) -> None:
        self._doing = (what, done, total)

    def _ready(self) -> Bot:
        if not self._loaded.is_set() or self._bot is None:
            raise ServiceError(self._fault or "the models are still being loaded; ask in a moment")
        return self._bot
