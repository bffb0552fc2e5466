"""Evidence: the sentences of the found passages, and the prompt text made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from qa_bot.answering.asked import asks_when_it_came_out
from qa_bot.answering.check import terms
from qa_bot.answering.retrieve import DEPTH
from qa_bot.answering.signals.years import years_in
from qa_bot.index.readers import is_table
from qa_bot.index.split import MAX_BYTES
from qa_bot.months import is_date
from qa_bot.text import (
    LIST_ITEM,
    SENTENCE_BYTES,
    count_words,
    ends_sentence,
    is_question,
    sentence_spans,
    unnumbered,
    utf8_len,
    without_mark,
)
from qa_bot.types import Hit, Passage, Span
from qa_bot.written_numbers import annotate

PASSAGE_WEIGHT = 0.068
"""Of the logarithm of a passage's score beside the cosine of its sentence: a year or a name
that tells documents apart stands in few sentences (`benchmarks/README.md`)."""
LEAST_SCORE = 1e-3
TITLE_LENGTH = 70
"""Characters of a title that a prompt shows: enough to tell documents apart."""
HEADING_WORDS = 6
"""A title of up to so many, without a full stop, is no sentence."""
FRAGMENT_WORDS = 3
"""A sentence of up to so many says little by itself."""
_STEM = 4
"""Letters that the forms of a word share."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence of a shown passage; `start` and `end` count in the document's text."""

    passage: Passage
    start: int
    end: int
    text: str
    nearness: float = 0.0
    """Cosine of the sentence and the question, and what its passage's score adds."""
    support: float = 0.0
    """Log-odds that it states the answer, by the model's judgement."""
    before: Evidence | None = None
    """The sentence before it, where it needs that to be understood: "This programme …"."""


def of_its_year(
    question: str, hits: Sequence[Hit], read_text: Callable[[str], str | None]
) -> tuple[Hit, ...]:
    """The hits without passages of another year than the question names.

    Those are of a document dated to another year, and do not name the question's; or of one
    without a date that names other years only. Their figures would else be told as the asked
    year's: near-identical reports appear yearly.
    """
    asked = years_in(question)
    if not asked:
        return tuple(hits)
    named = {
        hit.passage.source: years_in(read_text(hit.passage.source) or "")
        for hit in hits
        if hit.passage.date is None
    }
    return tuple(hit for hit in hits if not _of_another(asked, hit.passage, named))


def _of_another(asked: set[int], passage: Passage, named: Mapping[str, set[int]]) -> bool:
    """Whether a passage is of another year, by its document's date or what that names."""
    if passage.date:
        return int(passage.date[:4]) not in asked and not asked & years_in(passage.text)
    return bool(named[passage.source]) and not asked & named[passage.source]


def merged(hits: Sequence[Hit], others: Sequence[Hit]) -> tuple[Hit, ...]:
    """Both rankings as one, of the same depth at most, by score; each passage once, the longest."""
    best: dict[str, Hit] = {}
    for hit in (*hits, *others):
        known = best.setdefault(hit.passage.id, hit)
        if (hit.score, len(hit.passage.text)) > (known.score, len(known.passage.text)):
            best[hit.passage.id] = hit
    ranked = sorted(best.values(), key=lambda hit: -hit.score)
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(ranked[:DEPTH], start=1))


def distinct(hits: Sequence[Hit], limit: int) -> tuple[Hit, ...]:
    """The first `limit` hits that do not mostly repeat a better one of the same document."""
    chosen: list[Hit] = []
    for hit in hits:
        if len(chosen) == limit:
            break
        if not any(_overlap(hit.passage, other.passage) > 0.5 for other in chosen):
            chosen.append(hit)
    return tuple(chosen)


def evidence_sentences(question: str, hits: Sequence[Hit]) -> tuple[Evidence, ...]:
    """The sentences of the hits' passages, best passage first, each stretch of text once.

    A heading of a few words is none that has but those of its document's title and of the
    question: it names what is asked about, and states nothing of it. Nor is a line that is but a
    date, save where it is asked when a document came out.
    """
    dates = asks_when_it_came_out(question)
    taken: list[tuple[str, int, int]] = []
    found: list[Evidence] = []
    for hit in hits:
        passage = hit.passage
        spans = sentence_spans(passage.text)
        for first, last in _statements(passage.text, spans, rows=is_table(passage.source)):
            start, end = passage.start + spans[first].start, passage.start + spans[last].end
            if any(s == passage.source and a < end and start < b for s, a, b in taken):
                continue  # neighbouring passages share a sentence
            taken.append((passage.source, start, end))
            text = passage.text[spans[first].start : spans[last].end]
            if len(spans) > 1 and _is_heading(text, f"{passage.title} {question}"):
                continue
            if is_date(text) and not dates:
                continue
            cosine = max(hit.sentences[first : last + 1], default=0.0)
            nearness = cosine + PASSAGE_WEIGHT * math.log(max(hit.score, LEAST_SCORE))
            found.append(Evidence(passage, start, end, text, nearness))
    return tuple(found)


