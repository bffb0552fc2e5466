"""Batches and evaluation runs over HTTP, for the page's tabs."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from qa_bot.errors import UsageError
from qa_bot.ui.desk import Desk
from qa_bot.ui.login import Logins
from qa_bot.ui.web import as_file, body, done, owner_of, told

if TYPE_CHECKING:
    from qa_bot.ui.batches import Batches
    from qa_bot.ui.runs import Runs

_MOST_BYTES = 20_000_000
"""The largest file of questions."""
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""For a report: it has a style of its own, and nothing in it may run or fetch."""


def make_work(desk: Desk, kept: Path, runs: Path, logins: Logins | None) -> _Work:
    """The `routes()` below `/batches` and `/runs`; `close()` it when the server ends.

    Args:
        desk: the bot that answers batches.
        kept: the folder of the batches.
        runs: the folder with the folders of evaluation runs.
        logins: who may come in.
    """
    return _Work(desk, kept, runs, logins)


class _Work:
    def __init__(self, desk: Desk, kept: Path, runs: Path, logins: Logins | None) -> None:
        self._desk = desk
        self._kept = kept
        self._folder = runs
        self._logins = logins

    # Both import what takes a second; the first page must not wait for it.

    @cached_property
    def _batches(self) -> Batches:
        from qa_bot.ui.batches import Batches

        return Batches(self._desk, self._kept)

    @cached_property
    def _runs(self) -> Runs:
        from qa_bot.ui.runs import Runs

        return Runs(self._folder)

    def close(self) -> None:
        if "_batches" in self.__dict__:  # nothing runs where nobody has opened the tab
            self._batches.close()

    def routes(self) -> list[Route]:
        one = "/batches/{id}"
        table = [
            ("GET", "/batches", self.listed),
            ("PUT", "/batches", self.start),
            ("DELETE", one, self.remove),
            ("POST", f"{one}/stop", self.stop),
            ("POST", f"{one}/resume", self.resume),
            ("GET", f"{one}/answers", self.answers),
            ("GET", "/runs", self.runs),
            ("GET", "/runs/{name}", self.run),
            ("GET", "/runs/{name}/report", self.report),
            ("GET", "/compare", self.compare),
        ]
        return [Route(path, told(does), methods=[method]) for method, path, does in table]

    async def listed(self, request: Request) -> Response:
        owner = owner_of(request, self._logins)
        return JSONResponse({"batches": await done(lambda: self._batches.listed(owner))})

    async def start(self, request: Request) -> Response:
        owner = owner_of(request, self._logins)
        data = await body(request, _MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise UsageError(f"the file is over {_MOST_BYTES // 10**6} MB; split it")
        name = request.query_params.get("name", "")
        made = await done(lambda: self._batches.start(owner, name, data))
        return JSONResponse({"id": made})

    async def stop(self, request: Request) -> Response:
        await done(lambda: self._batches.stop(*self._named(request)))
        return JSONResponse({})

    async def resume(self, request: Request) -> Response:
        await done(lambda: self._batches.resume(*self._named(request)))
        return JSONResponse({})

    async def remove(self, request: Request) -> Response:
        await done(lambda: self._batches.remove(*self._named(request)))
        return JSONResponse({})

    async def answers(self, request: Request) -> Response:
        kind = request.query_params.get("as", "")
        text = await done(lambda: self._batches.answers(*self._named(request), kind))
        # Excel takes a file without this mark for one in the machine's own encoding.
        return as_file(f"\ufeff{text}" if kind == "csv" else text, f"answers.{kind}")

    async def runs(self, request: Request) -> Response:
        found = await done(lambda: self._runs.listed())
        return _escaped({"folder": str(self._folder), "runs": found})

    async def run(self, request: Request) -> Response:
        name = request.path_params["name"]
        return _escaped(await done(lambda: self._runs.shown(name)))

    async def compare(self, request: Request) -> Response:
        a, b = (request.query_params.get(name, "") for name in ("a", "b"))
        return _escaped(await done(lambda: self._runs.compared(a, b)))

    async def report(self, request: Request) -> Response:
        name = request.path_params["name"]
        page = await done(lambda: self._runs.report(name))
        kept = {"Content-Security-Policy": _ALONE}
        return Response(page, media_type="text/html", headers=kept)

    def _named(self, request: Request) -> tuple[str, str]:
        return owner_of(request, self._logins), request.path_params["id"]


def _escaped(found: dict[str, Any]) -> Response:
    """JSON in ASCII: texts of a run may hold half characters, which have no UTF-8."""
    return Response(json.dumps(found), media_type="application/json")
