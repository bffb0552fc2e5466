"""A model's weights in eight bits, on real small files of both kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize
from numpy.typing import NDArray

from qa_bot.models import openvino_weights
from qa_bot.models.gguf import tensors
from qa_bot.models.openvino_import import import_quietly
from qa_bot.models.openvino_weights import LeftAsItIs, in_eight_bits

openvino = pytest.importorskip("openvino")
WIDTH = 64
NAMES = ("words", "first", "second")
TYPES = {"words": GGMLQuantizationType.Q8_0, "first": GGMLQuantizationType.Q4_0,
         "second": GGMLQuantizationType.Q4_0}  # fmt: skip


def matrices(seed: int = 1) -> dict[str, NDArray[np.float32]]:
    chance = np.random.default_rng(seed)
    return {name: chance.normal(size=(WIDTH, WIDTH)).astype(np.float32) for name in NAMES}


def write_gguf(path: Path, weights: dict[str, NDArray[np.float32]]) -> None:
    writer = GGUFWriter(path, "tiny")
    writer.add_array("tokenizer.ggml.tokens", ["a", "bc"])
    for name, matrix in weights.items():
        writer.add_tensor(name, quantize(matrix, TYPES[name]), raw_dtype=TYPES[name])
    writer.add_tensor("bias", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def unpacked(matrix: NDArray[np.float32], bits: int) -> Any:
    """The matrix as OpenVINO keeps a GGUF's: groups of 32 unsigned steps, their offset, a scale."""
    op = import_quietly("openvino.opset13")
    groups = matrix.reshape(WIDTH, -1, 32)
    low = groups.min(axis=2, keepdims=True)
    scale = (groups.max(axis=2, keepdims=True) - low) / (2**bits - 1)
    offset = np.rint(-low / scale)
    steps = np.clip(np.rint(groups / scale) + offset, 0, 2**bits - 1).astype(np.uint8)
    taken = op.subtract(constant(steps, bits), constant(offset.astype(np.uint8), bits))
    scaled = op.multiply(taken, op.constant(scale.astype(np.float16)))
    return op.convert(op.reshape(scaled, [WIDTH, WIDTH], False), "f32")


def constant(steps: NDArray[np.uint8], bits: int) -> Any:
    op = import_quietly("openvino.opset13")
    if bits == 8:
        return op.convert(op.constant(steps), "f16")
    flat = steps.reshape(-1)
    packed = flat[0::2] | (flat[1::2] << 4)
    tensor = openvino.Tensor(packed, openvino.Shape(steps.shape), openvino.Type.u4)
    return op.convert(op.constant(tensor, shared_memory=False), "f16")


def save_model(folder: Path, weights: dict[str, NDArray[np.float32]]) -> None:
    """Numbers of words in, two products of their rows out."""
    op = import_quietly("openvino.opset13")
    folder.mkdir(exist_ok=True)
    numbers = op.parameter([-1], np.int32)
    rows = op.gather(unpacked(weights["words"], 8), numbers, op.constant(np.int32(0)))
    hidden = op.matmul(rows, unpacked(weights["first"], 4), False, True)
    result = op.matmul(hidden, unpacked(weights["second"], 4), False, True)
    model = openvino.Model([result], [numbers], "tiny")
    openvino.save_model(model, folder / "openvino_model.xml", compress_to_fp16=False)


def outputs(folder: Path) -> NDArray[np.float32]:
    core = openvino.Core()
    model = core.read_model(folder / "openvino_model.xml")
    exact = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"}
    compiled = core.compile_model(model, "CPU", exact)
    return np.asarray(compiled(np.arange(8, dtype=np.int32))[0])


def of_file(path: Path) -> dict[str, NDArray[np.float32]]:
    return {tensor.name: tensor.rows(path, 0, WIDTH) for tensor in tensors(path)
            if len(tensor.shape) == 2}  # fmt: skip


def apart(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    write_gguf(tmp_path / "tiny.gguf", matrices())
    return tmp_path / "tiny.gguf"


def test_a_file_is_read_as_the_reference_reads_it(gguf: Path) -> None:
    """The rows are what the package that wrote them meant, from any row on."""
    for name, weights in of_file(gguf).items():
        assert apart(weights, matrices()[name]) < 0.1
    first = tensors(gguf)[1]
    np.testing.assert_array_equal(first.rows(gguf, 5, 9), of_file(gguf)["first"][5:9])


def test_the_model_computes_with_the_files_own_values(gguf: Path, tmp_path: Path) -> None:
    """Nearer to them than what it was, whose offsets were rounded."""
    save_model(tmp_path / "model", matrices())
    weights = of_file(gguf)
    wanted = weights["words"][:8] @ weights["first"].T @ weights["second"].T
    before = apart(outputs(tmp_path / "model"), wanted)
    in_eight_bits(tmp_path / "model", gguf)
    after = apart(outputs(tmp_path / "model"), wanted)
    assert after < 0.02 < before
    model = openvino.Core().read_model(tmp_path / "model" / "openvino_model.xml")
    constants = [node for node in model.get_ops() if node.get_type_name() == "Constant"]
    kinds = {node.get_output_element_type(0).get_type_name() for node in constants}
    assert "i8" in kinds
    assert not kinds & {"u4", "u8"}
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "openvino_model.bin",
        "openvino_model.xml",
    ]


def test_a_model_of_another_file_stays_as_it_is(gguf: Path, tmp_path: Path) -> None:
    save_model(tmp_path / "model", {**matrices(), "second": matrices(2)["second"]})
    before = outputs(tmp_path / "model")
    with pytest.raises(LeftAsItIs, match=r"shape \(64, 64\)"):
        in_eight_bits(tmp_path / "model", gguf)
    np.testing.assert_array_equal(outputs(tmp_path / "model"), before)


def test_a_model_that_would_fill_the_memory_stays_as_it_is(
    gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_model(tmp_path / "model", matrices())
    monkeypatch.setattr(openvino_weights, "MOST_WEIGHTS", 3 * WIDTH**2 - 1)
    with pytest.raises(LeftAsItIs, match="GB of memory"):
        in_eight_bits(tmp_path / "model", gguf)
    assert sorted(path.name for path in (tmp_path / "model").iterdir())[0] == "openvino_model.bin"
