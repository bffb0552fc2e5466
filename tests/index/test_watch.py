"""Documents that come, change and go are indexed as they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qa_bot.app import QABot
from qa_bot.errors import UsageError
from qa_bot.index.manifest import writing
from qa_bot.index.watch import changes
from qa_bot.settings import load_settings
from qa_bot.types import IndexReport


class Stage:
    """Time that passes when the watcher waits; whoever acts does so between two looks."""

    def __init__(self, *acts: Any) -> None:
        self.acts = list(acts)
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) > 1000:
            raise AssertionError("the change is never seen")
        if self.acts:
            self.acts.pop(0)()


def nothing() -> None:
    """No one acts."""


def test_a_change_is_told_once_it_stands_still(docs: Path, tmp_path: Path) -> None:
    def more() -> None:
        with (docs / "1.txt").open("a") as file:
            file.write("more")

    stage = Stage(nothing, more, more, more)
    seen = changes([docs], tmp_path / "store", stage.wait)
    next(seen)
    assert stage.waits == []
    next(seen)
    # Seen after the second pause, growing for two more, still at the last look.
    assert len(stage.waits) == 6


def test_what_changes_during_an_update_is_seen_after_it(docs: Path, tmp_path: Path) -> None:
    seen = changes([docs], tmp_path / "store", Stage().wait)
    next(seen)
    (docs / "0.txt").unlink()
    next(seen)


def test_a_file_that_never_stands_still_is_read_at_last(docs: Path, tmp_path: Path) -> None:
    def grow() -> None:
        with (docs / "1.txt").open("a") as file:
            file.write("more")

    seen = changes([docs], tmp_path / "store", Stage(*[grow] * 100).wait)
    next(seen)
    next(seen)


def test_our_own_store_is_not_watched(docs: Path) -> None:
    store = docs / "store"
    store.mkdir()
    stage = Stage(lambda: (store / "new").write_text("x"), nothing, nothing,
                  lambda: (docs / "new.txt").write_text("x"))  # fmt: skip
    seen = changes([docs], store, stage.wait)
    next(seen)
    next(seen)
    assert len(stage.waits) > 4


@pytest.fixture
def bot(docs: Path, store: Path, embedder: Any) -> Iterator[QABot]:
    settings = replace(load_settings(), store=store, documents=(docs,))
    told: list[str] = []
    bot = QABot(settings, embedder=embedder, notify=told.append)
    bot.told = told  # type: ignore[attr-defined]
    yield bot
    bot.close()


def counts(report: IndexReport) -> dict[str, int]:
    return dict(report.counts)


def test_the_index_follows_its_folder(bot: QABot, docs: Path) -> None:
    reports = bot.watch(wait=Stage().wait)
    assert counts(next(reports)) == {"added": 3}
    (docs / "new.txt").write_text("The lighthouse of the northern harbour was painted red.")
    assert counts(next(reports)) == {"added": 1, "unchanged": 3}
    assert bot.search("lighthouse harbour painted", 1)[0].passage.source == "new.txt"
    (docs / "new.txt").rename(docs / "other.txt")
    assert counts(next(reports)) == {"added": 1, "removed": 1, "unchanged": 3}
    (docs / "0.txt").write_text("Something else stands here by now, and it is long enough.")
    assert counts(next(reports)) == {"changed": 1, "unchanged": 3}


def test_an_update_that_fails_is_tried_again(bot: QABot, docs: Path, store: Path) -> None:
    taken, free = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(store):
            taken.set()
            free.wait(60)

    stage = Stage()
    reports = bot.watch(wait=stage.wait)
    next(reports)
    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(60)
    (docs / "0.txt").unlink()
    # Two tries while the other one writes, then it lets go.
    stage.acts = [nothing, nothing, nothing, lambda: (free.set(), holder.join())]
    assert counts(next(reports)) == {"removed": 1, "unchanged": 2}
    told: list[str] = bot.told  # type: ignore[attr-defined]
    assert len([line for line in told if "is being indexed by process" in line]) == 1


def test_a_wrong_folder_is_named_at_the_start(bot: QABot, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is missing"):
        next(bot.watch(tmp_path / "nowhere"))


_WATCH = """
import sys
sys.path[:0] = sys.argv[1:2]
from fakes import HashEmbedding
from qa_bot import app, cli
app.make_embedder = lambda *_, **__: HashEmbedding(model_name="hash")
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_ctrl_c_ends_it_with_130_and_keeps_what_is_done(docs: Path, store: Path) -> None:
    command = [sys.executable, "-c", _WATCH, str(Path(__file__).parents[1])]
    arguments = ["index", str(docs), "--store", str(store)]
    with subprocess.Popen(
        [*command, *arguments, "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("3 added.")
        (docs / "new.txt").write_text("The lighthouse of the northern harbour was painted red.")
        assert process.stdout.readline().startswith("1 added, 3 unchanged.")
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "all finished work is kept" in told
    again = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    assert again.stdout.startswith("4 unchanged: nothing to do")
