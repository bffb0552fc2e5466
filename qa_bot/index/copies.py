"""Nearly the same text twice: one article under several names, with another head or a typo.

Texts are compared by their shingles (Broder 1997, "On the resemblance and containment of
documents"): every run of `WIDTH` bytes of their letters and digits, so that no script needs
words of its own. Pairs are looked for only among texts that share two of their smallest
hashes, as nearly all do that are alike: 99 of 100 that are just alike enough.
"""

from __future__ import annotations

import base64
import re
import struct
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

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


def near_copies(
    sketches: Mapping[str, str], settled: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The sources that nearly repeat another one, each with the first that it repeats.

    Args:
        sketches: of all sources.
        settled: sources of which it is known what they repeat, "" for nothing: the others
            are put to these before they are compared by name.
    """
    settled = settled or {}
    smallest = {source: _unpacked(sketch, _KEYS) for source, sketch in sketches.items()}
    new = sorted(source for source in sketches if source not in settled and smallest[source])
    sought = {key for source in new for key in smallest[source]}
    firsts = [source for source, first in settled.items() if not first]
    rivals = sorted(source for source in firsts if not sought.isdisjoint(smallest[source]))
    sources = rivals + new

    # Not numpy: its calls cost more than all that is done with so few numbers.
    @cache
    def hashes(place: int) -> frozenset[int]:
        return frozenset(_unpacked(sketches[sources[place]]))

    def alike(one: int, other: int) -> bool:
        first, second = hashes(one), hashes(other)
        both = first & second
        # What two sketches have in common is the most that they can resemble each other.
        if len(both) < SAME_DOCUMENT * max(len(first), len(second)):
            return False
        union = sorted(first | second)[:SKETCH]
        return len(both.intersection(union)) >= SAME_DOCUMENT * len(union)

    found = {source: first for source, first in settled.items() if first}
    for first, *copies in _grouped([smallest[source] for source in sources], alike):
        found |= {sources[copy]: sources[first] for copy in copies if copy >= len(rivals)}
    return found


def same_passages(passages: Sequence[Passage]) -> list[list[int]]:
    """Group passages (by their places) that say the same in several documents, in their order.

    Passages with different numbers never belong together: last year's report is no copy of
    this year's.
    """
    hashes = [_remembered(passage.text) for passage in passages]
    keys = [tuple(found[:_KEYS].tolist()) for found in hashes]
    numbers = [sorted(_NUMBER.findall(passage.text)) for passage in passages]

    def alike(one: int, other: int) -> bool:
        return (
            passages[one].source != passages[other].source
            and numbers[one] == numbers[other]
            and resemblance(hashes[one], hashes[other]) >= SAME_PASSAGE
        )

    return _grouped(keys, alike)


def resemblance(one: Hashes, other: Hashes) -> float:
    """Jaccard similarity of two sets of hashes, each sorted and without repetition."""
    union = np.union1d(one, other)
    both = np.intersect1d(one, other, assume_unique=True)
    return both.size / union.size if union.size else 0.0


def _unpacked(sketch: str, count: int = SKETCH) -> tuple[int, ...]:
    """The smallest hashes of a sketch, so many or all there are."""
    data = base64.b64decode(sketch[: -(-count * 4 // 3) * 4])
    return struct.unpack_from(f"<{min(count, len(data) // 4)}I", data)


def _grouped(
    smallest: Sequence[Sequence[int]], alike: Callable[[int, int], bool]
) -> list[list[int]]:
    """Put each text to the first one that is like it; all are in the result, in their order.

    Args:
        smallest: the `_KEYS` smallest hashes of each text.
        alike: whether two texts, by their places, are.
    """
    groups: dict[int, list[int]] = {}
    firsts: dict[int, list[int]] = {}
    uses = Counter(key for keys in smallest for key in keys)
    for place, keys in enumerate(smallest):
        shared = [key for key in keys if uses[key] > 1]
        once: set[int] = set()
        rivals: set[int] = set()
        for key in shared:
            having = firsts.get(key, ())
            rivals.update(having if len(keys) == 1 else once.intersection(having))
            once.update(having)
        group = next((first for first in sorted(rivals) if alike(first, place)), None)
        if group is not None:
            groups[group].append(place)
            continue
        groups[place] = [place]
        for key in shared:
            kept = firsts.setdefault(key, [])
            if len(kept) < _COMMON:
                kept.append(place)
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
