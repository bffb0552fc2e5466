"""The users' file and sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_bot.errors import UsageError
from qa_bot.ui import login
from qa_bot.ui.login import Logins, read_users


def test_users_are_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("# staff\nada:pass:with:colons \n\nлев:päss\n", encoding="utf-8")
    assert read_users(file) == {"ada": "pass:with:colons ", "лев": "päss"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("hunter2\n", "line 1: not of the form user:password"),
        ("ada:x\n:y\n", "line 2: not of the form"),
        ("ada:\n", "line 1: not of the form"),
        ("ada:x\nada:y\n", "line 2: ada is there twice"),
        ("# nobody\n", "names no user"),
    ],
)
def test_a_bad_file_is_named_without_showing_its_secrets(
    tmp_path: Path, content: str, said: str
) -> None:
    file = tmp_path / "users"
    file.write_text(content)
    with pytest.raises(UsageError, match=said) as caught:
        read_users(file)
    assert "hunter2" not in str(caught.value)


def test_a_missing_or_binary_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the users' file"):
        read_users(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot read the users' file"):
        read_users(tmp_path / "binary")


def test_a_session_holds_until_it_is_left() -> None:
    logins = Logins({"ada": "päss"})
    assert logins.enter("ada", "wrong", "1.1.1.1") is None
    assert logins.enter("eve", "päss", "1.1.1.1") is None
    token = logins.enter("ada", "päss", "1.1.1.1")
    assert logins.user(token) == "ada"
    assert logins.user("guess") is None
    assert logins.user(None) is None
    logins.leave(token)
    assert logins.user(token) is None


def test_a_session_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "SESSION_SECONDS", 0)
    logins = Logins({"ada": "x"})
    assert logins.user(logins.enter("ada", "x", "1.1.1.1")) is None


def test_guessing_bars_the_address_and_nobody_else() -> None:
    logins = Logins({"ada": "x"})
    for _ in range(login.FAILURES):
        assert not logins.barred("1.1.1.1")
        logins.enter("ada", "guess", "1.1.1.1")
    assert logins.barred("1.1.1.1")
    assert not logins.barred("2.2.2.2")
