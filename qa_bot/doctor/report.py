"""Run every check, one after the other, and print what each found."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from qa_bot.doctor import machine
from qa_bot.doctor.check import Check, fail, ok, warn
from qa_bot.errors import QABotError, UsageError
from qa_bot.models.catalogue import DEFAULT_LLM
from qa_bot.settings import Settings, config_file, unknown_variables
from qa_bot.terminal import Screen

_MODELS = "qa-bot models, for the names that --llm takes"
_REPORT = "qa-bot doctor --json, and report what it prints"


def doctor(
    load: Callable[[], Settings],
    config: Path | None,
    port: int,
    screen: Screen,
    *,
    as_json: bool,
) -> int:
    """Print a line a check; returns the exit code of the first failure, 0 where there is none.

    Args:
        load: reads the settings.
        config: the configuration file, where one was named.
        port: what `qa-bot serve` would listen at.
        screen: where it is printed, as it is found.
        as_json: print one object instead, at the end.
    """
    found: list[Check] = []
    for check in _checks(load, config, port):
        found.append(check)
        if not as_json:
            cure = f". Cure: {check.cure}" if check.cure else ""
            screen.line(f"{check.status:<4}  {check.name}: {' '.join(check.detail.split())}{cure}")
    codes = [check.code for check in found if check.status == "fail"]
    if as_json:
        record = {"checks": [_record(check) for check in found], "ok": not codes}
        screen.line(json.dumps(record, ensure_ascii=False))
    return codes[0] if codes else 0


def _record(check: Check) -> dict[str, Any]:
    return {name: getattr(check, name) for name in ("name", "status", "detail", "cure")}


def _checks(load: Callable[[], Settings], config: Path | None, port: int) -> Iterator[Check]:
    yield machine.check_python()
    broken = machine.broken_wheels()
    yield machine.check_packages(broken)
    try:
        settings = load()
    except UsageError as exc:
        yield fail("settings", str(exc), "mend it; the rest is checked then", exc.exit_code)
        return
    yield check_settings(config)
    yield from _of(settings, broken, port)


def check_settings(config: Path | None) -> Check:
    """Where they were read, and what there is not read."""
    file = config_file(config)
    read = f"read from {file.resolve()}" if file else "no qa_bot.toml here; the defaults hold"
    if unknown := unknown_variables():
        return warn("settings", f"{read}; the environment has {', '.join(unknown)}, which is none",
                    f"unset {' '.join(unknown)}; the README lists the settings")  # fmt: skip
    return ok("settings", read)


def _of(settings: Settings, broken: Mapping[str, str], port: int) -> Iterator[Check]:
    """The checks that depend on the settings."""
    from qa_bot.app import QABot
    from qa_bot.doctor import index, models
    from qa_bot.models.choose import chosen_name

    llm, embedder = DEFAULT_LLM, None
    try:
        llm = chosen_name(settings)
    except QABotError as exc:
        yield fail("language model", str(exc), _MODELS, exc.exit_code)
    else:
        yield _guarded("language model", lambda: models.check_llm(llm, settings))
        yield models.check_engine(llm, settings, broken)
    try:
        embedder = QABot(settings).embedder
    except QABotError as exc:
        yield fail("embedder", str(exc), "--embed auto", exc.exit_code)
    else:
        yield _guarded("embedder", lambda: models.check_embedder(embedder, settings, broken))
    yield machine.check_store_folder(settings.store)
    yield machine.check_models_folder(settings.models)
    yield _guarded("index lock", lambda: index.check_lock(settings.store))
    yield _guarded("index", lambda: index.check_index(settings, embedder))
    yield _guarded("documents", lambda: index.check_documents(settings))
    needed = models.room_needed(llm, settings)
    yield machine.check_disk([settings.store, settings.models], needed)
    yield machine.check_memory(0 if llm.startswith("ollama/") else machine.LEAST_MEMORY)
    yield machine.check_port(port)


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """What a check finds; whatever it stumbles over is a finding too."""
    try:
        return check()
    except Exception as exc:
        return fail(name, f"could not be checked: {type(exc).__name__}: {exc}", _REPORT)
