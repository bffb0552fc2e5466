"""Fixtures that several test modules share."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import ScriptedModel
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright

from qa_bot.models.catalogue import entry
from qa_bot.models.fetch import fetch
from qa_bot.settings import load_settings

settings.register_profile("untimed", deadline=None)  # a busy machine fails no test
settings.load_profile("untimed")


@pytest.fixture
def model() -> ScriptedModel:
    """A language model that says what a test tells it to."""
    return ScriptedModel()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser; what needs it is skipped on a machine without one."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium here: apt-get install chromium")
    with sync_playwright() as play:
        running = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


def _fetched(name: str) -> Path:
    """A catalogue model's file, fetched on first use."""
    return fetch(entry(name), load_settings().models, lambda done, total: None)


@pytest.fixture(scope="session")
def embedded_model_path() -> Path:
    """The small real model. Its kind of quantization is one that OpenVINO cannot read."""
    return _fetched("qwen2.5-coder-0.5b")


@pytest.fixture(scope="session")
def default_model_path() -> Path:
    """The real model that answers by default, which OpenVINO reads."""
    return _fetched("qwen2.5-coder-1.5b")
