"""OpenVINO GenAI in this process: reads prompts fastest, where it can read the file.

A cancel takes effect at the next token. Nothing can stop the library while it reads a
prompt, so a long one is put into its prefix cache chunk by chunk, with a look round
between them. (`ContinuousBatchingPipeline.step` would do that by itself, but it holds
the interpreter's lock: the whole process stands still.) `openvino_prepare` keeps what
the library makes of a GGUF.

Measured with the 1.5B on two busy AVX-512 cores: with `f32` a token takes 130-150 ms
against 220-240 with the default (bf16); prompts are read 10-20 % slower. Group size 0
of dynamic quantization halves the speed of reading; it is left alone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa_bot.errors import BackendError
from qa_bot.models.engine import (
    Notify,
    Sink,
    chat_dicts,
    in_background,
    last_line,
    window_error,
)
from qa_bot.models.openvino_import import import_quietly
from qa_bot.models.openvino_prepare import discard, prepared_folder
from qa_bot.types import Message, Usage

PROPERTIES = {
    "INFERENCE_PRECISION_HINT": "f32",
    # 8-bit keys would let p(yes) depend on what the prefix cache holds (by 0.005).
    "KV_CACHE_PRECISION": "f16",
}
CHUNK = 256
"""Tokens of a prompt read at a time; a multiple of the cache's block, so none is read twice."""
CLOSED = "the OpenVINO engine is closed: load the model again"
CACHE_GB = 1
"""Bound of the prefix cache; it would otherwise grow with every prompt."""


