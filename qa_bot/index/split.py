"""Pack a document's sentences into passages: the unit that is embedded, ranked and shown."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa_bot.text import is_question, language_of, sentence_spans, utf8_len
from qa_bot.types import Block, Document, Passage

SPLITTER_VERSION = 6
TARGET_BYTES = 480
MAX_BYTES = 2000
_SURE_LETTERS = 40
"""UTF-8 bytes of letters below which the document's language is the better guess."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, the block it stands in, and whether that is a heading."""

    start: int
    end: int
    block: Block

    @property
    def heading(self) -> bool:
        return self.block.kind == "heading"


def passages(
    document: Document, blocks: Sequence[Block], *, target: int = TARGET_BYTES
) -> list[Passage]:
    """Cut the blocks of a document into passages of about `target` UTF-8 bytes, in order.

    Sentences stay whole (a longer one is a passage of its own), a heading or a question goes with
    what follows it, and neighbours out of one paragraph share a sentence where it is short.
    """
    found: list[Passage] = []
    for run in _runs(document.text, blocks, document.pages):
        for start, end in _packed(document.text, run, target):
            if any(char.isalnum() for char in document.text[start:end]):
                found.append(_passage(document, start, end))
    return found


def embedded_text(passage: Passage) -> str:
    """The words of a passage on one line, without control characters, for the embedder."""
    return " ".join("".join(c if c.isprintable() else " " for c in passage.text).split())


def _runs(text: str, blocks: Sequence[Block], pages: Sequence[int]) -> Iterator[list[Block]]:
    """Blocks of one page with nothing but white space between.

    A passage must not hold what was dropped, nor the next page: it has one page's number.
    """
    run: list[Block] = []
    for block in blocks:
        if run and (
            "caption" in (block.kind, run[-1].kind)
            or text[run[-1].end : block.start].strip()
            or bisect_right(pages, block.start) != bisect_right(pages, run[-1].start)
        ):
            yield run
            run = []
        run.append(block)
    if run:
        yield run


def _packed(text: str, run: Sequence[Block], target: int) -> Iterator[tuple[int, int]]:
    pieces = [
        _Piece(block.start + span.start, block.start + span.end, block)
        for block in run
        for span in sentence_spans(text[block.start : block.end])
    ]
    current: list[_Piece] = []
    for piece in pieces:
        if current and not _belongs(text, current, piece, target):
            asked = [current.pop()] if len(current) > 1 and _asks(text, current[-1]) else []
            yield current[0].start, current[-1].end
            current = asked or _overlap(text, current, piece, target)
        current.append(piece)
    if current:
        yield current[0].start, current[-1].end


def _asks(text: str, piece: _Piece) -> bool:
    return is_question(text[piece.start : piece.end])


def _belongs(text: str, current: Sequence[_Piece], piece: _Piece, target: int) -> bool:
    start = current[0].start
    size = utf8_len(text[start : piece.end])
    if all(earlier.heading for earlier in current):
        return size <= (target if piece.heading else MAX_BYTES)
    if piece.heading or size > target:
        return False
    if piece.block == current[-1].block:
        return True
    # Paragraphs are joined while they are short, not torn to fill a passage up.
    small = utf8_len(text[start : current[-1].end]) * 3 < target
    return small or utf8_len(text[start : piece.block.end]) <= target


def _overlap(text: str, current: Sequence[_Piece], piece: _Piece, target: int) -> list[_Piece]:
    last = current[-1]
    if last.block != piece.block or last.heading or len(current) == 1:
        return []
    short = utf8_len(text[last.start : last.end]) * 2 < target
    return [last] if short and utf8_len(text[last.start : piece.end]) <= target else []


def _passage(document: Document, start: int, end: int) -> Passage:
    text = document.text[start:end]
    language = document.language
    if utf8_len("".join(filter(str.isalpha, text))) >= _SURE_LETTERS:
        language = language_of(text, document.language)
    # All that a passage shows is in its id, so that no stale copy is ever taken for it.
    content = [document.source, start, end, text, document.title, language, document.date]
    page = bisect_right(document.pages, start) or None
    if page:
        content.append(page)
    digest = hashlib.sha256(json.dumps([SPLITTER_VERSION, *content]).encode()).hexdigest()
    return Passage(
        id=digest[:32],
        source=document.source,
        start=start,
        end=end,
        text=text,
        title=document.title,
        language=language,
        date=document.date,
        page=page,
    )
