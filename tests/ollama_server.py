"""An Ollama server for tests: its HTTP protocol, over any engine of ours.

It speaks what the `ollama` client uses: /, /api/version, tags, ps, show and chat (whole
or streamed, `format` schemas, log-probabilities, options, keep_alive), with Ollama's
own error bodies. A client that goes away cancels the engine. `Faults` break it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from qa_bot.errors import BackendError
from qa_bot.models.engine import Engine
from qa_bot.types import Message

DEFAULT_PREDICT = 512


@dataclass
class Faults:
    """What goes wrong with chats; nothing, unless a test says so."""

    busy: bool = False
    """503, as Ollama says it when its queue is full."""
    slow: float = 0.0
    """Seconds before each piece, the first one too."""
    die_after: int | None = None
    """Break the connection after so many pieces of a stream."""
    end_after: int | None = None
    """End the stream properly after so many pieces, without its last line."""
    error_after: int | None = None
    """Send an error line after so many pieces, as Ollama does when its runner dies."""
    bad_json: bool = False
    """Send lines that are no JSON."""
    logprobs: bool = True
    """False: as servers before 0.12.11, that ignore the request for them."""


@dataclass
class OllamaServer:
    """A running server; `requests` are the bodies that it was sent, by path."""

    engine: Engine
    models: Sequence[str] = ("tiny:latest",)
    grammar_of: Callable[[dict[str, Any]], str] = lambda schema: json.dumps(schema)
    """How the engine's grammar is made of a `format` schema."""
    faults: Faults = field(default_factory=Faults)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    cancelled: Event = field(default_factory=Event)
    """Set once a client has gone before the end of its stream."""
    url: str = ""

    @property
    def chats(self) -> list[dict[str, Any]]:
        """The bodies of all chats so far."""
        return [body for path, body in self.requests if path == "/api/chat"]


