"""Both real engines on the same prompts: what the seam promises of each of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from qa_bot.errors import BackendError
from qa_bot.models.embedded import EmbeddedLLM, drain
from qa_bot.models.engine import Engine, load_engine
from qa_bot.models.llamacpp_engine import LlamaCppEngine
from qa_bot.models.openvino_engine import OpenVINOEngine
from qa_bot.models.replies import yes_share
from qa_bot.models.seam import EmbeddedModel
from qa_bot.prompts import load_prompt
from qa_bot.types import Message, Usage

pytestmark = pytest.mark.models

HELLO = [Message("system", "You are terse."), Message("user", "Say hello in French.")]
EMOJI = [Message("user", "Repeat exactly: 你好，世界 🎉👩‍👩‍👧 привет")]


def long_prompt(words: int) -> list[Message]:
    # The time comes first, so that nothing of it is in the prefix cache.
    return [Message("user", f"{time.monotonic()} {'fox ' * words}\nHow many foxes?")]


def yes_no(question: str) -> list[Message]:
    return [Message("user", f"{question} Answer Yes or No.")]


def test_it_answers_greedily_with_its_usage(real_engine: Engine) -> None:
    """Twice the same text, whether or not the prompt is in the prefix cache."""
    text, usage = drain(real_engine.generate(HELLO, max_tokens=12))
    assert "onjour" in text
    assert 10 < usage.prompt_tokens < 60
    assert 1 <= usage.completion_tokens <= 12
    assert drain(real_engine.generate(HELLO, max_tokens=12)) == (text, usage)


def test_characters_are_never_torn(real_engine: Engine) -> None:
    """Every piece is whole text, though an emoji's bytes come in several tokens."""
    pieces = list(real_engine.generate(EMOJI, max_tokens=40))
    assert len(pieces) > 3
    assert "�" not in "".join(pieces)
    assert "你好" in "".join(pieces)


def test_the_limit_holds(real_engine: Engine) -> None:
    _, usage = drain(real_engine.generate(EMOJI, max_tokens=2))
    assert usage.completion_tokens <= 2


def test_a_grammar_is_obeyed(real_engine: Engine) -> None:
    """The same text in both engines' dialects, with nothing but the options or NONE."""
    grammar = 'root ::= "NONE" | sel (", " sel)?\nsel ::= "S1" | "S2" | "S12"\n'
    ask = [Message("user", "S1: Cats purr. S2: Skies are blue. S12: Fire is hot.\nWhich? ")]
    text, _ = drain(real_engine.generate(ask, max_tokens=20, grammar=grammar))
    assert text == "NONE" or set(text.split(", ")) <= {"S1", "S2", "S12"}


def test_a_wrong_grammar_is_an_error_that_harms_no_later_call(real_engine: Engine) -> None:
    with pytest.raises(BackendError, match=r"(?i)gramm|EBNF"):
        drain(real_engine.generate(HELLO, max_tokens=5, grammar="root ::= ((("))
    assert drain(real_engine.generate(HELLO, max_tokens=5))[0]


def test_next_tokens_are_probabilities(real_engine: Engine) -> None:
    """Unconstrained ones, of the likeliest ten tokens, and sensible."""
    tokens, usage = real_engine.next_token(yes_no("Is the sky blue on a clear day?"))
    assert 5 <= len(tokens) <= 10
    assert all(0 <= p <= 1 for p in tokens.values())
    assert 0.5 < tokens["Yes"] + tokens["No"] <= sum(tokens.values()) <= 1.001
    assert yes_share(tokens.items()) > 0.5
    assert usage.completion_tokens == 1


QUESTIONS = {
    "How many companies took part in 2020?": "130 entreprises ont participé à l'exposition. "
    "L'économie numérique a atteint 35 800 milliards de yuans en 2019, soit 36,2% du PIB.",
    "Who is the head of Cainiao?": "Wan Lin, PDG de Cainiao Network, a pris part à la réunion.",
    "How many people came?": "Plus de 2 000 personnes sont venues de plus de 120 pays.",
    "How many people came in 2022?": "Plus de 2 000 personnes sont venues de plus de 120 pays.",
}


@pytest.mark.parametrize("kind", [LlamaCppEngine, OpenVINOEngine])
def test_what_was_asked_before_changes_nothing(
    kind: type[Engine], embedded_model_path: Path, default_model_path: Path
) -> None:
    """The same probabilities, bit for bit, and the same texts in another order."""
    path = default_model_path if kind is OpenVINOEngine else embedded_model_path

    def asked(order: Sequence[int]) -> dict[int, tuple[float, str]]:
        engine: Any = kind(path, context_window=1024, threads=None)  # type: ignore[call-arg]
        model = EmbeddedModel(EmbeddedLLM(lambda: engine, model="tiny"))
        found = {}
        for place in order:
            question, evidence = list(QUESTIONS.items())[place]
            gate = load_prompt("gate").fill(evidence=evidence, question=question)
            answer = load_prompt("answer").fill(
                evidence=evidence, question=question, instruction="Answer in English."
            )
            probability, _ = model.probability_of_yes(gate)
            found[place] = probability, drain(model.stream(answer, max_tokens=8))[0]
        engine.close()
        return found

    assert asked([0, 1, 2, 3]) == asked([3, 0, 0, 2, 1, 3])


def test_the_prefix_cache_changes_no_probability(real_engine: Engine) -> None:
    """A prompt read afresh and one found in the cache say the same, to two per cent.

    Bit for bit OpenVINO does not: see `EmbeddedModel`, which asks nothing twice.
    """
    ask = [Message("user", f"{time.monotonic()}: {'A fox jumps. ' * 60} Is it a fox? Yes or No?")]
    fresh = yes_share(real_engine.next_token(ask)[0].items())
    assert yes_share(real_engine.next_token(ask)[0].items()) == pytest.approx(fresh, abs=0.02)


