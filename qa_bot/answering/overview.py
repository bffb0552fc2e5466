"""What the documents say on a topic, where no single fact is asked for."""

from __future__ import annotations

from collections.abc import Sequence

from qa_bot.answering import steps
from qa_bot.answering.ground import Evidence
from qa_bot.answering.run import Run
from qa_bot.answering.steps import Gate
from qa_bot.models.seam import AnsweringModel
from qa_bot.prompts import asks, phrases
from qa_bot.text import language_of

SENTENCES = 5
"""That an overview has at most;"""
OF_ONE = 3
"""of one document at most;"""
LOOKS = 10
"""and the nearest that they are chosen from."""


def is_asked(question: str) -> bool:
    """Whether the question asks for an overview, by words such as `summarise`.

    Known in the languages whose `prompts/languages.json` has an `overview`; a small model tells
    it less well (benchmarks/README.md).
    """
    return asks(phrases(language_of(question, "en")).overview, question)


def on_topic(
    model: AnsweringModel, question: str, near: Sequence[Evidence], run: Run, gate: Gate
) -> list[Evidence]:
    """The sentences that say something on the topic, the nearest first; not all of one document."""
    chosen: list[Evidence] = []
    for item in near[:LOOKS]:
        if sum(other.passage.source == item.passage.source for other in chosen) == OF_ONE:
            continue
        odds, usage = steps.on_topic(model, item, question, run.language)
        run.count(usage)
        run.note("topic", f"log-odds {odds:+.1f}: {item.text}", odds=odds)
        if odds >= gate.topic:
            chosen.append(item)
        if len(chosen) == SENTENCES:
            break
    return chosen
