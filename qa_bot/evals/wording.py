"""What the figures of an evaluation are called and mean, in plain words, in reading order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a run; `name` is the contract's, which files and options use."""

    name: str
    group: str
    label: str
    meaning: str
    by_slice: bool = False
    """Whether the tables by slice of a full run have a column for it."""

    @property
    def is_share(self) -> bool:
        """Whether it goes from 0 to 1."""
        return self.group not in ("Time", "Tokens", "Others")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question; `name` is its `attribution` in results.jsonl."""

    name: str
    label: str
    meaning: str
    wrong: bool = True


METRICS = (
    Metric("hit@5", "Retrieval", "Right document in the first 5",
           "share of questions with a right document among the five best", True),
    Metric("passage_hit@1", "Retrieval", "Right passage comes first",
           "share of questions whose best passage hits the gold passage"),
    Metric("passage_hit@5", "Retrieval", "Right passage in the first 5",
           "share of questions with a hit on the gold passage among the five best", True),
    Metric("nDCG@10", "Retrieval", "Ranking of the first 10 documents",
           "1 when the right documents stand first, less the lower they stand"),
    Metric("MRR@10", "Retrieval", "First right document, reciprocal rank",
           "1 for rank 1, a half for rank 2, and so on; 0 below rank 10"),
    Metric("recall@20", "Retrieval", "Right documents in the first 20",
           "share of the right documents that were found at all"),
    Metric("answer_match", "Answers", "Right answer",
           "share of answerable questions whose answer holds an expected answer", True),
    Metric("answer_f1", "Answers", "Words shared with the expected answer",
           "token F1; low for right answers in whole sentences, so read it beside the line above"),
    Metric("language_match", "Answers", "Answer in the question's language",
           "share of answers written in the language of their question", True),
    Metric("citation_precision", "Citations", "Citations that hit the gold passage",
           "share of an answer's citations that do, averaged over answers", True),
    Metric("citation_recall", "Citations", "Answers with a right citation",
           "share of answers to answerable questions that cite the gold passage", True),
    Metric("quote_verbatim", "Citations", "Quotes found verbatim",
           "share of quotes that stand in their document word for word"),
    Metric("refusal_rate", "Refusal", "Refused, rightly",
           "share of unanswerable questions that were refused; higher is better", True),
    Metric("over_refusal", "Refusal", "Refused, though answerable",
           "share of answerable questions that were refused; lower is better", True),
    Metric("p50_seconds", "Time", "Seconds, half of the questions within",
           "median time of a whole answer"),
    Metric("p95_seconds", "Time", "Seconds, 95 of 100 questions within",
           "95th percentile of the time of a whole answer"),
    Metric("first_token_p50", "Time", "Seconds to the first word",
           "median time until the answer begins"),
    Metric("prompt_tokens", "Tokens", "Tokens read", "mean per question, by the language model"),
    Metric("completion_tokens", "Tokens", "Tokens written", "mean per question"),
)  # fmt: skip

OUTCOMES = (
    Outcome("right", "Right", "The answer is right and a citation hits the gold passage.", False),
    Outcome("refused_rightly", "Refused, rightly",
            "The documents do not answer the question, and the bot said so.", False),
    Outcome("retrieved", "Retrieved", "The gold passage is among the passages found.", False),
    Outcome("invented", "Invented",
            "The documents do not answer the question, yet the bot gave an answer."),
    Outcome("wrong", "Shown but wrong",
            "The model was shown the gold passage, yet its answer is not an expected one."),
    Outcome("miscited", "Right but miscited",
            "The answer is right, but no citation hits the gold passage."),
    Outcome("refused", "Shown but refused",
            "The gold passage was shown, yet the bot refused to answer."),
    Outcome("not_shown", "Found but not shown",
            "Retrieval found the gold passage, but it was not among those shown to the model."),
    Outcome("not_retrieved", "Not retrieved",
            "The gold passage is not among the passages found."),
    Outcome("error", "Failed",
            "No answer was made because of a fault. Counted apart, not as a wrong answer.", False),
)  # fmt: skip

_KNOWN = {metric.name: metric for metric in METRICS}


def metrics_of(names: list[str]) -> list[Metric]:
    """The metrics with these names in reading order; unknown names come last, as they are."""
    known = [metric for metric in METRICS if metric.name in names]
    return known + [Metric(name, "Others", name, "") for name in names if name not in _KNOWN]


def measured(run: Mapping[str, Any], name: str) -> bool:
    """Whether a run has the metric: a retrieval-only run has no figures of answers."""
    return name in run["metrics"] and not (run["retrieval_only"] and not run["metrics"][name]["n"])


def number(value: float | None, places: int = 3) -> str:
    """A share with `places` decimals, a larger figure with three significant digits.

    A share short of 1 is never rounded up to a perfect score.
    """
    if value is None:
        return "–"
    if abs(value) > 1:
        return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2}f}"
    written = f"{value:.{places}f}"
    return f"{1 - 10**-places:.{places}f}" if value < 1 and float(written) == 1 else written


def interval(low: float | None, high: float | None, places: int = 3) -> str:
    """The ends of an interval, or a dash where there is none."""
    return "–" if low is None or high is None else f"{number(low, places)}–{number(high, places)}"
