"""Calls of the endpoints on Gradio's queue from inside the server.

They speak Gradio's own protocol, so that they wait in the same line as the page's calls, are
refused when it is full, and are stopped when nobody reads them any more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.types import ASGIApp, Message, Scope

_running: set[asyncio.Task[None]] = set()
"""Exchanges that are ending by themselves; asyncio alone would forget them."""


class QueueFull(Exception):
    """Too many calls wait already."""


class CallFailed(Exception):
    """An endpoint failed for a reason that has no name."""


async def steps(app: ASGIApp, name: str, data: list[Any]) -> AsyncGenerator[Any, None]:
    """Yield what an endpoint gives, step by step; closing the generator stops its work.

    Raises:
        QueueFull: the queue takes no more calls.
        CallFailed: the endpoint failed.
    """
    call = await _join(app, name, json.dumps({"data": data}).encode())
    path, query = "/gradio_api/queue/data", f"session_hash={call}".encode()
    async with aclosing(_events(app, _scope("GET", path, query))) as events:
        async for event in events:
            output = event.get("output") or {}
            given = (output.get("data") or [None])[0]
            failed = event["msg"] == "unexpected_error" or event.get("success") is False
            if failed:
                raise CallFailed(str(event.get("message") or output.get("error") or output))
            if event["msg"] in ("process_generating", "process_completed") and given is not None:
                yield given
            if event["msg"] == "process_completed":
                return


async def _join(app: ASGIApp, name: str, body: bytes) -> str:
    """Put a call into the queue; gives its id."""
    status, answered = 0, b""
    async with aclosing(_exchange(app, _scope("POST", f"/gradio_api/call/{name}", b"", body),
                                  body)) as messages:  # fmt: skip
        async for message in messages:
            status = message.get("status", status)
            answered += message.get("body", b"")
    if status == 503:
        raise QueueFull
    if status != 200:
        raise CallFailed(answered.decode(errors="replace"))
    return str(json.loads(answered)["event_id"])


async def _events(app: ASGIApp, scope: Scope) -> AsyncGenerator[dict[str, Any], None]:
    """The server-sent events of an answer, each a JSON object."""
    text = b""
    async with aclosing(_exchange(app, scope, b"")) as messages:
        async for message in messages:
            *whole, text = (text + message.get("body", b"")).split(b"\n\n")
            for event in whole:
                yield json.loads(event.removeprefix(b"data: "))


async def _exchange(app: ASGIApp, scope: Scope, body: bytes) -> AsyncGenerator[Message, None]:
    """Ask an application, and yield the messages of its answer as they come.

    Closing the generator tells the application that its reader has left.
    """
    answer: asyncio.Queue[Message | Exception] = asyncio.Queue()
    left = asyncio.Event()
    request: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if request:
            return request.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def run() -> None:
        try:
            await app(scope, receive, answer.put)
        except Exception as exc:
            answer.put_nowait(CallFailed(repr(exc)))

    task = asyncio.create_task(run())
    _running.add(task)
    task.add_done_callback(_running.discard)
    try:
        while True:
            message = await answer.get()
            if isinstance(message, Exception):
                raise message
            yield message
            if message["type"] == "http.response.body" and not message.get("more_body"):
                return
    finally:
        left.set()


def _scope(method: str, path: str, query: bytes, body: bytes = b"") -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 80),
    }
