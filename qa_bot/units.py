"""Currencies and units of measure, told from each other in the languages of answers.

By the beginnings of their names, which their forms and most languages share. Currencies of one
name (dollars, crowns) are one here, and years are left out: an age or a date may be written
with the word or without. Shares are told by `numbers`, by their value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from qa_bot.numbers import Number, find_numbers, with_digits

_NAMES = {
    "price": {
        "dollar": r"\$|\bdoll?ar|\bdólar|\busd\b|美[元金]|[加澳港新台]元|港[币幣]",
        "euro": r"€|\beuros?\b|\beur\b|[欧歐]元",
        "yuan": r"[¥￥]|\byuan|\brmb\b|\bcny\b|renminbi|人民[币幣]"
        r"|(?<![美欧歐日韩韓加澳港新台公])元",
        "yen": r"[¥￥]|\byens?\b|\bjpy\b|日[元圆圓]",
        "rupiah": r"\brp\b|\bidr\b|\brupi|\broupie|\broepi|盾",
        "rupee": r"₹|\binr\b|\brup(?:ee|i(?!ah))|\broupie|\broepi|[卢盧]比",
        "pound": r"£|\bpounds?\b|\blivres? st|\bpfund|\blibras?\b|\bpond\b|\bgbp\b|英?[镑鎊]",
        "franc": r"\bfran(?:cs?|ken|cos?|chi)\b|\bchf\b|法郎",
        "krone": r"\bkr\b|\bkron|\bcrown|\bcouronne|\bcorona|\bcoroa|\bkroon"
        r"|\b(?:nok|sek|dkk)\b|克朗",
        "rouble": r"₽|\broub|\brub(?:l|el\b)|[卢盧]布",
        "won": r"₩|\bkrw\b|[韩韓]元",
        "peso": r"\bpesos?\b|比索",
        "lira": r"₺|\blir[ae]\b|里拉",
        "baht": r"฿|\bbaht|泰[铢銖]",
    },
    "length": {
        "kilometre": r"\bkms?\b|\bkilom|\bqu?ilôm|\bchilom|公里|千米",
        "metre": r"\bm[eèé]t(?:ers?|res?)\b|\bmetr(?:os|i)\b|(?<![厘毫千方])米|公尺",
    },
    "weight": {
        "kilogram": r"\bkgs?\b|\bkilo(?:s\b|gr)|\bquilo|\bchilo|公斤|千克",
        "tonne": r"\btonn?(?:e|es|s)?\b|\btonnell|\btonelad|[吨噸]",
    },
    "area": {
        "hectare": r"\bha\b|\bh?ectár|\bhe[ck]tar|\bettar|公[顷頃]",
    },
    "volume": {
        "litre": r"\blit(?:ers?|res?|ros?|ri)\b|升",
    },
    "temperature": {
        "degree": r"°|\bdegr|\bderajat|\bgrad[iou]?s?\b|\bgraden|(?<=\d)度",
    },
    "time": {
        "hour": r"\b(?:hours?|heures?|jam|stunden?|horas?|or[ae]|uur)\b|小[时時]|[钟鐘][头頭]",
        "minute": r"\bmin(?:ut\w*)?\b|\bmenit|分[钟鐘]",
        "day": r"\b(?:days?|jours?|hari|tag(?:en?)?|d[ií]as?|giorn[oi]|dagen)\b|天",
        "week": r"\b(?:weeks?\b|semaine|minggu|pekan|woche|semana|settiman|weken)"
        r"|[周週](?!年)|星期|[礼禮]拜",
        "month": r"\b(?:months?|mois|bulan|monate?n?|m[eê]s(?:es|i)?|maand(?:en)?)\b|[个個]月",
    },
}
_BESIDE = {
    "metre": r"\bm\b",
    "tonne": r"\bt\b",
    "litre": r"\bl\b",
    "degree": r"℃|℉|度",
    "hour": r"\bh\b|\dh|\d:\d|o'clock|\b[ap]\.?m\b|\bpukul|\buhr\b|[时時点點]",
    "minute": r"分|['′]",
    "day": r"日|[- ]day\b|\bsehari|\bjourn|\bdaily",
    "week": r"\bsepekan|\bseminggu|\bweekly|\bhebdo",
    "month": r"月|\bsebulan|\bmonthly|\bmensu",
}
"""What also tells of it, but means something else behind a number, as in 8日."""
_KIND = {unit: kind for kind, units in _NAMES.items() for unit in units}
_NAMED = {
    unit: re.compile(name, re.IGNORECASE)
    for units in _NAMES.values()
    for unit, name in units.items()
}
_HINTED = {
    unit: re.compile(f"{name.pattern}|{_BESIDE.get(unit, name.pattern)}", re.IGNORECASE)
    for unit, name in _NAMED.items()
}
_CALLED = {
    "euro": ("euros", "欧元"),
    "yuan": ("yuan", "元"),
    "yen": ("yen", "日元"),
    "rupiah": ("rupiah", "印尼盾"),
    "rouble": ("roubles", "卢布"),
    "won": ("won", "韩元"),
    "baht": ("baht", "泰铢"),
}
"""Those that one country or union has: in Latin letters and in Chinese."""
_BEHIND = {
    unit: re.compile(rf"(?:[ \u00a0\u202f-]|d[ei] |d['’])*(?P<word>(?:{name.pattern})[a-z]*)", re.I)
    for unit, name in _NAMED.items()
}
"""Its whole word behind a number: 41 millions d'euros."""
_SIGN = re.compile(
    r"(?:[$€¥￥£₹₽₩₺฿]|\b(?:rp|usd|eur|rmb|cny|idr|gbp|chf|jpy|krw))\.?\s?$", re.IGNORECASE
)
"""What may stand before a sum."""


