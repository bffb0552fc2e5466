"""What the model writes to sentences that passed the checks, while it is still writing.

A sentence that fails is mended once from its evidence, or dropped. What of it was shown by
then is withdrawn: the next piece begins on a new line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from qa_bot.answering import steps
from qa_bot.answering.asked import asked_for, may_state
from qa_bot.answering.check import (
    loops,
    says_nothing,
    tells_nothing_new,
    told_by_prompt,
    unsupported_numbers,
    untranslated,
    without_label,
)
from qa_bot.answering.cite import Citer, with_markers, without_markers
from qa_bot.answering.ground import Evidence
from qa_bot.answering.run import Run
from qa_bot.answering.steps import Gate
from qa_bot.hanzi import in_characters
from qa_bot.models.seam import AnsweringModel
from qa_bot.numbers import stated_values
from qa_bot.prompts import phrases
from qa_bot.text import sentence_spans, without_mark
from qa_bot.types import Sentence

LOOK_AHEAD = 16
"""Characters after a sentence that must be there before it counts as ended."""


class Draft:
    """An answer in the making."""

    def __init__(
        self,
        model: AnsweringModel,
        citer: Citer,
        question: str,
        run: Run,
        gate: Gate,
        lead: str = "",
    ) -> None:
        self._model = model
        self._citer = citer
        self._question = question
        self._run = run
        self._gate = gate
        self._lead = lead
        """What stands before its first sentence."""
        self._shown = ""
        """What is out of the sentence in hand."""
        self._kept = 0
        """Sentences that passed."""

    def read(self, pieces: Iterable[str]) -> Iterator[str]:
        """The pieces to show, made of the pieces that the model writes."""
        text = ""
        for piece in pieces:
            text += piece.replace("\n", " ")
            if loops(text):
                break
            spans = sentence_spans(text)
            # What follows may still show that a sentence had not ended: 'am 3. Oktober'.
            if len(spans) > 1 and len(text) - spans[0].end > LOOK_AHEAD:
                yield from self._close(text[: spans[0].end])
                text = text[spans[0].end :]
            yield from self._show(text[: spans[0].end] if spans else text)
        for span in sentence_spans(text):
            yield from self._close(text[span.start : span.end])

    def _show(self, unfinished: str) -> Iterator[str]:
        """What of a sentence in the making is safe to show: no marker, no number in doubt."""
        safe = re.split(r"[\[【]", without_markers(unfinished))[0].strip()
        safe = self._citer.settled(without_label(safe, self._question))
        safe = self._led(in_characters(safe, self._run.characters)) if safe else ""
        if len(safe) > len(self._shown) and safe.startswith(self._shown):
            yield self._gap() + safe[len(self._shown) :]
            self._shown = safe

    def _close(self, written: str) -> Iterator[str]:
        """The rest of a finished sentence and its markers."""
        self._run.note("write", written.strip())
        yield from self._add(self._checked(without_markers(written).strip()))

    def quote(self, item: Evidence) -> Iterator[str]:
        """This evidence as the next sentence, in the answer's language and with its marker."""
        yield from self._add(self._quoted(item))

    def _add(self, sentence: Sentence | None) -> Iterator[str]:
        gap, shown, self._shown = self._gap(), self._shown, ""
        self._run.note("check", with_markers(sentence) if sentence else "dropped")
        if sentence is None:
            yield from ["\n"] if shown else []
            return
        text = self._led(in_characters(sentence.text, self._run.characters))
        sentence = replace(sentence, text=text)
        self._run.sentences.append(sentence)
        self._kept += 1
        whole = with_markers(sentence)
        yield gap + whole[len(shown) :] if whole.startswith(shown) else "\n" + whole

    def _led(self, text: str) -> str:
        return text if self._kept else self._lead + text

    def _gap(self) -> str:
        return " " if self._run.sentences and not self._shown else ""

    def _checked(self, written: str) -> Sentence | None:
        """A sentence, mended where it has to be; None where nothing can be made of it."""
        text = self._citer.repaired(without_label(written, self._question))
        if says_nothing(text, self._question):
            return None
        quoted = self._citer.resting_on(text)
        quotes = [item.text for item in quoted]
        above = [steps.instruction(), *(item.passage.title for item in quoted)]
        if told_by_prompt(text, self._question, above, quotes):
            return None
        if self._misstates(text, quoted) or not self._stands(text):
            return self._doubted(text, quoted) if self._kept else self._from_evidence(text)
        if untranslated(text, self._run.language, self._question, quotes):
            text = self._in_language(text, quoted)
        return self._citer.cite(text, quoted)

    def _misstates(self, text: str, quoted: Sequence[Evidence]) -> bool:
        if loops(text) or tells_nothing_new(text, self._question, self._fillers()):
            return True
        return bool(self._citer.unstated(text, quoted)) or self._lacks_what_is_asked(text)

    def _fillers(self) -> str:
        """Words that tell nothing; none where a number is asked for, which "un" or 一 may be."""
        return "" if asked_for(self._question) else phrases(self._run.language).fillers

    def _lacks_what_is_asked(self, text: str) -> bool:
        """Whether the first sentence gives no number where one is asked for, or the question's."""
        kind = asked_for(self._question)
        if self._kept or not kind:
            return False
        return not may_state(text, self._run.language, self._question, kind)

    def _stands(self, text: str) -> bool:
        """Whether the model, asked again, finds in the evidence what it wrote."""
        if self._gate.stands == -math.inf:
            return True
        evidence = self._citer.evidence
        odds, usage = steps.stands(self._model, evidence, self._question, text, self._run.language)
        self._run.count(usage)
        self._run.note("verify", f"log-odds {odds:+.1f} of {text}", odds=odds)
        return odds >= self._gate.stands

    def _in_language(self, text: str, quoted: Sequence[Evidence]) -> str:
        """A sentence wholly in the answer's language, if the model can and numbers stay."""
        mended = self._translated(text, quoted[0].passage.language)
        worse = not mended or loops(mended) or self._citer.unstated(mended, quoted)
        return text if worse else mended

    def _from_evidence(self, text: str) -> Sentence | None:
        """The best evidence itself, in place of a first sentence that misstates it.

        None where that invents a number and the evidence has none: it does not answer. The date of
        a document, which a prompt shows, is not invented.
        """
        best = self._citer.evidence[-1]
        given = [best.text, best.passage.date or ""]
        invented = unsupported_numbers(text, self._question, given)
        if invented and not stated_values(best.text) - stated_values(self._question):
            return None
        return self._quoted(best)

    def _doubted(self, text: str, quoted: Sequence[Evidence]) -> Sentence | None:
        """A further sentence that fails: left out, or, if it can be told why, shown as failed."""
        if not self._gate.marks or loops(text) or not self._citer.unstated(text, quoted):
            return None
        return self._citer.cite(text, quoted)

    def _quoted(self, item: Evidence) -> Sentence | None:
        """A piece of evidence as a sentence of the answer, translated where it must be."""
        text = " ".join(without_mark(item.text).split())
        if item.passage.language != self._run.language:
            text = self._citer.repaired(self._translated(text, item.passage.language))
            if untranslated(text, self._run.language, self._question, [item.text]):
                return None
        if not text or loops(text) or self._citer.unstated(text, [item]):
            return None
        return self._citer.cite(text, [item])

    def _translated(self, text: str, source: str) -> str:
        text, usage = steps.translate(self._model, text, source, self._run.language)
        self._run.count(usage)
        return without_markers(text).strip()
