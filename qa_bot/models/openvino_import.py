"""Importing OpenVINO without what it sends home."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any


def import_quietly(module: str) -> Any:
    """Import a module of OpenVINO without the telemetry that it brings along.

    `import openvino` sends an event to Google Analytics and writes a client id into
    ~/intel, unless `openvino_telemetry` cannot be imported: then it uses its own stub.
    """
    with _hidden("openvino_telemetry"):
        return import_module(module)


@contextmanager
def _hidden(module: str) -> Iterator[None]:
    """Make `import module` fail inside the block, unless it was imported before."""
    if module in sys.modules:
        yield
        return
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