class OpenVINOEngine:
    """A GGUF model in OpenVINO GenAI, greedy, with the prefix cache on."""

    name = "openvino"

    def __init__(
        self,
        path: Path,
        *,
        context_window: int,
        threads: int | None,
        notify: Notify = lambda message: None,
    ) -> None:
        self.context_window = context_window
        self._genai = import_quietly("openvino_genai")
        self._lock = threading.Lock()
        self._last: NDArray[np.int64] = np.empty((1, 0), dtype=np.int64)
        self._properties: dict[str, Any] = dict(PROPERTIES)
        if threads is not None:
            self._properties["INFERENCE_NUM_THREADS"] = threads
        folder = prepared_folder(path, self._genai, notify)
        try:
            self._pipeline: Any = self._open(folder or path)
        except RuntimeError as exc:
            if folder is None:
                raise
            notify(f"{folder} is unusable ({last_line(exc)}); it is set aside")
            discard(folder)
            self._pipeline = self._open(path)
        self._tokenizer: Any = self._pipeline.get_tokenizer()
        # The first inference packs the weights: no answer shall pay for that.
        self.next_token([Message("user", "Hello")], 1)

    def _open(self, model: Path) -> Any:
        """A pipeline over a prepared folder or a GGUF file."""
        scheduler = self._genai.SchedulerConfig()
        scheduler.cache_size = CACHE_GB
        # Giving a scheduler turns the prefix cache off unless it is asked for.
        scheduler.enable_prefix_caching = True
        return self._genai.LLMPipeline(
            str(model), "CPU", scheduler_config=scheduler, **self._properties
        )

    def generate(
        self, messages: Sequence[Message], *, max_tokens: int, grammar: str | None = None
    ) -> Generator[str, None, Usage]:
        """See `Engine.generate`."""
        return in_background(lambda sink: self._stream(messages, max_tokens, grammar, sink))

    def _stream(
        self, messages: Sequence[Message], max_tokens: int, grammar: str | None, sink: Sink
    ) -> Usage:
        """Step a request to its end, writing its text to `sink`."""
        prompt, count = self._prompt(messages)
        config = self._config(min(max_tokens, self.context_window - count))
        if grammar is not None:
            config.structured_output_config = self._genai.StructuredOutputConfig()
            config.structured_output_config.grammar = grammar
        streamer = _streamer(self._genai, self._tokenizer, sink)
        with self._lock:
            if self._read_ahead(prompt, sink):
                self._run(prompt, config, streamer)
        streamer.finish()
        return Usage(count, len(streamer.tokens))

    def next_token(
        self, messages: Sequence[Message], top: int = 10
    ) -> tuple[dict[str, float], Usage]:
        """See `Engine.next_token`.

        The library gives one log-probability a token; the beams of a search one token
        deep are the `top` likeliest tokens, each with its own.
        """
        prompt, count = self._prompt(messages)
        config = self._config(1)
        config.num_beams = config.num_return_sequences = top
        with self._lock:
            self._read_ahead(prompt, Sink())
            result = self._run(prompt, config)
        found: dict[str, float] = {}
        for tokens, score in zip(result.tokens, result.scores, strict=True):
            token = self._tokenizer.decode(tokens, skip_special_tokens=False)
            found[token] = found.get(token, 0.0) + math.exp(score)
        return found, Usage(count, 1)

    def _prompt(self, messages: Sequence[Message]) -> tuple[Any, int]:
        """The prompt's token ids by the model's own chat template, and their number."""
        if self._pipeline is None:
            raise BackendError(CLOSED)
        text = self._tokenizer.apply_chat_template(chat_dicts(messages), True)
        ids = self._tokenizer.encode(text, add_special_tokens=False)
        count = int(ids.input_ids.shape[1])
        if count >= self.context_window:
            raise window_error(count, self.context_window)
        return ids, count

    def _config(self, max_tokens: int) -> Any:
        config = self._genai.GenerationConfig()
        config.max_new_tokens = max_tokens
        config.do_sample = False
        return config

    def _read_ahead(self, prompt: Any, sink: Sink) -> bool:
        """Read all of a prompt but its last chunk; False where `sink` was stopped meanwhile."""
        ids, tensor = prompt.input_ids.data, type(prompt.input_ids)
        shared = min(ids.shape[1], self._last.shape[1])
        differing = np.flatnonzero(ids[0, :shared] != self._last[0, :shared])
        known = int(differing[0]) if differing.size else shared
        self._last = ids[:, :known].copy()
        for end in range((known // CHUNK + 1) * CHUNK, ids.shape[1], CHUNK):
            if sink.stopped:
                return False
            self._run(tensor(ids[:, :end].copy()), self._config(1))
            self._last = ids[:, :end].copy()
        self._last = ids.copy()
        return not sink.stopped

    def _run(self, prompt: Any, config: Any, streamer: _Streamer | None = None) -> Any:
        """One request to the library, its failures named; the lock is the caller's."""
        if self._pipeline is None:
            raise BackendError(CLOSED)
        try:
            return self._pipeline.generate(prompt, config, streamer)
        except RuntimeError as exc:
            raise BackendError(f"OpenVINO failed: {last_line(exc)}; ask again") from exc

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        if self._pipeline is None:
            raise BackendError(CLOSED)
        ids = self._tokenizer.encode(text, add_special_tokens=False).input_ids
        return int(ids.shape[1])

    def close(self) -> None:
        """See `Engine.close`."""
        with self._lock:
            self._pipeline = self._tokenizer = None


class _Streamer(Protocol):
    """What the library calls with every token, and what is left of it for us."""

    tokens: list[int]
    failure: BaseException | None

    def finish(self) -> None:
        """Write what was held back, and raise what went wrong in a call."""


def _streamer(genai: Any, tokenizer: Any, sink: Sink) -> _Streamer:
    """A streamer that writes to `sink`; made here because its base class is loaded late.

    The library's own streamer holds each word back for three tokens.
    """

    class Streamer(genai.StreamerBase):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.tokens: list[int] = []
            self.written = 0
            self.failure: BaseException | None = None

        def write(self, token: int | list[int]) -> Any:
            # An exception that leaves a callback is printed and swallowed by the library.
            try:
                self.tokens += token if isinstance(token, list) else [token]
                # A character's bytes may span tokens: the torn one waits for its rest.
                self._write(tokenizer.decode(self.tokens).rstrip("\ufffd"))
            except BaseException as exc:
                self.failure = exc
            stop = sink.stopped or self.failure is not None
            return genai.StreamingStatus.CANCEL if stop else genai.StreamingStatus.RUNNING

        def _write(self, text: str) -> None:
            sink.write(text[self.written :])
            self.written = max(self.written, len(text))

        def end(self) -> None:
            """Nothing; `finish` is called where an exception can be raised."""

        def finish(self) -> None:
            if self.failure is not None:
                raise self.failure
            if self.tokens:
                self._write(tokenizer.decode(self.tokens))

    return Streamer()
