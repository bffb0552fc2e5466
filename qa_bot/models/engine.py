"""The seam over the engines that run a GGUF model in this process, and their choice.

OpenVINO GenAI reads prompts several times as fast as llama.cpp's wheel, so it comes
first; llama.cpp (xllamacpp) reads every GGUF and runs where OpenVINO does not. This
module holds what both share; it fetches no model and knows no prompt.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Literal, Protocol

from qa_bot.errors import BackendError, ModelMissing
from qa_bot.types import Message, Usage

EngineName = Literal["openvino", "llama.cpp"]
Notify = Callable[[str], None]


class Engine(Protocol):
    """A loaded model. Calls are safe from any thread; a lock makes them wait in turn."""

    name: str
    """`openvino` or `llama.cpp`."""
    context_window: int
    """Tokens that prompt and answer share."""

    def generate(
        self, messages: Sequence[Message], *, max_tokens: int, grammar: str | None = None
    ) -> Generator[str, None, Usage]:
        """Write greedily, in whole characters; closing the generator cancels the work.

        `grammar` is the EBNF that both engines read: `root ::= "NONE" | sel (", " sel)?`.

        Raises:
            BackendError: the prompt is over the window, the grammar is wrong, or the
                engine failed.
        """

    def next_token(
        self, messages: Sequence[Message], top: int = 10
    ) -> tuple[dict[str, float], Usage]:
        """Probabilities of the `top` likeliest next tokens, with nothing constrained.

        Raises:
            BackendError: the prompt is over the window, or the engine failed.
        """

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` by the model's own tokenizer."""

    def close(self) -> None:
        """Free the model's memory; waits for a running call."""


class Sink:
    """Where a working engine puts its pieces, and where it sees that nobody wants more."""

    def __init__(self) -> None:
        self.items: queue.SimpleQueue[str | Usage | BaseException] = queue.SimpleQueue()
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """True once the reader has gone."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Ask the engine to stop at its next step."""
        self._stopped.set()

    def write(self, piece: str) -> None:
        """Hand a piece of text to the reader."""
        if piece:
            self.items.put(piece)


def in_background(produce: Callable[[Sink], Usage]) -> Generator[str, None, Usage]:
    """Yield what `produce` writes while it works in a thread of its own.

    The thread keeps the engine's lock only while the engine works, so a reader that
    forgets its generator delays others and never blocks them; and waiting for the
    queue, unlike waiting in C++, can be interrupted by Ctrl-C. Closing the generator
    returns at once; the engine stops at its next step.
    """
    sink = Sink()

    def work() -> None:
        try:
            sink.items.put(produce(sink))
        except BaseException as exc:  # any failure belongs to the reader's thread
            sink.items.put(exc)

    # Not a daemon: the interpreter must not be torn down under C++ code at work.
    threading.Thread(target=work, name="qa_bot-engine").start()
    try:
        while True:
            item = sink.items.get()
            if isinstance(item, str):
                yield item
            elif isinstance(item, BaseException):
                raise item
            else:
                return item
    finally:
        sink.stop()


def chat_dicts(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Messages as chat templates take them, unable to end their own turn.

    Tokenizers read `<|im_end|>` in a document as the end of the turn, which would let
    a document speak as the system; a space inside the bracket makes it plain text.
    """
    return [{"role": m.role, "content": m.content.replace("<|", "< |")} for m in messages]


def window_error(prompt_tokens: int, context_window: int) -> BackendError:
    """The error for a prompt that leaves no room for an answer."""
    return BackendError(
        f"the prompt has {prompt_tokens} tokens and the context window {context_window}: "
        "raise context_window (QA_BOT_CONTEXT_WINDOW), or ask a shorter question"
    )


def load_engine(
    path: Path,
    *,
    context_window: int,
    threads: int | None,
    preference: Literal["auto", "openvino", "llama.cpp"] = "auto",
    notify: Notify = lambda message: None,
) -> Engine:
    """Load a GGUF file with the best engine that takes it, warmed up.

    `notify` is told, in one line, which fall-back was taken and why.

    Raises:
        ModelMissing: there is no file at `path`.
        BackendError: no engine is installed, or none can load the file.
    """
    if not path.is_file():
        raise ModelMissing(f"no model file at {path}: fetch one with `qa-bot models pull`")
    order: list[EngineName] = ["openvino", "llama.cpp"] if preference == "auto" else [preference]
    reasons: list[str] = []
    for name in order:
        try:
            engine = _load(name, path, context_window, threads, notify)
        except ImportError as exc:
            reasons.append(f"{name} is not installed ({exc})")
        except (RuntimeError, OSError, BackendError) as exc:
            reasons.append(f"{name} cannot load it ({last_line(exc)})")
        else:
            if reasons:
                notify(f"{path.name} runs on {name}: {reasons[0]}")
            return engine
    raise BackendError(
        f"no engine for {path}: {'; '.join(reasons)}; install one with "
        "`pip install openvino-genai xllamacpp`, or use a server's model: --llm ollama/NAME"
    )


def _load(
    name: EngineName, path: Path, context_window: int, threads: int | None, notify: Notify
) -> Engine:
    # Imported here because either package may be missing on this platform.
    if name == "openvino":
        from qa_bot.models.openvino_engine import OpenVINOEngine

        return OpenVINOEngine(path, context_window=context_window, threads=threads, notify=notify)
    from qa_bot.models.llamacpp_engine import LlamaCppEngine

    return LlamaCppEngine(path, context_window=context_window, threads=threads)


def last_line(exc: BaseException) -> str:
    """The last line of an engine's message; those before it are its source's paths."""
    lines = [line.strip() for line in str(exc).splitlines() if line.strip()]
    return lines[-1] if lines else type(exc).__name__
