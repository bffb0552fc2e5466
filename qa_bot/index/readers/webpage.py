"""Web pages: the article without what surrounds it."""

from __future__ import annotations

import re

from trafilatura import bare_extraction
from trafilatura.settings import Document

from qa_bot.index.readers.markup import text_of_html
from qa_bot.index.readers.parts import decoded, iso_date, one_line, tidy
from qa_bot.types import Extracted

_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_XML = re.compile(r"^\s*<\?xml[^>]*\?>")


def read(data: bytes) -> Extracted:
    """The main text of an .html file; all of its text where no article stands out."""
    html = _XML.sub("", _decoded(data), count=1)  # lxml refuses text that names an encoding
    article = bare_extraction(html, include_comments=False, with_metadata=True)
    found: dict[str, str | None] = article.as_dict() if isinstance(article, Document) else {}
    text = tidy(found.get("text") or "") or text_of_html(html)
    title = one_line(found.get("title") or "")
    if title and title not in text[: 500 + len(title)]:
        text = f"{title}\n\n{text}"
    return Extracted(
        text.replace("\n", "\n\n").replace("\n\n\n\n", "\n\n"),
        title=title,
        author=found.get("author") or None,
        date=iso_date(found.get("date")),
    )


def _decoded(data: bytes) -> str:
    declared = _DECLARED.search(data[:2048])
    name = declared[1].decode("ascii").lower() if declared else ""
    marked = data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
    # What says in ASCII that it is UTF-16 is not; what says Latin-1 means Windows' own.
    if name and not marked and not name.startswith(("utf-16", "utf-32")):
        try:
            return data.decode("cp1252" if name in ("iso-8859-1", "latin1", "latin-1") else name)
        except (LookupError, UnicodeError):
            pass  # it says so wrongly
    return decoded(data)