def unsupported_units(text: str, question: str, evidence: Sequence[str]) -> list[str]:
    """The units beside numbers of `text` that the evidence does not name, by their English names.

    One that the question names may be left out there, where no other of its kind is named.
    """
    told = "\n".join(evidence)
    return [
        units[0]
        for _, units, _ in _measured(with_digits(text))
        if not _hints(told, units) and (_others(told, units) or not _hints(question, units))
    ]


def repair_currencies(text: str, language: str, evidence: Sequence[str]) -> str:
    """`text` with its sums in a currency that the evidence does not name in the only one it does.

    Small models put a price into the money of the language that they write in. A number that the
    evidence gives no sum of stays: it counts something else there.
    """
    told = with_digits("\n".join(evidence))
    sums = [each for each in _measured(told) if _KIND[each[1][0]] == "price"]
    known = {unit for _, units, _ in sums for unit in units}
    called = [_CALLED[unit][language == "zh"] for unit in known if unit in _CALLED]
    if len(known) == len(called) == 1:
        values = frozenset().union(*(number.values for number, _, _ in sums))
        for number, units, (start, end) in reversed(list(_measured(text))):
            if _KIND[units[0]] == "price" and number.values & values and not _hints(told, units):
                gap = " " if text[end : end + 1].isdigit() else ""
                text = text[:start] + called[0] + gap + text[end:]
    return text


def _measured(text: str) -> Iterator[tuple[Number, list[str], tuple[int, int]]]:
    """What each number of `text` may be in, by the word behind it or a sign before, and where."""
    for number in find_numbers(text):
        sign = _SIGN.search(text, 0, number.start)
        found = _units_at(text, number.end) or (_units_at(text, sign.start()) if sign else {})
        if found:
            yield number, list(found), next(iter(found.values()))


def _units_at(text: str, place: int) -> dict[str, tuple[int, int]]:
    matches = {unit: name.match(text, place) for unit, name in _BEHIND.items()}
    return {unit: match.span("word") for unit, match in matches.items() if match}


def _hints(text: str, units: Iterable[str]) -> bool:
    return any(_HINTED[unit].search(text) for unit in units)


def _others(text: str, units: Sequence[str]) -> bool:
    """Whether `text` names another unit of the same kind."""
    kind = _NAMES[_KIND[units[0]]]
    return any(_NAMED[unit].search(text) for unit in kind if unit not in units)
