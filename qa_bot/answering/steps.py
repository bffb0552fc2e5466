"""What the language model is asked, one function a step. Prompts are in `prompts/`."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache

from qa_bot.answering.check import loops, still_asks
from qa_bot.answering.ground import Evidence, evidence_text
from qa_bot.answering.parts import as_written
from qa_bot.models.embedded import drain
from qa_bot.models.seam import AnsweringModel
from qa_bot.prompts import load_data, load_prompt, phrases
from qa_bot.types import Strictness, Turn, Usage
from qa_bot.written_numbers import annotate

ANSWER_TOKENS = 128
QUESTION_TOKENS = 96


def condense(model: AnsweringModel, question: str, history: Sequence[Turn]) -> tuple[str, Usage]:
    """A follow-up made to stand alone; without a conversation the question itself.

    So it is where the model answered it, or asked something else.
    """
    if not history:
        return question, Usage()
    earlier_question, earlier_answer = history[-1]
    messages = load_prompt("condense").fill(
        earlier_question=earlier_question,
        earlier_answer=earlier_answer,
        question=question,
    )
    text, usage = drain(model.stream(messages, max_tokens=QUESTION_TOKENS))
    written = " ".join(text.split())
    said = f"{earlier_question} {earlier_answer}"
    return written if still_asks(written, question, said) else question, usage


def split(model: AnsweringModel, question: str) -> tuple[list[str], Usage]:
    """The questions that are asked at once in one, as a model tells them; none where it cannot."""
    messages = load_prompt("split").fill(question=question)
    text, usage = drain(model.stream(messages, max_tokens=QUESTION_TOKENS))
    return as_written(text, question), usage


def support(
    model: AnsweringModel, sentences: Sequence[Evidence], question: str, language: str
) -> tuple[float, Usage]:
    """Log-odds that these sentences state the answer."""
    return _odds(model, "gate", evidence=evidence_text(sentences, language), question=question)


def on_topic(
    model: AnsweringModel, item: Evidence, question: str, language: str
) -> tuple[float, Usage]:
    """Log-odds that this one sentence belongs in an overview."""
    return _odds(model, "about", evidence=evidence_text([item], language), question=question)


def stands(
    model: AnsweringModel, chosen: Sequence[Evidence], question: str, answer: str, language: str
) -> tuple[float, Usage]:
    """Log-odds that these sentences state what was written from them."""
    evidence = evidence_text(chosen, language)
    return _odds(model, "verify", evidence=evidence, question=question, answer=answer)


def _odds(model: AnsweringModel, prompt: str, **values: str) -> tuple[float, Usage]:
    probability, usage = model.probability_of_yes(load_prompt(prompt).fill(**values))
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


@cache
def instruction() -> str:
    """What `write` tells a model beside evidence and question; small ones say it after it."""
    return load_prompt("answer").fill(evidence="", question="", instruction="")[-1].content


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

    strictness: Strictness
    sure: float
    """Log-odds of a sentence from which on no further one is read;"""
    likely: float
    """from which on only a few more are;"""
    hopeless: float
    """and those that one of the first few must have for others to be."""
    support: float
    """Weight of the best sentence's log-odds in those that the question is answered;"""
    nearness: float
    """of its nearness;"""
    bias: float
    """and what is added."""
    least: float
    """The chance from which on a question is answered."""
    stands: float
    """Log-odds from which on a written sentence stands, else the quote takes its place."""
    marks: bool
    """Whether a sentence that fails beside one that stands is marked, and not left out."""
    topic: float
    """Log-odds from which on a sentence belongs in an overview."""

    def chance(self, best: Evidence) -> float:
        """The chance that the documents answer, in [0, 1], by their best sentence."""
        return probability(self.support * best.support + self.nearness * best.nearness + self.bias)


@cache
def load_gate(strictness: Strictness) -> Gate:
    """The gate of `prompts/gate.json`, which names the measured cost of each strictness."""
    stored = load_data("gate")
    return Gate(
        strictness=strictness,
        sure=float(stored["sure"]),
        likely=float(stored["likely"]),
        hopeless=float(stored["hopeless"]),
        support=float(stored["support"]),
        nearness=float(stored["nearness"]),
        bias=float(stored["bias"]),
        least=float(stored["strictness"][strictness]["least"]),
        stands=float(stored["strictness"][strictness].get("stands", -math.inf)),
        marks=bool(stored["strictness"][strictness].get("marks", False)),
        topic=float(stored["topic"]),
    )


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)), kept finite."""
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def probability(odds: float) -> float:
    """The probability of log-odds: the inverse of `log_odds`."""
    return 1 / (1 + math.exp(-odds))