def test_a_prompt_over_the_window_is_told_with_both_numbers(real_engine: Engine) -> None:
    ask = long_prompt(3000)
    with pytest.raises(
        BackendError, match=r"prompt has 3\d{3} tokens.*1024.*QA_BOT_CONTEXT_WINDOW"
    ):
        drain(real_engine.generate(ask, max_tokens=5))
    with pytest.raises(BackendError, match=r"prompt has 3\d{3} tokens.*1024"):
        real_engine.next_token(ask)


def test_closing_cancels_at_once(real_engine: Engine) -> None:
    """The next call does not wait for the rest of the answer."""
    stream = real_engine.generate([Message("user", "Count to 500.")], max_tokens=900)
    next(stream)
    started = time.monotonic()
    stream.close()
    assert time.monotonic() - started < 1
    drain(real_engine.generate(HELLO, max_tokens=1))
    assert time.monotonic() - started < 15


def test_a_stream_that_is_forgotten_blocks_nobody(real_engine: Engine) -> None:
    stream = real_engine.generate(HELLO, max_tokens=5)
    next(stream)
    assert real_engine.next_token(yes_no("Is fire cold?"))
    stream.close()


def test_calls_of_many_threads_wait_in_turn(real_engine: Engine) -> None:
    texts: list[str] = []
    work = [
        threading.Thread(
            target=lambda: texts.append(drain(real_engine.generate(HELLO, max_tokens=6))[0])
        )
        for _ in range(3)
    ]
    for thread in work:
        thread.start()
    assert real_engine.next_token(yes_no("Is fire cold?"))[0]
    for thread in work:
        thread.join()
    assert len(texts) == 3
    assert len(set(texts)) == 1


def test_other_threads_run_while_it_works(real_engine: Engine) -> None:
    """The interpreter's lock is free, so a page or a spinner stays alive."""
    ticks = 0
    stop = threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not stop.wait(0.01):
            ticks += 1

    ticking = threading.Thread(target=tick)
    ticking.start()
    started = time.monotonic()
    drain(real_engine.generate(long_prompt(300), max_tokens=8))
    taken = time.monotonic() - started
    stop.set()
    ticking.join()
    assert ticks > taken * 10


def test_tokens_are_counted_by_the_models_tokenizer(real_engine: Engine) -> None:
    assert real_engine.count_tokens("") == 0
    assert real_engine.count_tokens("hello world") == 2
    assert 1 <= real_engine.count_tokens("你好，世界") <= 5


def test_a_closed_engine_says_so(embedded_model_path: Path) -> None:
    engine = load_engine(
        embedded_model_path, context_window=512, threads=None, preference="llama.cpp"
    )
    engine.close()
    with pytest.raises(BackendError, match="closed: load the model again"):
        engine.next_token(HELLO)


def test_what_openvino_cannot_read_runs_on_llamacpp(embedded_model_path: Path) -> None:
    """The 0.5B's tensors are of a kind that OpenVINO refuses; the user is told."""
    told: list[str] = []
    engine = load_engine(embedded_model_path, context_window=512, threads=None, notify=told.append)
    assert engine.name == "llama.cpp"
    assert "runs on llama.cpp: openvino cannot load it" in told[-1]
    assert drain(engine.generate(HELLO, max_tokens=3))[1].completion_tokens > 0
    engine.close()


PROGRAM = """
import sys
from pathlib import Path
from qa_bot.models.engine import load_engine
from qa_bot.types import Message
engine = load_engine(Path(sys.argv[1]), context_window=512, threads=None, preference=sys.argv[2])
assert engine.count_tokens("hello world") == 2
stream = engine.generate([Message("user", "Hello")], max_tokens=200)
next(stream)
stream.close()
if len(sys.argv) > 3:
    engine.close()
"""


@pytest.mark.parametrize("name", ["llama.cpp", "openvino"])
@pytest.mark.parametrize("closing", [[], ["close"]], ids=["left open", "closed"])
def test_a_process_is_silent_and_ends_well(
    name: str,
    closing: list[str],
    embedded_model_path: Path,
    default_model_path: Path,
    tmp_path: Path,
) -> None:
    """Nothing on its output; no telemetry in the home; exit 0, even with work cancelled."""
    path = embedded_model_path if name == "llama.cpp" else default_model_path
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, path, name, *closing],
        env={**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_is_heard_while_the_prompt_is_read(real_engine: Engine) -> None:
    """Ctrl-C waits neither for the first token nor for the engine.

    llama.cpp is free at its next chunk of the prompt, OpenVINO only at the prompt's end.
    """
    started = time.monotonic()
    drain(real_engine.generate(long_prompt(400), max_tokens=1))
    whole = time.monotonic() - started

    main = threading.main_thread().ident
    assert main is not None
    stream = real_engine.generate(long_prompt(400), max_tokens=1)
    threading.Timer(whole / 10, signal.pthread_kill, (main, signal.SIGINT)).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert time.monotonic() - started < 0.8 * whole
    assert real_engine.next_token(HELLO)


def test_usage_adds_up(real_engine: Engine) -> None:
    """Prompt tokens are the template's, the same for both kinds of call."""
    _, wrote = drain(real_engine.generate(HELLO, max_tokens=1))
    _, looked = real_engine.next_token(HELLO)
    assert wrote.prompt_tokens == looked.prompt_tokens
    assert wrote + looked == Usage(2 * wrote.prompt_tokens, wrote.completion_tokens + 1)
