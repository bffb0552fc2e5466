"""Nearly the same text twice: one article under several names, with another head or a typo.

Texts are compared by their shingles (Broder 1997, "On the resemblance and containment of
documents"): every run of `WIDTH` bytes of their letters and digits, so that no script needs
words of its own. Pairs are looked for only among texts that share one of their smallest
hashes, as nearly all do that are alike.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qa_bot.types import Passage

WIDTH = 12
"""UTF-8 bytes of a shingle: two words of an alphabet, four characters of Chinese."""
SKETCH = 64
"""Hashes kept of a document; the share that two have in common is within 0.1 of the truth."""
SAME_DOCUMENT = 0.6
SAME_PASSAGE = 0.8
"""Least resemblance of two passages, of which about three letters may differ."""
_KEYS = 8
_COMMON = 50
"""Texts that differ and share a hash, beyond which it tells nothing: a footer has it."""
_PART = 100_000
"""Characters hashed at once, which take some ten bytes of memory each."""
_NUMBER = re.compile(r"\d+|[〇零一二三四五六七八九十百千万亿萬億两兩]+")

Hashes = NDArray[np.uint32]


def sketch_of(text: str) -> str:
    """What is kept of a document to find its copies by: its smallest hashes, in base64."""
    smallest = np.array([], dtype=np.uint32)
    for at in range(0, len(text), _PART):
        smallest = np.union1d(smallest, _shingles(text[at : at + _PART]))[:SKETCH]
    return base64.b64encode(smallest.astype("<u4").tobytes()).decode("ascii")


def near_copies(sketches: Mapping[str, str]) -> dict[str, str]:
    """The sources that nearly repeat another one, each with the first (by name) that it repeats."""
    sources = sorted(source for source, sketch in sketches.items() if sketch)
    hashes = [np.frombuffer(base64.b64decode(sketches[s]), dtype="<u4") for s in sources]

    kept = [frozenset(found.tolist()) for found in hashes]

    def alike(one: int, other: int) -> bool:
        # What two sketches have in common is the most that they can resemble each other.
        most = len(kept[one] & kept[other]) / max(len(kept[one]), len(kept[other]))
        return (
            most >= SAME_DOCUMENT
            and resemblance(hashes[one], hashes[other], SKETCH) >= SAME_DOCUMENT
        )

    groups = _grouped(hashes, alike)
    return {sources[copy]: sources[first] for first, *copies in groups for copy in copies}


def same_passages(passages: Sequence[Passage]) -> list[list[int]]:
    """Group passages (by their places) that say the same in several documents, in their order.

    Passages with different numbers never belong together: last year's report is no copy of
    this year's.
    """
    hashes = [_remembered(passage.text) for passage in passages]
    numbers = [sorted(_NUMBER.findall(passage.text)) for passage in passages]

    def alike(one: int, other: int) -> bool:
        return (
            passages[one].source != passages[other].source
            and numbers[one] == numbers[other]
            and resemblance(hashes[one], hashes[other]) >= SAME_PASSAGE
        )

    return _grouped(hashes, alike)


def resemblance(one: Hashes, other: Hashes, limit: int | None = None) -> float:
    """Jaccard similarity of two sets of hashes, each sorted and without repetition.

    Args:
        one: the hashes of a text.
        other: those of another.
        limit: how many of the smallest hashes were kept; None where all were.
    """
    union = np.union1d(one, other)[:limit]
    both = np.intersect1d(one, other, assume_unique=True)
    return float(np.isin(union, both).mean()) if union.size else 0.0


def _grouped(hashes: Sequence[Hashes], alike: Callable[[int, int], bool]) -> list[list[int]]:
    """Put each text to the first one that is like it; all are in the result, in their order."""
    groups: dict[int, list[int]] = {}
    firsts: dict[int, list[int]] = {}
    smallest = [found[:_KEYS].tolist() for found in hashes]
    uses = Counter(key for keys in smallest for key in keys)
    for place, keys in enumerate(smallest):
        shared = [key for key in keys if uses[key] > 1]
        rivals = sorted({first for key in shared for first in firsts.get(key, ())})
        group = next((first for first in rivals if alike(first, place)), None)
        if group is not None:
            groups[group].append(place)
            continue
        groups[place] = [place]
        for key in shared:
            having = firsts.setdefault(key, [])
            if len(having) < _COMMON:
                having.append(place)
    return list(groups.values())


@lru_cache(maxsize=4096)
def _remembered(text: str) -> Hashes:
    return _shingles(text)  # a search looks at the same passages as the one before


def _shingles(text: str) -> Hashes:
    """The hashes of a text's shingles, sorted, each once; none for a text without letters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(filter(str.isalnum, folded)).encode("utf-8")
    if not letters:
        return np.array([], dtype=np.uint32)
    data = np.frombuffer(letters.ljust(WIDTH, b"\0"), dtype=np.uint8).astype(np.uint64)
    count = len(data) - WIDTH + 1
    rolled = np.zeros(count, dtype=np.uint64)
    for place in range(WIDTH):
        rolled = rolled * np.uint64(0x100000001B3) + data[place : place + count]
    # Bits are mixed, so that the smallest hashes are a random sample (Steele's SplitMix64).
    rolled = (rolled ^ (rolled >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    rolled = (rolled ^ (rolled >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.unique((rolled >> np.uint64(32)).astype(np.uint32))
