"""The journal: nothing that was finished is lost, and nothing half-written is kept."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from qa_bot.errors import QABotError, UsageError
from qa_bot.journal import Journal

IDENTITY = {"model": "m", "documents": 5, "digest": None}
RECORDS = [{"id": "a", "answer": "é"}, {"id": "b", "answer": "二\n"}, {"id": "c", "answer": "x"}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv.state"
    with Journal.open(path, IDENTITY, resume=False) as journal:
        for record in RECORDS:
            journal.add(record)
    return path


def test_what_was_added_is_there_again_and_nothing_else_lies_about(path: Path) -> None:
    with Journal.open(path, IDENTITY, resume=True) as journal:
        assert dict(journal.done) == {record["id"]: record for record in RECORDS}
    assert list(path.parent.iterdir()) == [path]


def test_a_kill_at_any_byte_loses_only_the_torn_line(path: Path) -> None:
    whole = path.read_bytes()
    ends = [place for place, byte in enumerate(whole, start=1) if byte == ord("\n")]
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        with Journal.open(path, IDENTITY, resume=True) as journal:
            kept = max(0, sum(end <= size for end in ends) - 1)
            assert list(journal.done.values()) == RECORDS[:kept]
            for record in RECORDS[kept:]:
                journal.add(record)
        assert path.read_bytes() == whole


def test_the_last_record_of_an_id_counts(path: Path) -> None:
    with Journal.open(path, IDENTITY, resume=True) as journal:
        journal.add({"id": "a", "answer": "better"})
        assert journal.done["a"]["answer"] == "better"
        assert list(journal.done) == ["a", "b", "c"]


def test_without_resume_it_starts_empty(path: Path) -> None:
    with Journal.open(path, {"model": "other"}, resume=False) as journal:
        assert not journal.done


def test_another_run_is_not_resumed_and_its_differences_are_named(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(UsageError) as caught:
        Journal.open(path, {"model": "other", "documents": 5, "prompts": "new"}, resume=True)
    message = str(caught.value)
    assert "model: 'm' then, 'other' now" in message
    assert "prompts: None then, 'new' now" in message
    assert "documents" not in message
    assert path.read_bytes() == before


def test_force_resumes_another_run_and_takes_its_new_identity(path: Path) -> None:
    with Journal.open(path, {"model": "other"}, resume=True, force=True) as journal:
        assert len(journal.done) == 3
    with Journal.open(path, {"model": "other"}, resume=True) as journal:
        assert len(journal.done) == 3


def test_a_damaged_journal_is_named_with_its_line(path: Path) -> None:
    lines = path.read_bytes().split(b"\n")
    lines[2] = b"\0" * 9
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(UsageError, match="line 3 of"):
        Journal.open(path, IDENTITY, resume=True)


def test_a_second_process_is_refused_until_the_first_has_ended(path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom qa_bot.journal import Journal\n"
        "journal = Journal.open(Path(sys.argv[1]), {}, resume=False)\n"
        "print('open', flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(UsageError, match="another process is writing"):
            Journal.open(path, {}, resume=True)
        other.kill()
    with Journal.open(path, {}, resume=True) as journal:
        assert not journal.done


def test_a_full_disk_leaves_whole_lines(path: Path) -> None:
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Journal.open(path, IDENTITY, resume=True) as journal:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
        try:
            with pytest.raises(QABotError, match="cannot be written"):
                journal.add({"id": "d", "answer": "x" * 100})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.read_bytes() == before
        journal.add({"id": "e"})
    assert json.loads(path.read_bytes()[len(before) :]) == {"id": "e"}


def test_a_journal_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "answers.state"
    path.mkdir()
    with pytest.raises(UsageError, match=r"answers\.state cannot be written"):
        Journal.open(path, {}, resume=False)
    assert list(tmp_path.iterdir()) == [path]
