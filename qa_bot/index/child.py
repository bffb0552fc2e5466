"""Python in a child process, for what may crash or go wild."""

from __future__ import annotations

import json
import sys

_START = (
    "import sys, json, importlib; sys.path[:] = json.loads(sys.argv[1]); "
    "importlib.import_module(sys.argv[2]).main()"
)


def command(module: str, *arguments: str) -> list[str]:
    """The command that runs `main()` of a module of ours, found where this process found it."""
    return [sys.executable, "-c", _START, json.dumps(sys.path), module, *arguments]
