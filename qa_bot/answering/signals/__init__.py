"""What speaks for a passage: each signal scores the candidates of one question.

A signal is a function from the question and its candidates to one number a candidate, the
higher the better, in a small module of its own. `answering/retrieve.py` adds them up with
the weights of `prompts/ranking.json`; `benchmarks/README.md` shows what each is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from qa_bot.answering.signals.days import same_day
from qa_bot.answering.signals.nearness import near_pair, near_passage, near_sentence
from qa_bot.answering.signals.quantity import states_quantity
from qa_bot.answering.signals.words import shared_words
from qa_bot.answering.signals.years import same_year
from qa_bot.types import Candidate

Signal = Callable[[str, Sequence[Candidate]], list[float]]

SIGNALS: MappingProxyType[str, Signal] = MappingProxyType(
    {
        "passage": near_passage,
        "sentence": near_sentence,
        "pair": near_pair,
        "words": shared_words,
        "year": same_year,
        "day": same_day,
        "quantity": states_quantity,
    }
)
"""Every signal by the name of its weight."""
