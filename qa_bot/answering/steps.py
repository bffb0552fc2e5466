"""What the language model is asked, one function a step. Prompts are in `prompts/`."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from itertools import permutations

from qa_bot.answering.check import loops
from qa_bot.answering.ground import Evidence, evidence_text
from qa_bot.models.embedded import drain
from qa_bot.models.seam import AnsweringModel
from qa_bot.numbers import annotate
from qa_bot.prompts import load_data, load_prompt, phrases
from qa_bot.types import Strictness, Turn, Usage

ANSWER_TOKENS = 128
QUESTION_TOKENS = 96
MOST_PARTS = 3
"""Questions in one; more are a small model's invention."""


def condense(
    model: AnsweringModel, question: str, history: Sequence[Turn], language: str
) -> tuple[str, Usage]:
    """A follow-up made to stand alone; without a conversation the question itself."""
    if not history:
        return question, Usage()
    earlier_question, earlier_answer = history[-1]
    messages = load_prompt("condense").fill(
        earlier_question=earlier_question,
        earlier_answer=earlier_answer,
        question=question,
        language=phrases(language).name,
    )
    text, usage = drain(model.stream(messages, max_tokens=QUESTION_TOKENS))
    return " ".join(text.split()) or question, usage


def split(model: AnsweringModel, question: str) -> tuple[list[str], Usage]:
    """The questions that are asked at once in one; itself, where it cannot be taken apart."""
    messages = load_prompt("split").fill(question=question)
    text, usage = drain(model.stream(messages, max_tokens=QUESTION_TOKENS))
    parts = list(
        dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if line.strip())
    )
    # Small models also answer what they are to take apart, or say it twice.
    asked = all(part.endswith(("?", "？", "؟")) for part in parts)
    words = [set(part.casefold().split() if " " in part else part) for part in parts]
    twice = any(one <= other for one, other in permutations(words, 2))
    return (parts if asked and not twice and 2 <= len(parts) <= MOST_PARTS else [question]), usage


def support(
    model: AnsweringModel, item: Evidence, question: str, language: str
) -> tuple[float, Usage]:
    """Log-odds that this one sentence states the answer."""
    text = evidence_text([item], language)
    messages = load_prompt("gate").fill(evidence=text, question=question)
    probability, usage = model.probability_of_yes(messages)
    return log_odds(probability), usage


def write(
    model: AnsweringModel, chosen: Sequence[Evidence], question: str, language: str
) -> Generator[str, None, Usage]:
    """The answer in `language`, from the chosen sentences alone, piece by piece."""
    messages = load_prompt("answer").fill(
        evidence=evidence_text(chosen, language),
        question=question,
        instruction=phrases(language).answer,
    )
    return model.stream(messages, max_tokens=ANSWER_TOKENS)


def translate(model: AnsweringModel, text: str, source: str, language: str) -> tuple[str, Usage]:
    """`text`, in the language `source`, in `language`; "" where the model runs away."""
    messages = load_prompt("translate").fill(
        text=annotate(text, source, language), language=phrases(language).name
    )
    written, usage = drain(_until_it_loops(model.stream(messages, max_tokens=ANSWER_TOKENS)))
    return "" if loops(written) else " ".join(written.split()), usage


def _until_it_loops(wording: Generator[str, None, Usage]) -> Generator[str, None, Usage]:
    """The same, stopped where a model runs away: it would write to the limit."""
    text = ""
    with closing(wording):
        while True:
            try:
                piece = next(wording)
            except StopIteration as end:
                return end.value if isinstance(end.value, Usage) else Usage()
            text += piece
            yield piece
            if loops(text):
                return Usage()


@dataclass(frozen=True, slots=True)
class Gate:
    """When the judged sentences answer; `benchmarks/fit_gate.py` fits it."""

    sure: float
    """Log-odds of a sentence from which on no further one is read."""
    support: float
    """Weight of the best sentence's log-odds in those that the question is answered;"""
    nearness: float
    """of its nearness;"""
    bias: float
    """and what is added."""
    least: float
    """The chance from which on a question is answered."""

    def chance(self, best: Evidence) -> float:
        """The chance that the documents answer, in [0, 1], by their best sentence."""
        return probability(self.support * best.support + self.nearness * best.nearness + self.bias)


@cache
def load_gate(strictness: Strictness) -> Gate:
    """The gate of `prompts/gate.json`, which names the measured cost of each strictness."""
    stored = load_data("gate")
    return Gate(
        sure=float(stored["sure"]),
        support=float(stored["support"]),
        nearness=float(stored["nearness"]),
        bias=float(stored["bias"]),
        least=float(stored["strictness"][strictness]["least"]),
    )


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)), kept finite."""
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def probability(odds: float) -> float:
    """The probability of log-odds: the inverse of `log_odds`."""
    return 1 / (1 + math.exp(-odds))
