"""llama.cpp in this process (xllamacpp): reads every GGUF, runs on every CPU.

The library always opens an HTTP listener. Here it is a unix socket in a private
folder, with a random key, so no TCP port is opened; `/tokenize` is asked over it.
Only where there are no unix sockets (Windows) is it a local port, behind that key.
"""

from __future__ import annotations

import math
import secrets
import shutil
import socket
import tempfile
import threading
import weakref
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import xllamacpp

from qa_bot.errors import BackendError
from qa_bot.models.engine import Sink, chat_dicts, in_background, window_error
from qa_bot.types import Message, Usage


class LlamaCppEngine:
    """A GGUF model in llama.cpp, one slot, greedy.

    A prompt is read from its start, for what is read in one go decides the last bits of its
    probabilities. Only `generate` goes on from a `next_token` of most of the same prompt:
    what it writes then still depends on these two alone. A cancel takes effect at the next
    token, or at the next batch of a prompt that is still being read.
    """

    name = "llama.cpp"

    def __init__(self, path: Path, *, context_window: int, threads: int | None) -> None:
        self.context_window = context_window
        self._lock = threading.Lock()
        self._folder = tempfile.mkdtemp(prefix="qa_bot-")
        self._cleanup = weakref.finalize(self, shutil.rmtree, self._folder, True)
        self._key = secrets.token_hex(16)
        self._server: Any = None
        self._judged = ""
        """The prompt that `next_token` has just read."""
        try:
            self._server = xllamacpp.Server(self._parameters(path, threads))
        except RuntimeError as exc:
            self._cleanup()
            # The library gives no reason of its own.
            raise BackendError(
                f"llama.cpp cannot read {path}: it is damaged, no GGUF file, or of a newer "
                "kind; check the file, or fetch it again"
            ) from exc
        self._http = self._client()
        self.next_token([Message("user", "Hello")], 1)

    def _parameters(self, path: Path, threads: int | None) -> Any:
        """Settings of the server, silent and closed to others."""
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx = self.context_window
        params.n_parallel = 1
        params.cache_ram_mib = 0  # prompts kept beside the current one
        params.verbosity = -1
        params.warmup = False  # __init__ warms it up through the whole path instead
        params.api_keys = [self._key]
        params.ui = False
        if hasattr(socket, "AF_UNIX"):
            params.hostnames = [str(Path(self._folder) / "llama.sock")]
        if threads is not None:
            params.cpuparams.n_threads = threads
            params.cpuparams_batch.n_threads = threads
        return params

    def _client(self) -> httpx.Client:
        """An HTTP client that reaches the server's own listener and nothing else."""
        headers = {"Authorization": f"Bearer {self._key}"}
        if hasattr(socket, "AF_UNIX"):
            transport = httpx.HTTPTransport(uds=str(Path(self._folder) / "llama.sock"))
            return httpx.Client(transport=transport, base_url="http://llama", headers=headers)
        return httpx.Client(
            base_url=self._server.listening_address, headers=headers, trust_env=False
        )

    def generate(
        self, messages: Sequence[Message], *, max_tokens: int, grammar: str | None = None
    ) -> Generator[str, None, Usage]:
        """See `Engine.generate`."""
        request: dict[str, Any] = {
            "messages": chat_dicts(messages),
            "max_tokens": max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            # Progress calls are the only ones during a prompt: they let a cancel in.
            "return_progress": True,
        }
        if grammar is not None:
            request["grammar"] = grammar
        return in_background(lambda sink: self._stream(request, sink))

    def _stream(self, request: dict[str, Any], sink: Sink) -> Usage:
        """Run a streamed request, writing its text to `sink`."""
        usage = Usage()
        failure: BaseException | None = None

        def receive(chunk: dict[str, Any]) -> bool:
            # An exception that leaves a callback is swallowed by the library.
            nonlocal usage, failure
            try:
                _raise_error(chunk, self.context_window)
                usage = _usage(chunk) or usage
                for choice in chunk.get("choices", []):
                    sink.write(choice["delta"].get("content") or "")
            except BaseException as exc:  # the library swallows it; raised again below
                failure = exc
            return sink.stopped or failure is not None

        with self._lock:
            if not sink.stopped:
                prompt = _joined(request["messages"])
                goes_on = 2 * _shared(self._judged, prompt) > len(prompt)
                self._judged = ""
                self._call({**request, "cache_prompt": goes_on}, receive)
        if failure is not None:
            raise failure
        return usage

    def next_token(
        self, messages: Sequence[Message], top: int = 10
    ) -> tuple[dict[str, float], Usage]:
        """See `Engine.next_token`."""
        request: dict[str, Any] = {
            "messages": chat_dicts(messages),
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": top,
            "cache_prompt": False,
        }
        with self._lock:
            response = self._call(request)
            self._judged = _joined(request["messages"])
        _raise_error(response, self.context_window)
        content = response["choices"][0]["logprobs"]["content"]
        found: dict[str, float] = {}
        for entry in content[0]["top_logprobs"]:
            token = entry["token"]
            found[token] = found.get(token, 0.0) + math.exp(entry["logprob"])
        return found, _usage(response) or Usage()

    def _call(self, request: dict[str, Any], *callback: Any) -> Any:
        """One request to the library, its failures named."""
        if self._server is None:
            raise BackendError("the llama.cpp engine is closed: load the model again")
        try:
            return self._server.handle_chat_completions(request, *callback)
        except (RuntimeError, ValueError) as exc:
            raise BackendError(f"llama.cpp failed: {exc}; ask again") from exc

    def count_tokens(self, text: str) -> int:
        """See `Engine.count_tokens`."""
        try:
            response = self._http.post("/tokenize", json={"content": text}).raise_for_status()
        except (httpx.HTTPError, RuntimeError) as exc:
            raise BackendError(f"llama.cpp cannot count tokens: {exc}; ask again") from exc
        return len(response.json()["tokens"])

    def close(self) -> None:
        """See `Engine.close`."""
        with self._lock:
            self._server = None
            self._http.close()
            self._cleanup()


def _joined(messages: Sequence[Mapping[str, str]]) -> str:
    """A prompt's text, to compare with another's."""
    return "\n".join(message["content"] for message in messages)


def _shared(first: str, second: str) -> int:
    """Characters that both begin with."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))


def _raise_error(response: dict[str, Any], context_window: int) -> None:
    """Raise what the library returned as an error; it never raises one itself."""
    error = response.get("error")
    if not error:
        return
    if error.get("type") == "exceed_context_size_error":
        raise window_error(int(error.get("n_prompt_tokens", 0)), context_window)
    raise BackendError(f"llama.cpp refused the request: {error.get('message', error)}")


def _usage(response: dict[str, Any]) -> Usage | None:
    """Tokens used, where the response states them."""
    usage = response.get("usage")
    if not usage:
        return None
    return Usage(int(usage["prompt_tokens"]), int(usage["completion_tokens"]))
