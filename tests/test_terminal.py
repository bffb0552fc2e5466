"""What an answer looks like in a terminal."""

from __future__ import annotations

import io

import pytest

from qa_bot.terminal import Screen
from qa_bot.types import Answer, Sentence, Usage


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
