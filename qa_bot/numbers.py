"""Numbers by value, across languages: 20万 = 200,000 = 200 000 = 0.2 million.

Reads numbers with their magnitude words, and compares two texts by the values they state: an
ordinal states its number. Does not read units; Chinese numerals once `with_digits` has
rewritten them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from qa_bot.months import months, weekdays
from qa_bot.number_words import POWERS, halves, number_words, ordinals

_CJK_POWERS = {"十": 1, "百": 2, "千": 3, "万": 4, "萬": 4, "亿": 8, "億": 8, "兆": 12}
_CJK_DIGITS = {letter: value for value, letter in enumerate("零一二三四五六七八九")} | {
    "〇": 0,
    "两": 2,
}
_CHINESE_YEAR = re.compile(r"[〇零一二三四五六七八九]{4}(?=年)")
_CHINESE_NUMERAL = re.compile(
    r"(?:[一二两三四五六七八九][十百千万亿萬億]|[十百千][一二三四五六七八九万亿萬億])"
    r"[零〇一二两三四五六七八九十百千万亿萬億]*(?:点[零〇一二三四五六七八九]+)?"
    r"|[二两三四五六七八九十](?=[个位名项家种次座条倍届年月日天人])|(?<=第)[一二三四五六七八九十]"
    r"|(?<=[近上逾超])[百千万亿萬億]+(?=[个個位名项項家种種次座条條场場人件年])"
)
_LONG_SCALE = frozenset({"fr", "de", "es"})
"""Languages of the table whose 'billion' is 10^12; elsewhere the word is English."""
_DIGITS = r"\d+(?:[.,\u00a0\u202f\u2009 '’](?=\d)\d+)*"
_WORDS = "|".join(sorted(POWERS, key=len, reverse=True))
_GLUED = r"(?<=\bRp)|(?<=\bRp\.)|(?<=\bRM)|(?<=\b(?:RMB|CNY|USD|EUR|IDR))|(?<=\bno\.)|(?<=\dh)"
"""What a number may stand right behind: a currency, a word for number, or the hours (14h30)."""
_NUMBER = re.compile(
    rf"(?:(?<![\dA-Za-zÀ-ɏ.])|{_GLUED})(?P<digits>{_DIGITS})"
    rf"(?:(?:[ \u00a0]?[余餘多]?(?=[千百]?[万萬亿億兆]))?(?P<cjk>[十百千万萬亿億兆]+)"
    rf"|[\s\u00a0\u202f-]*(?P<word>{_WORDS})(?![^\W\u3400-\u9fff])"
    r"|\s*[×xX·⋅*]\s*10(?:\^(?P<caret>\d{1,2})|(?P<raised>[⁰¹²³⁴-⁹]{1,2})))?",
    re.IGNORECASE,
)
PERCENT = re.compile(
    r"\s*(?:[%％]|per ?cento?\b|pour ?cent|persen|prozent|por cien|por cento|procent)",
    re.IGNORECASE,
)
_WORD_OF_SHARE = re.compile(rf"\S+{PERCENT.pattern}", re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{2,4})(?!\d)")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_MONTH_IN_FIGURES = re.compile(r"(\d{1,2})\s?[月월]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text: where it stands, and every value it can be read as."""

    start: int
    end: int
    values: frozenset[Decimal]
    magnitude: bool
    """Whether it is written with a magnitude, such as 万, million or × 10⁶."""
    written: frozenset[Decimal]
    """Every value its digits alone can be read as, without the magnitude."""
    parts: bool = False
    """Whether these are the parts of one thing, as of a date, and no readings to choose from."""


def find_numbers(text: str, language: str | None = None) -> Iterator[Number]:
    """Every number of `text`, in order; `language` settles what its 'billion' means."""
    for match in _NUMBER.finditer(_split_space_groups(text)):
        powers = _powers(match, language)
        written = frozenset(value.normalize() for value in _readings(match["digits"]))
        values = {(value * 10**power).normalize() for value in written for power in powers}
        parts = bool(_parts(_compact(match["digits"])))
        yield Number(match.start(), match.end(), frozenset(values), powers != (0,), written, parts)


def with_digits(text: str) -> str:
    """`text` with its Chinese numerals written as digits: 十五个 → 15个, 三十亿 → 3000000000.

    A lone character is read before a measure word only, or as an ordinal; 一 is else no number.
    """
    text = _CHINESE_YEAR.sub(lambda year: "".join(str(_CJK_DIGITS[c]) for c in year[0]), text)
    return _CHINESE_NUMERAL.sub(lambda found: _chinese_value(found[0]), text)


def _chinese_value(numeral: str) -> str:
    whole, _, decimals = numeral.partition("点")
    total = section = digit = scale = 0  # scale: the power of ten last named
    for letter in whole:
        if (value := _CJK_DIGITS.get(letter)) is not None:
            digit, scale = value, scale if value else 0
            continue
        power = _CJK_POWERS[letter]
        if power < 4:
            section += (digit or 1) * 10**power
        elif total >= 10**power:
            total += (section + digit) * 10**power
            section = 0
        else:
            total, section = (total + section + digit) * 10**power, 0
        digit, scale = 0, power
    last = digit * 10 ** (scale - 1) if scale > 1 else digit  # 三万五 is 35000, 三万零五 30005
    point = "." + "".join(str(_CJK_DIGITS[letter]) for letter in decimals) if decimals else ""
    return f"{total + section + last}{point}"


