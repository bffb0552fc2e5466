"""Numbers in words: twenty-three, five million, quatre-vingts, dua belas, cinquième, 一半.

Reads English, French, Indonesian, German and Spanish, ordinals up to ten, and halves; other
languages' number words are left unread. 'One' is mostly an article and counts as no number by
itself: 'one million' and 'twenty-one' are.
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
    "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis"
    " diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro"
    " veinticinco veintiséis veintisiete veintiocho veintinueve",
)
"""A language a line, from two on."""
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "vingt trente quarante cinquante soixante",
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
)
"""From twenty on."""
_GERMAN_UNITS = ("ein", *_UNITS[3].split()[:8])
_VALUES = (
    {f"{unit}und{ten}": value + 10 * tens
     for tens, ten in enumerate(_TENS[2].split(), start=2)
     for value, unit in enumerate(_GERMAN_UNITS, start=1)}
    | {word: value for line in _UNITS for value, word in enumerate(line.split(), start=2)}
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
POWERS: dict[str, tuple[int, ...]] = {
    # 'billion' is 10^9 in English and 10^12 in French, German and Spanish: both are kept,
    # and a comparison holds if any reading agrees.
    **dict.fromkeys(("thousand", "mille", "mil", "ribu", "tausend", "тысяч", "тысячи"), (3,)),
    **dict.fromkeys(
        ("million", "millions", "juta", "jt", "millionen", "mio", "millón", "millones", "milhão",
         "milhões", "milione", "milioni", "miljoen", "milyon", "миллион", "миллиона", "миллионов"),
        (6,),
    ),
    **dict.fromkeys(
        ("milliard", "milliards", "miliar", "milyar", "milliarde", "milliarden", "mrd", "bn",
         "mil millones", "mil milhões", "bilhão", "bilhões", "miliardo", "miliardi", "miljard",
         "миллиард", "миллиарда", "миллиардов"),
        (9,),
    ),
    **dict.fromkeys(("billion", "billions", "billionen", "billón", "billones"), (9, 12)),
    **dict.fromkeys(
        ("trillion", "trillions", "triliun", "trilhão", "trilhões", "триллион", "триллионов",
         "trilyon", "biljoen", "mille milliards"),
        (12,),
    ),
}  # fmt: skip
"""Words for powers of ten, with each power that they may name."""
_LISTED = "|".join(sorted({*_VALUES, *_TIMES}, key=len, reverse=True))
_POWER = "|".join(sorted(POWERS, key=len, reverse=True))
_ONE = "one|une?|satu|an?|eine?|uno"
_TEN = "|".join(f"(?<={end})" for end in ("ty", "vingt", "trente", "ante", "enta", "puluh"))
_AND = r"(?:-|\s+|-et-|\s+(?:et|and|y)\s+)"
_RUN = re.compile(
    rf"(?<![\w-])(?:(?:{_ONE})[\s-]+(?:{_POWER})|se(?:ribu|juta|miliar|triliun)|(?:{_LISTED}))"
    rf"(?:{_AND}(?:{_POWER}|{_LISTED}))*(?:(?:{_TEN}){_AND}(?:one|une?|satu|un[oa]))?(?![\w-])",
    re.IGNORECASE,
)
_WORD = re.compile(rf"\b(?:{_ONE})\b|{_POWER}|{_LISTED}", re.IGNORECASE)
_NO_NUMBER = re.compile(
    r"\b(?:per|pour|por) ?cent[oi]?\b|\bpor ciento\b|\bSept(?=\.|\s+\d)|\bonce\b|\bto seize\b"
    r"|(?<=\d )cents\b|(?-i:\bLima\b(?!\s+[a-z]))",
    re.IGNORECASE,
)
"""What only looks like one: per cent, once (11 in Spanish), Sept. 5, Lima (5 in Indonesian)."""
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


def number_words(text: str) -> Iterator[tuple[str, frozenset[Decimal]]]:
    """Each number in words, as written, with every value it can be read as."""
    for run in _RUN.finditer(_NO_NUMBER.sub(lambda found: "_" * len(found[0]), text)):
        words = _WORD.findall(run[0].casefold())
        yield run[0], frozenset(Decimal(_value(words, scale)) for scale in (0, -1))
    for found in _ROUND.finditer(text):
        yield found[0], frozenset({Decimal(_ROUND_VALUES[found[1]])})


def halves(text: str) -> frozenset[Decimal]:
    """What a half is in figures, where `text` speaks of one: 50 (percent) and 0.5."""
    return frozenset({Decimal(50), Decimal("0.5")} if _HALF.search(text) else ())


def ordinals(text: str) -> frozenset[Decimal]:
    """The places, from 1 to 10, that `text` names in words: second is 2."""
    found = (place for place, words in enumerate(_ORDINAL, start=1) if words.search(text))
    return frozenset(map(Decimal, found))


def _value(words: list[str], scale: int) -> int:
    """The value of a run; `scale` is which of the powers that 'billion' may name is meant."""
    total, parts = 0, [0]
    for word in words:
        if word in POWERS:
            total, parts = total + (sum(parts) or 1) * 10 ** POWERS[word][scale], [0]
        elif word in _TIMES and parts[-1]:
            parts[-1] = parts[-1] * _TIMES[word] or parts[-1] + 10
        else:
            parts.append(_VALUES.get(word, _TIMES.get(word, 1)))
    return total + sum(parts)
