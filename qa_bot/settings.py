"""Settings, from the command line over the environment over `qa_bot.toml` over defaults.

The only module that reads the environment and the configuration file.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args

from qa_bot.errors import UsageError
from qa_bot.types import Strictness

CONFIG_FILE = "qa_bot.toml"
PREFIX = "QA_BOT_"
PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent


def in_checkout() -> bool:
    """Whether the package runs from its checkout (else it was installed as a wheel)."""
    return (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "prompts").is_dir()


def _default_store() -> Path:
    return (CHECKOUT if in_checkout() else _data_folder()) / "vectorstore"


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("qa_bot", appauthor=False)


def _default_models() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("qa_bot", appauthor=False) / "models"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a person can set. Paths are absolute."""

    documents: tuple[Path, ...] = ()
    """Folders to index; empty means whatever the store holds, and the seeds for a new one."""
    store: Path = field(default_factory=_default_store)
    """The folder of the index. A URL (http://HOST:PORT, or https) names a Chroma server that
    keeps the passages; the rest then lies in a folder of your data."""
    server: str = ""
    """That URL, if one was given for the store."""
    chroma_token: str = field(default="", repr=False)
    """What the Chroma server asks for, if it asks."""
    chroma_certificate: str = ""
    """A file with the certificate that signed the Chroma server's; empty for the system's."""
    models: Path = field(default_factory=_default_models)
    """The cache folder of fetched models."""
    llm: str = "auto"
    """`auto`, `embedded`, a name of `qa-bot models`, a path to a .gguf file, or `ollama/NAME`."""
    embed: str = "auto"
    """`auto`, `e5+use`, `use`, or `ollama/NAME`."""
    engine: str = "auto"
    """Which engine runs an embedded model: `auto`, `openvino` or `llama.cpp`."""
    ollama_host: str = ""
    """Where Ollama listens; empty for OLLAMA_HOST or Ollama's own default."""
    ollama_model: str = "qwen2.5:7b"
    """What `--llm auto` takes when an Ollama server runs and has it."""
    ollama_timeout: float = 300.0
    """Seconds without an answer from Ollama before giving up."""
    ollama_keep_alive: str = "30m"
    """How long Ollama keeps the model loaded after a question."""
    context_window: int = 4096
    """Tokens that a prompt and its answer may share."""
    strictness: Strictness = "normal"
    """How sure it must be that the documents answer: `low`, `normal` or `high`."""
    answer_language: str = ""
    """The code of the language to answer in (`fr`, `zh-Hant`); empty for the question's."""
    threads: int = 0
    """Threads for the embedded models; 0 takes every core this process may use."""


def resource(name: str) -> Path:
    """The folder of `prompts` or `seeds`: the checkout's, or the copy inside the wheel."""
    return (CHECKOUT if in_checkout() else PACKAGE / "_data") / name


def load_settings(
    overrides: Mapping[str, Any] | None = None, config: Path | None = None
) -> Settings:
    """Settings from all layers; `overrides` (a None value counts as not given) win.

    Raises:
        UsageError: an unknown key, a value of the wrong kind, or an unreadable file.
    """
    layers = [_from_file(config), _from_environment(), dict(overrides or {})]
    merged: dict[str, Any] = {}
    for layer in layers:
        merged |= {key: value for key, value in layer.items() if value is not None}
    known = {each.name for each in fields(Settings)} - {"server"}
    if unknown := sorted(set(merged) - known):
        raise UsageError(
            f"unknown setting {unknown[0]!r}; the settings are {', '.join(sorted(known))}"
        )
    url = str(merged.get("store", ""))
    if _is_url(url):
        merged["store"] = _folder_for(url)
    values = {key: _coerce(key, value) for key, value in merged.items()}
    values["server"] = url if _is_url(url) else ""
    return Settings(**values)


def with_own_store(settings: Settings) -> Settings:
    """The same with a store for these documents alone, inside the usual one's folder.

    Another corpus can so be evaluated without giving up the index of the usual documents.
    """
    named = "\0".join(map(str, settings.documents))
    own = hashlib.sha256(named.encode()).hexdigest()[:12]
    return replace(settings, store=settings.store / "corpora" / own)


def kept_folder(store: Path) -> Path:
    """Where the page keeps what people said about the documents of a store: user's data."""
    from platformdirs import user_data_path

    own = hashlib.sha256(str(store).encode()).hexdigest()[:12]
    return user_data_path("qa_bot", appauthor=False) / "page" / own


def check_strictness(value: Any) -> None:
    """See that a strictness is one that there is.

    Raises:
        UsageError: it is not.
    """
    if value not in get_args(Strictness):
        raise UsageError(f"strictness: {value!r} is not low, normal or high")


def folder_of(value: str | Path) -> Path:
    """The absolute path of a folder's name.

    Raises:
        UsageError: an empty name, as an unset shell variable gives.
    """
    if not str(value):
        raise UsageError("a folder's name is empty; name it, or leave the option out")
    return Path(value).expanduser().resolve()


def available_threads() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def config_file(config: Path | None = None) -> Path | None:
    """The configuration file that is read; None where there is none, and none was named.

    Raises:
        UsageError: the named file does not exist.
    """
    named = os.environ.get(PREFIX + "CONFIG")
    path = config or Path(named or CONFIG_FILE)
    if path.is_file():
        return path
    if config is None and not named:
        return None
    raise UsageError(f"no configuration file at {path}; give an existing one to --config")


def unknown_variables() -> list[str]:
    """Variables of the environment that look like settings and are none: slips of the pen."""
    known = {PREFIX + field.name.upper() for field in fields(Settings)} | {PREFIX + "CONFIG"}
    return sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)


def _from_file(config: Path | None) -> dict[str, Any]:
    path = config_file(config)
    if path is None:
        return {}
    try:
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise UsageError(f"cannot read the configuration file {path}: {exc}") from exc
    for key in ("documents", "store", "models"):  # relative to the file that names them
        if key in read:
            read[key] = _against(path.resolve().parent, read[key])
    return read


def _against(folder: Path, value: Any) -> Any:
    if isinstance(value, str) and not _is_url(value):
        return str(folder / Path(value).expanduser())
    if isinstance(value, list):
        return [_against(folder, item) for item in value]
    return value


def _from_environment() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in fields(Settings):
        if value := os.environ.get(PREFIX + each.name.upper()):
            found[each.name] = (
                [item for item in value.split(os.pathsep) if item]
                if each.name == "documents"
                else value
            )
    return found


def _coerce(key: str, value: Any) -> Any:
    try:
        if key == "documents":
            items: Sequence[Any] = [value] if isinstance(value, (str, Path)) else value
            return tuple(map(folder_of, items))
        if key in ("store", "models"):
            return folder_of(value)
        if key in ("context_window", "threads"):
            return _at_least(int(value), 512 if key == "context_window" else 0)
        if key == "ollama_timeout":
            return float(_at_least(float(value), 1))
    except (TypeError, ValueError) as exc:
        raise UsageError(f"setting {key}: cannot use {value!r} ({exc})") from exc
    if key == "strictness":
        check_strictness(value)
    if not isinstance(value, str):
        raise UsageError(f"setting {key}: expected text, not {value!r}")
    return value


def _at_least(value: float, least: float) -> float:
    if value < least:
        raise ValueError(f"must be {least:g} or more")
    return value


def _is_url(value: str) -> bool:
    return value.startswith(("http://", "https://"))


def _folder_for(url: str) -> Path:
    """Where what belongs to a Chroma server's index lies on this machine."""
    return _data_folder() / "servers" / hashlib.sha256(url.encode()).hexdigest()[:12]
