"""E-books: the chapters in reading order."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote
from zipfile import ZipFile

from qa_bot.index.readers.markup import text_of_html
from qa_bot.index.readers.parts import (
    Unreadable,
    decoded,
    iso_date,
    open_zip,
    parse_xml,
    xml_texts,
)
from qa_bot.types import Extracted


def read(data: bytes) -> Extracted:
    """The text of an .epub file."""
    archive = open_zip(data)
    package = _package(archive)
    chapters, lost = [], 0
    for name in _chapters(archive, package):
        if name in archive.namelist():
            chapters.append(text_of_html(decoded(archive.read(name))))
        else:
            lost += 1
    known = xml_texts(archive, package, ("title", "creator", "date"))
    return Extracted(
        "\n\n".join(filter(None, chapters)),
        title=known.get("title", ""),
        author=known.get("creator"),
        date=iso_date(known.get("date")),
        note=f"{lost} chapters are missing in the file" if lost else None,
    )


def _package(archive: ZipFile) -> str:
    """The name of the member that lists the others."""
    found: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "rootfile":
            found.append(attributes.get("full-path", ""))

    names = archive.namelist()
    if "META-INF/container.xml" in names:
        with archive.open("META-INF/container.xml") as file:
            parse_xml(file, start, lambda _: None, lambda _: None)
    if not found or found[0] not in names:
        raise Unreadable("is no EPUB book: it does not say what it holds")
    return found[0]


def _chapters(archive: ZipFile, package: str) -> list[str]:
    """The names of the chapters' members.

    Raises:
        Unreadable: they are encrypted.
    """
    files: dict[str, str] = {}
    order: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "item" and "html" in attributes.get("media-type", ""):
            place = posixpath.join(posixpath.dirname(package), unquote(attributes.get("href", "")))
            files[attributes.get("id", "")] = posixpath.normpath(place)
        elif name == "itemref":
            order.append(attributes.get("idref", ""))

    with archive.open(package) as file:
        parse_xml(file, start, lambda _: None, lambda _: None)
    found = [files[name] for name in order if name in files]
    locked: set[str] = set()

    def encrypted(name: str, attributes: dict[str, str]) -> None:
        if name == "CipherReference":
            locked.add(unquote(attributes.get("URI", "")))

    if "META-INF/encryption.xml" in archive.namelist():
        with archive.open("META-INF/encryption.xml") as file:
            parse_xml(file, encrypted, lambda _: None, lambda _: None)
    if locked & set(found):  # fonts may be encrypted: they are not read
        raise Unreadable("is protected against copying")
    return found
