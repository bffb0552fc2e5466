"""Servers that the tests of the page share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from evals.run_folders import full_rows, write_run
from page_server import Served, served, wait_until_ready

from qa_bot.evals.report import write_reports
from qa_bot.ui.login import Logins


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server without a login, ready to answer, with two evaluation runs."""
    folder = tmp_path_factory.mktemp("page")
    rows = full_rows(24)
    for name, better in (("first", 0), ("second", 1)):
        write_run(folder / "runs" / name, [_mended(row, better) for row in rows])
        write_reports(folder / "runs" / name)
    for running in served(folder):
        wait_until_ready(running.url)
        yield running


def _mended(row: dict[str, Any], better: int) -> dict[str, Any]:
    """The row; in the better run a wrong answer is right."""
    if not better or row["attribution"] != "wrong":
        return row
    return {**row, "attribution": "right", "scores": {**row["scores"], "answer_match": 1.0}}


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that asks for a password."""
    yield from served(tmp_path_factory.mktemp("guarded"), Logins({"ada": "s3cret: päss"}))
