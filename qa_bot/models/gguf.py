"""How long a GGUF file must be, read from its own table of tensors.

OpenVINO crashes the whole process on a file that was cut short, so it is measured
first. Nothing else of the format is checked; the weights are not read.
"""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path
from typing import Any

from qa_bot.errors import BackendError

SCALARS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a metadata value, by its type."""
STRING, ARRAY = 8, 9
BLOCKS = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    3: (32, 20),
    6: (32, 22),
    7: (32, 24),
    8: (32, 34),
    10: (256, 84),
    11: (256, 110),
    12: (256, 144),
    13: (256, 176),
    14: (256, 210),
    28: (1, 8),
    30: (1, 2),
}
"""(weights, bytes) of a block, by tensor type: F32, F16, Q4_0 … Q6_K, F64, BF16."""
ALIGNMENT = 32


def check_whole(path: Path) -> None:
    """Make sure that the file holds all its tensors; takes a fraction of a second.

    Raises:
        BackendError: it is shorter than it says, or no GGUF file.
    """
    found = path.stat().st_size
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            needed = _Reader(data).end_of_tensors()
    except (struct.error, ValueError, KeyError) as exc:
        raise BackendError(
            f"{path} is damaged or no GGUF file ({found} bytes): fetch it again"
        ) from exc
    if found < needed:
        raise BackendError(f"{path} is cut short, {found} of {needed} bytes: fetch it again")


class _Reader:
    """A position in a GGUF file, and what is read there."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def end_of_tensors(self) -> int:
        """Offset in the file where the last tensor ends."""
        magic, _version, tensors, values = self._take("<4sIQQ")
        if magic != b"GGUF":
            raise ValueError(magic)
        for _ in range(values):
            self._skip_string()
            (kind,) = self._take("<I")
            self._skip_value(kind)
        ends = [self._tensor_end() for _ in range(tensors)]
        start = math.ceil(self._at / ALIGNMENT) * ALIGNMENT
        return start + max(ends, default=0)

    def _tensor_end(self) -> int:
        """Where the next tensor of the table ends, counted from the first one's start."""
        self._skip_string()
        (dimensions,) = self._take("<I")
        weights = math.prod(self._take(f"<{dimensions}Q"))
        kind, offset = self._take("<IQ")
        # A type unknown here counts as empty: a later tensor tells of a cut as well.
        per_block, size = BLOCKS.get(kind, (1, 0))
        return int(offset + weights // per_block * size)

    def _take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(form, self._data, self._at)
        self._at += struct.calcsize(form)
        return found

    def _skip_string(self) -> None:
        (length,) = self._take("<Q")
        self._at += length

    def _skip_value(self, kind: int) -> None:
        if kind == STRING:
            self._skip_string()
        elif kind == ARRAY:
            of, count = self._take("<IQ")
            if of in SCALARS:
                self._at += SCALARS[of] * count
            else:
                for _ in range(count):
                    self._skip_value(of)
        else:
            self._at += SCALARS[kind]
