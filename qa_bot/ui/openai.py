"""`/v1/chat/completions` and `/v1/models`, as OpenAI's clients speak them.

The last message is the question, the ones before it are the history. What only qa_bot gives
stands in extra fields of the completion (of the last chunk, where it is streamed): `status`
(answered or refused) and `sources`, each quote with its document, offsets, and what was
checked. Whatever else a request sets (temperature, system message, …) changes nothing.

Where there is a login, the API key is `user:password`, percent-encoded as in a URL.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from qa_bot.streaming import settled
from qa_bot.ui.asking import MOST_CHARACTERS
from qa_bot.ui.calls import CallFailed, QueueFull, steps
from qa_bot.ui.login import COOKIE, Logins

MODEL = "qa_bot"
"""The one model there is: the documents with whatever language model answers from them."""
PREFIX = "/v1/"
_BYTES = 1_000_000
_LEFT = 499
"""What servers note for a reader that has left; nobody receives it."""

Steps = AsyncGenerator[dict[str, Any], None]


class _Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str, *, param: str | None = None,
                 code: str | None = None) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        kind = "server_error" if status >= 500 else "invalid_request_error"
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": code}}

    def response(self) -> JSONResponse:
        return JSONResponse(self.body, self.status)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request asks for."""

    question: str
    history: list[list[str]]
    stream: bool
    usage: bool
    """Whether a stream ends with a chunk of its usage."""


@dataclass(frozen=True, slots=True)
class _Head:
    """What all chunks of a completion share."""

    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def wrap(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": MODEL,
                "choices": choices, **more}  # fmt: skip


def routes(endpoints: ASGIApp) -> list[Route]:
    """The routes, over the application that has the endpoint `ask`."""
    chat = _Chat(endpoints)
    return [
        Route(f"{PREFIX}models", _models),
        Route(f"{PREFIX}models/{{name:path}}", _model),
        Route(f"{PREFIX}chat/completions", chat.complete, methods=["POST"]),
    ]


def refusal(request: Request, logins: Logins | None) -> Response | None:
    """Why a request for one of the routes may not come in; None where it may."""
    if logins is None or logins.user(request.cookies.get(COOKIE)):
        return None
    address = request.client.host if request.client else ""
    if logins.barred(address):
        return _Refused(429, "too many wrong keys; wait a minute", code="rate_limit").response()
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    user, _, password = unquote(key).partition(":")
    token = logins.enter(user, password, address) if scheme.lower() == "bearer" else None
    if token is None:
        said = "the API key is wrong; give user:password, percent-encoded, as --auth FILE has them"
        return _Refused(401, said, code="invalid_api_key").response()
    logins.leave(token)  # a key comes with every request, and needs no session
    return None


async def _models(request: Request) -> Response:
    return JSONResponse({"object": "list", "data": [_described()]})


async def _model(request: Request) -> Response:
    try:
        _known(request.path_params["name"])
    except _Refused as refused:
        return refused.response()
    return JSONResponse(_described())


def _described() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": "qa_bot"}


def _known(name: Any) -> None:
    if name != MODEL:
        said = f"there is no model {name!r}; ask for {MODEL!r}"
        raise _Refused(404, said, param="model", code="model_not_found")


class _Chat:
    """Answers chat completions with what `ask` gives."""

    def __init__(self, endpoints: ASGIApp) -> None:
        self._endpoints = endpoints

    async def complete(self, request: Request) -> Response:
        try:
            asked = _asked(await _sent(request))
            answering = steps(self._endpoints, "ask", [asked.question, asked.history])
            if not asked.stream:
                return await _unless_left(request, _completion(answering))
            # The first step comes with our turn: until then, a full queue is an error.
            first = await anext(answering)
        except _Refused as refused:
            return refused.response()
        except QueueFull:
            return _Refused(503, "too many questions wait; ask again in a while").response()
        except CallFailed as exc:
            return _Refused(500, f"the answer failed ({exc}); the server's log says why").response()
        return StreamingResponse(_events(_chunks(first, answering, asked)),
                                 media_type="text/event-stream")  # fmt: skip


async def _sent(request: Request) -> Any:
    length = request.headers.get("content-length", "")
    if not (length.isdecimal() and int(length) < _BYTES):
        raise _Refused(413, f"the request is too large; send less than {_BYTES} bytes")
    try:
        return json.loads(await request.body())
    except ValueError as exc:
        raise _Refused(400, f"the request is no JSON: {exc}") from exc


