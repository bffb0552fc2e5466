"""Fetches a file from one URL into a partial file, resuming with a Range request."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qa_bot.models import partial as partials
from qa_bot.models.catalogue import HubSource
from qa_bot.models.partial import Saved, SourceFailed

if TYPE_CHECKING:
    import httpx

SAVE_EVERY = 32 << 20
"""Bytes between two records of what is whole: what a kill can cost."""
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
ATTEMPTS = 20
"""Connections for one file: a break costs one, and only while each brings new bytes."""


def fetch_hub(source: HubSource, size: int, partial: Path, report: Callable[[int], None]) -> None:
    """Complete `partial` to `size` bytes from the source's URL, telling `report` the bytes so far.

    Raises:
        SourceFailed: the file could not be had; what came is kept for the next time.
        OSError: the partial file could not be written.
    """
    for attempt in range(1, ATTEMPTS + 1):
        saved = partials.load(partial, source.id)
        report(saved.size)
        if saved.size == size:
            return
        try:
            _continue(source, size, partial, saved, report)
        except SourceFailed:
            # A break after new bytes is a poor line, worth another connection.
            if attempt == ATTEMPTS or partials.load(partial, source.id).size <= saved.size:
                raise


def _continue(
    source: HubSource, size: int, partial: Path, saved: Saved, report: Callable[[int], None]
) -> None:
    """Ask once for what is missing and write what comes."""
    import httpx

    # Identity: bytes are counted, so none may be packed on the way.
    headers = {"Accept-Encoding": "identity"}
    if saved.size:
        headers["Range"] = f"bytes={saved.size}-"
    try:
        with _client() as client, client.stream("GET", source.url, headers=headers) as response:
            start = _start_of(response, saved, size, partial)
            _write(response, start, size, partial, report)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise SourceFailed(_in_words(exc)) from exc


def _client() -> httpx.Client:
    """Make a client with the user's own proxy and certificates."""
    import httpx

    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    try:
        return httpx.Client(follow_redirects=True, timeout=timeout)
    except (ImportError, ValueError, OSError) as exc:
        # A SOCKS proxy without its package, a proxy that is no URL, an absent certificate file.
        raise SourceFailed(f"the proxy or certificate settings do not work: {exc}") from exc


def _start_of(response: httpx.Response, saved: Saved, size: int, partial: Path) -> Saved:
    """Where in the file the response's body starts: behind `saved`, or at 0."""
    if response.status_code == 206:
        offered = response.headers.get("Content-Range", "")
        if not offered.startswith(f"bytes {saved.size}-"):
            partials.discard(partial)
            raise SourceFailed(f"it answered with another range ({offered or 'none named'})")
        total = offered.rpartition("/")[2]
        start = saved
    elif response.status_code == 200:
        total = response.headers.get("Content-Length", "*")
        start = Saved(saved.source)
    else:
        if response.status_code == 416:
            partials.discard(partial)
        raise SourceFailed(f"it answered HTTP {response.status_code} {response.reason_phrase}")
    if total not in ("*", str(size)):
        raise SourceFailed(f"its file has {total} bytes, expected {size}")
    return start


def _write(
    response: httpx.Response, start: Saved, size: int, partial: Path, report: Callable[[int], None]
) -> None:
    """Append the body to the partial file, with a record now and then and at the end."""
    done = recorded = start.size
    with partials.open_at(partial, start) as file:
        try:
            # As it comes: a chunk size would hold bytes back, and lose them when the line breaks.
            for chunk in response.iter_raw():
                file.write(chunk)
                done += len(chunk)
                if done - recorded >= SAVE_EVERY:
                    recorded = partials.save(partial, file, source=start.source).size
                report(min(done, size))
                if done > size:
                    break
        finally:
            if done > recorded:
                partials.save(partial, file, source=start.source)
    if done != size:
        # The server said that this was all, so it is another file, e.g. a sign-in page.
        partials.discard(partial)
        raise SourceFailed(f"its file has {'over ' * (done > size)}{done} bytes, expected {size}")


def _in_words(exc: Exception) -> str:
    """Say what a failed request means to the person waiting for it."""
    import httpx

    if isinstance(exc, httpx.ProxyError):
        return f"the proxy refused the connection: {exc}"
    if isinstance(exc, httpx.ConnectTimeout):
        return f"no network to it: no connection within {CONNECT_SECONDS:.0f} s"
    if isinstance(exc, httpx.ConnectError):
        if _caused_by(exc, socket.gaierror):
            return "no network to it: the host's name could not be resolved"
        return f"no network to it: {exc}"
    if isinstance(exc, httpx.TimeoutException):
        return f"it sent nothing for {READ_SECONDS:.0f} s"
    if isinstance(exc, httpx.TransportError):
        return f"the connection broke: {exc or type(exc).__name__}"
    return str(exc) or type(exc).__name__


def _caused_by(exc: BaseException | None, kind: type[BaseException]) -> bool:
    while exc is not None:
        if isinstance(exc, kind):
            return True
        exc = exc.__cause__ or exc.__context__
    return False
