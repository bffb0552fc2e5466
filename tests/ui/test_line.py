"""Who may use the model next: in the order they came, told how many are before, free to leave."""

from __future__ import annotations

import threading
import time

from qa_bot.ui.line import Line


def test_turns_come_in_order_and_who_leaves_is_skipped() -> None:
    line, came, told = Line(), [], []
    leave = threading.Event()

    def wait(name: str, leaving: threading.Event) -> None:
        with line.turn(told.append, leaving.is_set) as ours:
            if ours:
                came.append(name)

    threads = []
    with line.turn() as ours:
        assert ours
        for place, (name, leaving) in enumerate(
            [("first", threading.Event()), ("leaver", leave), ("last", threading.Event())], start=1
        ):
            threads.append(threading.Thread(target=wait, args=(name, leaving)))
            threads[-1].start()
            while len(line) <= place:
                time.sleep(0.01)
        while set(told) != {1, 2, 3}:
            time.sleep(0.01)
        leave.set()
        threads[1].join(10)
        assert came == []
    for thread in threads:
        thread.join(10)
    assert came == ["first", "last"]
    assert len(line) == 0
