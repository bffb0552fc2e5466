"""Run the web interface: the port opens at once, models load behind it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import uvicorn

from qa_bot.errors import UsageError
from qa_bot.settings import kept_folder
from qa_bot.ui.desk import Desk, OpenBot
from qa_bot.ui.front import LOOPBACK, MCP, make_front
from qa_bot.ui.login import Logins, read_users

_GRACE_SECONDS = 3
"""How long open connections may keep the server from ending."""


def serve(
    open_bot: OpenBot,
    store: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    auth: Path | None = None,
    mcp: bool = False,
    notify: Callable[[str], None],
) -> None:
    """Serve the page until interrupted.

    Args:
        open_bot: makes the bot; called in the background.
        store: the index's folder; uploaded files are kept in its `uploads`.
        host: the address to listen at.
        port: 0 takes any free one.
        auth: a file of `user:password` lines; None asks nobody for a password.
        mcp: whether to serve tools to MCP clients too.
        notify: told where the page is, and what is risky.

    Raises:
        UsageError: a bad users' file, an address that cannot be listened at, or `mcp` where
            its package is missing.
    """
    if mcp and find_spec("mcp") is None:
        raise UsageError('--mcp needs the package mcp: pip install "qa-bot[mcp]"')
    logins = Logins(read_users(auth)) if auth else None
    listening = _listening(host, port)
    loopback = host in LOOPBACK
    if not loopback and logins is None:
        notify(f"Careful: everyone who reaches {host} can ask, upload and remove; give --auth FILE")
    named = f"[{host}]" if ":" in host else host
    place = f"http://{named}:{listening.getsockname()[1]}"
    notify(f"qa_bot is at {place}")
    if mcp:
        notify(f"Its tools for MCP clients are at {place}{MCP}")
    front = make_front(Desk(open_bot, store), kept_folder(store), logins, loopback=loopback,
                       mcp=mcp)  # fmt: skip
    config = uvicorn.Config(front, log_level="error", access_log=False, server_header=False,
                            timeout_graceful_shutdown=_GRACE_SECONDS)  # fmt: skip
    uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except (OSError, OverflowError) as exc:
        listening.close()
        raise UsageError(
            f"cannot listen at {host}:{port} ({exc}); choose others with --host and --port"
        ) from exc
    return listening
