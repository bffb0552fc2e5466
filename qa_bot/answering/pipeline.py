"""The one way from a question to an answer: condense → retrieve → ground → answer → cite.

Stateless: a conversation is given with each call. `stream` is the only path; `answer`
drains it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llama_index.core.embeddings import BaseEmbedding

from qa_bot.answering import steps
from qa_bot.answering.cite import Citer, ReadText
from qa_bot.answering.draft import Draft
from qa_bot.answering.ground import (
    Evidence,
    distinct,
    evidence_sentences,
    nearest,
    of_its_year,
    stating,
)
from qa_bot.answering.retrieve import Searchable, retrieve
from qa_bot.answering.run import Run
from qa_bot.errors import IndexUnusable
from qa_bot.hanzi import characters_of, in_characters, language_and_characters
from qa_bot.models.seam import AnsweringModel
from qa_bot.prompts import phrases
from qa_bot.text import language_of
from qa_bot.types import Answer, Hit, Passage, Strictness, Turn, Usage

CANDIDATES = 8
"""Passages whose sentences are compared with the question."""
LOOKS = 3
"""The nearest of those sentences, which the model judges until one surely answers."""
SHOWN = 4
"""Closest passages of a refusal."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The loaded parts that answering needs; safe to share between threads."""

    store: Searchable
    embedder: BaseEmbedding
    model: AnsweringModel
    read_text: ReadText
    strictness: Strictness = "normal"
    """How sure it must be that the documents answer; else it refuses."""
    answer_language: str = ""
    """The language to answer in, as a code; empty for the question's."""

    def answer(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        id: str = "1",
        where: Mapping[str, Any] | None = None,
    ) -> Answer:
        """The answer, once it is whole.

        Raises:
            ServiceError: the language model or its server failed.
        """
        for piece in self.stream(question, history, id=id, where=where):
            if isinstance(piece, Answer):
                return piece
        raise AssertionError("a stream always ends with its Answer")

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        id: str = "1",
        where: Mapping[str, Any] | None = None,
    ) -> Iterator[str | Answer]:
        """The answer's text piece by piece, then the `Answer`, whose text the pieces make up.

        `where` limits the documents, in the index's own language.

        Closing the iterator stops the language model. Markers come once they are verified.

        Raises:
            ServiceError: the language model or its server failed.
            IndexUnusable: the documents changed since they were indexed.
        """
        run = self._begun(id, question, where)
        chosen = self._ground(run, history)
        if not chosen:
            yield from self._refuse(run)
            return
        citer = Citer(chosen, run.standalone, run.language, self.read_text, self.embedder)
        if stale := [item for item in chosen if item not in citer.evidence]:
            raise IndexUnusable(
                f"{stale[0].passage.source} changed since it was indexed; run `qa-bot index`"
            )
        draft = Draft(self.model, citer, run.standalone, run.language, run.characters, run.note)
        wording = steps.write(self.model, citer.evidence, run.standalone, run.language)
        for piece in draft.read(_counting(wording, run)):
            if run.first_token is None:
                run.first_token = run.seconds()
            yield piece
        run.usage += draft.usage
        if not draft.sentences:
            yield from self._refuse(run)
            return
        yield run.answer("answered", draft.text, draft.sentences, citer)

    def _begun(self, id: str, question: str, where: Mapping[str, Any] | None) -> Run:
        asked_in = language_of(question, "en")
        if self.answer_language:
            language, characters = language_and_characters(self.answer_language)
        else:
            language = asked_in
            characters = characters_of(question) if language == "zh" else None
        return Run(id, question, asked_in, language, characters, self.model.name, where)

    def _ground(self, run: Run, history: Sequence[Turn]) -> tuple[Evidence, ...]:
        """The sentences that state the answer, or none where the documents do not answer.

        The sentences nearest to the question are judged one by one: a small model tells
        apart well whether one sentence answers, and badly which of several does.
        """
        run.standalone, usage = steps.condense(self.model, run.question, history, run.asked_in)
        run.count(usage)
        if history:
            run.note("condense", run.standalone)
        vector = self.embedder.get_query_embedding(run.standalone)
        run.retrieved = retrieve(self.store, run.standalone, vector, where=run.where)
        run.shown = distinct(run.retrieved, SHOWN)
        run.note("search", _found(run.retrieved))
        candidates = distinct(of_its_year(run.standalone, run.retrieved), CANDIDATES)
        near = nearest(evidence_sentences(candidates), LOOKS)
        if not near:
            return ()
        gate = steps.load_gate(self.strictness)
        judged = self._judged(run, near, gate.sure)
        chosen = stating(judged)
        run.confidence = gate.chance(chosen[-1])
        run.note("gate", f"chance {run.confidence:.2f}; answers from {gate.least:.2f} on "
                 f"({self.strictness} strictness)")  # fmt: skip
        if run.confidence < gate.least:
            return ()
        run.shown = _holding(judged, candidates)
        return chosen

    def _judged(self, run: Run, near: Sequence[Evidence], sure: float) -> list[Evidence]:
        """The sentences as the model judges them, up to the first with log-odds of `sure`."""
        judged: list[Evidence] = []
        for item in near:
            support, usage = steps.support(self.model, item, run.standalone, run.language)
            run.count(usage)
            judged.append(replace(item, support=support))
            run.note("judge", f"log-odds {support:+.1f} of {_place(item)}: {item.text}")
            if support >= sure:
                break
        return judged

    def _refuse(self, run: Run) -> Iterator[str | Answer]:
        text = in_characters(phrases(run.language).refusal, run.characters)
        if run.first_token is None:
            run.first_token = run.seconds()
        yield text
        yield run.answer("refused", text)


def _found(hits: Sequence[Hit]) -> str:
    places = [f"{hit.score:.2f} {_place(hit.passage)}" for hit in hits[:SHOWN]]
    return f"{len(hits)} passages, by chance to answer: {', '.join(places)}"


def _place(part: Passage | Evidence) -> str:
    source = part.source if isinstance(part, Passage) else part.passage.source
    return f"{source}:{part.start}-{part.end}"


def _holding(evidence: Sequence[Evidence], hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits whose passages hold this evidence, best first."""
    read = {item.passage.id for item in evidence}
    kept = [hit for hit in hits if hit.passage.id in read]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(kept, start=1))


def _counting(draft: Generator[str, None, Usage], run: Run) -> Iterator[str]:
    run.count((yield from draft))
