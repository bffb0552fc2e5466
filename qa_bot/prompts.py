"""Prompts are files in `prompts/`; this module loads and fills them.

A prompt file is Markdown: an HTML comment with what it was tuned on, then `## system`,
`## user` and `## assistant` sections, in which `$name` stands for a variable. Filling is
one pass, so text put in for a variable is never read as a template itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Literal, cast

from qa_bot.errors import UsageError
from qa_bot.settings import resource
from qa_bot.types import Message

_NOTES = re.compile(r"<!--.*?-->", re.DOTALL)
_SECTION = re.compile(r"^## (system|user|assistant)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's messages, each with `$name` variables."""

    name: str
    messages: tuple[Message, ...]

    def fill(self, **values: str) -> tuple[Message, ...]:
        """The messages with every variable replaced.

        Raises:
            UsageError: a variable of the prompt has no value.
        """
        return tuple(
            Message(message.role, self._substitute(message.content, values))
            for message in self.messages
        )

    def _substitute(self, content: str, values: Mapping[str, str]) -> str:
        try:
            return Template(content).substitute(values)
        except KeyError as exc:
            raise UsageError(f"prompt {self.name}: no value for ${exc.args[0]}") from exc
        except ValueError as exc:
            raise UsageError(f"prompt {self.name}: {exc}; write $$ for a dollar sign") from exc


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt of `prompts/NAME.md`.

    Raises:
        UsageError: the file is missing or has no section.
    """
    parts = _SECTION.split(_NOTES.sub("", _read(f"{name}.md")))
    roles, texts = parts[1::2], parts[2::2]
    if not roles:
        raise UsageError(f"prompts/{name}.md has no section; it needs at least '## user'")
    return Prompt(
        name,
        tuple(
            Message(cast("Literal['system', 'user', 'assistant']", role), text.strip())
            for role, text in zip(roles, texts, strict=True)
        ),
    )


@dataclass(frozen=True, slots=True)
class Phrases:
    """What qa_bot says itself, in one language; from `prompts/languages.json`."""

    name: str
    """The language's name in English, for the model."""
    answer: str
    """The instruction to answer in this language, in this language."""
    refusal: str
    """What the reader is told when the documents do not answer;"""
    nearest: str
    """and before the sentence of theirs that comes nearest."""
    overview: str = ""
    """A regular expression that finds, in a question, that an overview of a topic is asked for;"""
    quantity: str = ""
    """that a number is;"""
    count: str = ""
    """and how many of something;"""
    time: str = ""
    """that a date is, or a year;"""
    price: str = ""
    """and that a sum of money is."""
    fillers: str = ""
    """Words that tell nothing by themselves: articles, pronouns."""


@cache
def phrases(language: str) -> Phrases:
    """The phrases of a language, by ISO 639-1 code; English ones where it has none.

    Raises:
        UsageError: `prompts/languages.json` is missing or damaged.
    """
    table = load_data("languages")
    return Phrases(**(table.get(language) or table["en"]))


def asks(pattern: str, question: str) -> bool:
    """Whether `pattern`, one of a language's, is in the question; an empty one is in none."""
    return bool(pattern and re.search(pattern, question.replace("’", "'"), re.IGNORECASE))


def answer_languages() -> list[str]:
    """The codes of the languages that can be answered in."""
    return [*load_data("languages"), "zh-Hans", "zh-Hant"]


def check_language(code: str) -> None:
    """See that there are phrases of a language that is to be answered in.

    Raises:
        UsageError: there are none.
    """
    known = answer_languages()
    if code.lower() not in (each.lower() for each in known):
        raise UsageError(f"answer_language: {code!r} is none of {', '.join(known)}")


def load_data(name: str) -> dict[str, Any]:
    """The JSON object of `prompts/NAME.json`.

    Raises:
        UsageError: the file is missing or damaged.
    """
    try:
        return cast("dict[str, Any]", json.loads(_read(f"{name}.json")))
    except json.JSONDecodeError as exc:
        raise UsageError(f"prompts/{name}.json is damaged: {exc}") from exc


def prompts_digest() -> str:
    """One hash of all prompt files, thresholds and phrases: with another one, answers differ.

    SHA-256 over names and bytes, in hex.
    """
    seal = hashlib.sha256()
    for path in sorted(resource("prompts").iterdir()):
        seal.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return seal.hexdigest()


def _read(file: str) -> str:
    path: Path = resource("prompts") / file
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"cannot read {path}: {exc}; reinstall qa_bot or restore the file"
        ) from exc
