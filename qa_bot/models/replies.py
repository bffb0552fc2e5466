"""How what models write is read: yes or no, and its length."""

from __future__ import annotations

from collections.abc import Iterable

UNDECIDED = 0.5
"""P(yes) of a model that says neither yes nor no."""


def yes_share(tokens: Iterable[tuple[str, float]]) -> float:
    """P(yes) / (P(yes) + P(no)) over tokens such as `Yes`, ` yes` and `NO`."""
    sums = {"yes": 0.0, "no": 0.0}
    for token, probability in tokens:
        word = token.strip().lower()
        if word in sums:
            sums[word] += probability
    total = sums["yes"] + sums["no"]
    return sums["yes"] / total if total else UNDECIDED


def estimated_tokens(text: str) -> int:
    """A quarter of the UTF-8 bytes, rounded up.

    Qwen's tokenizer takes 5.1 bytes a token in English, 4.9 in Chinese, 3.8 in French
    and 3.5 in Indonesian, so this may be a seventh too low: leave room.
    """
    return -(-len(text.encode()) // 4)
