"""Who may use the language model next: one at a time, first come, first served."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_SECONDS = 0.2
"""How often someone who waits looks whether to go on waiting."""


class Line:
    """A queue of threads, each of which knows how many are before it."""

    def __init__(self) -> None:
        self._tickets: deque[object] = deque()
        self._moved = threading.Condition()

    def __len__(self) -> int:
        return len(self._tickets)

    @contextmanager
    def turn(
        self,
        waiting: Callable[[int], None] = lambda before: None,
        leaving: Callable[[], bool] = lambda: False,
    ) -> Iterator[bool]:
        """Wait for one's turn, and keep it inside the block.

        Args:
            waiting: told how many are before, again and again.
            leaving: asked whether to give up.

        Yields:
            Whether it is one's turn; False where `leaving` said so.
        """
        ticket = object()
        with self._moved:
            self._tickets.append(ticket)
        try:
            yield self._come(ticket, waiting, leaving)
        finally:
            with self._moved:
                self._tickets.remove(ticket)
                self._moved.notify_all()

    def _come(
        self, ticket: object, waiting: Callable[[int], None], leaving: Callable[[], bool]
    ) -> bool:
        with self._moved:
            while (before := self._tickets.index(ticket)) and not leaving():
                waiting(before)
                self._moved.wait(LOOK_SECONDS)
        return not leaving()
