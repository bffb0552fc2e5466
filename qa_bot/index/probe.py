"""Open a store and search it, in a process of its own that may crash: see `generations.probe`."""

from __future__ import annotations

import sys
from pathlib import Path

from qa_bot.errors import IndexUnusable
from qa_bot.index.store import open_store


def main() -> None:
    """Try the store that the last argument names; the exit code tells whether it is sound."""
    try:
        store = open_store(Path(sys.argv[-1]))
        store.check()
        store.close()
    except IndexUnusable as exc:
        sys.exit(str(exc))
