"""A setting to a language model: Ollama where it is asked for or found, else embedded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from qa_bot.errors import UsageError
from qa_bot.models.catalogue import CATALOGUE, DEFAULT_LLM, entry
from qa_bot.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

Progress = Callable[[int, int], None]
Notify = Callable[[str], None]
EngineChoice = Literal["auto", "openvino", "llama.cpp"]


def make_llm(settings: Settings, threads: int, progress: Progress, notify: Notify) -> LLM:
    """The language model of `settings.llm`; constructing it loads and fetches nothing yet.

    Raises:
        UsageError: an unknown name.
        ServiceError: Ollama was asked for and is not there, or lacks the model.
    """
    name = settings.llm
    if name == "auto":
        if _ollama_ready(settings):
            notify(f"Answering with ollama/{settings.ollama_model}.")
            return _ollama(settings, settings.ollama_model)
        notify(f"Answering with the embedded model {DEFAULT_LLM}.")
        name = DEFAULT_LLM
    if name.startswith("ollama/"):
        return _ollama(settings, name.removeprefix("ollama/"))
    return _embedded(settings, name, threads, progress, notify)


def _embedded(
    settings: Settings, name: str, threads: int, progress: Progress, notify: Notify
) -> LLM:
    from qa_bot.models.embedded import EmbeddedLLM
    from qa_bot.models.engine import Engine, load_engine
    from qa_bot.models.fetch import check_gguf, fetch

    name = {"embedded": DEFAULT_LLM}.get(name, name.removeprefix("embedded/"))
    own_file = Path(name).expanduser() if name.lower().endswith(".gguf") else None
    if own_file is not None:
        check_gguf(own_file)
    elif name not in CATALOGUE:
        raise UsageError(
            f"unknown language model {name!r}; use auto, {', '.join(CATALOGUE)}, "
            "a path to a .gguf file, or ollama/NAME"
        )
    if settings.engine not in ("auto", "openvino", "llama.cpp"):
        raise UsageError(f"unknown engine {settings.engine!r}; use auto, openvino or llama.cpp")

    def load() -> Engine:
        path = own_file or fetch(entry(name), settings.models, progress, notify)
        notify("Loading the language model; this takes some seconds.")
        return load_engine(
            path,
            context_window=settings.context_window,
            threads=threads,
            preference=cast("EngineChoice", settings.engine),
            notify=notify,
        )

    return EmbeddedLLM(
        load,
        model=own_file.stem if own_file else name,
        digest=_stamp(own_file) if own_file else entry(name).sha256,
        context_window=settings.context_window,
    )


def _stamp(file: Path) -> str:
    """Size and time of a file of the user's own: hashing gigabytes would take too long."""
    state = file.stat()
    return f"{state.st_size} bytes of {state.st_mtime_ns}"


def _ollama(settings: Settings, model: str) -> LLM:
    from qa_bot.models.ollama import check_ollama, make_ollama

    host = settings.ollama_host or None
    check_ollama(model, host)
    return make_ollama(
        model,
        host=host,
        context_window=settings.context_window,
        timeout=settings.ollama_timeout,
        keep_alive=settings.ollama_keep_alive,
    )


def _ollama_ready(settings: Settings) -> bool:
    from qa_bot.models.ollama import ollama_has

    return ollama_has(settings.ollama_model, settings.ollama_host or None)
