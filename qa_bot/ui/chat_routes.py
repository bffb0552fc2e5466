"""The conversations over HTTP, for the page: ask, follow an answer, and all that is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from qa_bot.errors import UsageError
from qa_bot.ui.desk import Desk
from qa_bot.ui.export import exported
from qa_bot.ui.login import Logins
from qa_bot.ui.talk import Talk, Writing
from qa_bot.ui.testcases import TestCases
from qa_bot.ui.web import as_file, done, owner_of, sent_json, told

_LOOK_SECONDS = 0.05
"""How often a watcher looks at an answer that is being written."""
_BEAT_SECONDS = 15.0
"""After so long without news a comment is sent, so that a lost connection shows."""


def chat_routes(desk: Desk, talk: Talk, cases: TestCases, logins: Logins | None) -> list[Route]:
    """The routes below `/conversations`, and of the test cases made from them."""
    return _ChatRoutes(desk, talk, cases, logins).routes()


class _ChatRoutes:
    def __init__(self, desk: Desk, talk: Talk, cases: TestCases, logins: Logins | None) -> None:
        self._desk = desk
        self._talk = talk
        self._cases = cases
        self._logins = logins

    def routes(self) -> list[Route]:
        one = "/conversations/{id}"
        table = [
            ("GET", "/conversations", self.listed),
            ("DELETE", "/conversations", self.remove_all),
            ("POST", "/conversations", self.ask),
            ("GET", one, self.open),
            ("POST", one, self.ask),
            ("PATCH", one, self.rename),
            ("DELETE", one, self.remove),
            ("GET", f"{one}/answer", self.follow),
            ("POST", f"{one}/stop", self.stop),
            ("POST", f"{one}/cut", self.cut),
            ("POST", f"{one}/vote", self.vote),
            ("POST", f"{one}/case", self.case),
            ("GET", f"{one}/export", self.export),
            ("GET", "/testset", self.testset),
        ]
        return [Route(path, told(does), methods=[method]) for method, path, does in table]

    async def listed(self, request: Request) -> Response:
        find = request.query_params.get("find", "")
        kept = self._talk.conversations
        found = await done(kept.listed, self._owner(request), find)
        return JSONResponse({"conversations": found, "cases": await done(self._count, request)})

    async def open(self, request: Request) -> Response:
        return JSONResponse(await done(self._talk.open, *self._named(request)))

    async def ask(self, request: Request) -> Response:
        sent = await sent_json(request)
        only, settings = sent.get("only") or {}, sent.get("settings") or {}
        if not (isinstance(only, dict) and isinstance(settings, dict)):
            raise UsageError("`only` or `settings` is no object; choose them again")
        named = await done(
            self._talk.ask, self._owner(request), request.path_params.get("id"),
            sent.get("question"), keep=_number(sent, "keep"), only=only, settings=settings,
        )  # fmt: skip
        return JSONResponse({"id": named})

    async def follow(self, request: Request) -> Response:
        writing = self._talk.writing(*self._named(request))
        return StreamingResponse(_events(writing), media_type="text/event-stream")

    async def stop(self, request: Request) -> Response:
        await done(self._talk.stop, *self._named(request))
        return JSONResponse({})

    async def cut(self, request: Request) -> Response:
        sent = await sent_json(request)
        await done(self._talk.cut, *self._named(request), _number(sent, "keep"))
        return JSONResponse({})

    async def vote(self, request: Request) -> Response:
        sent = await sent_json(request)
        await done(self._talk.vote, *self._named(request), _number(sent, "turn"), sent)
        return JSONResponse({})

    async def case(self, request: Request) -> Response:
        """Turn an answer, with what was said of it, into a row of the owner's test set."""
        sent = await sent_json(request)
        found = await done(self._talk.open, *self._named(request))
        await done(self._cases.add, self._owner(request), found, _number(sent, "turn"))
        return JSONResponse({"cases": await done(self._count, request)})

    async def testset(self, request: Request) -> Response:
        return as_file(await done(self._cases.text, self._owner(request)), "testset.jsonl")

    async def rename(self, request: Request) -> Response:
        name = str((await sent_json(request)).get("name") or "")
        await done(self._talk.conversations.rename, *self._named(request), name)
        return JSONResponse({})

    async def remove(self, request: Request) -> Response:
        await done(self._talk.remove, *self._named(request))
        return JSONResponse({})

    async def remove_all(self, request: Request) -> Response:
        await done(self._talk.remove_all, self._owner(request))
        return JSONResponse({})

    async def export(self, request: Request) -> Response:
        found = await done(self._talk.open, *self._named(request))
        kind = request.query_params.get("as", "")
        text = await done(exported, found["turns"], kind, self._desk, found["name"])
        return as_file(text, f"conversation.{kind}")

    def _owner(self, request: Request) -> str:
        return owner_of(request, self._logins)

    def _named(self, request: Request) -> tuple[str, str]:
        return self._owner(request), request.path_params["id"]

    def _count(self, request: Request) -> int:
        return self._cases.count(self._owner(request))


async def _events(writing: Writing | None) -> AsyncIterator[str]:
    """The steps of an answer as they come; the last says that what came of it is kept."""
    told_step: Mapping[str, Any] = {}
    quiet = 0.0
    while writing and not writing.over.is_set():
        if writing.step is not told_step:
            told_step, quiet = writing.step, 0.0
            yield f"data: {json.dumps(told_step)}\n\n"
        elif quiet > _BEAT_SECONDS:
            quiet = 0.0
            yield ": still there\n\n"
        await asyncio.sleep(_LOOK_SECONDS)
        quiet += _LOOK_SECONDS
    yield 'data: {"status": "over"}\n\n'


def _number(sent: Mapping[str, Any], name: str) -> int:
    number = sent.get(name, 0)
    if not isinstance(number, int) or number < 0:
        raise UsageError(f"`{name}` is {number!r}; give a number from 0 on")
    return number