def stated_values(text: str) -> set[Decimal]:
    """Every value that a number of `text`, in figures or in words, can be read as."""
    figures = {value for number in find_numbers(with_digits(text)) for value in number.values}
    words = {value for _, values in number_words(text) for value in values}
    return figures | words | halves(text) | ordinals(text)


def missing_numbers(claim: str, *evidence: str) -> list[str]:
    """The numbers of `claim`, as written, whose value none of `evidence` states.

    A month is stated by a month alone, by its name, in figures or in a date: 7月 is July, and the
    seventh fair is not; a weekday by its name. Of a date or an address in figures each part must
    be stated.
    """
    claim = with_digits(claim)
    known = set().union(*map(stated_values, evidence), *map(_in_names, evidence))
    shares = set().union(*map(_percentages, evidence))
    in_months = set().union(*map(_month_values, evidence))
    on_weekdays = {value for text in evidence for _, value in weekdays(text)}
    dates = [found.span() for found in _DATE.finditer(claim)]

    def is_stated(number: Number) -> bool:
        stated = known
        if PERCENT.match(claim, number.end):
            stated = shares
        elif claim.startswith("月", number.end):
            stated = in_months
        elif any(a <= number.start < b for a, b in dates):
            stated = known | in_months
        return number.values <= stated if number.parts else bool(number.values & stated)

    return [
        *(
            claim[number.start : number.end].strip()
            for number in find_numbers(claim)
            if not is_stated(number)
        ),
        *(words for words, values in number_words(claim) if not values & known),
        *(name for name, value in months(claim) if value not in in_months),
        *(name for name, value in weekdays(claim) if value not in on_weekdays),
    ]


def _month_values(text: str) -> set[Decimal]:
    """The months that `text` names, and what may be one in its dates in figures."""
    text = with_digits(text)
    dates = " ".join(found.group() for found in _DATE.finditer(text))
    figures = [*_MONTH_IN_FIGURES.findall(text), *re.findall(r"\d+", dates)]
    return {value for _, value in months(text)} | {Decimal(int(figure)) for figure in figures}


def _in_names(text: str) -> set[Decimal]:
    """The numbers that stand behind letters, as in G20, which may be written 二十国集团."""
    return {Decimal(digits) for digits in re.findall(r"(?<=[A-Za-z])\d{1,4}(?!\d)", text)}


def counts_nothing(text: str) -> bool:
    """Whether the numbers of `text`, which has some, are all years or shares of a hundred."""
    text = with_digits(text)
    numbers = list(find_numbers(text))
    if not numbers or any(number_words(_WORD_OF_SHARE.sub(" ", text))):
        return False
    written = [text[number.start : number.end].strip() for number in numbers]
    return all(
        _YEAR.fullmatch(figures) or _is_share(text, number)
        for figures, number in zip(written, numbers, strict=True)
    )


def _percentages(text: str) -> set[Decimal]:
    """The values that `text` states as a share of a hundred."""
    text = with_digits(text)
    shares = (number for number in find_numbers(text) if _is_share(text, number))
    return set(halves(text)).union(*(number.values for number in shares))


def _is_share(text: str, number: Number) -> bool:
    after, before = PERCENT.match(text, number.end), text[: number.start]
    return bool(after) or before.endswith("百分之")


def _split_space_groups(text: str) -> str:
    # A space joins digits only as a thousands separator (45 500, not '2022 15'), so any
    # other space between digits becomes a line break, which `_DIGITS` does not cross.
    gap = r"[ '’\u00a0\u202f\u2009](?=\d)"
    return re.sub(
        rf"(?<=\d){gap}(?!\d{{3}}(?!\d))|(?<=\d{{4}}){gap}",
        "\n",
        text,
    )


def _powers(match: re.Match[str], language: str | None) -> tuple[int, ...]:
    if cjk := match["cjk"]:
        return (sum(_CJK_POWERS[letter] for letter in cjk),)
    if word := match["word"]:
        powers = POWERS[word.casefold()]
        if len(powers) > 1 and language is not None:
            return (12,) if language in _LONG_SCALE else (9,)
        return powers
    if exponent := match["caret"] or match["raised"]:
        return (int(unicodedata.normalize("NFKC", exponent)),)
    return (0,)


def _readings(digits: str) -> set[Decimal]:
    """Values of a digit string whose marks may group thousands or part decimals."""
    compact = _compact(digits)
    if groups := _parts(compact):
        return {Decimal(group) for group in groups}
    marks = [mark for mark in compact if mark in ".,"]
    if not marks:
        return {Decimal(compact)}
    whole = Decimal(re.sub(r"[.,]", "", compact))
    last = marks[-1]
    head, tail = compact.rsplit(last, 1)
    decimal = Decimal(re.sub(r"[.,]", "", head) + "." + tail)
    if len(set(marks)) == 2 or marks.count(last) > 1:  # 1.234,5 or 1.234.567: no doubt
        return {decimal} if marks.count(last) == 1 else {whole}
    grouped = len(tail) == 3 and 1 <= len(head) <= 3 and head != "0"
    return {whole, decimal} if grouped else {decimal}


def _parts(digits: str) -> list[str]:
    """The groups of a date, an address or a version: 2023.11.08; none of a plain number."""
    groups = re.split(r"[.,]", digits)
    plain = len(groups) < 3 or len(set(re.findall(r"[.,]", digits))) > 1
    return [] if plain or all(len(group) == 3 for group in groups[1:]) else groups


def _compact(digits: str) -> str:
    return re.sub(r"[ '’\u00a0\u202f\u2009]", "", digits)
