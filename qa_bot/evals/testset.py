"""Rows of questions to cases: what a right answer to each one is, and its slices.

Does not read files (`qa_bot.questions` does), nor the documents that gold passages are in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from qa_bot.errors import UsageError
from qa_bot.text import language_of
from qa_bot.types import Answer, Question

ReadText = Callable[[str], str | None]
"""A document's text by its source; None where there is no such document."""

MAX_SLICES = 20
"""A field with more distinct values than this is no slice."""
GOLD_FIELDS = frozenset(
    {"answerable", "answers", "answer_groups", "gold_docs", "gold_passages", "passage_docs"}
)
_ANSWER_FIELDS = frozenset(member.name for member in fields(Answer))
_RUN_FIELDS = frozenset({"history", "expected", "confidence", "scores", "attribution", "ranks"})
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True, slots=True)
class Case:
    """One question and what is expected of its answer. Answering sees `question` only."""

    question: Question
    lang: str | None
    """The question's language, as the test set says or as detected."""
    answerable: bool
    answers: tuple[str, ...] = ()
    """Any of these is right."""
    answer_groups: tuple[tuple[str, ...], ...] = ()
    """One of each group must be there."""
    gold_docs: tuple[str, ...] = ()
    gold_passages: tuple[str, ...] = ()
    passage_docs: tuple[str, ...] = ()
    """The document of each gold passage; empty where any of `gold_docs` may hold it."""
    slices: Mapping[str, str] = field(default_factory=dict)
    """The scalar fields to report by, and `relation`: the question's language to its documents'."""


def read_cases(questions: Sequence[Question], read_text: ReadText | None = None) -> list[Case]:
    """The cases of a test set; `relation` is known only where the documents can be read.

    Raises:
        UsageError: a gold field that is not what it should be, with its row and name.
    """
    cases = [_read_case(question) for question in questions]
    if read_text:
        languages = _languages(cases, read_text)
        cases = [_with_relation(case, languages) for case in cases]
    values: dict[str, set[str]] = {}
    for case in cases:
        for name, value in case.slices.items():
            values.setdefault(name, set()).add(value)
    kept = {name for name, found in values.items() if len(found) <= MAX_SLICES}
    return [replace(case, slices=_only(case.slices, kept)) for case in cases]


def slices_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The scalar fields of a row that neither the answer nor the gold fields use."""
    taken = _ANSWER_FIELDS | _RUN_FIELDS | GOLD_FIELDS
    return {
        name: json.dumps(value) if isinstance(value, bool) else str(value)
        for name, value in row.items()
        if name not in taken and isinstance(value, str | int | float) and str(value).strip()
    }


def _read_case(question: Question) -> Case:
    row = question.fields
    case = Case(
        question=question,
        lang=_lang(question),
        answerable=_flag(question, "answerable"),
        answers=_strings(question, "answers"),
        answer_groups=_groups(question),
        gold_docs=_strings(question, "gold_docs"),
        gold_passages=_strings(question, "gold_passages"),
        passage_docs=_strings(question, "passage_docs"),
        slices=slices_of(row),
    )
    passages, docs = len(case.gold_passages), len(case.passage_docs)
    if docs and docs != passages:
        raise _wrong(question, "passage_docs", f"one document for each of {passages} gold passages")
    if passages and not (docs or case.gold_docs):
        raise _wrong(question, "gold_docs", "the documents that hold the gold passages")
    return replace(case, slices={**case.slices, "lang": case.lang}) if case.lang else case


def _lang(question: Question) -> str | None:
    given = question.fields.get("lang")
    if given is None or given == "":
        detected = language_of(question.question)
        return None if detected == "und" else detected
    if not isinstance(given, str):
        raise _wrong(question, "lang", "a language code such as en, fr, zh or id")
    return given.strip().lower().replace("_", "-").split("-")[0]


def _flag(question: Question, name: str) -> bool:
    value = question.fields.get(name)
    if value is None or value == "":
        return True
    written = str(value).strip().lower()
    if written not in (*_TRUE, *_FALSE):
        raise _wrong(question, name, "true or false")
    return written in _TRUE


def _strings(question: Question, name: str) -> tuple[str, ...]:
    value = question.fields.get(name)
    if value is None:
        return ()
    if isinstance(value, str):  # a CSV file's list
        return tuple(part.strip() for part in value.split("|") if part.strip())
    return _texts(question, name, value)


def _groups(question: Question) -> tuple[tuple[str, ...], ...]:
    name = "answer_groups"
    value = question.fields.get(name)
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise _wrong(question, name, 'JSON such as [["a", "b"], ["c"]]') from error
    if not isinstance(value, list) or not all(isinstance(group, list) for group in value):
        raise _wrong(question, name, 'a list of lists such as [["a", "b"], ["c"]]')
    groups = tuple(_texts(question, name, group) for group in value)
    if not all(groups):
        raise _wrong(question, name, "groups that are not empty")
    return groups


def _texts(question: Question, name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _wrong(question, name, "a list of strings")
    texts = [str(item) if _is_number(item) else item for item in value]
    if not all(isinstance(item, str) and item.strip() for item in texts):
        raise _wrong(question, name, "a list of strings that are not empty")
    return tuple(texts)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(question: Question, name: str, cure: str) -> UsageError:
    value = repr(question.fields.get(name))
    shown = value if len(value) <= 80 else value[:77] + "..."
    return UsageError(f"question {question.id}: {name} is {shown}; give {cure}")


def _languages(cases: Sequence[Case], read_text: ReadText) -> dict[str, str]:
    texts = {source: read_text(source) for source in {s for case in cases for s in case.gold_docs}}
    return {source: language_of(text) for source, text in texts.items() if text}


def _with_relation(case: Case, languages: Mapping[str, str]) -> Case:
    found = {languages.get(source) for source in case.gold_docs}
    if not found or None in found or not case.lang or "relation" in case.slices:
        return case
    if found == {case.lang}:
        relation = "same language"
    else:
        relation = "mixed" if case.lang in found else "across languages"
    return replace(case, slices={**case.slices, "relation": relation})


def _only(slices: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in slices.items() if name in names}
