"""A lock that many share for reading and one has alone for writing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SharedLock:
    """Many may hold it `shared`, or one `alone`; who wants it alone goes before newcomers.

    It may be released by another thread than the one that took it, as generators are.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing = 0
        self._waiting = 0
        self._alone = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold it together with others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not self._waiting)
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self, seconds: float | None = None) -> Iterator[None]:
        """Hold it while nobody else does.

        Raises:
            TimeoutError: others have held it for `seconds`.
        """
        with self._changed:
            self._waiting += 1
            try:
                free = self._changed.wait_for(
                    lambda: not self._alone and not self._sharing, timeout=seconds
                )
                if not free:
                    raise TimeoutError(f"others hold it for more than {seconds} s")
                self._alone = True
            finally:
                self._waiting -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
