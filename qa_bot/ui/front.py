"""What a browser meets: the page, the login, uploads, and the way to Gradio's API.

It answers before Gradio is imported; calls of the API wait until that is done. Only the few
routes of Gradio that its clients need are let through: none that serves or takes a file.
"""

from __future__ import annotations

import asyncio
import importlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa_bot.errors import QABotError, UsageError
from qa_bot.ui import openai
from qa_bot.ui.chat_routes import chat_routes
from qa_bot.ui.conversations import Conversations
from qa_bot.ui.desk import Desk
from qa_bot.ui.login import COOKIE, SESSION_SECONDS, Logins
from qa_bot.ui.talk import Talk
from qa_bot.ui.testcases import TestCases
from qa_bot.ui.texts import chosen_language, filled, page_file
from qa_bot.ui.web import body, known_browser, sent_json, told
from qa_bot.ui.work_routes import make_work

MCP = "/mcp"
"""Where MCP clients find the tools."""
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_PART = re.compile(r"[a-z]+\.(css|js|svg)")
_NONE = Response(status_code=404)
_OPEN = re.compile(r"/(login|page/(style\.css|login\.js|icon\.svg))$")
"""What is seen before the login."""
_GRADIO = re.compile(
    r"/(config|gradio_api/(info|app_id|startup-events|cancel|queue/(join|data)|heartbeat/\w+"
    r"|call/[a-z]+(/\w+)?))/?$"
)
_LOGIN_BYTES = 4_096
_CALL_BYTES = 1_000_000
_LANGUAGE = "qa_bot_language"
"""The cookie of a language chosen on the page."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def make_front(
    desk: Desk,
    kept: Path,
    logins: Logins | None = None,
    *,
    runs: Path = Path("runs"),
    loopback: bool = True,
    mcp: bool = False,
) -> Starlette:
    """The whole application.

    Args:
        desk: the bot; it is started, and closed at the end.
        kept: the folder of what people gave: conversations, test cases and batches.
        logins: who may come in; None for everybody who reaches the port.
        runs: the folder with the folders of evaluation runs.
        loopback: whether only this machine is served: then only its names are answered to.
        mcp: whether to serve tools to MCP clients too.
    """
    gradio = _Gradio(desk)
    tools = _Tools(gradio) if mcp else None

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        parts: list[_Gradio | _Tools] = [gradio, tools] if tools else [gradio]
        serving = [asyncio.create_task(part.serve(stopping)) for part in parts]
        yield
        await asyncio.to_thread(work.close)
        stopping.set()
        await asyncio.gather(*serving)

    talk = Talk(desk, Conversations(kept / "conversations"))
    cases = TestCases(kept / "testsets")
    work = make_work(desk, kept / "batches", runs.resolve(), cases, logins)
    app = Starlette(
        routes=[
            *_Pages(desk, logins, loopback).routes(),
            *chat_routes(desk, talk, cases, logins),
            *work.routes(),
            *openai.routes(gradio),
            *([Route(MCP, tools)] if tools else []),
        ],
        middleware=[Middleware(_Guard, logins=logins, loopback=loopback)],
        lifespan=lifespan,
    )
    app.router.default = gradio
    return app


class _Pages:
    """Our own routes."""

    def __init__(self, desk: Desk, logins: Logins | None, loopback: bool) -> None:
        self._desk = desk
        self._logins = logins
        self._own = loopback and logins is None
        """Whether only the person who runs the server comes here: they may change its model."""

    def routes(self) -> list[Route]:
        return [
            Route("/", self.page),
            Route("/page/{name}", self.part),
            Route("/state", self.state),
            Route("/about", told(self.about)),
            Route("/model", told(self.choose), methods=["POST"]),
            Route("/retry", self.retry, methods=["POST"]),
            Route("/upload", self.upload, methods=["PUT"]),
            Route("/login", self.enter, methods=["POST"]),
            Route("/logout", self.leave, methods=["POST"]),
        ]

    async def page(self, request: Request) -> Response:
        outside = self._logins is not None and self._user(request) is None
        language = chosen_language(
            request.headers.get("accept-language", ""), request.cookies.get(_LANGUAGE, "")
        )
        name = "login.html" if outside else "index.html"
        response = HTMLResponse(filled(name, language))
        return response if self._logins else known_browser(request, response)

    async def part(self, request: Request) -> Response:
        found = _PART.fullmatch(request.path_params["name"])
        try:
            return Response(page_file(found[0]), media_type=_TYPES[found[1]]) if found else _NONE
        except FileNotFoundError:
            return _NONE

    async def state(self, request: Request) -> Response:
        return JSONResponse({**self._desk.state(), "user": self._user(request)})

    async def about(self, request: Request) -> Response:
        """What answers depend on, as runs record it too, and what of it can be chosen."""
        known = await run_in_threadpool(self._desk.configuration)
        choices = await run_in_threadpool(self._desk.choices)
        if not self._own:
            del choices["models"]
        return JSONResponse({**known, **choices})

    async def choose(self, request: Request) -> Response:
        """Change the language model, for everybody; answers once it is loaded."""
        if not self._own:
            raise UsageError("the model is chosen where the server is started, with --llm")
        name = (await sent_json(request)).get("name")
        await run_in_threadpool(self._desk.use_model, str(name))
        return await self.state(request)

    async def retry(self, request: Request) -> Response:
        self._desk.start()
        return await self.state(request)

    async def upload(self, request: Request) -> Response:
        # One byte too many is enough for saving to say what is wrong.
        data = await body(request, self._desk.uploads.limit() + 1)
        name = request.query_params.get("name", "")
        try:
            kept = await run_in_threadpool(self._desk.uploads.save, name, data)
        except QABotError as exc:
            return JSONResponse({"error": str(exc)}, status_code=400)
        return JSONResponse({"name": kept})

    async def enter(self, request: Request) -> Response:
        address = request.client.host if request.client else ""
        if self._logins is None:
            return JSONResponse({"success": True})
        if self._logins.barred(address):
            wait = {"Retry-After": "60"}
            return JSONResponse({"error": "too many wrong passwords"}, 429, headers=wait)
        form = parse_qs((await body(request, _LOGIN_BYTES)).decode(errors="replace"))
        user, password = (form.get(name, [""])[0] for name in ("username", "password"))
        token = self._logins.enter(user, password, address)
        if token is None:
            return JSONResponse({"error": "wrong name or password"}, 401)
        response = JSONResponse({"success": True})
        response.set_cookie(
            COOKIE, token, max_age=SESSION_SECONDS, httponly=True, samesite="strict",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return response

    async def leave(self, request: Request) -> Response:
        if self._logins:
            self._logins.leave(request.cookies.get(COOKIE))
        response = RedirectResponse("/", status_code=303)
        response.delete_cookie(COOKIE)
        return response

    def _user(self, request: Request) -> str | None:
        return self._logins.user(request.cookies.get(COOKIE)) if self._logins else None


class _Gradio:
    """Gradio's application, once it is there; until then its callers wait."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ready = asyncio.Event()
        self._app: ASGIApp | None = None

    async def serve(self, stopping: asyncio.Event) -> None:
        """Import, start, and run Gradio and the desk until it is time to stop."""
        from qa_bot.ui.api import import_gradio, make_api

        try:
            await asyncio.to_thread(import_gradio)
            app = make_api(self._desk)
        except Exception as exc:
            self._desk.fail(exc)
            self._ready.set()
            raise
        async with app.router.lifespan_context(app):
            self._app = app
            self._ready.set()
            self._desk.start()
            await stopping.wait()
        await asyncio.to_thread(self._desk.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer: ASGIApp = _NONE
        if scope["type"] == "http" and _GRADIO.match(scope["path"]):
            await self._ready.wait()
            answer = self._app or Response("Gradio could not be started; the log says why.", 503)
            length = Headers(scope=scope).get("content-length", "")
            if scope["method"] == "POST" and not (length.isdecimal() and int(length) < _CALL_BYTES):
                answer = Response("The call is too large.", 413)
        await answer(scope, receive, send)


class _Tools:
    """The tools for MCP clients, once they are there; until then their callers wait."""

    def __init__(self, endpoints: ASGIApp) -> None:
        self._endpoints = endpoints
        self._ready = asyncio.Event()
        self._app: ASGIApp = Response("The tools could not be started; the log says why.", 503)

    async def serve(self, stopping: asyncio.Event) -> None:
        """Import, start, and run them until it is time to stop."""
        try:
            # It takes a second, for which the first page must not wait.
            module = await asyncio.to_thread(importlib.import_module, "qa_bot.ui.mcp_tools")
            async with module.mcp_tools(self._endpoints, MCP) as self._app:
                self._ready.set()
                await stopping.wait()
        finally:
            self._ready.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._ready.wait()
        await self._app(scope, receive, send)


class _Guard:
    """Refuses strangers before anything else sees them, and adds the safety headers."""

    def __init__(self, app: ASGIApp, logins: Logins | None, loopback: bool) -> None:
        self._app = app
        self._logins = logins
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name in [name for name in headers if name.startswith("access-control-")]:
                    del headers[name]
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(Request(scope)) or self._app
        await answer(scope, receive, safely)

    def _refusal(self, request: Request) -> Response | None:
        host = request.headers.get("host", "")
        # A page elsewhere may make its own name lead to this machine.
        if self._loopback and urlsplit(f"//{host}").hostname not in LOOPBACK:
            return Response("This server answers to this machine's own name only.", 403)
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return Response("This server takes no requests from other pages.", 403)
        path = request.url.path
        if path.startswith(openai.PREFIX) or path == MCP:
            return openai.refusal(request, self._logins)
        if self._logins is None or path == "/" or _OPEN.match(path):
            return None
        if self._logins.user(request.cookies.get(COOKIE)):
            return None
        return JSONResponse({"error": "log in first"}, status_code=401)
