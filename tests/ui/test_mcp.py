"""The tools for MCP clients, through the official client over streamable HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from page_bot import QUOTES
from page_server import Served, served, wait_until_ready

from qa_bot.ui.login import Logins

LIMITS = {"source": ["salon.txt"], "language": "fr", "since": "2020", "until": "2021"}


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    for running in served(tmp_path_factory.mktemp("mcp"), mcp=True):
        wait_until_ready(running.url)
        yield running


@asynccontextmanager
async def connected(url: str, key: str = "") -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport) as client:
            yield client


def call(url: str, name: str, arguments: dict[str, Any], key: str = "") -> Any:
    """What a tool gives: its result as JSON, or the text of its error."""

    async def go() -> Any:
        async with connected(url, key) as client:
            given = await client.call_tool(name, arguments)
        text = "".join(part.text for part in given.content if part.type == "text")
        return text if given.is_error else json.loads(text)

    return asyncio.run(go())


def test_three_tools_are_listed_with_what_they_take(tools: Served) -> None:
    async def go() -> Any:
        async with connected(tools.url) as client:
            return (await client.list_tools()).tools

    listed = {tool.name: tool for tool in asyncio.run(go())}
    assert set(listed) == {"ask", "search", "documents"}
    assert listed["ask"].input_schema["required"] == ["question"]
    assert set(LIMITS) < set(listed["ask"].input_schema["properties"])
    assert all(tool.description for tool in listed.values())


def test_ask_gives_the_answer_and_what_each_marker_rests_on(tools: Served) -> None:
    given = call(tools.url, "ask", {"question": "How many?", "history": [["Before?", "Yes."]],
                                    **LIMITS})  # fmt: skip
    assert given["status"] == "answered"
    assert "[1]" in given["answer"]
    assert [source["quote"] for source in given["sources"]] == [QUOTES["fr"], QUOTES["zh"]]
    assert tools.bot.asked[-1] == ("How many?", [("Before?", "Yes.")])
    assert tools.bot.limits[-1] == LIMITS


def test_a_refusal_is_no_error(tools: Served) -> None:
    given = call(tools.url, "ask", {"question": "What does a ticket cost?"})
    assert (given["status"], len(given["sources"])) == ("refused", 2)


def test_search_and_documents_give_what_the_api_gives(tools: Served) -> None:
    found = call(tools.url, "search", {"query": "fibre", "k": 1, **LIMITS})
    assert [item["text"] for item in found["passages"]] == [QUOTES["fr"]]
    assert tools.bot.limits[-1] == LIMITS
    listed = call(tools.url, "documents", {})["documents"]
    assert {item["source"] for item in listed} == {
        "salon.txt", "光纤.txt", "siber.md", "hostile.txt",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("ask", {"question": " "}, "the question is empty"),
        ("ask", {"question": "explode"}, "start it with `ollama serve`"),
        ("ask", {"question": "x" * 4001}, "4001 characters"),
        ("search", {"query": ""}, "the question is empty"),
    ],
)
def test_a_failure_says_its_cure(
    tools: Served, name: str, arguments: dict[str, Any], said: str
) -> None:
    assert said in call(tools.url, name, arguments)


def test_who_stops_waiting_stops_the_answer(tools: Served) -> None:
    tools.bot.stopped.clear()

    async def go() -> None:
        async with connected(tools.url) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.5):
                    await client.call_tool("ask", {"question": "a long answer"})

    asyncio.run(go())
    assert tools.bot.stopped.wait(20)


def test_the_login_guards_the_tools(tmp_path: Path) -> None:
    for running in served(tmp_path, Logins({"ada": "s3cret: päss"}), mcp=True):
        key = "ada:s3cret%3A%20p%C3%A4ss"
        for wrong in ("nobody:", "ada:wrong"):
            with pytest.raises(BaseExceptionGroup):
                call(running.url, "documents", {}, wrong)
            headers = {"Authorization": f"Bearer {wrong}"}
            assert httpx.post(f"{running.url}/mcp", json={}, headers=headers).status_code == 401
        for _ in range(600):
            listed = call(running.url, "documents", {}, key)
            if isinstance(listed, dict):
                break
            assert "still being loaded" in listed
        assert len(listed["documents"]) == 4


def test_without_the_flag_there_are_no_tools(page: Served) -> None:
    assert httpx.post(f"{page.url}/mcp", json={}).status_code == 404


def test_other_pages_are_turned_away(tools: Served) -> None:
    foreign = {"Origin": "http://evil.example"}
    assert httpx.post(f"{tools.url}/mcp", json={}, headers=foreign).status_code == 403
    named = {"Host": "evil.example"}
    assert httpx.post(f"{tools.url}/mcp", json={}, headers=named).status_code == 403
