"""The lock: many share, one is alone, and nobody starves who wants it alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from qa_bot.ui.sharing import SharedLock


def test_many_share_it_and_one_waits_to_be_alone() -> None:
    lock = SharedLock()
    log: list[str] = []
    with lock.shared(), lock.shared():
        writer = threading.Thread(target=lambda: _alone(lock, log))
        writer.start()
        time.sleep(0.05)
        late = threading.Thread(target=lambda: _shared(lock, log))
        late.start()
        time.sleep(0.05)
        assert log == []  # the newcomer waits behind the one who wants it alone
    writer.join(5)
    late.join(5)
    assert log == ["alone", "shared"]


def _alone(lock: SharedLock, log: list[str]) -> None:
    with lock.alone():
        log.append("alone")


def _shared(lock: SharedLock, log: list[str]) -> None:
    with lock.shared():
        log.append("shared")


def test_what_is_taken_in_one_thread_may_be_given_back_in_another() -> None:
    lock = SharedLock()

    def generator() -> Generator[int, None, None]:
        with lock.shared():
            yield 1

    held = generator()
    next(held)
    closing = threading.Thread(target=held.close)
    closing.start()
    closing.join(5)
    with lock.alone():
        pass


def test_waiting_to_be_alone_may_be_given_up() -> None:
    lock = SharedLock()
    with lock.shared():
        with pytest.raises(TimeoutError), lock.alone(0.05):
            pass
        with lock.shared():  # nobody waits any more
            pass
