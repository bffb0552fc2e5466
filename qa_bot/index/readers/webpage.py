"""Web pages: the article without what surrounds it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from trafilatura import bare_extraction
from trafilatura.settings import Document, set_date_params

from qa_bot.index.readers.markup import Block, Page, blocks_of_html
from qa_bot.index.readers.parts import decoded, iso_date, one_line
from qa_bot.types import Extracted

_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_SHORTEST = 15
"""Letters of a line from which on it tells where it stands;"""
_PIECE = 24
"""and of its pieces, where the whole is not found."""
_MOST = 0.9
"""Of an article's letters: what holds so many is the part of the page that it stands in."""
_XML = re.compile(r"^\s*<\?xml[^>]*\?>")


def read(data: bytes) -> Extracted:
    """The main text of an .html file; all of its text where no article stands out."""
    html = _XML.sub("", _decoded(data), count=1)  # lxml refuses text that names an encoding
    # A date is taken from what states it; looked for further, it is any date in the text.
    article = bare_extraction(
        html,
        include_comments=False,
        with_metadata=True,
        date_extraction_params=set_date_params(extensive=False),
    )
    found: dict[str, str | None] = article.as_dict() if isinstance(article, Document) else {}
    text = _main_text(blocks_of_html(html), found.get("text") or "")
    title = one_line(found.get("title") or "")
    if title and title not in text[: 500 + len(title)]:
        text = f"{title}\n\n{text}"
    return Extracted(
        text, title=title, author=found.get("author") or None, date=iso_date(found.get("date"))
    )


def _main_text(page: Page, article: str) -> str:
    """The blocks of `article`, and those around them in the same part of the page, word for word.

    trafilatura tells well where the article of a news page is, but of manuals it leaves out
    headings, boxes, whole paragraphs, and words within sentences (benchmarks/README.md).
    """
    told = _told_in(page.blocks, article)
    around = _around([page.blocks[number] for number in told], page.parents)
    return "\n\n".join(
        block.told
        for number, block in enumerate(page.blocks)
        if number in told
        or not told
        or (around[block.element] and not block.apart and 2 * block.linked <= block.letters)
    )


def _told_in(blocks: Sequence[Block], article: str) -> list[int]:
    """The places of the blocks that the lines of `article` are from.

    A line may be less than a block, or more; where it is not found, pieces of it are looked for.
    """
    texts = [_letters(block.text) for block in blocks]
    page, ends = "".join(texts), list(accumulate(map(len, texts)))
    told: set[int] = set()
    after = 0
    for line in map(_letters, article.split("\n")):
        for piece in [line] if line in page else _pieces(line):
            start = page.find(piece, after)
            start = start if start >= 0 else page.find(piece)
            if start >= 0 and len(piece) >= _SHORTEST:
                after, end = start, start + len(piece)
                told.update(range(bisect_right(ends, start), bisect_left(ends, end) + 1))
    return sorted(told)


def _around(told: Sequence[Block], parents: Sequence[int]) -> list[bool]:
    """For each element of a page whether it is in the innermost one that holds most of `told`."""
    held = [0] * len(parents)
    for block in told:
        held[block.element] += block.letters
    for element in range(len(parents) - 1, 0, -1):  # children come after their parents
        held[parents[element]] += held[element]
    most = max(element for element, letters in enumerate(held) if letters >= _MOST * held[0])
    inside = [False] * len(parents)
    for element, parent in enumerate(parents):
        inside[element] = element == most or inside[parent]
    return inside


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _pieces(line: str) -> list[str]:
    return [line[start : start + _PIECE] for start in range(0, len(line), _PIECE)]


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
