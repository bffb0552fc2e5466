"""Read files in a child process, so that a hostile one costs bounded time and memory."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import weakref
from typing import Any

from qa_bot.index.child import command
from qa_bot.index.readers import FORMATS, ocr
from qa_bot.index.readers.child import REPLY, REQUEST
from qa_bot.index.readers.parts import Unreadable
from qa_bot.types import Extracted

SECONDS = 20
SECONDS_PER_MEGABYTE = 10
_MAX_REPLY = 300_000_000


class ReaderProcess:
    """A child that reads files; started when first needed, replaced when it dies.

    Threads may share it: files are read one after the other.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._ending: weakref.finalize[..., ReaderProcess] | None = None
        self._served = 0
        self._lock = threading.Lock()

    def read(self, data: bytes, suffix: str) -> Extracted:
        """The text of a file's bytes.

        Raises:
            Unreadable: there is no text to be had from it, within the limits.
        """
        chosen = FORMATS[suffix]
        if chosen.missing:
            raise Unreadable(f"{suffix} files need {chosen.library}; {chosen.cure}")
        with self._lock:
            reply = self._asked(data, suffix)
            if reply.get("again") and self._served > 1:
                # What it read before may have used up its memory: a new one has all of it.
                self._stop()
                reply = self._asked(data, suffix)
        if "reason" in reply:
            raise Unreadable(reply["reason"], reply.get("status", "failed"))
        return Extracted(**{**reply, "pages": tuple(reply["pages"])})

    def close(self) -> None:
        """End the child; the next file starts another."""
        with self._lock:
            self._stop()

    def _asked(self, data: bytes, suffix: str) -> dict[str, Any]:
        child = self._started()
        scans = suffix == ".pdf" and ocr.is_installed()
        each = ocr.SECONDS_PER_MEGABYTE if scans else SECONDS_PER_MEGABYTE
        seconds = SECONDS + each * (len(data) // 1_000_000)
        late = threading.Event()

        def stop() -> None:
            late.set()
            child.kill()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            reply = self._exchange(child, data, suffix, seconds)
        finally:
            timer.cancel()
        if reply is not None:
            return reply
        self._stop()
        if late.is_set():
            return {"reason": f"takes longer than {seconds} s to read; split it"}
        return {"reason": "crashes its reader, or needs too much memory", "again": True}

    def _exchange(
        self, child: subprocess.Popen[bytes], data: bytes, suffix: str, seconds: int
    ) -> dict[str, Any] | None:
        """Ask for one file; None where the child died over it."""
        if child.stdin is None or child.stdout is None:
            raise AssertionError("a child is started with pipes")
        name = suffix.encode("utf-8")
        try:
            child.stdin.write(REQUEST.pack(len(name), seconds, len(data)) + name)
            child.stdin.write(data)
            child.stdin.flush()
            head = child.stdout.read(REPLY.size)
            length = REPLY.unpack(head)[0] if len(head) == REPLY.size else _MAX_REPLY + 1
            body = child.stdout.read(length) if length <= _MAX_REPLY else b""
        except OSError:
            return None
        if len(body) != length:
            return None
        self._served += 1
        reply: dict[str, Any] = json.loads(body)
        return reply

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._stop()
            self._child = subprocess.Popen(
                command("qa_bot.index.readers.child"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._ending = weakref.finalize(self, _end, self._child)
        return self._child

    def _stop(self) -> None:
        self._child, self._served = None, 0
        if self._ending:
            self._ending()


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe:
            with contextlib.suppress(OSError):  # what was not sent is not wanted any more
                pipe.close()
