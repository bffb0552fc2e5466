"""Countries named in a text, in any of the languages that answers are written in.

`places.json` holds what the Unicode CLDR calls them (`benchmarks/places.py` makes it).
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

from qa_bot.text import normalise

_STEM = 4
"""Letters that a country's name shares with what is named after it: France, French, français."""
_SHORT = {
    code: re.compile(pattern)
    for code, pattern in {
        "US": r"(?<!\w)(?:U\. ?S\.|USA?|AS|EE\. ?UU\.)(?!\w)|(?i:\bam[eé]ri[ck])"
        r"|美[方军軍俄日]|[中日俄韩韓英]美",
        "GB": r"(?<!\w)(?:U\. ?K\.|UK)(?!\w)|(?i:\b(?:brit|engl|angl|ingl))"
        r"|英方|[中美]英|大不列[颠顛]",
        "CN": r"(?<!\w)(?:PRC|RPC|RRT|RRC)(?!\w)|我[国國]|中方|中[美俄日韩韓法欧歐英德非]",
        "RU": r"俄方|俄[军軍乌烏]|[中美]俄",
        "JP": r"日方|[中美]日|日[韩韓]",
        "KR": r"[韩韓]方|[中美日朝][韩韓]",
        "FR": r"法方|[中英德]法",
        "DE": r"德方|[中英法]德",
        "ID": r"(?<!\w)RI(?!\w)|(?i:\btanah air\b)",
        "AE": r"(?<!\w)(?:U\. ?A\. ?E\.|UAE)(?!\w)|阿[联聯]酋",
    }.items()
}
"""How newspapers write countries beside the names that the CLDR has."""
_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def countries(text: str, language: str) -> dict[str, str]:
    """The countries that `text` names, by their codes, each as it is written there.

    Names are those of `language` and the English ones, told by their capitals too.
    """
    found: dict[str, str] = {}
    for known in dict.fromkeys((language, "en")):
        pattern, codes = _named(known)
        for match in pattern.finditer(text) if codes else ():
            found.setdefault(codes[match.group()], match.group())
    return found


def hinted(text: str) -> set[str]:
    """The codes of all countries that `text` may speak of, in whatever language.

    Their people, their language and what begins alike count as well: rather one too many,
    for what is not hinted at is taken for invented.
    """
    stems, pattern, codes = _hints()
    folded = normalise(text)
    found: set[str] = set()
    for word in _WORD.findall(folded):
        found |= stems.get(word[:_STEM], set())
    for match in pattern.finditer(folded):
        found |= codes[match.group()]
    return found.union(code for code, short in _SHORT.items() if short.search(text))


@cache
def _named(language: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """What finds a language's names of countries, longest first, and whose they are."""
    codes = {name: code for code, (names, _) in _data().get(language, {}).items() for name in names}
    ordered = sorted(codes, key=len, reverse=True)
    parts = (
        re.escape(name) if _UNSPACED.search(name) else rf"(?<!\w){re.escape(name)}(?!\w)"
        for name in ordered
    )
    return re.compile("|".join(parts)), codes


@cache
def _hints() -> tuple[dict[str, set[str]], re.Pattern[str], dict[str, set[str]]]:
    """Countries by the stems of words; what finds them in an unspaced script, and by that."""
    stems: dict[str, set[str]] = {}
    whole: dict[str, set[str]] = {}
    for names in _data().values():
        for code, kinds in names.items():
            for name in map(normalise, (*kinds[0], *kinds[1])):
                if _UNSPACED.search(name):
                    whole.setdefault(name, set()).add(code)
                else:
                    first = _WORD.search(name)
                    stems.setdefault(first.group()[:_STEM] if first else name, set()).add(code)
    ordered = sorted(whole, key=len, reverse=True)
    return stems, re.compile("|".join(map(re.escape, ordered))), whole


@cache
def _data() -> dict[str, dict[str, list[list[str]]]]:
    """For each language and country code: its names, and those of what is named after it."""
    found: dict[str, dict[str, list[list[str]]]] = json.loads(
        (files("qa_bot") / "places.json").read_text("utf-8")
    )
    return found