@contextmanager
def running(server: OllamaServer) -> Iterator[OllamaServer]:
    """Serve on a free port of this machine."""
    handler = type("Handler", (_Handler,), {"ollama": server})
    with _QuietServer(("127.0.0.1", 0), handler) as http:
        server.url = f"http://127.0.0.1:{http.server_port}"
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that go away; tests see to the rest."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ollama: OllamaServer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.ollama.requests.append((self.path, {}))
        models = [_model(name) for name in self.ollama.models]
        if self.path == "/":
            self._send(200, b"Ollama is running", "text/plain; charset=utf-8")
        elif self.path == "/api/version":
            self._json(200, {"version": "0.12.11"})
        elif self.path in ("/api/tags", "/api/ps"):
            self._json(200, {"models": models})
        else:
            self._send(404, b"404 page not found", "text/plain")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        self.ollama.requests.append((self.path, body))
        name = str(body.get("model", ""))
        if self.path not in ("/api/chat", "/api/show", "/api/embed"):
            self._send(404, b"404 page not found", "text/plain")
        elif (name if ":" in name else f"{name}:latest") not in self.ollama.models:
            self._json(404, {"error": f"model '{name}' not found"})
        elif self.path == "/api/show":
            self._json(200, _details())
        elif self.path == "/api/embed":
            self._json(500, {"error": "this model does not support embeddings"})
        elif self.ollama.faults.busy:
            self._json(503, {"error": "server busy, please try again.  maximum pending requests"})
        else:
            self._chat(body)

    def _chat(self, body: dict[str, Any]) -> None:
        """A chat; an empty one only has the model loaded."""
        if not body.get("messages"):
            self._json(200, _line(body, "", done=True, done_reason="load"))
            return
        try:
            if body.get("stream", True):
                self._stream(body)
            else:
                self._whole(body)
        except BackendError as exc:
            self._json(400, {"error": str(exc)})

    def _whole(self, body: dict[str, Any]) -> None:
        time.sleep(self.ollama.faults.slow)
        if self.ollama.faults.bad_json:
            self._send(200, b"{not json", "application/json")
            return
        pieces, usage = [], None
        parts = self._generate(body)
        while usage is None:
            try:
                pieces.append(next(parts))
            except StopIteration as end:
                usage = end.value
        line = _line(body, "".join(pieces), done=True, usage=usage)
        if body.get("logprobs") and self.ollama.faults.logprobs:
            line["logprobs"] = [self._logprob(body)]
        self._json(200, line)

    def _stream(self, body: dict[str, Any]) -> None:
        parts = self._generate(body)
        # The first piece decides between a stream and an error with its own status.
        first, usage = _advance(parts)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        count = 0
        try:
            piece = first
            while usage is None:
                time.sleep(self.ollama.faults.slow)
                if self._broken(count):
                    return
                self._chunk(_line(body, piece, done=False))
                count += 1
                piece, usage = _advance(parts)
            self._chunk(_line(body, "", done=True, usage=usage))
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            parts.close()
            self.close_connection = True
            self.ollama.cancelled.set()

    def _broken(self, count: int) -> bool:
        """Break the stream as the faults say; True where it was."""
        faults = self.ollama.faults
        if faults.bad_json:
            self.wfile.write(b"9\r\n{not json\r\n0\r\n\r\n")
        elif faults.error_after == count:
            self._chunk({"error": "llama runner process has terminated: signal: killed"})
            self.wfile.write(b"0\r\n\r\n")
        elif faults.end_after == count:
            self.wfile.write(b"0\r\n\r\n")
        elif faults.die_after == count:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(2)
        else:
            return False
        return True

    def _generate(self, body: dict[str, Any]) -> Any:
        options = body.get("options") or {}
        schema = body.get("format")
        return self.ollama.engine.generate(
            _messages(body),
            max_tokens=options.get("num_predict") or DEFAULT_PREDICT,
            grammar=self.ollama.grammar_of(schema) if schema else None,
        )

    def _logprob(self, body: dict[str, Any]) -> dict[str, Any]:
        top, _ = self.ollama.engine.next_token(_messages(body), body.get("top_logprobs", 0))
        found = [{"token": token, "logprob": math.log(p)} for token, p in top.items()]
        return {**found[0], "top_logprobs": found}

    def _chunk(self, line: dict[str, Any]) -> None:
        data = json.dumps(line).encode() + b"\n"
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def _json(self, status: int, value: dict[str, Any]) -> None:
        self._send(status, json.dumps(value).encode(), "application/json; charset=utf-8")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        with suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)


def _advance(parts: Any) -> tuple[str, Any]:
    """The next piece and None, or nothing and what the stream used."""
    try:
        return next(parts), None
    except StopIteration as end:
        return "", end.value


def _messages(body: dict[str, Any]) -> list[Message]:
    return [Message(m["role"], m["content"]) for m in body["messages"]]


def _line(
    body: dict[str, Any], text: str, *, done: bool, usage: Any = None, done_reason: str = "stop"
) -> dict[str, Any]:
    line: dict[str, Any] = {
        "model": body["model"],
        "created_at": "2026-11-21T00:00:00.000000Z",
        "message": {"role": "assistant", "content": text},
        "done": done,
    }
    if done:
        line["done_reason"] = done_reason
    if usage is not None:
        line |= {"prompt_eval_count": usage.prompt_tokens, "eval_count": usage.completion_tokens}
        line |= {"total_duration": 1, "load_duration": 1, "eval_duration": 1}
    return line


def _details() -> dict[str, Any]:
    return {
        "modelfile": "",
        "template": "",
        "details": {"family": "qwen2", "format": "gguf", "quantization_level": "Q4_K_M"},
        "model_info": {"general.architecture": "qwen2", "qwen2.context_length": 32768},
        "capabilities": ["completion"],
    }


def _model(name: str) -> dict[str, Any]:
    details = {"family": "qwen2", "format": "gguf", "parameter_size": "0.5B"}
    return {"name": name, "model": name, "size": 1, "digest": "0" * 64, "details": details}
