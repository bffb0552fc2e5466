"""The tools `ask`, `search` and `documents` for MCP clients, over streamable HTTP.

They call the endpoints of the API, so that they wait in the same line, and are stopped when
nobody reads them any more. Needs the package `mcp`: `pip install "qa-bot[mcp]"`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp

import qa_bot
from qa_bot.ui.calls import CallFailed, QueueFull, steps

_BYTES = 1_000_000
"""The largest call."""
_TOLD = ("status", "answer", "language", "model", "sources")
"""What of an answer a program is told: the rest is for the page."""
_INSTRUCTIONS = (
    "Answers questions from an index of documents; every sentence of an answer has its quotes, "
    "which were looked up in the documents. What the documents do not say is refused."
)


@asynccontextmanager
async def mcp_tools(endpoints: ASGIApp, path: str) -> AsyncIterator[ASGIApp]:
    """The application that serves the tools at `path`, inside the block.

    Args:
        endpoints: the application that has the endpoints of the API.
        path: where it is asked.
    """
    server = _server(endpoints)
    app = server.streamable_http_app(
        streamable_http_path=path,
        max_request_body_size=_BYTES,
        # Who may come in is the guard's to say, for all there is on this server.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    async with server.session_manager.run():
        yield app


def _server(endpoints: ASGIApp) -> MCPServer:
    server = MCPServer("qa_bot", version=qa_bot.__version__, instructions=_INSTRUCTIONS,
                       log_level="ERROR")  # fmt: skip

    @server.tool()
    async def ask(
        question: str,
        history: list[list[str]] | None = None,
        source: list[str] | None = None,
        language: str = "",
        since: str = "",
        until: str = "",
    ) -> dict[str, Any]:
        """Answer a question, in any language, from the documents.

        `answer` has markers [1], [2] …; `sources` has the quote behind each, word for word,
        with its document and offsets. `status` is "refused" where the documents do not answer;
        `sources` are then the closest passages. history: earlier [question, answer] pairs.
        source, language, since, until limit what is answered from: names as `documents` gives
        them, a language's code, dates as 2023, 2023-11 or 2023-11-08.
        """
        limits = [source or [], language, since, until]
        record = await _last(endpoints, "ask", [question, history or [], *limits])
        if record["status"] == "error":
            raise ToolError(str(record["error"]))
        return {name: record[name] for name in _TOLD}

    @server.tool()
    async def search(
        query: str,
        k: int = 5,
        source: list[str] | None = None,
        language: str = "",
        since: str = "",
        until: str = "",
    ) -> dict[str, Any]:
        """The k (1 to 50) best passages for a query, best first, without the language model.

        source, language, since, until: as `ask` takes them.
        """
        return await _last(endpoints, "search", [query, k, source or [], language, since, until])

    @server.tool()
    async def documents() -> dict[str, Any]:
        """What is indexed: source, title, date, language, passages and size of each document."""
        return {"documents": (await _last(endpoints, "documents", []))["documents"]}

    return server


async def _last(endpoints: ASGIApp, name: str, data: list[Any]) -> dict[str, Any]:
    """The last of what an endpoint gives.

    Raises:
        ToolError: it failed, or too many calls wait.
    """
    try:
        async with aclosing(steps(endpoints, name, data)) as given:
            *_, last = [step async for step in given]
    except QueueFull as exc:
        raise ToolError("too many calls wait; try again in a while") from exc
    except CallFailed as exc:
        raise ToolError(str(exc)) from exc
    return dict(last)
