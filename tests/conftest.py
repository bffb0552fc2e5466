"""Fixtures that several test modules share."""

import pytest
from fakes import ScriptedModel


@pytest.fixture
def model() -> ScriptedModel:
    """A language model that says what a test tells it to."""
    return ScriptedModel()
