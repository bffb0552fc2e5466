"""Notice that documents have come, changed or gone.

The folders are looked at again and again: that works on every system and on network
folders, and costs a few milliseconds for thousands of files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from qa_bot.index.load import paths

PAUSE = 2.0
"""Seconds between two looks, and for which files must stand still before they are read."""
_MOST_LOOKS = 30
"""Looks after which files are read although they still change, as a log does."""
_SHARE = 20
"""A pause is this many times as long as a look takes, so that looking stays cheap."""

_State = dict[str, tuple[int, int, int] | None]


def changes(
    folders: Sequence[Path], exclude: Path, wait: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Yield at once, and then each time that files have changed since the last yield.

    Args:
        folders: what is watched, with all folders below; one may be missing for a while.
        exclude: our store, which may be in one of them.
        wait: called with a number of seconds to let pass.
    """
    while True:
        before = _state(folders, exclude)
        yield
        now = before
        while now == before:
            now = _look(folders, exclude, wait)
        for _ in range(_MOST_LOOKS):
            earlier, now = now, _look(folders, exclude, wait)
            if earlier == now:
                break


def _look(folders: Sequence[Path], exclude: Path, wait: Callable[[float], None]) -> _State:
    """What the files look like now; a pause follows."""
    started = time.perf_counter()
    found = _state(folders, exclude)
    wait(max(PAUSE, _SHARE * (time.perf_counter() - started)))
    return found


def _state(folders: Sequence[Path], exclude: Path) -> _State:
    """What tells that a file has changed, by path; None for one that cannot be looked at."""
    found: _State = {}
    for folder in folders:
        for path in paths(str(folder), exclude.resolve()):
            try:
                seen = Path(path).stat()
                found[path] = (seen.st_ino, seen.st_mtime_ns, seen.st_size)
            except OSError:
                found[path] = None
    return found
