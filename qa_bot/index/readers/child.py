"""The child process that readers run in: it bounds itself, then reads file after file.

A request is two lengths, a suffix and a file's bytes; a reply is a length and JSON.
"""

from __future__ import annotations

import importlib
import json
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, BinaryIO

from qa_bot.index.readers import FORMATS, ocr
from qa_bot.index.readers.parts import Unreadable
from qa_bot.types import Extracted

REQUEST = struct.Struct("<IIQ")
"""Lengths of the suffix and of the data, with the seconds of processor time between them."""
REPLY = struct.Struct("<Q")
MEMORY = ocr.MEMORY if ocr.is_installed() else 1 << 30
"""Bytes of memory a child may take."""
MAX_CHARACTERS = 20_000_000
_CONTROL = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127), " ") | {13: "\n"}


def main() -> None:
    """Serve requests until the input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what a library prints is no reply
    _bound_process()
    while request := source.read(REQUEST.size):
        suffix_length, seconds, length = REQUEST.unpack(request)
        suffix = source.read(suffix_length).decode("utf-8")
        _bound_time(seconds)
        reply = json.dumps(_answer(suffix, source, length)).encode("ascii")
        sink.write(REPLY.pack(len(reply)) + reply)
        sink.flush()


def _answer(suffix: str, source: BinaryIO, length: int) -> dict[str, Any]:
    try:
        return asdict(_bounded(_reader(suffix)(source.read(length))))
    except Unreadable as exc:
        return {"reason": str(exc), "status": exc.status}
    except MemoryError:
        return {"reason": f"needs more than {MEMORY >> 20} MB of memory; split it", "again": True}
    except RecursionError:
        return {"reason": "is nested too deeply"}
    except Exception as exc:  # one bad file must not stop the others, whatever is bad about it
        return {"reason": f"cannot be read ({type(exc).__name__}: {exc})"[:500]}


def _reader(suffix: str) -> Callable[[bytes], Extracted]:
    chosen = FORMATS[suffix]
    module = importlib.import_module(f"qa_bot.index.readers.{chosen.module}")
    reader: Callable[[bytes], Extracted] = getattr(module, chosen.function)
    return reader


def _bounded(found: Extracted) -> Extracted:
    """The same without control characters and broken surrogates; the text at the same offsets."""
    if len(found.text) > MAX_CHARACTERS:
        size = f"{len(found.text) / 1e6:.0f} million characters of text"
        raise Unreadable(f"holds {size}, over {MAX_CHARACTERS // 10**6}; split it", "too_large")
    author = _whole(found.author) if found.author else None
    return replace(found, text=_whole(found.text), title=_whole(found.title), author=author)


def _whole(text: str) -> str:
    return text.translate(_CONTROL).encode("utf-8", "replace").decode("utf-8")


def _bound_process() -> None:
    if sys.platform == "win32":  # has no such limits; the time is bounded all the same
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":  # elsewhere a process may not limit its address space
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _bound_time(seconds: int) -> None:
    """Let the system end us if the parent is gone and cannot."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
