"""What an answer looks like in a terminal."""

from __future__ import annotations

import io
import os
import shutil

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.streaming import continued
from qa_bot.terminal import Screen, Told
from qa_bot.text import display_width
from qa_bot.types import Answer, Hit, Passage, Sentence, Usage


@pytest.mark.parametrize(
    ("doubtful", "warned"),
    [
        (Sentence("It has 9 floors.", (1,), "unsupported"), True),
        (Sentence("And when? The documents do not say.", (), "unsupported"), False),
    ],
)
def test_a_number_in_doubt_is_warned_of_and_an_open_question_is_not(
    doubtful: Sentence, warned: bool
) -> None:
    screen = Screen(io.StringIO(), io.StringIO())
    screen.sources(
        Answer(
            id="1",
            question="How high is it, and when was it built?",
            status="answered",
            language="en",
            answer=doubtful.text,
            sentences=(doubtful,),
            citations=(),
            passages=(),
            retrieved=(),
            standalone_question="",
            model="",
            seconds=0.0,
            first_token_seconds=None,
            usage=Usage(),
        )
    )
    assert isinstance(screen.err, io.StringIO)
    assert ("Caution" in screen.err.getvalue()) == warned


def test_a_documents_text_neither_colours_the_screen_nor_runs_over_its_edge() -> None:
    text = "\x1b[31mred \u202e 世界互联网大会 " + "在乌镇举行的世界互联网大会" * 9
    out = io.StringIO()
    Screen(out).hits([Hit(1, 0.5, Passage("p", "a.txt", 0, 9, text, "T\x1b[2J", "zh", None))])
    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
    columns = shutil.get_terminal_size().columns
    assert all(display_width(line) <= columns for line in out.getvalue().splitlines())


WIDTH, HEIGHT = 20, 60


class Emulated(pyte.Screen):
    """What pyte leaves out: a wide character never hangs over the last column."""

    def draw(self, data: str) -> None:
        for character in data:
            if self.cursor.x == self.columns - 1 and display_width(character) == 2:
                self.carriage_return()
                self.linefeed()
            super().draw(character)


class Terminal(io.StringIO):
    """A terminal of few columns, and what a person sees in it."""

    def __init__(self) -> None:
        super().__init__()
        self._screen = Emulated(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self._screen)

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._stream.feed(text.replace("\n", "\r\n"))
        return len(text)

    @property
    def seen(self) -> str:
        """What stands on the screen, its rows put together."""
        return "".join(self._screen.display).rstrip()


WORDS = st.text("abc 乌镇é", min_size=1, max_size=30)
SENTENCES = st.lists(st.tuples(st.lists(WORDS, max_size=3), st.none() | WORDS), max_size=4)
"""What is shown of each sentence while it is written, and what it comes to: none if withdrawn."""


def streamed(sentences: list[tuple[list[str], str | None]]) -> tuple[list[str], str]:
    """The pieces that a pipeline gives of such sentences, and the answer they come to."""
    pieces, told = [], list[str]()
    for drafts, kept in sentences:
        gap = " " if told else ""
        shown = "".join(drafts)
        pieces += [gap + drafts[0], *drafts[1:]] if drafts else []
        if kept is not None:
            told.append(f"{kept} [{len(told) + 1}]")
            pieces.append("\n" + told[-1] if drafts and shown else gap + told[-1])
        elif drafts:
            pieces.append("\n")
    if not told:
        told.append("The documents do not say.")
        pieces += told
    return pieces, " ".join(told)


@given(SENTENCES)
def test_a_pipe_gets_the_answer_and_nothing_that_was_withdrawn(
    sentences: list[tuple[list[str], str | None]],
) -> None:
    pieces, answer = streamed(sentences)
    out = io.StringIO()
    told = Told(Screen(out, io.StringIO()))
    for piece in pieces:
        told.add(piece)
        assert answer.startswith(out.getvalue())
    told.end(answer)
    assert out.getvalue() == answer + "\n"


@given(SENTENCES)
def test_a_terminal_shows_each_sentence_at_once_and_takes_back_what_is_withdrawn(
    sentences: list[tuple[list[str], str | None]],
) -> None:
    pieces, answer = streamed(sentences)
    terminal = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((WIDTH, HEIGHT)))
        told = Told(Screen(terminal, io.StringIO()))
        text = ""
        for piece in pieces:
            told.add(piece)
            text = continued(text, piece)
            assert squeezed(terminal.seen) == squeezed(text)
        told.end(answer)
    assert squeezed(terminal.seen) == squeezed(answer)


def squeezed(text: str) -> str:
    """Without spaces: a wide character that does not fit leaves its row's last column empty."""
    return text.replace(" ", "")
