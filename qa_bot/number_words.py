"""Numbers in words: twenty-three, quatre-vingts, dua belas, cinquième, 一半.

Reads English, French, Indonesian, German and Spanish up to the hundreds, ordinals up to ten, and
halves; other languages' number words are left unread. 'One' is mostly an article and counts as no
number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

LANGUAGES = frozenset({"en", "fr", "id", "de", "es", "zh"})
"""Whose number words are read here, or by `qa_bot.numbers.with_digits`."""
_UNITS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen",
    "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize",
    "dua tiga empat lima enam tujuh delapan sembilan sepuluh sebelas",
    "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn"
    " siebzehn achtzehn neunzehn",
    "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince",
)
"""A language a line, from two on."""
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "vingt trente quarante cinquante soixante",
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
)
"""From twenty on."""
_VALUES = (
    {word: value for line in _UNITS for value, word in enumerate(line.split(), start=2)}
    | {word: value for line in _TENS for value, word in zip(range(20, 100, 10), line.split(),
                                                            strict=False)}
    | {"quatre-vingt": 80, "quatre-vingts": 80, "dozen": 12, "douzaine": 12, "lusin": 12,
       "hundred": 100, "cent": 100, "cents": 100, "seratus": 100, "hundert": 100, "cien": 100,
       "ciento": 100}
)  # fmt: skip
_TIMES = {"hundred": 100, "cent": 100, "cents": 100, "hundert": 100,
          "belas": 0, "puluh": 10, "ratus": 100}  # fmt: skip
"""What multiplies the word before it; `belas` adds ten to it."""
_HALVES = "half|halves|moitié|demi|demie|setengah|separuh|hälfte|mitad|metade|metà"
_LISTED = "|".join(sorted({*_VALUES, *_TIMES}, key=len, reverse=True))
_RUN = re.compile(
    rf"(?<![\w-])(?:{_LISTED})(?:(?:-|\s+|-et-|\s+(?:et|and|y)\s+)(?:{_LISTED}))*(?![\w-])",
    re.IGNORECASE,
)
_WORD = re.compile(_LISTED, re.IGNORECASE)
_ROUND = re.compile("[近上](百|千|[万萬])")
"""近百 is nearly a hundred."""
_ROUND_VALUES = {"百": 100, "千": 1000, "万": 10_000, "萬": 10_000}
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth",
    "premi(?:er|ère)s? deuxième troisième quatrième cinquième sixième septième huitième neuvième"
    " dixième",
    "pertama kedua ketiga keempat kelima keenam ketujuh kedelapan kesembilan kesepuluh",
    "erste[nrsm]? zweite[nrsm]? dritte[nrsm]? vierte[nrsm]? fünfte[nrsm]? sechste[nrsm]?"
    " siebte[nrsm]? achte[nrsm]? neunte[nrsm]? zehnte[nrsm]?",
    "primer[oa]? segund[oa] tercer[oa]? cuart[oa] quint[oa] sext[oa] séptim[oa] octav[oa] noven[oa]"
    " décim[oa]",
)
"""A language a line, as patterns, from the first on."""
_ORDINAL = [
    re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)
    for words in zip(*(line.split() for line in _ORDINALS), strict=True)
]
_HALF = re.compile(rf"(?<!\w)(?:{_HALVES})(?!\w)|一半|半数|半數|過半|过半", re.IGNORECASE)


def number_words(text: str) -> Iterator[tuple[str, Decimal]]:
    """Each number in words, as written, with its value."""
    for run in _RUN.finditer(text):
        yield run[0], Decimal(_value(_WORD.findall(run[0].casefold())))
    for found in _ROUND.finditer(text):
        yield found[0], Decimal(_ROUND_VALUES[found[1]])


def halves(text: str) -> frozenset[Decimal]:
    """What a half is in figures, where `text` speaks of one: 50 (percent) and 0.5."""
    return frozenset({Decimal(50), Decimal("0.5")} if _HALF.search(text) else ())


def ordinals(text: str) -> frozenset[Decimal]:
    """The places, from 1 to 10, that `text` names in words: second is 2."""
    found = (place for place, words in enumerate(_ORDINAL, start=1) if words.search(text))
    return frozenset(map(Decimal, found))


def _value(words: list[str]) -> int:
    parts: list[int] = []
    for word in words:
        if word in _TIMES and parts:
            parts[-1] = parts[-1] * _TIMES[word] or parts[-1] + 10
        else:
            parts.append(_VALUES.get(word, _TIMES.get(word, 0)))
    return sum(parts)
