"""The names of the scores and metrics, and what each one is."""

from __future__ import annotations

RETRIEVAL = ("hit@5", "nDCG@10", "MRR@10", "recall@20", "passage_hit@1", "passage_hit@5")
"""Scores of a question that need its ranking only."""
ANSWERS = (
    "answer_match",
    "answer_f1",
    "language_match",
    "citation_precision",
    "citation_recall",
    "quote_verbatim",
    "refusal_rate",
    "over_refusal",
)
"""Scores of a question that need its answer."""
TOKENS = ("prompt_tokens", "completion_tokens")
"""Counts of a question; their metric is the mean."""
PERCENTILES = {
    "p50_seconds": ("seconds", 0.5),
    "p95_seconds": ("seconds", 0.95),
    "first_token_p50": ("first_token_seconds", 0.5),
}
"""Metrics that are a percentile of a score: its name, and the share below it."""
MEANS = (*RETRIEVAL, *ANSWERS, *TOKENS)
"""Metrics that are the mean of the score of their name."""
METRICS = (*MEANS, *PERCENTILES)
RATES = frozenset(
    {"hit@5", "passage_hit@1", "passage_hit@5", "answer_match", "language_match"}
    | {"citation_recall", "refusal_rate", "over_refusal"}
)
"""Metrics whose score is 0 or 1."""
LOWER_IS_BETTER = frozenset({"over_refusal", *TOKENS, *PERCENTILES})


def within_one(metric: str) -> bool:
    """True for a metric between 0 and 1; the others are counts or seconds."""
    return metric in RETRIEVAL or metric in ANSWERS
