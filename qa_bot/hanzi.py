"""The two kinds of Chinese characters: which one a text is in, and texts put into it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opencc import OpenCC

Characters = Literal["simplified", "traditional"]
# OpenCC's tables; the words stay the writer's own. Taiwan's forms are the most read.
_TABLES: dict[Characters, str] = {"simplified": "t2s", "traditional": "s2tw"}
_OTHERS: dict[Characters, Characters] = {"simplified": "traditional", "traditional": "simplified"}


def characters_of(text: str) -> Characters | None:
    """The kind of characters that `text` is in; None where it has none that tells."""
    counts = {kind: _unlike(text, other) for kind, other in _OTHERS.items()}
    if counts["simplified"] == counts["traditional"]:
        return None
    return max(counts, key=lambda kind: counts[kind])


def in_characters(text: str, kind: Characters | None) -> str:
    """`text` in this kind of characters; as it is where the kind is None."""
    return _converter(_TABLES[kind]).convert(text) if kind else text


def language_and_characters(code: str) -> tuple[str, Characters | None]:
    """What `zh-Hant` and `zh-Hans` mean; any other code is a language of one kind."""
    language, _, script = code.lower().partition("-")
    kinds: dict[str, Characters] = {"hant": "traditional", "hans": "simplified"}
    return language, kinds.get(script)


def _unlike(text: str, kind: Characters) -> int:
    """How many characters of `text` are another one in this kind."""
    return sum(a != b for a, b in zip(text, in_characters(text, kind), strict=False))


@cache
def _converter(table: str) -> OpenCC:
    from opencc import OpenCC  # its tables take 0.2 s to read

    return OpenCC(table)