def _statements(text: str, spans: Sequence[Span], *, rows: bool) -> Iterator[tuple[int, int]]:
    """The first and the last sentence of each: one that ends in a colon needs what it announces.

    That is the next one, and all items of a list that begins there. So does a question, as of an
    interview, which needs what answers it, but not in `rows` of a table; and a fragment is read
    with what follows it: "36 hours. So long takes the fastest train."
    """
    first = 0
    while first < len(spans):
        last, start = first, spans[first].start
        head = text[start : spans[first].end]
        if first + 1 < len(spans) and _is_fragment(head, text[spans[first].end :]):
            last = first + 1
        asks = not rows and is_question(head)
        if asks or head.endswith((":", "：")):
            for number, below in enumerate(spans[first + 1 :], start=first + 1):
                item = number == first + 1 or LIST_ITEM.match(text, below.start)
                another = asks and is_question(text[below.start : below.end])
                if not item or another or utf8_len(text[start : below.end]) > SENTENCE_BYTES:
                    break
                last = number
        yield first, last
        first = last + 1


def _is_fragment(sentence: str, rest: str) -> bool:
    """Whether it is of a few words, in the middle of a line of a script with spaces."""
    few = count_words(sentence) <= FRAGMENT_WORDS and ends_sentence(sentence)
    return few and rest[:1] == " " and not is_question(sentence)


def with_the_one_before(item: Evidence, text: str | None) -> tuple[Evidence, Evidence] | None:
    """The sentence before it in the document's `text`, and itself, in a passage that holds both.

    None where there is none but the title, or it is another record of a table, or stands on
    another page, or the passage would become too long.
    """
    passage = item.passage
    if item.start == passage.start:
        passage = _from_sentence_before(passage, text)
    spans = sentence_spans(passage.text[: item.start - passage.start])
    if not spans:
        return None
    start, end = spans[-1].start, spans[-1].end
    before = Evidence(passage, passage.start + start, passage.start + end, passage.text[start:end])
    apart = "\n" in passage.text[end : item.start - passage.start]
    if _is_heading(before.text, passage.title) or (apart and is_table(passage.source)):
        return None
    return before, replace(item, passage=passage, before=before)


def _from_sentence_before(passage: Passage, text: str | None) -> Passage:
    """The passage with the sentence before it; as it is where that cannot be."""
    if text is None or text[passage.start : passage.end] != passage.text or passage.page:
        return passage
    reach = max(0, passage.start - MAX_BYTES)
    spans = sentence_spans(text[reach : passage.start])
    if not spans or (reach and spans[-1].start == 0):
        return passage
    start = reach + spans[-1].start
    longer = text[start : passage.end]
    return passage if utf8_len(longer) > MAX_BYTES else replace(passage, start=start, text=longer)


def evidence_text(evidence: Sequence[Evidence], language: str) -> str:
    """The sentences as a prompt shows them: under their document's title and date.

    Large numbers are annotated for an answer in `language`; what marks an item of a list is left
    out, since a small model copies it.
    """
    lines: list[str] = []
    last: str | None = None
    for item in evidence:
        if item.passage.source != last:
            last = item.passage.source
            lines.append(f"[{heading(item.passage)}]")
        text = annotate(without_mark(item.text), item.passage.language, language)
        lines.append(" ".join(text.split()))
    return "\n".join(lines)


def place(part: Passage | Evidence) -> str:
    """Where it stands, as a trace tells it: `SOURCE:START-END`."""
    source = part.source if isinstance(part, Passage) else part.passage.source
    return f"{source}:{part.start}-{part.end}"


def leads(passages: Sequence[Passage]) -> list[str]:
    """What tells each document's answer from the others': its date; its title where that cannot."""
    dates = [passage.date for passage in passages]
    return [
        f"{passage.date if passage.date and dates.count(passage.date) == 1 else _title(passage)}: "
        for passage in passages
    ]


def heading(passage: Passage) -> str:
    """What tells whose words they are: the document's title, cut if it is long, and its date."""
    title = _title(passage)
    return f"{title}, {passage.date}" if passage.date else title


def _title(passage: Passage) -> str:
    title = unnumbered(passage.title)
    return title if len(title) <= TITLE_LENGTH else title[:TITLE_LENGTH].rstrip() + "…"


def _is_heading(text: str, named: str) -> bool:
    """Whether it is no sentence and says nothing but what is `named`, in whatever form."""
    short = count_words(text) <= HEADING_WORDS and not ends_sentence(text)
    return short and _stems(text) <= _stems(named)


def _stems(text: str) -> set[str]:
    return {term[:_STEM] for term in terms(text)}


def _overlap(one: Passage, other: Passage) -> float:
    if one.source != other.source:
        return 0.0
    shared = min(one.end, other.end) - max(one.start, other.start)
    return max(0, shared) / max(1, min(one.end - one.start, other.end - other.start))