def _asked(sent: Any) -> _Asked:
    if not isinstance(sent, dict):
        raise _Refused(400, "the request is no JSON object")
    _known(sent.get("model"))
    if sent.get("n") not in (None, 1):
        raise _Refused(400, f"n is {sent['n']!r}; there is one answer to a question", param="n")
    messages = sent.get("messages")
    if not isinstance(messages, list) or not messages:
        raise _Refused(400, "messages is no list of messages", param="messages")
    said = [_message(message) for message in messages]
    role, question = said[-1]
    if role != "user":
        raise _Refused(400, f"the last message is by {role!r}; end with the user's question",
                       param="messages")  # fmt: skip
    if not question.strip():
        raise _Refused(400, "the question is empty; write one, in any language", param="messages")
    if len(question) > MOST_CHARACTERS:
        raise _Refused(400, f"the question has {len(question)} characters; ask one of at most "
                       f"{MOST_CHARACTERS}", param="messages")  # fmt: skip
    options = sent.get("stream_options")
    usage = isinstance(options, dict) and options.get("include_usage") is True
    return _Asked(question, _turns(said[:-1]), sent.get("stream") is True, usage)


def _message(message: Any) -> tuple[str, str]:
    """Who says what; of several parts, those of text."""
    try:
        role, content = message["role"], message.get("content") or ""
        if not isinstance(content, str):
            content = "\n".join(part["text"] for part in content if part["type"] == "text")
        return str(role), content
    except (AttributeError, KeyError, TypeError) as exc:
        raise _Refused(400, f"a message has no role or no text ({exc!r})",
                       param="messages") from exc  # fmt: skip


def _turns(said: list[tuple[str, str]]) -> list[list[str]]:
    """Pairs of a question and its answer; a system message is nobody's turn."""
    turns: list[list[str]] = []
    for role, text in said:
        if role == "user":
            turns.append([text, ""])
        elif role == "assistant" and turns:
            turns[-1][1] = f"{turns[-1][1]}\n{text}".strip()
    return turns


async def _completion(answering: Steps) -> Response:
    async with aclosing(answering):
        async for step in answering:
            record = step
    if record["status"] == "error":
        return _failed(record).response()
    message = {"role": "assistant", "content": record["answer"]}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    whole = _Head().wrap("chat.completion", [choice], usage=_usage(record), **_extras(record))
    return JSONResponse(whole)


async def _unless_left(request: Request, work: Any) -> Response:
    """The work's response; where the reader leaves, the work is stopped."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(request.receive())  # only a disconnect can come now
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else Response(status_code=_LEFT)
    finally:
        working.cancel()
        leaving.cancel()


async def _chunks(
    first: dict[str, Any], answering: Steps, asked: _Asked
) -> AsyncIterator[dict[str, Any]]:
    """The chunks of a completion: its text as far as it is settled, then the rest of it all."""
    head = _Head()
    sent, record = "", first
    yield _chunk(head, {"role": "assistant", "content": ""})
    try:
        async with aclosing(answering):
            async for record in answering:
                text = record["answer"]
                if record["status"] in ("searching", "writing"):
                    text = settled(text)
                if record["status"] != "error" and len(text) > len(sent):
                    yield _chunk(head, {"content": text[len(sent) :]})
                    sent = text
    except CallFailed as exc:
        yield _Refused(500, f"the answer failed ({exc}); the server's log says why").body
        return
    if record["status"] == "error":
        yield _failed(record).body
        return
    yield _chunk(head, {}, "stop", **_extras(record))
    if asked.usage:
        yield head.wrap("chat.completion.chunk", [], usage=_usage(record))


def _chunk(head: _Head, delta: dict[str, str], finish: str | None = None, **more: Any) -> Any:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return head.wrap("chat.completion.chunk", [choice], **more)


async def _events(chunks: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    async for chunk in chunks:
        yield f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
    yield "data: [DONE]\n\n"


def _failed(record: dict[str, Any]) -> _Refused:
    return _Refused(503, str(record["error"]))


def _extras(record: dict[str, Any]) -> dict[str, Any]:
    return {"status": record["status"], "sources": record["sources"]}


def _usage(record: dict[str, Any]) -> dict[str, int]:
    used: dict[str, int] = record["usage"]
    return {**used, "total_tokens": sum(used.values())}
