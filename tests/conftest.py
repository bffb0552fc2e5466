"""Fixtures that several test modules share."""

from pathlib import Path

import pytest
from fakes import ScriptedModel

from qa_bot.models.catalogue import entry
from qa_bot.models.fetch import fetch
from qa_bot.settings import load_settings


@pytest.fixture
def model() -> ScriptedModel:
    """A language model that says what a test tells it to."""
    return ScriptedModel()


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
