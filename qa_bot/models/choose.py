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
    name = chosen_name(settings)
    if name.startswith("ollama/"):
        if settings.llm == "auto":
            notify(f"Answering with {name}.")
        return _ollama(settings, name.removeprefix("ollama/"))
    if settings.llm == "auto":
        notify(f"Answering with the embedded model {name}.")
    return _embedded(settings, name, threads, progress, notify)


def chosen_name(settings: Settings) -> str:
    """What `settings.llm` comes to: `ollama/NAME`, a name of the catalogue, or a GGUF's path.

    For `auto`, an Ollama server is looked for.

    Raises:
        UsageError: an unknown name.
    """
    name = settings.llm
    if name == "auto":
        return f"ollama/{settings.ollama_model}" if _ollama_ready(settings) else DEFAULT_LLM
    name = {"embedded": DEFAULT_LLM}.get(name, name.removeprefix("embedded/"))
    if not (name.startswith("ollama/") or own_file(name) or name in CATALOGUE):
        raise UsageError(
            f"unknown language model {name!r}; use auto, {', '.join(CATALOGUE)}, "
            "a path to a .gguf file, or ollama/NAME"
        )
    return name


def ready_models(settings: Settings) -> list[str]:
    """What `settings.llm` may be without anything being fetched: the one in use comes first.

    Then what the catalogue has and is fetched, and what an Ollama server that runs has.
    """
    from qa_bot.models.fetch import is_ready
    from qa_bot.models.ollama import ollama_models

    fetched = [name for name, model in CATALOGUE.items() if is_ready(model, settings.models)]
    served = [f"ollama/{name}" for name in ollama_models(settings.ollama_host or None)]
    return list(dict.fromkeys([chosen_name(settings), *fetched, *served]))


def own_file(name: str) -> Path | None:
    """The model file of the user's own that a chosen name is; None for a name of the catalogue."""
    return Path(name).expanduser() if name.lower().endswith(".gguf") else None


def _embedded(
    settings: Settings, name: str, threads: int, progress: Progress, notify: Notify
) -> LLM:
    from qa_bot.models.embedded import EmbeddedLLM
    from qa_bot.models.engine import Engine, load_engine
    from qa_bot.models.fetch import check_gguf, fetch

    own = own_file(name)
    if own:
        check_gguf(own)
    if settings.engine not in ("auto", "openvino", "llama.cpp"):
        raise UsageError(f"unknown engine {settings.engine!r}; use auto, openvino or llama.cpp")

    def load() -> Engine:
        path = own or fetch(entry(name), settings.models, progress, notify)
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
        model=own.stem if own else name,
        digest=_stamp(own) if own else entry(name).sha256,
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
