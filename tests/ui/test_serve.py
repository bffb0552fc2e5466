"""`qa-bot serve`: where it listens, and what it refuses to start with."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import page_bot
import pytest
import uvicorn

from qa_bot.cli import main


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Where servers would have listened."""
    addresses: list[tuple[str, int]] = []

    def run(self: uvicorn.Server, sockets: list[socket.socket]) -> None:
        addresses.extend(each.getsockname() for each in sockets)
        for each in sockets:
            each.close()

    monkeypatch.setattr(uvicorn.Server, "run", run)
    return addresses


def test_it_listens_on_this_machine_only_and_says_where(
    started: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--port", "0"]) == 0
    [(host, port)] = started
    assert host == "127.0.0.1"
    said = capsys.readouterr().err
    assert f"http://127.0.0.1:{port}" in said
    assert "Careful" not in said


def test_it_warns_where_strangers_may_come_in(
    started: list[tuple[str, int]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["serve", "--port", "0", "--host", "0.0.0.0"]) == 0  # noqa: S104
    assert "Careful: everyone who reaches 0.0.0.0" in capsys.readouterr().err
    users = tmp_path / "users"
    users.write_text("ada:x\n")
    assert main(["serve", "--port", "0", "--host", "0.0.0.0", "--auth", str(users)]) == 0  # noqa: S104
    assert "Careful" not in capsys.readouterr().err


def test_a_taken_port_is_wrong_usage_with_its_cure(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert f"127.0.0.1:{port}" in said
    assert "--port" in said


def test_tools_for_mcp_clients_are_told_of_where_they_are_asked_for(
    started: list[tuple[str, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "--port", "0", "--mcp"]) == 0
    assert f":{started[0][1]}/mcp" in capsys.readouterr().err
    assert main(["serve", "--port", "0"]) == 0
    assert "/mcp" not in capsys.readouterr().err


def test_without_their_package_the_tools_are_wrong_usage_with_the_cure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qa_bot.ui.serve.find_spec", lambda name: None)
    assert main(["serve", "--port", "0", "--mcp"]) == 2
    assert 'pip install "qa-bot[mcp]"' in capsys.readouterr().err


def test_a_bad_users_file_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    users = tmp_path / "users"
    users.write_text("just-a-password\n")
    assert main(["serve", "--port", "0", "--auth", str(users)]) == 2
    said = capsys.readouterr().err
    assert "line 1: not of the form user:password" in said
    assert "just-a-password" not in said


def test_the_first_page_needs_nothing_heavy() -> None:
    code = (
        "import sys, qa_bot.ui.serve\n"
        "heavy = {'numpy', 'pandas', 'chromadb', 'llama_index', 'gradio', 'fastapi', 'openvino',\n"
        "         'mcp'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_it_shows_a_page_at_once_and_ends_when_told_though_it_is_still_loading() -> None:
    with subprocess.Popen(
        [sys.executable, page_bot.__file__, "0", "60"], stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        url = server.stderr.readline().split()[-1]
        page = httpx.get(url, timeout=10)
        assert page.status_code == 200
        assert httpx.get(f"{url}/state", timeout=10).json()["state"] == "loading"
        time.sleep(1)
        server.send_signal(signal.SIGINT)
        server.wait(60)
