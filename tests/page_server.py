"""The page served with scripted answers, in this process."""

from __future__ import annotations

import gc
import socket
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from gradio_client import Client
from page_bot import PageBot, write_documents
from starlette.applications import Starlette

from qa_bot.ui.desk import Desk
from qa_bot.ui.front import make_front
from qa_bot.ui.login import Logins

WAIT = 240.0
"""Seconds for Gradio to be imported on a machine that is busy with other tests."""


@dataclass(frozen=True)
class Served:
    """A running server and the bot behind it."""

    url: str
    bot: PageBot
    store: Path


def served(
    folder: Path, logins: Logins | None = None, *, loading: float = 0.0, mcp: bool = False
) -> Iterator[Served]:
    bot = PageBot(write_documents(folder / "documents"), loading=loading)
    store = folder / "store"
    front = make_front(Desk(lambda progress: bot, store), folder / "kept", logins,
                       runs=folder / "runs", mcp=mcp)  # fmt: skip
    with listening(front) as url:
        yield Served(url, bot, store)


@contextmanager
def listening(front: Starlette) -> Iterator[str]:
    """The address of a server with this application."""
    port = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(front, log_level="error", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [port]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        port.close()


def wait_until_ready(url: str) -> None:
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        state = httpx.get(f"{url}/state", timeout=WAIT).json()
        if state["state"] == "ready":
            return
        time.sleep(0.1)
    raise AssertionError(f"not ready after {WAIT} s: {state}")


@contextmanager
def connected(url: str, auth: tuple[str, str] | None = None) -> Iterator[Client]:
    """Gradio's own client; the sockets that it leaves open at its end are collected here."""
    client = Client(url, auth=auth, verbose=False)
    try:
        yield client
    finally:
        client.close()
        if client.heartbeat.is_alive():
            client.heartbeat.join(30)
        del client
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
