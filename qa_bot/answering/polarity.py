"""Whether a sentence turns what its evidence says into the opposite.

Told by words, in six languages: it denies what nothing denies, affirms what is denied, lets fall
what rises, makes a most of a least. Translations mostly keep such words, so they are compared
across languages, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from qa_bot.numbers import find_numbers, with_digits


def _words(*patterns: str, unspaced: str = "") -> re.Pattern[str]:
    spaced = rf"\b(?:{'|'.join(patterns)})\b"
    return re.compile("|".join(filter(None, (spaced, unspaced))), re.IGNORECASE)


_DENIES = {
    "en": _words(r"not|no|never|none|nobody|nothing|neither|nor|cannot|\w+n['’]t"),
    "fr": _words(r"ne|n['’](?-i:[aeiouyhâàéèêîôû])\w*|jamais|aucune?|rien"),
    "id": _words(r"tidak|bukan|belum|tak|tiada|jangan"),
    "de": _words(r"nicht|kein\w*|nie|niemals|nichts|weder"),
    "es": _words(r"no|nunca|jamás|ning[úu]n\w*|nada|tampoco"),
    # Not alone 未, 无, 非 and 莫, which stand in 无锡, 无人机, 非政府组织 and 莫斯科.
    "zh": re.compile(
        "不|[没沒](?![收落])|[并並尚从從还還]未|未[能曾有]|[毫并並][无無]|[无無][法权權]|[并並绝絕][非]"
    ),
}
"""Words that deny, by language."""
_NO_MORE = (
    r"(?:no|not) (?:more|over)(?: than)?|pas plus d[e’']|nicht mehr als|no más de"
    r"|tidak (?:lebih|melebihi)(?: dari(?:pada)?)?"
)
_NO_LESS = (
    r"(?:no|not) (?:less|fewer) than|pas moins d[e’']|tidak kurang dari|nicht weniger als"
    r"|no menos de"
)
"""A most and a least in the words of their opposites."""
_DENIES_NOTHING = _words(
    r"not (?:only|just|merely)|no doubt|no\.\s?\d+|(?:ne |n['’])\w+ (?:pas|que) seulement",
    r"(?:tidak|bukan) (?:hanya|cuma|sekadar)|nicht nur|no (?:solo|sólo)",
    rf"{_NO_MORE}|{_NO_LESS}",
    unspaced="不[超到足][过過]?|不[仅僅但只光单單断斷同少久过過管论論丹锈鏽动動良错錯]|不可或缺",
)
_LACKS = _words(
    r"without|lack\w*|fail\w*|refus\w*|reject\w*|den(?:y|ie[sd])|exclu\w*|avoid\w*|prevent\w*",
    r"bans?|banned|stop\w*|absen\w*|un(?:able|known|likely)|impossible|hardly|few|only",
    r"\w+-?free|\w{3,}less|sans|manqu\w*|échou\w*|rejet\w*|évit\w*|empêch\w*|interdi\w*|abandon\w*",
    r"peu|seul\w*|tanpa|kurang|gagal|menolak|ditolak|menghindari|mencegah|melarang|hanya",
    r"meninggalkan|ohne|fehl\w*|abgelehnt|lehnt\w*|verhinder\w*|verbot\w*|nur|sin|falta\w*",
    r"rechaz\w*|neg[óoa]\w*|impid\w*|solo|sólo|non",
    unspaced="[缺拒禁免避防弃棄失停止只未无無非]",
)
"""What a translation may deny instead: "receptionist-free" is « sans réceptionniste »."""
_RISES = _words(
    r"rise[sn]?|rising|rose|increas\w*|grow(?:s|n|ing|th)?|grew|gain\w*|climb\w*|jump\w*",
    r"augment\w*|progress\w*|croî\w*|croissance|bondi\w*|hausse|naik|meningkat\w*|peningkatan",
    r"tumbuh|pertumbuhan|bertambah|steig\w*|stieg\w*|gestiegen|wachs\w*|wuchs\w*|aument\w*|creci\w*",
    unspaced="增[长長加幅]|上升|提[高升]|[飙飆]升",
)
_FALLS = _words(
    r"fall(?:s|en|ing)?|fell|decreas\w*|drop\w*|declin\w*|shr[aiu]nk\w*|diminish\w*|baiss\w*",
    r"recul\w*|diminu\w*|chut\w*|turun|menurun\w*|penurunan|berkurang|merosot|sinken|sanken|gesunken",
    r"fielen|gefallen|rückgang\w*|disminu\w*|cay(?:ó|eron)|descend(?:ió|ieron)",
    unspaced="下[降跌滑]|[减減]少|[缩縮]小|降低",
)
_MANY = _words(
    r"most of|majority|majorité|la plupart|sebagian besar|mayoritas|mehrheit|die meisten|mayoría",
    unspaced="大多[数數]|大部分|多半",
)
_FEW = _words(
    r"few of|minority|minorité|sebagian kecil|minoritas|minderheit|minoría",
    unspaced="[极極]少[数數]|少[数數](?!民族)|小部分",
)
_OPPOSITES = ((_RISES, _FALLS), (_MANY, _FEW))
_LEAST_BEFORE = re.compile(
    r"(?:\b(?:more than|over|above|at least|exceed(?:s|ed|ing)?|plus (?:de|d['’])|au moins"
    r"|dépass\w*|supérieure? à|lebih (?:dari|daripada)|melebihi|melampaui|sedikitnya|setidaknya"
    r"|mehr als|über|mindestens|más de|al menos)|超[过過]|[超逾]|至少|高[于於])\s*$",
    re.IGNORECASE,
)
_LEAST_AFTER = re.compile(
    r"\s*(?:[余餘多]|以上|or more\b|ou plus\b|atau lebih\b|oder mehr\b|o más\b)"
)
_MOST_BEFORE = re.compile(
    r"(?:\b(?:less than|fewer than|under|below|at most|up to|nearly|almost|moins (?:de|d['’])"
    r"|au plus|près de|presque|jusqu['’]à|inférieure? à|kurang dari|hampir|paling banyak|di bawah"
    r"|weniger als|unter|höchstens|fast|nahezu|menos de|casi|hasta)|不[到足]|[低少][于於]|近|接近"
    r"|最多)\s*$",
    re.IGNORECASE,
)
_DENIED_BOUND = re.compile(
    rf"(?:(?P<most>\b(?:{_NO_MORE})|不[超高多][过過于於]?)|\b(?:{_NO_LESS})|不[少低][于於])\s*$",
    re.IGNORECASE,
)
_REACH = 24
"""Characters beside a number that say whether it is a bound."""
_CLAUSE = re.compile(r"[^,;:.!?()\[\]\"«»“”，；：。！？（）、]+")
_TELLING = re.compile(r"[^\W\d_]{4,}")
_TOLD = 3
"""Words after a denial that say what is denied."""
_HAN = re.compile(r"[\u3400-\u9fff]{5}")


def turned_round(text: str, language: str, question: str, evidence: Sequence[str]) -> list[str]:
    """The words of `text`, in `language`, that say the opposite of what `evidence` says.

    What the question says itself may be said. Found by the words of six languages; whatever the
    text should be in, a model may have written another one.
    """
    given = (question, *evidence)
    return [
        *_denied(text, language, given),
        *_affirmed(text, language, evidence),
        *(
            word
            for one, other in _OPPOSITES
            for word in (*_only_here(one, other, text, given), *_only_here(other, one, text, given))
        ),
        *_other_bounds(text, evidence),
    ]


def _denials(text: str, languages: Iterable[str] = _DENIES) -> list[re.Match[str]]:
    """What denies in a text, which may be in any of these languages."""
    text = _DENIES_NOTHING.sub(lambda found: " " * len(found.group()), text)
    return [
        found for each in languages if each in _DENIES for found in _DENIES[each].finditer(text)
    ]


def _denied(text: str, language: str, given: Sequence[str]) -> list[str]:
    """What denies in `text`, where nothing that is given denies or lacks anything.

    Of other languages nothing: in Portuguese "no" is "in the".
    """
    if language not in _DENIES or any(_denials(each) or _LACKS.search(each) for each in given):
        return []
    return [found.group() for found in _denials(text)]


def _affirmed(text: str, language: str, evidence: Sequence[str]) -> list[str]:
    """What `text` affirms in the words in which the evidence, of its language, denies it."""
    if _denials(text, [language]) or _LACKS.search(text):
        return []
    denied = (
        _told(each[found.end() :], language)
        for each in evidence
        for found in _denials(each, [language])
    )
    folded = text.casefold()
    return [" ".join(words) for words in denied if words and all(word in folded for word in words)]


def _told(rest: str, language: str) -> list[str]:
    """The words that a denial is about, of what follows it; none where they are too few."""
    clause = _CLAUSE.match(rest)
    following = _DENIES[language].sub(" ", clause.group().casefold()) if clause else ""
    if language == "zh":
        characters = _HAN.match(following.strip())
        return [characters.group()] if characters else []
    words = _TELLING.findall(following)[:_TOLD]
    return words if len(words) == _TOLD else []


def _only_here(
    one: re.Pattern[str], other: re.Pattern[str], text: str, given: Sequence[str]
) -> list[str]:
    """The words for `one` in `text`, where all that is given speaks of the `other` instead."""
    if any(one.search(each) for each in given) or not any(other.search(each) for each in given):
        return []
    return [] if other.search(text) else one.findall(text)


def _other_bounds(text: str, evidence: Sequence[str]) -> list[str]:
    """The numbers that are a most in `text` and a least wherever the evidence has them, or so."""
    known = [bound for each in evidence for bound in _bounds(each)]
    return [
        written
        for written, values, bound in _bounds(text)
        if bound
        and (others := [theirs for _, same, theirs in known if same & values])
        and all(theirs == -bound for theirs in others)
    ]


def _bounds(text: str) -> list[tuple[str, frozenset[Decimal], int]]:
    """The numbers of a text, each with 1 where it is a least, -1 where a most, else 0."""
    text = with_digits(text)
    found = []
    for number in find_numbers(text):
        before = text[max(0, number.start - _REACH) : number.start]
        after = text[number.end : number.end + _REACH]
        if denied := _DENIED_BOUND.search(before):
            bound = -1 if denied["most"] else 1
        else:
            least = bool(_LEAST_BEFORE.search(before) or _LEAST_AFTER.match(after))
            bound = least - bool(_MOST_BEFORE.search(before))
        found.append((text[number.start : number.end].strip(), number.values, bound))
    return found
