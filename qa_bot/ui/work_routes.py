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
from qa_bot.ui.testcases import TestCases
from qa_bot.ui.web import as_file, body, done, owner_of, told

if TYPE_CHECKING:
    from qa_bot.ui.batches import Batches
    from qa_bot.ui.evaluations import Evaluations
    from qa_bot.ui.runs import Runs

_MOST_BYTES = 20_000_000
"""The largest file of questions, or test set."""
_ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""For a report: it has a style of its own, and nothing in it may run or fetch."""


def make_work(desk: Desk, kept: Path, runs: Path, cases: TestCases, logins: Logins | None) -> _Work:
    """The `routes()` below `/batches` and `/runs`; `close()` it when the server ends.

    Args:
        desk: the bot that answers batches and is evaluated.
        kept: the folder of the batches.
        runs: the folder with the folders of evaluation runs.
        cases: the test cases that people made, to evaluate with.
        logins: who may come in.
    """
    return _Work(desk, kept, runs, cases, logins)


class _Work:
    def __init__(
        self, desk: Desk, kept: Path, runs: Path, cases: TestCases, logins: Logins | None
    ) -> None:
        self._desk = desk
        self._kept = kept
        self._folder = runs
        self._cases = cases
        self._logins = logins

    # They import what takes a second; the first page must not wait for it.

    @cached_property
    def _batches(self) -> Batches:
        from qa_bot.ui.batches import Batches

        return Batches(self._desk, self._kept)

    @cached_property
    def _runs(self) -> Runs:
        from qa_bot.ui.runs import Runs

        return Runs(self._folder)

    @cached_property
    def _evaluations(self) -> Evaluations:
        from qa_bot.ui.evaluations import Evaluations

        return Evaluations(self._desk, self._folder)

    def close(self) -> None:
        for name in ("_batches", "_evaluations"):
            if name in self.__dict__:  # nothing runs where nobody has opened the tab
                getattr(self, name).close()

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
            ("PUT", "/runs", self.evaluate),
            ("POST", "/runs", self.evaluate_cases),
            ("GET", "/runs/{name}", self.run),
            ("DELETE", "/runs/{name}", self.forget),
            ("POST", "/runs/{name}/stop", self.halt),
            ("POST", "/runs/{name}/resume", self.go_on),
            ("GET", "/runs/{name}/report", self.report),
            ("GET", "/compare", self.compare),
        ]
        return [Route(path, told(does), methods=[method]) for method, path, does in table]

    async def listed(self, request: Request) -> Response:
        owner = owner_of(request, self._logins)
        return JSONResponse({"batches": await done(lambda: self._batches.listed(owner))})

    async def start(self, request: Request) -> Response:
        owner = owner_of(request, self._logins)
        name, data = await _file(request)
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
        unfinished = await done(lambda: self._evaluations.listed())
        cases = await done(self._cases.count, owner_of(request, self._logins))
        return _escaped({"folder": str(self._folder), "runs": found, "unfinished": unfinished,
                         "cases": cases})  # fmt: skip

    async def evaluate(self, request: Request) -> Response:
        name, data = await _file(request)
        made = await done(lambda: self._evaluations.start(name, data))
        return JSONResponse({"name": made})

    async def evaluate_cases(self, request: Request) -> Response:
        """Evaluate with the test cases that the one who asks has made."""
        rows = await done(self._cases.text, owner_of(request, self._logins))
        made = await done(lambda: self._evaluations.start("chat.jsonl", rows.encode()))
        return JSONResponse({"name": made})

    async def halt(self, request: Request) -> Response:
        await done(lambda: self._evaluations.stop(request.path_params["name"]))
        return JSONResponse({})

    async def go_on(self, request: Request) -> Response:
        await done(lambda: self._evaluations.resume(request.path_params["name"]))
        return JSONResponse({})

    async def forget(self, request: Request) -> Response:
        """Delete a run that is not finished."""
        name = request.path_params["name"]
        await done(lambda: self._evaluations.remove(name))
        return JSONResponse({})

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


async def _file(request: Request) -> tuple[str, bytes]:
    """The name and the bytes of a file that was sent.

    Raises:
        UsageError: it is too large.
    """
    data = await body(request, _MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise UsageError(f"the file is over {_MOST_BYTES // 10**6} MB; split it")
    return request.query_params.get("name", ""), data


def _escaped(found: dict[str, Any]) -> Response:
    """JSON in ASCII: texts of a run may hold half characters, which have no UTF-8."""
    return Response(json.dumps(found), media_type="application/json")
