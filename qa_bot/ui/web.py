"""What the page's own routes share: who asks, JSON in and out, errors as people read them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from qa_bot.errors import QABotError, ServiceError, UsageError
from qa_bot.ui.login import COOKIE, Logins

BROWSER = "qa_bot_browser"
"""The cookie that tells browsers apart where there is no login."""
BROWSER_SECONDS = 400 * 24 * 3600
_CALL_BYTES = 100_000

Endpoint = Callable[[Request], Awaitable[Response]]


def owner_of(request: Request, logins: Logins | None) -> str:
    """Whose conversations these are: the user's, or without a login the browser's.

    Raises:
        UsageError: a browser that has not opened the page.
    """
    if logins:
        return f"user {logins.user(request.cookies.get(COOKIE))}"
    token = request.cookies.get(BROWSER, "")
    if len(token) < 32:
        raise UsageError("open the page first; it needs cookies")
    return f"browser {token}"


def known_browser(request: Request, response: Response) -> Response:
    """The response, with a name for the browser where it has none."""
    if len(request.cookies.get(BROWSER, "")) < 32:
        response.set_cookie(
            BROWSER, secrets.token_hex(16), max_age=BROWSER_SECONDS, httponly=True,
            samesite="strict", secure=request.url.scheme == "https",
        )  # fmt: skip
    return response


async def sent_json(request: Request) -> Mapping[str, Any]:
    """The JSON object that was sent; empty where nothing was.

    Raises:
        UsageError: something else was sent.
    """
    data = await body(request, _CALL_BYTES)
    try:
        found = json.loads(data or b"{}")
    except ValueError as exc:
        raise UsageError(f"the call is no JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise UsageError("the call is no JSON object")
    return found


async def body(request: Request, most: int) -> bytes:
    """The first `most` bytes of what was sent."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) >= most:
            break
    return bytes(data[:most])


def told(endpoint: Endpoint) -> Endpoint:
    """The endpoint, whose errors of ours become messages."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ServiceError as exc:
            return JSONResponse({"error": str(exc)}, status_code=503)
        except QABotError as exc:
            return JSONResponse({"error": str(exc)}, status_code=400)

    return answer


async def done(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """What work that may wait for a disk gives, done beside the server's loop."""
    return await run_in_threadpool(work, *arguments, **named)


def as_file(text: str, name: str) -> Response:
    """A file to keep: it is never shown as a page of this server."""
    kept = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="application/octet-stream", headers=kept)
