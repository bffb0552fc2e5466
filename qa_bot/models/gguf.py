"""A GGUF file's table of tensors, and their weights.

OpenVINO crashes the whole process on a file that was cut short, so it is measured first.
The package `gguf` knows the kinds of tensor; its own reader takes 14 s to list the 150,000
words of a vocabulary, which are stepped over here.
"""

from __future__ import annotations

import math
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa_bot.errors import BackendError

SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a metadata value, by its type."""
STRING, ARRAY = 8, 9
ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the table."""

    name: str
    shape: tuple[int, ...]
    """Rows first, as in numpy; the file has it the other way round."""
    kind: int
    """Of its blocks, as `gguf.GGMLQuantizationType` numbers them."""
    start: int
    """Where its blocks start in the file;"""
    size: int
    """and how many bytes they are; 0 for a kind that is not known."""

    def rows(self, path: Path, first: int, end: int) -> NDArray[np.float32]:
        """The weights of some rows of a matrix.

        Raises:
            NotImplementedError: a kind that cannot be read.
        """
        from gguf import GGMLQuantizationType
        from gguf.quants import dequantize

        row = self.size // self.shape[0]
        end = min(end, self.shape[0])
        blocks = np.fromfile(path, np.uint8, row * (end - first), offset=self.start + row * first)
        weights = dequantize(blocks.reshape(end - first, row), GGMLQuantizationType(self.kind))
        return weights.astype(np.float32, copy=False)


def tensors(path: Path) -> list[Tensor]:
    """The table of a GGUF file; takes a fraction of a second.

    Raises:
        BackendError: it is damaged, or no GGUF file.
    """
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Reader(data).table()
    except (struct.error, ValueError, KeyError) as exc:
        raise BackendError(
            f"{path} is damaged or no GGUF file ({path.stat().st_size} bytes): fetch it again"
        ) from exc


def check_whole(path: Path) -> None:
    """Make sure that the file holds all its tensors.

    Raises:
        BackendError: it is shorter than it says, or no GGUF file.
    """
    needed = max((tensor.start + tensor.size for tensor in tensors(path)), default=0)
    if (found := path.stat().st_size) < needed:
        raise BackendError(f"{path} is cut short, {found} of {needed} bytes: fetch it again")


class _Reader:
    """A position in a GGUF file, and what is read there."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def table(self) -> list[Tensor]:
        """All tensors, in the file's order."""
        magic, _version, tensors, values = self._take("<4sIQQ")
        if magic != b"GGUF":
            raise ValueError(magic)
        for _ in range(values):
            self._string()
            (kind,) = self._take("<I")
            self._skip_value(kind)
        entries = [self._entry() for _ in range(tensors)]
        start = math.ceil(self._at / ALIGNMENT) * ALIGNMENT
        return [
            Tensor(name, shape, kind, start + offset, _bytes(kind, math.prod(shape)))
            for name, shape, kind, offset in entries
        ]

    def _entry(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self._string().decode()
        (dimensions,) = self._take("<I")
        shape = self._take(f"<{dimensions}Q")[::-1]
        kind, offset = self._take("<IQ")
        return name, shape, kind, offset

    def _take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return found

    def _string(self) -> bytes:
        (length,) = self._take("<Q")
        self._at += length
        return self._data[self._at - length : self._at]

    def _skip_value(self, kind: int) -> None:
        if kind == STRING:
            self._string()
        elif kind == ARRAY:
            of, count = self._take("<IQ")
            if of in SCALARS:
                self._at += SCALARS[of] * count
            else:
                for _ in range(count):
                    self._skip_value(of)
        else:
            self._at += SCALARS[kind]


def _bytes(kind: int, weights: int) -> int:
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
    except ValueError:
        return 0  # a later tensor tells of a cut as well
    return weights // block * size
