"""Does an answer say what the gold answer says? Over normalised tokens, in any language.

Both sides lose citation markers, case, punctuation, white space and accents (NFKC first;
Pékin = Pekin). Chinese, Japanese, Korean and Thai compare by character, other scripts by
word, and numbers by value: 35800 milliards = 35.8 trillion = 35.8万亿 = 3,58 × 10¹³.
Does not read signs, nor numbers in words (save Chinese ones), nor make traditional
characters simplified; names in another transliteration (Sergueï, Sergei) differ.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

from qa_bot.numbers import Number, find_numbers, with_digits

MARKER = re.compile(r"\[(\d{1,3})\]")
"""A citation in an answer, e.g. [1]."""
_EXPONENT = re.compile(r"(?<=10)[⁰¹²³⁴-⁹]+")
_CHARACTERS = (
    "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_CHARACTERS}]|[^\W_{_CHARACTERS}]+")
_ONE_LETTER = re.compile(r"[A-Za-z](?![A-Za-zÀ-ɏ])")
_ACCENTS = re.compile("[\u0300-\u036f]")
_STEM_FROM, _AFFIX_FROM = 3, 6
_ARTICLES = {
    "en": frozenset({"a", "an", "the"}),
    "fr": frozenset({"le", "la", "les", "l", "un", "une", "des", "du", "de", "d"}),
}
_MOST_REFERENCES = 64


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    number: Number | None = None
    name: bool = False
    """Whether it has capitals, so that no prefix may stand before it."""


def answer_match(
    answer: str,
    answers: Sequence[str],
    groups: Sequence[Sequence[str]],
    language: str | None = None,
) -> bool:
    """Whether `answer` holds one of `answers`, or one of each of `groups`.

    A gold word of 3 letters or more may be the beginning of a word (Thai is in Thailand, nov
    in novembre), and a lower-case one of 6 stand inside it (kolabor is in berkolaborasi); a
    shorter one must be whole (US is not in use). A gold number must be a whole number; without
    a magnitude it matches the digits of one that has it (45.5 is in 45.5万亿), with one only
    the same value.
    """
    said = list(_tokens(answer, language))

    def holds(gold: str) -> bool:
        return _holds(said, list(_tokens(gold, language)))

    return any(map(holds, answers)) or (
        bool(groups) and all(any(map(holds, group)) for group in groups)
    )


def answer_f1(
    answer: str,
    answers: Sequence[str],
    groups: Sequence[Sequence[str]],
    language: str | None = None,
) -> float:
    """Token F1, the best over the references, from 0 to 1.

    The rules are those of MLQA's evaluation script (articles dropped, Chinese by
    character), with French articles, numbers by value, and hyphens that part words.
    Groups without `answers` give every choice of one from each as a reference.
    """
    references = list(answers) or [
        " ".join(choice) for choice in islice(product(*groups), _MOST_REFERENCES) if choice
    ]
    said = _counted(answer, language)
    return max((_f1(said, _counted(reference, language)) for reference in references), default=0.0)


def without_markers(answer: str) -> str:
    """The answer without its citation markers."""
    return MARKER.sub(" ", answer)


def _tokens(text: str, language: str | None) -> Iterator[_Token]:
    plain = _EXPONENT.sub(lambda found: "^" + found[0], without_markers(text))
    plain = with_digits(unicodedata.normalize("NFKC", plain))
    last = 0
    for number in find_numbers(plain, language):
        if not number.magnitude and _ONE_LETTER.match(plain, number.end):
            continue  # 5G and 3D are words
        yield from _words(plain[last : number.start])
        yield _Token("", number)
        last = number.end
    yield from _words(plain[last:])


def _words(text: str) -> Iterator[_Token]:
    for found in _WORD.finditer(_without_accents(text)):
        word = found[0]
        yield _Token(word.casefold(), name=word != word.lower())


def _without_accents(text: str) -> str:
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))


def _holds(said: Sequence[_Token], gold: Sequence[_Token]) -> bool:
    last = len(gold) - 1
    return bool(gold) and any(
        all(
            _same(token, said[start + place], place == 0, place == last)
            for place, token in enumerate(gold)
        )
        for start in range(len(said) - last)
    )


def _same(gold: _Token, said: _Token, first: bool, last: bool) -> bool:
    if gold.number or said.number:
        return bool(gold.number and said.number and _same_number(gold.number, said.number))
    if gold.text == said.text:
        return True
    if not gold.text.isalpha() or len(gold.text) < _STEM_FROM:
        return False
    before, found, after = said.text.partition(gold.text)
    inside = first and not gold.name and len(gold.text) >= _AFFIX_FROM
    return bool(found) and (inside or not before) and (last or not after)


def _same_number(gold: Number, said: Number) -> bool:
    known = said.values if gold.magnitude else said.values | said.written
    return bool(gold.values & known)


def _counted(text: str, language: str | None) -> Counter[str]:
    articles = _ARTICLES.get(language or "", frozenset())
    written = (
        f"{max(token.number.values):f}" if token.number else token.text
        for token in _tokens(text, language)
    )
    return Counter(word for word in written if word not in articles)


def _f1(said: Counter[str], gold: Counter[str]) -> float:
    shared = (said & gold).total()
    return 2 * shared / (said.total() + gold.total()) if shared else 0.0
