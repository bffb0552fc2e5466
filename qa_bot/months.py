"""Months and weekdays by their names, and days of the year, in the languages that are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

_MONTHS = (
    "january jan janvier janv januari januar jänner enero ene janeiro gennaio января",
    "february feb février févr fevrier februari februar febrero fevereiro febbraio февраля",
    "march mar mars maret märz marzo março maart марта",
    "april apr avril avr abril aprile апреля",
    "may mai mei mayo maio maggio мая",
    "june jun juin juni junio junho giugno июня",
    "july jul juillet juil juli julio julho luglio июля",
    "august aug août aout agustus agosto augustus августа",
    "september sep sept septembre septiembre setembro settembre сентября",
    "october oct octobre oktober okt octubre outubro ottobre октября",
    "november nov novembre noviembre novembro ноября",
    "december dec décembre déc decembre desember dezember des dez diciembre dic dezembro dicembre"
    " декабря",
)
MONTH_NUMBER = {name: n for n, names in enumerate(_MONTHS, 1) for name in names.split()}
MONTH = "(?:" + "|".join(sorted(MONTH_NUMBER, key=len, reverse=True)) + r")\b\.?"
"""A pattern of any of them, to be used without regard to case."""
_NAME = re.compile(
    rf"(?P<day>(?<!\d)\d{{1,2}}(?:er|st|nd|rd|th|º|\.)?\s(?:de\s|of\s)?)?\b(?P<name>{MONTH})"
    r"(?P<year>,?\s(?:del?\s)?(?:\d{1,2}(?:st|nd|rd|th)?,?\s)?(?:19|20)\d\d(?!\d))?",
    re.IGNORECASE,
)
_ORDINAL = "(?:er|st|nd|rd|th|º|\\.)?"
_TO = r"(?:\s?[-–—]\s?|\s(?:to|and|au|à|et|hingga|sampai|dan|bis|und|al|y|a|e|tot|en|s\.?/?d\.?)\s)"
_SPAN = rf"(?P<day>\d{{1,2}}){_ORDINAL}(?:{_TO}(?P<last>\d{{1,2}}){_ORDINAL})?"
_DAYS = (
    re.compile(rf"(?<!\d){_SPAN}\s(?:de\s|of\s)?(?P<month>{MONTH})", re.IGNORECASE),
    re.compile(rf"\b(?P<month>{MONTH})\s{_SPAN}(?![:.]?\d)", re.IGNORECASE),
    re.compile(
        r"(?P<month>\d{1,2})月(?P<day>\d{1,2})[日号號]?(?:[-–—~至到](?P<last>\d{1,2})[日号號])?"
    ),
    re.compile(r"(?<!\d)\d{4}([-/.])(?P<month>\d{1,2})\1(?P<day>\d{1,2})(?!\d)"),
    re.compile(r"(?<!\d)(?P<day>\d{1,2})([-/.])(?P<month>\d{1,2})\2\d{4}(?!\d)"),
    re.compile(r"(?<!\d)(?P<month>\d{1,2})([-/.])(?P<day>\d{1,2})\2\d{4}(?!\d)"),
)
"""With the month's name before or behind; in Chinese; and in figures, whose order may be either."""
_IN_FIGURES = re.compile(r"\d\s?[月월]")
_ALSO_WORDS = {"march", "mars", "marzo", "sept"}
"""Other words as well: a verb, a planet, seven;"""
_NEVER = {"des", "set", "mar"}
"""and these stand beside other figures, too: « 12 des 2000 invités »."""
_SHORTEST = 4
_BESIDE_DAY = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?!\d)年?|\d{1,2}[:h]\d\d|(?:星期|[周週])[一二三四五六日天]"
)
_NO_DATE = re.compile(r"[\d\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"[^\W\d_]{2,}")
_MONTHS_A_YEAR, _DAYS_A_MONTH = 12, 31
_WEEKDAYS = (
    "monday lundi senin montag lunes segunda-feira lunedì maandag",
    "tuesday mardi selasa dienstag martes terça-feira martedì dinsdag",
    "wednesday mercredi rabu mittwoch miércoles quarta-feira mercoledì woensdag",
    "thursday jeudi kamis donnerstag jueves quinta-feira giovedì donderdag",
    "friday vendredi jumat jum'at freitag viernes sexta-feira venerdì vrijdag",
    "saturday samedi sabtu samstag sonnabend sábado sabato zaterdag",
    "sunday dimanche ahad sonntag domingo domenica zondag",
)
_SHORT_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKDAY_NUMBER = (
    {name: n for n, names in enumerate(_WEEKDAYS, 1) for name in names.split()}
    | {name.lower(): n for n, name in enumerate(_SHORT_WEEKDAYS, 1)}
    | {letter: n for n, letter in enumerate("一二三四五六日", 1)}
    | {"天": 7, "minggu": 7}
)
_WEEKDAY = re.compile(
    rf"\b({'|'.join(' '.join(_WEEKDAYS).split())})\b"
    rf"|\b(?-i:({'|'.join(_SHORT_WEEKDAYS)})\b(?=\.?,? \d))"
    r"|(?:\bhari |(?-i:\b(?=M)))(minggu)\b(?! (?:lalu|ini|depan|ke|pertama|terakhir)\b)"  # a week
    r"|(?:星期|礼拜|禮拜|(?<!一)[周週])([一二三四五六日天])(?![天日次])",
    re.IGNORECASE,
)
"""In full, short before a day, Indonesian Sunday, and in Chinese: one group each."""


def months(text: str) -> Iterator[tuple[str, Decimal]]:
    """Each name of a month, with its day or year, and the month's number from 1 on.

    Short names, and those that are other words as well, only beside these: 9 mai, May 2022.
    """
    for found in _NAME.finditer(text):
        name = found["name"].rstrip(".").lower()
        plain = len(name) >= _SHORTEST and name not in _ALSO_WORDS
        if name not in _NEVER and (plain or found["day"] or found["year"]):
            yield found[0].strip(" ."), Decimal(MONTH_NUMBER[name])


def days(text: str) -> set[tuple[int, int]]:
    """The days of the year that a text names, as month and day, with those between two of them.

    `6–9 November`, `November 6`, `11月6日至9日`, `2024-11-06`; `06/11/2024` may be either of two.
    """
    found = set()
    for match in chain.from_iterable(pattern.finditer(text) for pattern in _DAYS):
        name = match["month"].rstrip(".").lower()
        if name in _NEVER:
            continue
        month = MONTH_NUMBER.get(name) or int(name)
        first = int(match["day"])
        last = int(match.groupdict().get("last") or first)
        if 1 <= month <= _MONTHS_A_YEAR and 1 <= first <= last <= _DAYS_A_MONTH:
            found |= {(month, day) for day in range(first, last + 1)}
    return found


def weekdays(text: str) -> Iterator[tuple[str, int]]:
    """Each day of the week as named, and its number from Monday, 1, on."""
    for found in _WEEKDAY.finditer(text.replace("’", "'")):
        yield found[0], _WEEKDAY_NUMBER[found[found.lastindex or 0].lower()]


def is_date(text: str) -> bool:
    """Whether it is but a date, with a time and a word at most: `Monday, 8 January 2024 07:45`."""
    rest = text
    for pattern in (*_DAYS, _BESIDE_DAY):
        rest = pattern.sub(" ", rest)
    return bool(days(text)) and not _NO_DATE.search(rest) and len(_WORD.findall(rest)) <= 1


def names_month(text: str) -> bool:
    """Whether it names a month, by its name or in figures: July, 7月."""
    return bool(_IN_FIGURES.search(text)) or any(months(text))
