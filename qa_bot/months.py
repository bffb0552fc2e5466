"""The names of the months, in the languages of dates that are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

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
_IN_FIGURES = re.compile(r"\d\s?[月월]")
_ALSO_WORDS = {"march", "mars", "marzo", "sept"}
"""Other words as well: a verb, a planet, seven;"""
_NEVER = {"des", "set", "mar"}
"""and these stand beside other figures, too: « 12 des 2000 invités »."""
_SHORTEST = 4


def months(text: str) -> Iterator[tuple[str, Decimal]]:
    """Each name of a month, with its day or year, and the month's number from 1 on.

    Short names, and those that are other words as well, only beside these: 9 mai, May 2022.
    """
    for found in _NAME.finditer(text):
        name = found["name"].rstrip(".").lower()
        plain = len(name) >= _SHORTEST and name not in _ALSO_WORDS
        if name not in _NEVER and (plain or found["day"] or found["year"]):
            yield found[0].strip(" ."), Decimal(MONTH_NUMBER[name])


def names_month(text: str) -> bool:
    """Whether it names a month, by its name or in figures: July, 7月."""
    return bool(_IN_FIGURES.search(text)) or any(months(text))
