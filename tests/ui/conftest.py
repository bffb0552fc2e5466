"""Servers that the tests of the page share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from page_server import Served, served, wait_until_ready

from qa_bot.ui.login import Logins


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server without a login, ready to answer."""
    for running in served(tmp_path_factory.mktemp("page")):
        wait_until_ready(running.url)
        yield running


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that asks for a password."""
    yield from served(tmp_path_factory.mktemp("guarded"), Logins({"ada": "s3cret: päss"}))
