"""What several readers share: tidy text, pages, dates, and zip and XML files within bounds."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import IO
from xml.parsers import expat

from qa_bot.index.load import decode
from qa_bot.types import FileState

MAX_UNPACKED = 256_000_000
"""Bytes to which the members of a zip file may expand, all together."""
_MAX_MEMBERS = 20_000
_CHUNK = 1 << 16
_ISO_DATE = re.compile(r"(?:D:)?((?:19|20)\d\d)(?:-?(\d\d)(?:-?(\d\d))?)?")
_BLANK_LINES = re.compile(r"\n\s*\n")


class Unreadable(Exception):
    """A file that no text can be had from; the message is the reason to report."""

    def __init__(self, reason: str, status: FileState = "failed") -> None:
        super().__init__(reason)
        self.status: FileState = status


def decoded(data: bytes) -> str:
    """The text of a file that is plain text underneath.

    Raises:
        Unreadable: no encoding fits.
    """
    text = decode(data)
    if text is None:
        raise Unreadable("unknown encoding; save it as UTF-8", "undecodable")
    return text


def tidy(text: str) -> str:
    """Text without trailing blanks, and with one blank line where there were several."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").splitlines()]
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip("\n")


def one_line(text: str) -> str:
    """Text with every run of white space as one space."""
    return " ".join(text.split())


def paged(pages: Iterable[str]) -> tuple[str, tuple[int, ...]]:
    """Join pages by blank lines; also where each one starts."""
    starts, joined, size = [], [], 0
    for page in pages:
        starts.append(size)
        joined.append(page)
        size += len(page) + 2
    return "\n\n".join(joined), tuple(starts)


def iso_date(stamp: str | None) -> str | None:
    """The date at the start of a time stamp such as `2020-05-06T…` or PDF's `D:20200506…`."""
    found = _ISO_DATE.match((stamp or "").strip())
    if found is None:
        return None
    parts = [part for part in found.groups() if part]
    try:
        datetime.date(*(int(part) for part in (*parts, "01", "01")[:3]))
    except ValueError:
        return None
    return "-".join(parts)


def open_zip(data: bytes) -> zipfile.ZipFile:
    """Open a zip file whose members have been unpacked once, to count what they really hold.

    Raises:
        Unreadable: it is damaged or encrypted, or holds too much.
    """
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        members = archive.infolist()
        if len(members) > _MAX_MEMBERS:
            raise Unreadable(f"holds {len(members):,} files; split it", "too_large")
        left = MAX_UNPACKED
        for member in members:
            with archive.open(member) as file:
                while chunk := file.read(_CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        size = f"{MAX_UNPACKED // 10**6} MB"
                        raise Unreadable(f"expands to more than {size}; split it", "too_large")
    except RuntimeError as exc:  # what zipfile raises for want of a password
        raise Unreadable("is encrypted; save it without a password") from exc
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as exc:
        raise Unreadable(f"is damaged or of another kind: {exc}") from exc
    return archive


def parse_xml(
    file: IO[bytes],
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None],
    characters: Callable[[str], None],
) -> None:
    """Walk through an XML file; names come without their namespace.

    Raises:
        Unreadable: it is not well-formed, or declares entities.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise Unreadable("declares XML entities, which could expand without end")

    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: start(
        _local(name), {_local(key): value for key, value in attributes.items()}
    )
    parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = characters
    try:
        parser.ParseFile(file)
    except expat.ExpatError as exc:
        raise Unreadable(f"holds damaged XML: {exc}") from exc


def xml_texts(archive: zipfile.ZipFile, member: str, names: Sequence[str]) -> dict[str, str]:
    """The text of the first element of each name in a small XML member; {} without the member."""
    found: dict[str, str] = {}
    open_at: list[str] = []

    def start(name: str, _: dict[str, str]) -> None:
        open_at.append(name)

    def characters(text: str) -> None:
        if open_at and open_at[-1] in names and not found.get(f"{open_at[-1]}/"):
            found[open_at[-1]] = found.get(open_at[-1], "") + text

    def end(name: str) -> None:
        open_at.pop()
        if name in found:
            found[f"{name}/"] = "closed"

    if member not in archive.namelist():
        return {}
    with archive.open(member) as file:
        parse_xml(file, start, end, characters)
    return {name: one_line(found[name]) for name in names if name in found}


def core_properties(archive: zipfile.ZipFile) -> tuple[str, str | None, str | None]:
    """The title, author and date that an Office file states."""
    names = ("title", "creator", "created", "modified")
    found = xml_texts(archive, "docProps/core.xml", names)
    date = iso_date(found.get("created") or found.get("modified"))
    return found.get("title", ""), found.get("creator") or None, date


def _local(name: str) -> str:
    return name.rpartition(" ")[2]
