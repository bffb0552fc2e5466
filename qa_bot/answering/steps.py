"""What the language model is asked, one function a step. Prompts are in `prompts/`."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cache

from qa_bot.answering.ground import Evidence, evidence_text
from qa_bot.models.embedded import drain
from qa_bot.models.seam import AnsweringModel
from qa_bot.numbers import annotate
from qa_bot.prompts import load_data, load_prompt, phrases
from qa_bot.types import Turn, Usage

ANSWER_TOKENS = 128
QUESTION_TOKENS = 96
MOST_CHOSEN = 2


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


def choose(
    model: AnsweringModel, evidence: Sequence[Evidence], question: str, language: str
) -> tuple[tuple[Evidence, ...], Usage]:
    """The sentences that state the answer, in the model's order; none where none does."""
    messages = load_prompt("choose").fill(
        sentences=evidence_text(evidence, language, labels=True), question=question
    )
    labels, usage = model.choose(messages, [item.label for item in evidence], at_most=MOST_CHOSEN)
    by_label = {item.label: item for item in evidence}
    return tuple(by_label[label] for label in dict.fromkeys(labels)), usage


def supported(
    model: AnsweringModel, evidence: Sequence[Evidence], question: str, language: str
) -> tuple[float, Usage]:
    """The probability that these sentences state the answer."""
    text = evidence_text(evidence, language)
    return model.probability_of_yes(load_prompt("gate").fill(evidence=text, question=question))


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
    """`text`, in the language `source`, in `language`."""
    messages = load_prompt("translate").fill(
        text=annotate(text, source, language), language=phrases(language).name
    )
    written, usage = drain(model.stream(messages, max_tokens=ANSWER_TOKENS))
    return " ".join(written.split()), usage


@dataclass(frozen=True, slots=True)
class Gate:
    """Log-odds at which to answer or refuse; `benchmarks/fit_gate.py` fits them."""

    sure: float
    """The nearest sentences answer: no second look."""
    hopeless: float
    """They are so far from it that no second look can help."""
    threshold: float
    """What both looks together must reach."""


@cache
def load_gate() -> Gate:
    """The gate of `prompts/gate.json`."""
    stored = load_data("gate")
    return Gate(*(float(stored[name]) for name in ("sure", "hopeless", "threshold")))


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)), kept finite."""
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def probability(odds: float) -> float:
    """The probability of log-odds: the inverse of `log_odds`."""
    return 1 / (1 + math.exp(-odds))
