"""A prepared model's weights, in eight bits and with one scale a row.

OpenVINO keeps a GGUF's blocks of 16 or 32 weights, their offsets rounded to whole steps: that
puts the weights of a Q4_K file off by about 8 % of their size, and packing them takes 7 s at
every start. Made from the GGUF's own values, rows of eight bits are nearer to them, pack in 1.5 s,
and are read and written with faster (benchmarks/README.md).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa_bot.models.gguf import Tensor, tensors
from qa_bot.models.openvino_graph import simplify
from qa_bot.models.openvino_import import import_quietly

ROWS = 4096
"""Made at a time: of the greatest matrix, 25 MB."""
COMPARED = 4
"""Rows by which a matrix is recognised."""
LIKE = 0.3
"""Most that they may be apart by, of their length; those of two matrices are by more than 1."""
STEPS = 127


MOST_WEIGHTS = 4_000_000_000
"""Of a model that is rewritten: with more, eight bits instead of four would be felt in memory."""


class LeftAsItIs(Exception):
    """The model is too large, or holds a matrix that is not found in the file."""


def in_eight_bits(folder: Path, gguf: Path) -> None:
    """Rewrite the model of a prepared folder with the weights of the file it was made of.

    Raises:
        LeftAsItIs: it is too large or not recognised; the folder is as it was.
        OSError: the disk is full, or the folder read-only.
    """
    _save(folder, gguf, "rewritten")
    for kind in ("xml", "bin"):
        (folder / f"rewritten.{kind}").replace(folder / f"openvino_model.{kind}")


def _save(folder: Path, gguf: Path, name: str) -> None:
    """Write the model under another name; when this ends, nothing reads the old one any more."""
    openvino = import_quietly("openvino")
    op = import_quietly("openvino.opset13")
    model = openvino.Core().read_model(folder / "openvino_model.xml")
    known = _Matrices(gguf)
    if known.weights > MOST_WEIGHTS:
        raise LeftAsItIs(f"in eight bits it would take {known.weights / 1e9:.1f} GB of memory")
    made: dict[str, Any] = {}
    for user, number in _weighted(model):
        node = user.input_value(number).get_node()
        found = known.like(_first_rows(node), tuple(node.get_output_shape(0)))
        if found.name not in made:
            steps, scales = _quantized(gguf, found)
            whole = op.multiply(op.convert(op.constant(steps), "f32"), op.constant(scales))
            made[found.name] = whole.output(0)
        user.input(number).replace_source_output(made[found.name])
    simplify(model)
    openvino.save_model(model, folder / f"{name}.xml", compress_to_fp16=False)


class _Matrices:
    """A file's matrices, found by what they hold: their names are lost in OpenVINO's model."""

    def __init__(self, gguf: Path) -> None:
        self._known: dict[tuple[int, ...], list[tuple[Tensor, NDArray[np.float32]]]] = {}
        self.weights = 0
        """Of all matrices together."""
        for tensor in tensors(gguf):
            if len(tensor.shape) == 2:
                rows = tensor.rows(gguf, 0, COMPARED)
                self.weights += math.prod(tensor.shape)
                self._known.setdefault(tensor.shape, []).append((tensor, rows))

    def like(self, rows: NDArray[np.float32], shape: tuple[int, ...]) -> Tensor:
        """The matrix of this shape whose first rows these are, but for what rounding does."""
        apart = {
            float(np.linalg.norm(known - rows) / np.linalg.norm(known)): tensor
            for tensor, known in self._known.get(shape, ())
        }
        if not apart or min(apart) > LIKE:
            raise LeftAsItIs(f"a matrix of shape {shape} is not found in the file")
        return apart[min(apart)]


def _weighted(model: Any) -> list[tuple[Any, int]]:
    """What uses a matrix that is kept in blocks, and as which of its inputs."""
    inputs = {"MatMul": 1, "Gather": 0}
    users = [(node, inputs[node.get_type_name()]) for node in model.get_ordered_ops()
             if node.get_type_name() in inputs]  # fmt: skip
    return [(node, number) for node, number in users if _is_unpacked(node.input_value(number))]


def _is_unpacked(output: Any) -> bool:
    """Whether it is a constant that is scaled and brought into shape before its use."""
    kinds = [node.get_type_name() for node in _chain(output.get_node())]
    return kinds[-1] == "Constant" and "Multiply" in kinds


def _chain(node: Any) -> list[Any]:
    """A node and what it is made of, by its first inputs, up to a constant or another thing."""
    chain = [node]
    while node.get_type_name() in ("Convert", "Reshape", "Multiply", "Subtract"):
        node = node.input_value(0).get_node()
        chain.append(node)
    return chain


def _first_rows(node: Any) -> NDArray[np.float32]:
    """The first rows of a matrix, as OpenVINO would unpack them."""
    *steps, constant = _chain(node)
    values = _values(constant)
    for step in reversed(steps):
        if step.get_type_name() == "Subtract":
            values = values - _values(_chain(step.input_value(1).get_node())[-1])
        elif step.get_type_name() == "Multiply":
            values = values * _values(_chain(step.input_value(1).get_node())[-1])
    return values.reshape(len(values), -1)


def _values(constant: Any) -> NDArray[np.float32]:
    """The first rows of a constant as numbers; four-bit ones lie two in a byte, low one first."""
    shape = list(constant.get_output_shape(0))
    count = COMPARED * int(np.prod(shape[1:]))
    if constant.get_output_element_type(0).get_type_name() == "u4":
        packed = np.asarray(constant.data).view(np.uint8).reshape(-1)[: (count + 1) // 2]
        values = np.stack([packed & 15, packed >> 4], axis=1)
    else:
        values = np.asarray(constant.data)[:COMPARED]
    return values.reshape(-1)[:count].astype(np.float32).reshape(-1, *shape[1:])


def _quantized(gguf: Path, tensor: Tensor) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """A matrix as whole steps from -127 to 127, and what a step is worth in each row."""
    steps = np.empty(tensor.shape, np.int8)
    scales = np.empty((tensor.shape[0], 1), np.float32)
    for first in range(0, tensor.shape[0], ROWS):
        rows = tensor.rows(gguf, first, first + ROWS)
        greatest = np.abs(rows).max(axis=1, keepdims=True)
        scale = np.maximum(greatest / STEPS, np.finfo(np.float32).tiny)
        part = slice(first, first + len(rows))
        scales[part] = scale
        steps[part] = np.clip(np.rint(rows / scale), -STEPS, STEPS)
    return steps, scales
