"""Names and quotations in a sentence, against what it rests on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from qa_bot.hanzi import in_characters
from qa_bot.number_words import number_words
from qa_bot.places import hinted
from qa_bot.text import normalise, sentence_spans

_WORD = re.compile(r"[^\W\d_]+")
_LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏ]+")
_QUOTED = re.compile(r"[“«「『《\"]([^“”«»「」『』《》\"]+)[”»」』》\"]")
_INITIALS = re.compile(r"(?<!\w)[A-Z]{2,6}(?!\w)")
_SHORTEST = 3
_STEM = 4


def unsupported_names(text: str, question: str, evidence: Sequence[str]) -> list[str]:
    """The names in `text` that neither the evidence nor the question has.

    A word with another ending counts as the same, and initials as what they stand for. The first
    word of a sentence has a capital anyway: it is a name where it is all capitals, or where the
    text is one name or word ("Huawei."). All must be of one language that has capitals for names:
    another one spells or translates them otherwise.
    """
    given = " ".join((question, *evidence))
    stems, lands = {_stem(word) for word in _WORD.findall(given)}, hinted(given)
    words = list(_WORD.finditer(text))
    openings = {span.start for span in sentence_spans(text)}
    spelled_out = _spelled_out([word.group() for word in words], _INITIALS.findall(given))
    whole = all(word.group()[0].isupper() for word in words) and not list(number_words(text))
    return [
        word.group()
        for at, word in enumerate(words)
        if (whole or word.group().isupper() if word.start() in openings else _is_a_name(text, word))
        and len(word.group()) >= _SHORTEST
        and at not in spelled_out
        and _stem(word.group()) not in stems
        and not hinted(word.group()) & lands
    ]


def unsupported_latin_words(text: str, question: str, evidence: Sequence[str]) -> list[str]:
    """The words in Latin letters, in a text of another script, that nothing given has.

    There they are names, commands and the like. Initials may be another language's: GDP of PIB.
    """
    latin = _LATIN_WORD.findall(text)
    if 4 * sum(map(len, latin)) > 3 * sum(map(str.isalpha, text)):
        return []  # it is no other script's
    words = [word for word in latin if len(word) >= _SHORTEST and not _INITIALS.fullmatch(word)]
    given = {_stem(word) for word in _LATIN_WORD.findall(" ".join((question, *evidence)))}
    return [word for word in words if _stem(word) not in given]


def unsupported_quotations(text: str, question: str, evidence: Sequence[str]) -> list[str]:
    """What `text` puts in quotation marks, a title or somebody's words, that nothing given has.

    All must be of one language: another one's is translated.
    """
    quotations = _QUOTED.findall(text)
    given = _letters(" ".join((question, *evidence))) if quotations else ""
    return [quoted for quoted in quotations if _letters(quoted) not in given]


def _letters(text: str) -> str:
    """The letters and digits of a text in one row, of one kind of Chinese characters."""
    return "".join(filter(str.isalnum, normalise(in_characters(text, "simplified"))))


def _is_a_name(text: str, word: re.Match[str]) -> bool:
    """Whether it is one, by its capital: no quotation begins with it, and it is no month's."""
    before, after = text[: word.start()].rstrip()[-1:], text[word.end() :].lstrip()[:1]
    within = before.isalpha() or (bool(before) and before in ".,'’-–)&")
    shown = word.group()
    return within and shown[0].isupper() and not after.isdigit()


def _spelled_out(words: Sequence[str], initials: Sequence[str]) -> set[int]:
    """The places of the words whose first letters are one of these initials in a row."""
    first = "".join(word[0] for word in words)
    return {
        at
        for known in set(initials)
        for found in re.finditer(known, first)
        for at in range(*found.span())
    }


def _stem(word: str) -> str:
    """The first letters of a word, which its forms share, without accents."""
    plain = "".join(
        letter for letter in unicodedata.normalize("NFD", word.casefold()) if letter.isalpha()
    )
    return plain[:_STEM]
