"""Settings to a working bot: the only place that chooses implementations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import qa_bot
from qa_bot.answering.pipeline import Pipeline
from qa_bot.answering.retrieve import retrieve
from qa_bot.answering.steps import translate
from qa_bot.errors import UsageError
from qa_bot.index.filters import where
from qa_bot.index.live import LiveIndex
from qa_bot.models.embed import make_embedder
from qa_bot.prompts import check_language, prompts_digest
from qa_bot.settings import Settings, available_threads, check_strictness
from qa_bot.text import sentence_spans
from qa_bot.types import Answer, Filter, Hit, IndexedDocument, IndexReport, Strictness, Turn

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding
    from llama_index.core.llms import LLM

    from qa_bot.models.seam import AnsweringModel

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much is done, and of how much."""
Notify = Callable[[str], None]


def _quiet(*_: object) -> None:
    """No one is watching."""


class QABot:
    """Answers questions from an index of documents.

    Threads may share it, but for `close`. While it indexes, questions are answered from the
    index as it was; what another process has indexed is seen at the next question.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        llm: LLM | None = None,
        embedder: BaseEmbedding | None = None,
        progress: Progress = _quiet,
        notify: Notify = _quiet,
    ) -> None:
        if settings.answer_language:
            check_language(settings.answer_language)
        self.settings = settings
        self._llm = llm
        self._own_embedder = embedder
        self._progress = progress
        self._notify = notify
        self._index = LiveIndex(
            settings,
            lambda: self.embedder,
            lambda done, total: progress("indexing", done, total),
            notify,
        )
        self._ready: Pipeline | None = None
        self._loading = threading.RLock()  # changing the model loads it

    @cached_property
    def embedder(self) -> BaseEmbedding:
        """The embedder in use."""
        return self._own_embedder or make_embedder(
            self.settings.embed,
            threads=self._threads,
            ollama_host=self.settings.ollama_host or None,
            ollama_timeout=self.settings.ollama_timeout,
        )

    @cached_property
    def model(self) -> AnsweringModel:
        """The language model in use; not loaded before it is needed."""
        from qa_bot.models.choose import make_llm
        from qa_bot.models.seam import answering_model

        return answering_model(
            self._llm or make_llm(self.settings, self._threads, self._fetching, self._notify)
        )

    @property
    def takes_jobs(self) -> bool:
        """Whether questions may be asked at once, as of a server.

        A model in this process reads one prompt at a time, and its answer is the same
        whatever was asked before only where no other question comes in between.
        """
        from qa_bot.models.seam import EmbeddedModel

        return not isinstance(self.model, EmbeddedModel)

    def index(
        self, paths: str | Path | Sequence[str | Path] = (), *, rebuild: bool = False
    ) -> IndexReport:
        """Bring the index up to date with these folders; it then holds exactly them.

        Without paths: the configured folders, or those the index holds, or the seeds.

        Raises:
            UsageError: a folder does not exist, or holds nothing that can be indexed.
            IndexUnusable: another process is writing the index.
            ServiceError: the Chroma server of the settings is not there.
        """
        return self._index.update(paths, rebuild=rebuild)

    def watch(
        self,
        paths: str | Path | Sequence[str | Path] = (),
        *,
        rebuild: bool = False,
        wait: Callable[[float], None] = time.sleep,
    ) -> Iterator[IndexReport]:
        """Index these folders, and again whenever a file comes, changes or goes; never ends.

        An update that fails is told and tried again; only the first one raises.

        Args:
            paths: as for `index`.
            rebuild: whether the first run starts afresh.
            wait: called with a number of seconds to let pass.

        Raises:
            UsageError, IndexUnusable: as `index` does.
        """
        return self._index.watch(paths, rebuild=rebuild, wait=wait)

    def search(self, query: str, k: int = 5, **only: Unpack[Filter]) -> list[Hit]:
        """The `k` best passages for a query, best first; no language model.

        Args:
            query: in any language.
            k: at most this many are returned.
            only: what documents to search: `source`, `language`, `since`, `until`.

        Raises:
            UsageError: an empty query, k below 1, or a malformed date.
            IndexUnusable: the index must be rebuilt.
        """
        if k < 1:
            raise UsageError(f"k is {k}; ask for 1 passage or more")
        limits = where(only)
        vector = self.embedder.get_query_embedding(_stated(query))
        return list(retrieve(self._index.opened().store, _stated(query), vector, k, limits))

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        id: str = "1",
        strictness: Strictness | None = None,
        answer_language: str | None = None,
        **only: Unpack[Filter],
    ) -> Answer:
        """The answer to a question, with its citations.

        Args:
            question: in any language; the answer is in the same one.
            history: earlier (question, answer) turns, used to understand the question only.
            id: what the answer record is called.
            strictness: how sure it must be that the documents answer; None for the settings'.
            answer_language: the code of the language to answer in, "" for the question's;
                None for the settings'.
            only: what documents to answer from: `source`, `language`, `since`, `until`.

        Raises:
            UsageError: an empty question, an unknown strictness or language, a malformed date.
            ServiceError: a needed model or server is not there.
            IndexUnusable: the index must be rebuilt.
        """
        limits = where(only)
        pipeline = self._in_manner(strictness, answer_language)
        return pipeline.answer(_stated(question), history, id=id, where=limits)

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
        """The same as `ask`, piece by piece: text, and the `Answer` as the last item.

        A piece that begins with a line break takes the unfinished sentence back;
        `qa_bot.continued(text, piece)` puts pieces together.
        """
        limits = where(only)
        pipeline = self._in_manner(strictness, answer_language)
        return pipeline.stream(_stated(question), history, id=id, where=limits)

    def translate(self, text: str, language: str, into: str) -> str:
        """A text of a document, written in `language`, in the language `into`.

        The language model's own words, and not checked: never a quote.

        Raises:
            ServiceError: a needed model or server is not there.
        """
        model = self._pipeline().model
        # Sentence by sentence: a long quote would run into the limit of a reply.
        sentences = [text[span.start : span.end] for span in sentence_spans(text)]
        return " ".join(translate(model, sentence, language, into)[0] for sentence in sentences)

    def models(self) -> list[str]:
        """The language models that can be used at once, by the names that `use_model` takes.

        The one in use, what `qa-bot models` has fetched, and what a running Ollama has.
        """
        from qa_bot.models.choose import ready_models

        return ready_models(self.settings)

    def use_model(self, name: str) -> None:
        """Answer with another language model from now on; no answer may be under way.

        The memory of the one before is freed first, so that there is never room needed for
        two. Where the new one cannot be loaded, the one before answers again.

        Args:
            name: as in `models`.

        Raises:
            UsageError: an unknown name.
            ServiceError: the model is not there, or could not be loaded.
        """
        from qa_bot.models.choose import make_llm
        from qa_bot.models.seam import EmbeddedModel, answering_model

        with self._loading:
            settings = replace(self.settings, llm=name)
            new = answering_model(make_llm(settings, self._threads, self._fetching, self._notify))
            before = (self.settings, self.model)
            if isinstance(self.model, EmbeddedModel):
                self.model.close()
            try:
                self.settings, self.model, self._ready = settings, new, None
                self._pipeline()
            except BaseException:  # an interrupt too: the one before is to answer again
                self.settings, self.model = before
                raise

    def read_pages(self, source: str) -> tuple[int, ...]:
        """Where each page of a document starts in its text; empty where it has no pages.

        Raises:
            IndexUnusable: the index must be rebuilt.
        """
        return self._index.opened().read_pages(source)

    def read_text(self, source: str) -> str | None:
        """A document's text as its file has it now, which offsets count in; None if it is gone.

        Raises:
            IndexUnusable: the index must be rebuilt.
        """
        return self._index.opened().read_text(source)

    def load(self) -> None:
        """Open (or build) the index and load the models, so that answers measure themselves.

        Raises:
            ServiceError: a needed model or server is not there.
        """
        self._pipeline()

    def configuration(self, *, model: bool = True) -> dict[str, Any]:
        """What answers depend on besides the question, as flat names and values.

        Runs record it, and are resumed or compared by it. Builds a missing index; loads
        the language model, unless `model` is false.

        Raises:
            ServiceError: a needed model or server is not there.
        """
        manifest = self._index.opened().manifest
        known: dict[str, Any] = {
            "version": qa_bot.__version__,
            "documents": len(manifest.files),
            "documents_sha256": manifest.corpus_digest,
            "embedder": manifest.embedder,
            "splitter": manifest.splitter,
            "cleaner": manifest.cleaner,
            "prompts_sha256": prompts_digest(),
        }
        if model:
            self.load()
            known["model"] = self.model.name
            known["model_digest"] = self.model.digest
            known["context_window"] = self.model.context_window
            known["strictness"] = self.settings.strictness
            known["answer_language"] = self.settings.answer_language
        return known

    def dates(self) -> dict[str, str | None]:
        """The date of every document, by its source; None where the text gives none."""
        return {source: entry.date for source, entry in self._index.opened().manifest.files.items()}

    def documents(self) -> tuple[IndexedDocument, ...]:
        """Every document of the index, by its source's order. Builds a missing index.

        Raises:
            IndexUnusable: the index must be rebuilt.
        """
        return tuple(
            IndexedDocument(
                source, entry.title, entry.date, entry.language, len(entry.passages), entry.size
            )
            for source, entry in sorted(self._index.opened().manifest.files.items())
        )

    def folders(self) -> tuple[Path, ...]:
        """The folders that the index holds, or would hold once it is built."""
        return self._index.folders()

    def close(self) -> None:
        """Let go of the index; the next call opens it again."""
        with self._loading:
            self._index.close()
            self._ready = None

    def _in_manner(self, strictness: Strictness | None, answer_language: str | None) -> Pipeline:
        """The pipeline as one call wants it."""
        if strictness is not None:
            check_strictness(strictness)
        if answer_language:
            check_language(answer_language)
        ours = self._pipeline()
        return replace(
            ours,
            strictness=ours.strictness if strictness is None else strictness,
            answer_language=ours.answer_language if answer_language is None else answer_language,
        )

    def _pipeline(self) -> Pipeline:
        model = self.model  # a wrong name must show before an index is built for it
        with self._loading:
            index = self._index.opened()
            if self._ready is None or self._ready.store is not index.store:
                self._ready = None  # lets go of the index before
                self.embedder.get_query_embedding("warm")  # its first call loads it
                model.load()
                self._ready = Pipeline(
                    index.store,
                    self.embedder,
                    model,
                    index.read_text,
                    self.settings.strictness,
                    self.settings.answer_language,
                )
            return self._ready

    @property
    def _threads(self) -> int:
        return self.settings.threads or available_threads()

    def _fetching(self, done: int, total: int) -> None:
        self._progress("fetching the model", done, total)


def _stated(question: str) -> str:
    if not question.strip():
        raise UsageError("the question is empty; write one, in any language")
    return question.strip()
