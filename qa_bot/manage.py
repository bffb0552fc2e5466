"""`qa-bot models`: list, fetch and delete the models of the catalogue."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

from qa_bot.models.catalogue import CATALOGUE, DEFAULT_LLM, entry
from qa_bot.models.fetch import disk_use, fetch, is_ready, model_path
from qa_bot.models.fetch import remove as remove_files
from qa_bot.settings import Settings
from qa_bot.terminal import Screen


def pull(name: str | None, folder: Path, screen: Screen) -> int:
    """Fetch one model (the default one where none is named); goes on where it stopped."""
    wanted = entry(name or DEFAULT_LLM)
    path = fetch(
        wanted,
        folder,
        lambda done, total: screen.progress(f"fetching {wanted.name}", done, total),
        screen.note,
    )
    screen.line(f"{wanted.name} is ready: {path}")
    return 0


def remove(name: str, folder: Path, screen: Screen) -> int:
    """Delete one model and what was prepared from it."""
    freed = remove_files(entry(name), folder)
    screen.line(f"{name}: {freed / 1e6:,.0f} MB freed")
    return 0


def listing(settings: Settings, screen: Screen, *, as_json: bool) -> int:
    """Which models there are, which are ready, and their disk use."""
    folder = settings.models
    rows = [
        {
            "name": model.name,
            "title": model.title,
            "licence": model.licence,
            "ready": is_ready(model, folder),
            "default": model.name == DEFAULT_LLM,
            "size": model.size,
            "disk_use": disk_use(model, folder),
            "path": str(model_path(model, folder)),
        }
        for model in CATALOGUE.values()
    ]
    engines = {
        "openvino": find_spec("openvino_genai") is not None,
        "llama.cpp": find_spec("xllamacpp") is not None,
    }
    if as_json:
        record = {"folder": str(folder), "models": rows, "engines": engines}
        screen.line(json.dumps(record, ensure_ascii=False))
        return 0
    for row in rows:
        state = "ready" if row["ready"] else "not fetched"
        default = ", the default" if row["default"] else ""
        screen.line(f"{row['name']}  ({row['title']}, {row['licence']}{default})")
        screen.line(
            f"    {state}; file {float(str(row['size'])) / 1e6:,.0f} MB, "
            f"on disk {float(str(row['disk_use'])) / 1e6:,.0f} MB"
        )
    present = [name for name, found in engines.items() if found]
    screen.line(f"engines: {', '.join(present) or 'none; use --llm ollama/NAME'}")
    screen.line(f"folder: {folder}")
    return 0
