"""Batches and evaluation runs over HTTP, for the page's tabs."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from qa_bot.ui.batches import MOST_BYTES, Batches
from qa_bot.ui.login import Logins
from qa_bot.ui.runs import Runs
from qa_bot.ui.web import as_file, body, done, owner_of, told

_ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""For a report: it has a style of its own, and nothing in it may run or fetch."""


def work_routes(batches: Batches, runs: Runs, logins: Logins | None) -> list[Route]:
    """The routes below `/batches` and `/runs`."""
    return _WorkRoutes(batches, runs, logins).routes()


class _WorkRoutes:
    def __init__(self, batches: Batches, runs: Runs, logins: Logins | None) -> None:
        self._batches = batches
        self._runs = runs
        self._logins = logins

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
        return JSONResponse({"batches": await done(self._batches.listed, owner)})

    async def start(self, request: Request) -> Response:
        owner = owner_of(request, self._logins)
        # One byte too many is enough for starting to say what is wrong.
        data = await body(request, MOST_BYTES + 1)
        name = request.query_params.get("name", "")
        return JSONResponse({"id": await done(self._batches.start, owner, name, data)})

    async def stop(self, request: Request) -> Response:
        await done(self._batches.stop, *self._named(request))
        return JSONResponse({})

    async def resume(self, request: Request) -> Response:
        await done(self._batches.resume, *self._named(request))
        return JSONResponse({})

    async def remove(self, request: Request) -> Response:
        await done(self._batches.remove, *self._named(request))
        return JSONResponse({})

    async def answers(self, request: Request) -> Response:
        kind = request.query_params.get("as", "")
        text = await done(self._batches.answers, *self._named(request), kind)
        # Excel takes a file without this mark for one in the machine's own encoding.
        return as_file(f"\ufeff{text}" if kind == "csv" else text, f"answers.{kind}")

    async def runs(self, request: Request) -> Response:
        found = await done(self._runs.listed)
        return _escaped({"folder": str(self._runs.folder), "runs": found})

    async def run(self, request: Request) -> Response:
        return _escaped(await done(self._runs.shown, request.path_params["name"]))

    async def compare(self, request: Request) -> Response:
        a, b = (request.query_params.get(name, "") for name in ("a", "b"))
        return _escaped(await done(self._runs.compared, a, b))

    async def report(self, request: Request) -> Response:
        page = await done(self._runs.report, request.path_params["name"])
        kept = {"Content-Security-Policy": _ALONE}
        return Response(page, media_type="text/html", headers=kept)

    def _named(self, request: Request) -> tuple[str, str]:
        return owner_of(request, self._logins), request.path_params["id"]


def _escaped(found: dict[str, Any]) -> Response:
    """JSON in ASCII: texts of a run may hold half characters, which have no UTF-8."""
    return Response(json.dumps(found), media_type="application/json")
