"""Large numbers as a reader's language writes them: beside a source's, and in an answer."""

from __future__ import annotations

import re
from decimal import Decimal

from qa_bot.numbers import PERCENT, find_numbers, stated_values

_ANNOTATE_FROM, _ANNOTATE_BELOW = 10_000, 10**18
_MAGNITUDE_AHEAD = 12
"""Characters after a number in which its magnitude word may still be written."""


def annotate(text: str, source: str, language: str) -> str:
    """`text`, in the language `source`, with how `language` writes its large numbers.

    `annotate("20万公里", "zh", "en")` gives `20万 (= 200,000)公里`.

    Small models mistranslate 万, 亿, milliard or juta by factors of ten; told the number
    in the language they are to answer in, they copy it.
    """
    if source == language:
        return text
    pieces, last = [], 0
    for number in find_numbers(text, source):
        value = max(number.values)
        if not _ANNOTATE_FROM <= value < _ANNOTATE_BELOW:
            continue
        if not (number.magnitude or value >= 1_000_000):
            continue
        if len(number.values) > 1:
            continue  # ambiguous: better no help than wrong help
        written, said = text[number.start : number.end].strip(), write_number(value, language)
        if _same_form(written, said):
            continue
        pieces += [text[last : number.end], f" (= {said})"]
        last = number.end
    return "".join([*pieces, text[last:]])


def write_number(value: Decimal, language: str) -> str:
    """How a reader of `language` expects a large number, e.g. 45.5万亿, 45,5 triliun."""
    for factor, word in _SCALES.get(language, ()):
        scaled = value / factor
        if scaled >= 1 and scaled == round(scaled, 2):
            return _grouped(scaled, language) + word
    return _grouped(value, language)


_SCALES: dict[str, tuple[tuple[int, str], ...]] = {
    "zh": ((10**12, "万亿"), (10**8, "亿"), (10**4, "万")),
    "ja": ((10**12, "兆"), (10**8, "億"), (10**4, "万")),
    "en": ((10**12, " trillion"), (10**9, " billion"), (10**6, " million")),
    "fr": ((10**9, " milliards"), (10**6, " millions")),
    "id": ((10**12, " triliun"), (10**9, " miliar"), (10**6, " juta")),
    "de": ((10**12, " Billionen"), (10**9, " Milliarden"), (10**6, " Millionen")),
    "es": ((10**12, " billones"), (10**6, " millones")),
    "pt": ((10**12, " trilhões"), (10**9, " bilhões"), (10**6, " milhões")),
}
_SEPARATORS = {"en": (",", "."), "zh": (",", "."), "ja": (",", "."), "fr": (" ", ",")}


def _grouped(value: Decimal, language: str) -> str:
    thousands, point = _SEPARATORS.get(language, (".", ","))
    plain = f"{value:,f}"
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.replace(",", "\x00").replace(".", point).replace("\x00", thousands)


def _same_form(written: str, said: str) -> bool:
    def fold(form: str) -> str:
        return re.sub(r"[\s\u00a0\u202f]+", " ", form).casefold()

    return fold(written) == fold(said)


def repair_magnitudes(claim: str, language: str, *evidence: str) -> str:
    """`claim` with numbers that are off by a power of ten written as the evidence has them.

    Small models read 45 500 milliards as 45500亿. A large number that no evidence states, but
    whose digits are those of exactly one there, can only be that one; a small one may count
    something else ("its 3 parts" of 300 million people).
    """
    known = set().union(*map(stated_values, evidence))
    pieces, last = [], 0
    for number in find_numbers(claim, language):
        meant = {
            value
            for value in known
            if value >= _ANNOTATE_FROM and any(_digits(value) == _digits(v) for v in number.values)
        }
        small = not number.magnitude and max(number.values) < _ANNOTATE_FROM
        if small or number.values & known or len(meant) != 1 or PERCENT.match(claim, number.end):
            continue
        pieces += [claim[last : number.start], write_number(meant.pop(), language)]
        last = number.end
    return "".join([*pieces, claim[last:]])


def settled_length(claim: str, *evidence: str) -> int:
    """Characters of an unfinished text before any number that may still have to be repaired."""
    known = set().union(*map(stated_values, evidence))
    for number in find_numbers(claim):
        if number.end + _MAGNITUDE_AHEAD > len(claim) or not number.values & known:
            return number.start
    return len(claim)


def _digits(value: Decimal) -> tuple[int, ...]:
    return value.normalize().as_tuple().digits
