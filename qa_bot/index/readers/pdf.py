"""PDF: the text of each page, where it has any."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import PyPdfError

from qa_bot.index.readers import ocr
from qa_bot.index.readers.parts import Unreadable, iso_date, one_line, paged, tidy
from qa_bot.types import Extracted

_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]\n(?P<rest>[^\W\d_]\S*) ?")
_NUMBER = re.compile(r"\d+|\b[ivxlc]+\b")
_RUNNING = 2
"""Lines at the head and the foot of a page that may be there on every page."""
_NO_TITLE = re.compile(r"microsoft \w+ - |untitled|.*\.(?:docx?|pdf|indd|rtf|odt|tex|dvi)$", re.I)


def read(data: bytes) -> Extracted:
    """The text of a .pdf file, words that were hyphenated at a line's end made whole.

    A page that cannot be read is left out, and said in the note; a file with none is
    unreadable. Pages without text are read off their pictures, where that can be done.
    """
    try:
        document = PdfReader(BytesIO(data))
        if document.is_encrypted and not document.decrypt(""):
            raise Unreadable("is encrypted; save it without a password")
        count = len(document.pages)
        known = document.metadata
    except PyPdfError as exc:
        raise Unreadable(f"is damaged, encrypted or no PDF: {exc}") from exc
    pages, lost, scanned = [], [], 0
    for number in range(count):
        try:
            page = document.pages[number]
            text = tidy(page.extract_text())
            if not text.strip() and ocr.is_installed():
                text = tidy(ocr.text_of(page))
                scanned += bool(text.strip())
            pages.append(text)
        except MemoryError:
            raise
        except Exception:  # whatever is wrong with it, the other pages can be read
            pages.append("")
            lost.append(number + 1)
    if count and len(lost) == count:
        raise Unreadable("is damaged: none of its pages can be read")
    text, starts = paged(_without_running_lines(pages))
    title = one_line(str(known.title or "")) if known else ""
    return Extracted(
        text if text.strip() else "",
        title="" if _NO_TITLE.match(title) else title,
        author=one_line(str(known.author or "")) or None if known else None,
        date=iso_date(known.get("/CreationDate") if known else None),
        pages=starts,
        note=_note(pages, lost, scanned),
    )


def _without_running_lines(pages: Sequence[str]) -> list[str]:
    """Pages without the lines that head or foot most of them, numbered or not."""
    edges = Counter(key for page in pages for key in {_key(line) for line in _edges(page)})
    running = {key for key, count in edges.items() if count >= 3 and count * 2 > len(pages)}
    cleaned = []
    for page in pages:
        lines = page.split("\n")
        while lines and _key(lines[0]) in running:
            del lines[0]
        while lines and _key(lines[-1]) in running:
            del lines[-1]
        left = "\n".join(lines).strip("\n")
        cleaned.append(_joined(left or page))  # a page of nothing else is what it is
    return cleaned


def _edges(page: str) -> list[str]:
    lines = [line for line in page.split("\n") if line.strip()]
    return [*lines[:_RUNNING], *lines[-_RUNNING:]]


def _key(line: str) -> str:
    return _NUMBER.sub("#", one_line(line))


def _joined(page: str) -> str:
    return _HYPHEN.sub(_whole, page)


def _whole(hyphen: re.Match[str]) -> str:
    """A parted word, and then the line's end; names and compounds go on with a capital letter.

    So lines stay about as long as they are printed, by which paragraphs are told.
    """
    rest = hyphen["rest"]
    return f"{rest}\n" if rest[0].islower() else hyphen.group()


def _note(pages: Sequence[str], lost: Sequence[int], scanned: int) -> str | None:
    bare = sum(not page.strip() for page in pages) - len(lost)
    if bare == len(pages):
        return "no text (scanned?)"
    notes = [f"{bare} of {len(pages)} pages have no text (scanned?)"] if bare else []
    if scanned:
        notes.append(f"{scanned} of {len(pages)} pages were read off a picture")
    if lost:
        notes.append(f"pages that cannot be read: {', '.join(map(str, lost))}")
    return "; ".join(notes) or None
