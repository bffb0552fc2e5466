"""The one way from a question to an answer: condense → retrieve → ground → answer → cite.

Stateless: a conversation is given with each call. `stream` is the only path; `answer`
drains it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llama_index.core.embeddings import BaseEmbedding

from qa_bot.answering import judge, overview, steps
from qa_bot.answering.asked import asked_for, may_state
from qa_bot.answering.cite import Citer, ReadText, verified, with_markers
from qa_bot.answering.draft import Draft
from qa_bot.answering.elsewhere import elsewhere_farther
from qa_bot.answering.ground import (
    Evidence,
    distinct,
    evidence_sentences,
    heading,
    leads,
    merged,
    of_its_year,
    place,
    with_the_one_before,
)
from qa_bot.answering.parts import by_signs, may_ask_twice, of_each_year, stands_alone
from qa_bot.answering.retrieve import Searchable, retrieve
from qa_bot.answering.run import Run
from qa_bot.answering.steps import Gate
from qa_bot.errors import IndexUnusable
from qa_bot.hanzi import characters_of, in_characters, language_and_characters
from qa_bot.models.embed import unit
from qa_bot.models.seam import AnsweringModel
from qa_bot.prompts import phrases
from qa_bot.text import language_of, without_mark
from qa_bot.types import Answer, Hit, Sentence, Strictness, Turn, Usage

CANDIDATES = 8
"""Passages whose sentences are compared with the question."""
LOOKS = 5
"""The nearest of those sentences, which the model judges until one surely answers."""
ATTEMPTS = 2
"""Evidence that an answer is tried from."""
BEFORE_WEIGHT = 0.5
"""Of the vector of a conversation's last turn with the question, beside the question's own."""
SHOWN = 4
"""Closest passages of a refusal;"""
NEAR = 0.3
"""and the nearness from which on it tells a sentence: what has nothing to do with the documents
stays below (benchmarks/README.md)."""


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

        How they do is `streaming.continued`.

        `where` limits the documents, in the index's own language.

        Closing the iterator stops the language model. Markers come once they are verified.

        Raises:
            ServiceError: the language model or its server failed.
            IndexUnusable: the documents changed since they were indexed.
        """
        run = self._begun(id, question, where)
        for part in self._understood(run, history):
            yield from self._answer(run, part)
        if not run.sentences:
            yield from self._refuse(run)
            return
        yield from _left_open(run)
        yield run.answer("answered", " ".join(map(with_markers, run.sentences)))

    def _begun(self, id: str, question: str, where: Mapping[str, Any] | None) -> Run:
        if self.answer_language:
            language, characters = language_and_characters(self.answer_language)
        else:
            language = language_of(question, "en")
            characters = characters_of(question) if language == "zh" else None
        return Run(id, question, language, characters, self.model.name, where)

    def _understood(self, run: Run, history: Sequence[Turn]) -> list[str]:
        """What is asked, standing alone: one question, or each of several asked at once."""
        run.standalone, usage = steps.condense(self.model, run.question, history)
        run.count(usage)
        if history:
            run.before = " ".join(history[-1])
            run.note("condense", run.standalone)
        asked = run.standalone
        parts = of_each_year(asked)
        if not parts:
            if not may_ask_twice(asked):
                return [asked]
            parts = by_signs(asked)
            by_model = not parts or not all(stands_alone(part, parts[0]) for part in parts)
            if by_model:
                written, usage = steps.split(self.model, asked)
                run.count(usage)
                parts = written or parts or [asked]
            first, *others = parts
            for number, part in enumerate(others, start=1):
                if not by_model or not stands_alone(part, first):
                    parts[number] = self._alone(run, part, first)
        run.note("split", " | ".join(parts))
        return parts

    def _alone(self, run: Run, part: str, first: str) -> str:
        """A further part of a question, made to stand alone: it may lean on the first."""
        alone, usage = steps.condense(self.model, part, [(first, "")])
        run.count(usage)
        return alone

    def _answer(self, run: Run, question: str) -> Iterator[str]:
        """The pieces of one question's answer, if the documents hold one."""
        said, near = len(run.sentences), self._near(run, question)
        gate = steps.load_gate(self.strictness)
        if overview.is_asked(question):
            chosen = overview.on_topic(self.model, question, near, run, gate)
            yield from self._told(run, question, chosen, gate)
        else:
            yield from self._tried(run, question, near[:LOOKS], gate)
        if len(run.sentences) == said:
            run.unanswered.append(question)

    def _tried(
        self, run: Run, question: str, near: Sequence[Evidence], gate: Gate
    ) -> Iterator[str]:
        """An answer from the best evidence; where none of it can stand, from the next best.

        Behind one that surely answers none was read; what goes on there is then read with it: "The
        theme of this summit …".
        """
        said = len(run.sentences)
        for _ in range(ATTEMPTS):
            chosen = judge.stating(self.model, self.read_text, question, near, run, gate)
            if not chosen:
                break
            for lead, evidence in self._tellings(run, question, chosen, near, gate):
                draft = self._draft(run, question, evidence, gate, lead)
                wording = steps.write(self.model, evidence, question, run.language)
                yield from _timed(draft.read(_counting(wording, run)), run)
            if len(run.sentences) > said:
                break
            tried = {(item.passage.source, item.start) for item in chosen}
            near = [item for item in near if (item.passage.source, item.start) not in tried]
            if chosen[-1].support >= gate.sure:
                near = [self._behind(chosen[-1], item) for item in near]

    def _behind(self, tried: Evidence, item: Evidence) -> Evidence:
        """A sentence, with `tried` where that is the one before it."""
        both = with_the_one_before(item, self.read_text(item.passage.source))
        follows = both and (both[0].passage.source, both[0].start) == (
            tried.passage.source,
            tried.start,
        )
        return both[1] if both and follows else item

    def _tellings(
        self,
        run: Run,
        question: str,
        chosen: tuple[Evidence, ...],
        near: Sequence[Evidence],
        gate: Gate,
    ) -> list[tuple[str, tuple[Evidence, ...]]]:
        """What is answered from, and what gives another number, each with what tells them apart.

        The older document comes first.
        """
        kind = asked_for(question)
        others = (
            judge.rivals(self.model, question, kind, chosen[-1], near, run, gate) if kind else ()
        )
        if not others:
            return [("", chosen)]
        told = [chosen, *((item,) for item in others)]
        told.sort(key=lambda evidence: evidence[-1].passage.date or "")
        return list(zip(leads([each[-1].passage for each in told]), told, strict=True))

    def _told(
        self, run: Run, question: str, chosen: Sequence[Evidence], gate: Gate
    ) -> Iterator[str]:
        """These sentences themselves, each in the answer's language."""
        if chosen:
            run.shown = merged(run.shown, [run.found[item.passage.id] for item in chosen])
            draft = self._draft(run, question, chosen, gate)
            yield from _timed((piece for item in chosen for piece in draft.quote(item)), run)

    def _draft(
        self, run: Run, question: str, chosen: Sequence[Evidence], gate: Gate, lead: str = ""
    ) -> Draft:
        """An answer from this evidence, which stands in its files as it was indexed.

        Raises:
            IndexUnusable: it does not.
        """
        citer = Citer(chosen, question, run, self.read_text, self.embedder)
        if stale := [item for item in chosen if item not in citer.evidence]:
            raise IndexUnusable(
                f"{stale[0].passage.source} changed since it was indexed; run `qa-bot index`"
            )
        return Draft(self.model, citer, question, run, gate, lead)

    def _near(self, run: Run, question: str) -> list[Evidence]:
        """The sentences of the found passages, the nearest to the question first."""
        found = retrieve(self.store, question, self._vector(run, question), where=run.where)
        run.found |= {hit.passage.id: hit for hit in found}
        run.retrieved = merged(run.retrieved, found)
        run.note("search", _found(found))
        of_year = of_its_year(question, found, self.read_text)
        if kind := asked_for(question):
            near = [
                item
                for item in evidence_sentences(question, of_year)
                if may_state(without_mark(item.text), item.passage.language, question, kind)
            ]
        else:
            near = list(evidence_sentences(question, distinct(of_year, CANDIDATES)))
        near = elsewhere_farther(question, near, self.read_text)
        return sorted(near, key=lambda item: -item.nearness)

    def _vector(self, run: Run, question: str) -> list[float]:
        """What to search by: the question and, in a conversation, half of what was said before.

        A small model often leaves "he" or "there" as it is when it makes a follow-up stand
        alone; a question of something new is still found (benchmarks/README.md).
        """
        vector = self.embedder.get_query_embedding(question)
        if not run.before:
            return vector
        said = self.embedder.get_query_embedding(f"{run.before} {question}")
        both = unit(np.array([vector, said]))
        mixed: list[float] = (both[0] + BEFORE_WEIGHT * both[1]).tolist()
        return mixed

    def _refuse(self, run: Run) -> Iterator[str | Answer]:
        text = " ".join([_refusal(run), *self._nearest(run)])
        run.shown = distinct(run.retrieved, SHOWN)
        if run.first_token is None:
            run.first_token = run.seconds()
        yield text
        yield run.answer("refused", text)

    def _nearest(self, run: Run) -> Iterator[str]:
        """What the documents do say, where a sentence in the reader's language comes near.

        Asked why something was cancelled, it may tell that it was held. No other language's is
        told: a translation could be wrong, and is waited for.
        """
        item = run.nearest
        if item is None or item.nearness < NEAR or item.passage.language != run.language:
            return
        if verified(item, self.read_text):
            said = in_characters(phrases(run.language).nearest, run.characters)
            gap = "" if said.endswith("：") else " "
            yield f"{said}{gap}“{' '.join(item.text.split())}” ({heading(item.passage)})"


def _timed(pieces: Iterator[str], run: Run) -> Iterator[str]:
    for piece in pieces:
        if run.first_token is None:
            run.first_token = run.seconds()
        yield piece


def _left_open(run: Run) -> Iterator[str]:
    """Says of each question that the documents do not answer, beside others, that they don't."""
    for question in run.unanswered:
        sentence = Sentence(f"{question} {_refusal(run)}", (), "unsupported")
        run.sentences.append(sentence)
        yield " " + sentence.text


def _refusal(run: Run) -> str:
    return in_characters(phrases(run.language).refusal, run.characters)


def _found(hits: Sequence[Hit]) -> str:
    places = [f"{hit.score:.2f} {place(hit.passage)}" for hit in hits[:SHOWN]]
    return f"{len(hits)} passages, by chance to answer: {', '.join(places)}"


def _counting(draft: Generator[str, None, Usage], run: Run) -> Iterator[str]:
    run.count((yield from draft))
