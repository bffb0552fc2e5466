"""Questions for a number want a passage that states one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa_bot.types import Candidate

_ASKS = re.compile(
    r"""\b(?:
      how\ (?:many|much|long|far|old|big|large|tall|high|deep|often) | combien | berapa
    | wie\ ?viele? | wie\ (?:lange|hoch|gro(?:ß|ss)|alt|weit|oft|tief)
    | cu[aá]nt[oa]s? | quant[oaie]s? | hoeveel | hoe\ (?:lang|groot|hoog|oud|ver)
    | hur\ (?:många|mycket|stor|lång|hög|gammal) | hvor\ (?:mange|meget|mye|stor|lang)
    | kuinka\ (?:monta|moni|paljon|suuri|pitkä) | ilu | kolik | kolko | koliko | c[âa][țţt][ie]?
    | hány | mennyi | kaç | bao\ nhiêu | mấy | сколько | скільки | колко | πόσ\w+ | כמה | كم
    | چند | چقدر
    )\b
    | 多少 | [几幾][个個名人位种種家天月次岁歲座本只项項国國] | 多[大长長高远遠深重久]
    | いくつ | いくら | どのくらい | どれくらい | 何[人個か社国日回歳倍冊枚件軒頭割時万億]
    | 몇 | 얼마 | कितन | کتن | কত | กี่ | เท่าไ
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d+)*")
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")


def states_quantity(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """1 for a passage with a number that is no year, where the question asks how many."""
    if not _ASKS.search(question):
        return [0.0] * len(candidates)
    return [float(_has_number(candidate.passage.text)) for candidate in candidates]


def _has_number(text: str) -> bool:
    return any(not _YEAR.fullmatch(found) for found in _NUMBER.findall(text))
