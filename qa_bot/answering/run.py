"""What is known of one question while it is being answered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qa_bot.answering.ground import Evidence
from qa_bot.hanzi import Characters
from qa_bot.types import Answer, Citation, Hit, Sentence, Status, Step, Usage


@dataclass(slots=True)
class Run:
    """What is known so far of one question's answer."""

    id: str
    question: str
    language: str
    """The answer's;"""
    characters: Characters | None
    """and for Chinese the characters to write it in."""
    model: str
    where: Mapping[str, Any] | None
    started: float = field(default_factory=time.perf_counter)
    first_token: float | None = None
    standalone: str = ""
    before: str = ""
    """The conversation's last turn."""
    found: dict[str, Hit] = field(default_factory=dict)
    """Every hit, by its passage's id; of several questions' rankings only the best are kept."""
    retrieved: tuple[Hit, ...] = ()
    shown: tuple[Hit, ...] = ()
    """What the model was shown of them."""
    sentences: list[Sentence] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    """The questions in it that the documents do not answer."""
    usage: Usage = field(default_factory=Usage)
    longest: int = 0
    confidence: float | None = None
    nearest: Evidence | None = None
    """The sentence that the confidence is of."""
    supports: dict[tuple[str, ...], float] = field(default_factory=dict)
    """Log-odds by question and places of the sentences judged, so that none is judged twice."""
    steps: list[Step] = field(default_factory=list)

    def seconds(self) -> float:
        """Since it was asked."""
        return time.perf_counter() - self.started

    def note(self, name: str, result: str, **values: float) -> None:
        """What came of a step that has just ended."""
        before = sum(step.seconds for step in self.steps)
        self.steps.append(Step(name, self.seconds() - before, result, values))

    def count(self, usage: Usage) -> None:
        """Add what one call of the model took."""
        self.usage += usage
        self.longest = max(self.longest, usage.prompt_tokens + usage.completion_tokens)

    def answer(self, status: Status, text: str) -> Answer:
        """What all of it came to."""
        return Answer(
            id=self.id,
            question=self.question,
            status=status,
            language=self.language,
            answer=text,
            sentences=tuple(self.sentences),
            citations=tuple(self.citations),
            passages=self.shown,
            retrieved=self.retrieved,
            standalone_question=self.standalone,
            model=self.model,
            seconds=self.seconds(),
            first_token_seconds=self.first_token,
            usage=self.usage,
            confidence=self.confidence,
            longest=self.longest,
            steps=tuple(self.steps),
        )
