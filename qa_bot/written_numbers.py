"""Large numbers as a reader's language writes them: beside a source's, and in an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from qa_bot.numbers import PERCENT, Number, find_numbers, stated_values

_ANNOTATE_FROM, _ANNOTATE_BELOW = 10_000, 10**18
_GROUPED_FROM = 1_000
"""From where on languages write a number each in their own way."""
_MAGNITUDE_AHEAD = 12
"""Characters after a number in which its magnitude word may still be written."""
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
_WRITTEN = re.compile(r"(?P<digits>\d(?:[\d.,\s'’]*\d)?)\s*(?P<word>.*)")


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


def repair_numbers(
    claim: str, language: str, evidence: Sequence[str], as_written: Sequence[str] = ()
) -> str:
    """`claim` with its large numbers as the evidence has them, in the form of `language`.

    Small models read 45 500 milliards as 45500亿, or copy it: an Indonesian reads "45,500
    milliards" as 45.5. A right number in a form that `as_written`, texts of `language`, have is
    left.
    """
    pieces, last = [], 0
    for number, meant in _numbers(claim, language, _known(evidence), as_written):
        if meant is not None:
            pieces += [claim[last : number.start], write_number(meant, language)]
            last = number.end
    return "".join([*pieces, claim[last:]])


def settled_length(
    claim: str, language: str, evidence: Sequence[str], as_written: Sequence[str] = ()
) -> int:
    """Characters of an unfinished text before any number that may still have to be repaired."""
    known = _known(evidence)
    for number, meant in _numbers(claim, language, known, as_written):
        unfinished = number.end + _MAGNITUDE_AHEAD > len(claim)
        if unfinished or meant is not None or not number.values & known:
            return number.start
    return len(claim)


def _known(evidence: Sequence[str]) -> set[Decimal]:
    return set().union(*map(stated_values, evidence))


def _numbers(
    claim: str, language: str, known: set[Decimal], as_written: Sequence[str]
) -> Iterator[tuple[Number, Decimal | None]]:
    """The numbers of `claim`, each with the value to be written in its place, if there is one."""
    kept = {text[number.start : number.end] for text in as_written for number in find_numbers(text)}
    for number in find_numbers(claim, language):
        written = claim[number.start : number.end]
        share = PERCENT.match(claim, number.end)
        yield number, None if share else _meant(number, written, language, known, kept)


def _meant(
    number: Number, written: str, language: str, known: set[Decimal], kept: set[str]
) -> Decimal | None:
    """What stands for a number that is off by a power of ten, or in another language's form.

    A large number that no evidence states, but whose digits are those of exactly one there, can
    only be that one; a small one may count something else ("its 3 parts" of 300 million people).
    """
    meant = number.values & known
    if meant:
        small = number.parts or max(meant) < _GROUPED_FROM
        if small or language not in _SCALES or written in kept:
            return None
        if _reads(number, written, language) in meant:
            return None
    elif number.magnitude or max(number.values) >= _ANNOTATE_FROM:
        alike = set(map(_digits, number.values))
        meant = frozenset(v for v in known if v >= _ANNOTATE_FROM and _digits(v) in alike)
    return next(iter(meant)) if len(meant) == 1 else None


def _digits(value: Decimal) -> tuple[int, ...]:
    return value.normalize().as_tuple().digits


def _reads(number: Number, written: str, language: str) -> Decimal | None:
    """The value that a reader of `language` reads; None where it is no form of that language."""
    found = _WRITTEN.fullmatch(written)
    if not found or _is_foreign(found["word"].casefold(), language):
        return None
    thousands, point = map(re.escape, _SEPARATORS.get(language, (".", ",")))
    digits = re.sub(r"\s", " ", found["digits"])
    if not re.fullmatch(rf"(?:\d+|\d{{1,3}}(?:{thousands}\d{{3}})+)(?:{point}\d+)?", digits):
        return None
    value = Decimal(re.sub(thousands, "", digits).replace(",", "."))
    return value * max(number.values) / max(number.written)


def _is_foreign(word: str, language: str) -> bool:
    """Whether a magnitude is written as another language of the table has it, and not this."""

    def is_of(table: str) -> bool:  # million and millions are one
        own = (name.strip().casefold() for _, name in _SCALES[table])
        return any(word.startswith(name) or name.startswith(word) for name in own)

    return bool(word) and not is_of(language) and any(map(is_of, _SCALES))
