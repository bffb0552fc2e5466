"""Which of the nearest sentences state the answer, and whether that is enough to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qa_bot.answering import steps
from qa_bot.answering.ground import Evidence, best_last, merged, place
from qa_bot.answering.run import Run
from qa_bot.answering.steps import Gate
from qa_bot.models.seam import AnsweringModel

ENOUGH = 3
"""Sentences after which it stops where none comes near to answering."""


def stating(
    model: AnsweringModel, question: str, near: Sequence[Evidence], run: Run, gate: Gate
) -> tuple[Evidence, ...]:
    """Those that state the answer, the best last; none where the documents do not answer."""
    judged = _judged(model, question, near, run, gate)
    if not judged:
        return ()
    chosen = best_last(judged)
    best = chosen[-1]
    chance = gate.chance(best)
    run.confidence = max(chance, run.confidence or 0.0)
    run.note(
        "gate",
        f"chance {chance:.2f}; answers from {gate.least:.2f} on ({gate.strictness} strictness)",
        chance=chance,
        support=best.support,
        nearness=best.nearness,
    )
    if chance < gate.least:
        return ()
    run.shown = merged(run.shown, [run.found[item.passage.id] for item in judged])
    return chosen


def _judged(
    model: AnsweringModel, question: str, near: Sequence[Evidence], run: Run, gate: Gate
) -> list[Evidence]:
    """The sentences as the model judges them, up to the first that surely answers.

    After three that are far from it the others are left: they would not answer either.

    One by one: a small model tells apart well whether one sentence answers, and badly
    which of several does.
    """
    judged: list[Evidence] = []
    for item in near:
        support, usage = steps.support(model, item, question, run.language)
        run.count(usage)
        judged.append(replace(item, support=support))
        told = f"log-odds {support:+.1f} of {place(item)}: {item.text}"
        run.note("judge", told, odds=support, nearness=item.nearness)
        best = max(each.support for each in judged)
        if best >= gate.sure or (len(judged) == ENOUGH and best < gate.hopeless):
            break
    return judged
