"""The language model and the embedder: there, whole, and with what runs them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qa_bot.doctor.check import Check, fail, ok
from qa_bot.doctor.machine import ENCODERS, ENGINES, install
from qa_bot.errors import BackendError, ModelMissing, UsageError
from qa_bot.models.catalogue import CatalogueEntry, entry
from qa_bot.models.choose import own_file
from qa_bot.models.fetch import check_gguf, is_ready, model_path
from qa_bot.models.gguf import check_whole
from qa_bot.models.openvino_prepare import ROOM
from qa_bot.settings import Settings

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

_ROOM = 1 + ROOM
"""Bytes of disk per byte of a model: the file, then its prepared form."""


def check_llm(name: str, settings: Settings) -> Check:
    """The chosen language model: an Ollama server's, a file of the user's, or the catalogue's."""
    if name.startswith("ollama/"):
        return _ollama("language model", name, settings)
    own = own_file(name)
    return _own(own) if own else _fetched(entry(name), settings.models)


def check_engine(name: str, settings: Settings, broken: Mapping[str, str]) -> Check:
    """What runs an embedded model."""
    if name.startswith("ollama/"):
        return ok("engine", "not needed: Ollama runs the model")
    if settings.engine not in ("auto", *ENGINES):
        return fail("engine", f"{settings.engine!r} is no engine",
                    "--engine auto, openvino or llama.cpp", UsageError.exit_code)  # fmt: skip
    wanted = ENGINES if settings.engine == "auto" else {settings.engine: ENGINES[settings.engine]}
    able = [engine for engine, module in wanted.items() if module not in broken]
    if able:
        return ok("engine", ", ".join(able))
    said = "; ".join(f"{module}: {broken[module]}" for module in wanted.values())
    cure = f"{install(wanted.values())}, or use a server's model: --llm ollama/NAME"
    return fail("engine", said, cure, BackendError.exit_code)


def check_embedder(embedder: BaseEmbedding, settings: Settings, broken: Mapping[str, str]) -> Check:
    """What makes vectors."""
    name = embedder.model_name.removeprefix("embedded/")
    if name.startswith("ollama/"):
        return _ollama("embedder", name, settings)
    said = [f"{module}: {broken[module]}" for module in ENCODERS[name] if module in broken]
    if not said:
        return ok("embedder", name)
    absent = [module for module in ENCODERS[name] if module in broken]
    cure = f"{install(absent)}, or --embed use or ollama/NAME"
    return fail("embedder", f"{name} lacks {'; '.join(said)}", cure, ModelMissing.exit_code)


def room_needed(name: str, settings: Settings) -> int:
    """Bytes of disk that fetching and preparing the language model will still take."""
    if name.startswith("ollama/") or own_file(name) or is_ready(entry(name), settings.models):
        return 0
    return int(entry(name).size * _ROOM)


def _ollama(what: str, name: str, settings: Settings) -> Check:
    from qa_bot.models.ollama import check_ollama, ollama_url

    model, host = name.removeprefix("ollama/"), settings.ollama_host or None
    try:
        check_ollama(model, host)
    except ModelMissing as exc:
        return fail(what, str(exc), f"ollama pull {model}", exc.exit_code)
    except BackendError as exc:
        return fail(what, str(exc), "ollama serve", exc.exit_code)
    return ok(what, f"{name} at {ollama_url(host)}")


def _own(file: Path) -> Check:
    try:
        check_gguf(file)
        check_whole(file)
    except (UsageError, BackendError) as exc:
        cure = "qa-bot models, for names that can be given to --llm"
        return fail("language model", str(exc), cure, exc.exit_code)
    return ok("language model", str(file))


def _fetched(model: CatalogueEntry, folder: Path) -> Check:
    path = model_path(model, folder)
    if is_ready(model, folder):
        return ok("language model", f"{model.name} in {path.parent}")
    if not path.exists():
        begun = path.with_name(f"{path.name}.partial")
        state = "is half fetched" if begun.exists() else "is not fetched"
    elif (size := path.stat().st_size) == model.size:
        state = f"was never checked in {path}"
    else:
        state = f"is damaged: {path} has {size} bytes instead of {model.size}"
    return fail("language model", f"{model.name} {state}", f"qa-bot models pull {model.name}",
                ModelMissing.exit_code)  # fmt: skip
