"""Every data type of qa_bot. Imports nothing of ours.

Offsets count Unicode characters into the document's text; `text[start:end]` is
always the passage's or quote's own text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

Status = Literal["answered", "refused", "error"]
Verdict = Literal["supported", "unsupported"]
Strictness = Literal["low", "normal", "high"]
BlockKind = Literal["text", "heading", "caption"]
FileState = Literal[
    "added",
    "changed",
    "removed",
    "unchanged",
    "duplicate",
    "empty",
    "unsupported",
    "skipped",
    "too_large",
    "undecodable",
    "failed",
]

Turn = tuple[str, str]
"""One earlier turn of a conversation: (question, answer)."""


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a question file. Answering sees `id`, `question` and `history` only."""

    id: str
    question: str
    history: tuple[Turn, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    """The rest of the row as it was read: a conversation, gold answers, notes."""
    problem: str | None = None
    """Why this row cannot be asked; None where it can."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written by a language model."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range [start, end) of characters in a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a document that is worth indexing, and what it is."""

    start: int
    end: int
    kind: BlockKind


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of a file, and what the file says of it."""

    text: str
    title: str = ""
    author: str | None = None
    date: str | None = None
    """ISO 8601 (YYYY-MM-DD, YYYY-MM or YYYY)."""
    pages: tuple[int, ...] = ()
    """Where each page starts in the text; empty where the format has no pages."""
    note: str | None = None
    """What of the file is not in the text, in plain words."""


@dataclass(frozen=True, slots=True)
class Document:
    """A loaded file. `source` is its path below the documents' folder, with `/`."""

    source: str
    text: str
    title: str
    language: str
    date: str | None
    """ISO 8601 (YYYY-MM-DD, YYYY-MM or YYYY), None where the text gives none."""
    digest: str
    """SHA-256 of the file's bytes, in hex."""
    author: str | None = None
    pages: tuple[int, ...] = ()
    """Where each page starts in the text; empty where the format has no pages."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit that is embedded, ranked and shown: at most 2,000 UTF-8 bytes."""

    id: str
    source: str
    start: int
    end: int
    text: str
    title: str
    language: str
    date: str | None
    page: int | None = None
    """Counted from 1; None where the format has no pages."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that a search considers, and what its vectors say of the question."""

    passage: Passage
    cosine: float
    """Cosine of the passage and the question."""
    sentences: tuple[float, ...] = ()
    """Cosine of each of its sentences and the question, in their order; none if unknown."""
    pairs: tuple[float, ...] = ()
    """The same of each sentence joined with the one before it."""
    copies: tuple[Passage, ...] = ()
    """Passages of other documents that say nearly the same, left out of the search."""


class Filter(TypedDict, total=False):
    """What documents a search is limited to; what is left out limits nothing."""

    source: str | Sequence[str]
    """One document's source, or several."""
    language: str
    """The language of the passage, as ISO 639-1."""
    since: str
    """The first date: a year, a month or a day, as 2023, 2023-11 or 2023-11-08."""
    until: str
    """The last date, in the same form; all of that year, month or day is let through."""


class Manner(TypedDict, total=False):
    """How a question is answered; what is left out is as the settings say."""

    strictness: Strictness
    """How sure it must be that the documents answer."""
    answer_language: str
    """The code of the language to answer in (`fr`, `zh-Hant`); empty for the question's."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query; rank 1 is the best.

    Its score is the estimated chance that it states the answer, and falls with the rank.
    """

    rank: int
    score: float
    passage: Passage
    sentences: tuple[float, ...] = ()
    """Cosine of each of its sentences and the question, in their order."""
    copies: tuple[Passage, ...] = ()
    """Passages of other documents that say nearly the same, and have no rank of their own."""

    @property
    def also_in(self) -> list[str]:
        """The other documents that say nearly the same, in the order of their names."""
        return sorted({copy.source for copy in self.copies})


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote that was found, verbatim, at its offsets. Nothing else may make one."""

    marker: int
    source: str
    title: str
    start: int
    end: int
    quote: str
    language: str
    page: int | None = None
    """Counted from 1; None where the format has no pages."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer, the markers it carries, and what was checked."""

    text: str
    citations: tuple[int, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `qa_bot.records.answer_record` gives it as the contract's JSON object."""

    id: str
    question: str
    status: Status
    language: str
    answer: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Hit, ...]
    """What the model was shown, best first; the closest ones for a refusal."""
    retrieved: tuple[Hit, ...]
    """The ranking, down to 20."""
    standalone_question: str
    model: str
    seconds: float
    first_token_seconds: float | None
    usage: Usage
    confidence: float | None = None
    """How likely it seemed that the documents answer, in [0, 1]; no part of the record."""
    longest: int = 0
    """Tokens of the longest prompt with its reply; no part of the record."""
    error: str | None = None
    steps: tuple[Step, ...] = ()
    """How it came about; no part of the record, unless it is asked for."""

    @property
    def turn(self) -> Turn:
        """The turn of a conversation that it is: its question standing alone, and what it says.

        The next question may lean on this one, and this one on those before.
        """
        return self.standalone_question, self.answer

    def also_in(self, citation: Citation) -> list[str]:
        """The other documents in which nearly the same stands as what a citation quotes."""
        for hit in self.passages:
            passage = hit.passage
            if passage.source == citation.source and (
                passage.start <= citation.start and citation.end <= passage.end
            ):
                return hit.also_in
        return []


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to an answer, for a person who asks how it came about."""

    name: str
    seconds: float
    """Since the step before ended."""
    result: str
    """What came of it, in plain words; holds text of documents and of the model."""
    values: Mapping[str, float] = field(default_factory=dict)
    """The figures that decided, by name."""


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """What the index knows of one document; `size` is the file's, in bytes."""

    source: str
    title: str
    date: str | None
    """ISO 8601 (YYYY-MM-DD, YYYY-MM or YYYY), None where the text gives none."""
    language: str
    passages: int
    size: int


@dataclass(frozen=True, slots=True)
class FileReport:
    """What happened to one file of the walk, and why."""

    source: str
    status: FileState
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an index run did. `files` accounts for every file of the walk."""

    files: tuple[FileReport, ...]
    passages: int
    seconds: float

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of files by status."""
        found: dict[str, int] = {}
        for file in self.files:
            found[file.status] = found.get(file.status, 0) + 1
        return found

    @property
    def incomplete(self) -> bool:
        """True where some file could not be read, so an exit code of 3 is due."""
        return bool({"too_large", "undecodable", "failed"} & set(self.counts))
