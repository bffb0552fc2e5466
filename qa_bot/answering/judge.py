"""Which of the nearest sentences states the answer, and whether that is enough to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qa_bot.answering import steps
from qa_bot.answering.asked import Kind
from qa_bot.answering.cite import ReadText
from qa_bot.answering.ground import Evidence, merged, place, with_the_one_before
from qa_bot.answering.run import Run
from qa_bot.answering.signals.years import years_in
from qa_bot.answering.steps import Gate
from qa_bot.models.seam import AnsweringModel
from qa_bot.numbers import stated_values

ENOUGH = 3
"""Sentences after which it stops where none comes near to answering."""
MORE = 2
"""Sentences that are still judged after one that likely answers: one of them may do so better."""
AGAIN = 2
"""The best of them, which are judged once more behind the sentence before, where none is likely."""
RIVALS = 2
"""Other documents that may tell another number."""
AS_NEAR = 0.15
"""How much less near to the question a sentence of theirs may be."""


def stating(
    model: AnsweringModel,
    read_text: ReadText,
    question: str,
    near: Sequence[Evidence],
    run: Run,
    gate: Gate,
) -> tuple[Evidence, ...]:
    """The one that states the answer best, behind the sentence that it needs, if it needs one.

    None where the documents do not answer. A small model mixes in what stands beside it.
    """
    judged = _judged(model, question, near, run, gate)
    if not judged:
        return ()
    if max(item.support for item in judged) < gate.likely:
        judged = _judged_again(model, read_text, question, judged, run)
    best = max(judged, key=lambda item: item.support)
    chance = gate.chance(best)
    if chance >= (run.confidence or 0.0):
        run.confidence, run.nearest = chance, best
    run.note(
        "gate",
        f"chance {chance:.2f}; answers from {gate.least:.2f} on ({gate.strictness} strictness)",
        chance=chance,
        support=best.support,
        nearness=best.nearness,
    )
    if chance < gate.least:
        return ()
    shown = [replace(run.found[item.passage.id], passage=item.passage) for item in judged]
    run.shown = merged(run.shown, shown)
    return (best.before, best) if best.before else (best,)


def rivals(
    model: AnsweringModel,
    question: str,
    kind: Kind,
    best: Evidence,
    near: Sequence[Evidence],
    run: Run,
    gate: Gate,
) -> list[Evidence]:
    """The sentences of other documents that likely answer, too, and by another number.

    Reports of several years do: which one is meant only the asker knows.
    """
    seen = {best.passage.source}
    judged: list[Evidence] = []
    for item in near:
        if len(judged) == RIVALS or item.nearness < best.nearness - AS_NEAR:
            break
        if item.passage.source in seen:
            continue
        seen.add(item.passage.source)
        if not any(_told_alike(item, other, question, kind) for other in (best, *judged)):
            judged.append(replace(item, support=_support(model, question, [item], run)))
    likely = [item for item in judged if item.support >= gate.likely]
    run.shown = merged(run.shown, [run.found[item.passage.id] for item in likely])
    return likely


def _told_alike(one: Evidence, other: Evidence, question: str, kind: Kind) -> bool:
    """Whether both state a number that the question has not; a year only where a date is asked."""
    shared = stated_values(one.text) & stated_values(other.text) - stated_values(question)
    return bool(shared if kind == "time" else shared - years_in(one.text))


def _judged(
    model: AnsweringModel, question: str, near: Sequence[Evidence], run: Run, gate: Gate
) -> list[Evidence]:
    """The sentences as the model judges them, up to the first that surely answers.

    After one that likely does, only the next two are read; and after three that are far from it
    none: the others would not answer either.

    One by one: a small model tells apart well whether one sentence answers, and badly
    which of several does.
    """
    judged: list[Evidence] = []
    last = len(near)
    for number, item in enumerate(near, start=1):
        read = [item.before, item] if item.before else [item]
        judged.append(replace(item, support=_support(model, question, read, run)))
        best = max(each.support for each in judged)
        if best >= gate.likely:
            last = min(last, number + MORE)
        if best >= gate.sure or number == last or (number == ENOUGH and best < gate.hopeless):
            break
    return judged


def _judged_again(
    model: AnsweringModel,
    read_text: ReadText,
    question: str,
    judged: Sequence[Evidence],
    run: Run,
) -> list[Evidence]:
    """The same, the best two of them by both judgements: alone, and behind the sentence before.

    A sentence that says "this programme" or "he" answers only with what it points back to; and
    the mean of two judgements is steadier than one (benchmarks/README.md). One that alone rather
    does not answer is left: the mean would hardly say that it does.
    """
    best_first = sorted(judged, key=lambda item: -item.support)
    again = []
    for item in best_first[:AGAIN]:
        both = with_the_one_before(item, read_text(item.passage.source))
        if both and not item.before and item.support >= 0:
            support = _support(model, question, both, run)
            evidence = both[1] if support > item.support else item
            item = replace(evidence, support=(item.support + support) / 2)
        again.append(item)
    return again + best_first[AGAIN:]


def _support(
    model: AnsweringModel, question: str, sentences: Sequence[Evidence], run: Run
) -> float:
    """Log-odds that they state the answer; where it is two, the first only helps to read it."""
    asked = (question, *map(place, sentences))
    if asked not in run.supports:
        support, usage = steps.support(model, sentences, question, run.language)
        run.count(usage)
        item = sentences[-1]
        told = " ".join(each.text for each in sentences)
        run.note(
            "judge",
            f"log-odds {support:+.1f} of {place(item)}: {told}",
            odds=support,
            nearness=item.nearness,
        )
        run.supports[asked] = support
    return run.supports[asked]
