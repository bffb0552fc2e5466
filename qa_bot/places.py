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
    return found


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
