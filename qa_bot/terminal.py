"""What people see in a terminal: answers with their sources, progress bars, messages.

Text from documents and models is printed with control characters replaced, so that it
can neither move the cursor nor colour the screen.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from qa_bot.exports import CAUTION
from qa_bot.streaming import continued, settled
from qa_bot.text import display_width, printable
from qa_bot.types import Answer, Citation, Hit, IndexReport

_FAULTS = ("failed", "undecodable", "too_large", "unsupported", "empty", "duplicate", "skipped")


class Screen:
    """Results on stdout, messages and bars on stderr; colour and bars only on a terminal."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self._bars: dict[str, Any] = {}
        self._status = False

    @property
    def width(self) -> int:
        """Columns of a line that reads well."""
        return min(shutil.get_terminal_size().columns, 100)

    def line(self, text: str = "") -> None:
        """A line of a result, shown at once."""
        self.out.write(printable(text) + "\n")
        self.out.flush()

    def note(self, text: str) -> None:
        """A line for the person, not part of the result; ends what bars there are."""
        for bar in self._bars.values():
            bar.close()
        self._bars.clear()
        self.err.write("\r\x1b[K" * self._status + printable(text) + "\n")
        self._status = False
        self.err.flush()

    def status(self, text: str) -> None:
        """A line that the next one replaces; nothing where stderr is no terminal."""
        if self.err.isatty():
            width = shutil.get_terminal_size().columns - 1
            self.err.write("\r\x1b[K" + printable(text)[:width])
            self._status = True
            self.err.flush()

    def progress(self, what: str, done: int, total: int) -> None:
        """A bar for `what`; nothing where stderr is no terminal."""
        if not self.err.isatty():
            return
        from tqdm import tqdm

        if what not in self._bars:
            size = total > 1_000_000  # bytes rather than passages
            self._bars[what] = tqdm(
                total=total, desc=what, unit="B" if size else "", unit_scale=size,
                file=self.err, leave=False, dynamic_ncols=True,
            )  # fmt: skip
        bar = self._bars[what]
        bar.total = total
        bar.update(done - bar.n)
        if done >= total:
            bar.close()
            del self._bars[what]

    def sources(self, answer: Answer) -> None:
        """What an answer rests on: each quote in its own language, or the closest passages."""
        if answer.status == "refused":
            self._closest(answer.passages[:3])
            return
        self.line()
        for citation in answer.citations:
            self._heading(f"[{citation.marker}] {citation.title}")
            self.line(f"    {_place(citation)}")
            self._also_in(answer.also_in(citation))
            self._wrapped(citation.quote)
        # One without citations says that the documents do not answer a part of the question.
        if any(each.verdict == "unsupported" and each.citations for each in answer.sentences):
            self.note(CAUTION)

    def trace(self, answer: Answer) -> None:
        """How an answer came about, for the person: a line a step, with its seconds."""
        for step in answer.steps:
            self.note(f"{step.seconds:6.2f} s  {step.name:<8}  {' '.join(step.result.split())}")

    def hits(self, hits: Iterable[Hit]) -> None:
        """Ranked passages."""
        for hit in hits:
            passage = hit.passage
            self._heading(f"{hit.rank}. {passage.title}")
            self.line(f"    {passage.source}:{passage.start}-{passage.end}"
                      f" · {passage.language} · {hit.score:.3f}")  # fmt: skip
            self._also_in(hit.also_in)
            self._wrapped(passage.text)

    def report(self, report: IndexReport) -> None:
        """What an index run did: a summary, and each file that needs attention."""
        for file in report.files:
            if file.status in _FAULTS or (file.reason and file.status != "unchanged"):
                reason = f" ({file.reason})" if file.reason else ""
                self.line(f"{file.status}: {file.source}{reason}")
        counts = ", ".join(f"{count} {status}" for status, count in sorted(report.counts.items()))
        if set(report.counts) <= {"unchanged"}:
            counts += ": nothing to do"
        self.line(f"{counts}. {report.passages} passages in the index, {report.seconds:.1f} s.")

    def _closest(self, hits: Sequence[Hit]) -> None:
        if hits:
            self.line()
            self.line("Closest passages:")
            self.hits(hits)

    def _also_in(self, sources: Sequence[str]) -> None:
        if sources:
            self._wrapped(f"also in {', '.join(sources)}")

    def _wrapped(self, text: str) -> None:
        # Imported here: it takes 0.04 s, and `qa-bot --help` needs none of it.
        from wcwidth import wrap

        for row in wrap(printable(" ".join(text.split())), self.width - 4) or [""]:
            self.line("    " + row)

    def _heading(self, text: str) -> None:
        bold, plain = ("\x1b[1m", "\x1b[0m") if self.out.isatty() else ("", "")
        self.out.write(f"{bold}{printable(text)}{plain}\n")


class Told:
    """An answer's text as it is written.

    A terminal shows the sentence in hand at once, dim until it passed its checks, and takes it
    back where it is withdrawn. A file or a pipe gets what passed, and nothing else.
    """

    def __init__(self, screen: Screen) -> None:
        self._out = screen.out
        self._live = screen.out.isatty()
        self._text = ""
        self._kept = ""
        """What of it is settled."""

    def add(self, piece: str) -> None:
        """The next piece of the stream."""
        text = printable(continued(self._text, piece))
        if self._live and text.startswith(self._text) and settled(text) == self._kept:
            self._write(_dim(text[len(self._text) :]))
        else:
            self._settle(settled(text), text)
        self._text = text

    def end(self, answer: str) -> None:
        """The whole text, and the end of its line."""
        answer = printable(answer)
        self._settle(answer, answer)
        self._write("\n")

    def _settle(self, kept: str, text: str) -> None:
        if self._live:
            self._write(self._back() + kept[len(self._kept) :] + _dim(text[len(kept) :]))
        else:
            self._write(kept[len(self._kept) :])
        self._kept = kept

    def _back(self) -> str:
        """What takes the cursor to the end of what is settled, and wipes what stands after it."""
        unsettled = self._text[len(self._kept) :]
        if not unsettled:
            return ""
        columns = shutil.get_terminal_size().columns
        row, column = _end(self._kept, columns)
        if column == columns:
            row, column = row + 1, 0
        up = _end(self._text, columns)[0] - row
        return (f"\x1b[{up}A" if up else "") + f"\x1b[{column + 1}G\x1b[J"

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _end(text: str, columns: int) -> tuple[int, int]:
    """Row and column of the cursor after a text, from 0; at `columns` it waits to wrap."""
    row = column = 0
    for character in text:
        wide = display_width(character)
        if column + wide > columns:
            row, column = row + 1, 0
        column += wide
    return row, column


def _dim(text: str) -> str:
    return f"\x1b[2m{text}\x1b[0m" if text else ""


def _place(citation: Citation) -> str:
    return f"{citation.source}:{citation.start}-{citation.end} · {citation.language}"
