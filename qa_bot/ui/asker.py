"""The desk as a bot to what asks many questions: each of them waits for its turn."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from qa_bot.types import Answer, Hit, Turn
from qa_bot.ui.desk import Desk


class Asker:
    """A bot for `batch` and `evaluate` whose work ends once `stopped` is set.

    It then raises KeyboardInterrupt, at which both keep what is finished.
    """

    takes_jobs = False  # the desk lets one question in at a time

    def __init__(self, desk: Desk) -> None:
        self.stopped = threading.Event()
        self._desk = desk

    def load(self) -> None:
        """Wait until questions can be answered."""
        self._desk.wait(self.stopped.is_set)
        if self.stopped.is_set():
            raise KeyboardInterrupt

    def configuration(self, *, model: bool = True) -> dict[str, Any]:
        """What answers depend on."""
        del model  # the desk has loaded it
        self.load()
        return self._desk.configuration()

    def dates(self) -> dict[str, str | None]:
        """The date of every document."""
        return self._desk.dates()

    def read_text(self, source: str) -> str | None:
        """A document's text."""
        return self._desk.read_text(source)

    def search(self, query: str, k: int) -> list[Hit]:
        """The `k` best passages."""
        return self._desk.search(query, k)

    def ask(self, question: str, history: Sequence[Turn] = (), *, id: str = "1") -> Answer:
        """The answer, once it is this question's turn."""
        stopped = self.stopped.is_set
        with closing(self._desk.stream(question, history, id=id, leaving=stopped)) as pieces:
            for piece in pieces:
                if stopped():
                    break
                if isinstance(piece, Answer):
                    return piece
        raise KeyboardInterrupt
