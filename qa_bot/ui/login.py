"""Who may use the page, where `--auth FILE` was given."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from pathlib import Path

from qa_bot.errors import UsageError

COOKIE = "qa_bot_session"
SESSION_SECONDS = 12 * 3600
FAILURES = 10
"""Wrong passwords from one address before it has to wait."""
WAIT_SECONDS = 60.0


def read_users(path: Path) -> dict[str, str]:
    """The passwords of a file with a line `user:password` each; # starts a comment line.

    Raises:
        UsageError: the file cannot be read, or a line is not of this form.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"cannot read the users' file {path}: {exc} (--auth FILE)") from exc
    users: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        user, colon, password = line.partition(":")
        if not (colon and user.strip() and password):
            # The line itself may be a password: it is not shown.
            raise UsageError(f"{path}, line {number}: not of the form user:password")
        if user.strip() in users:
            raise UsageError(f"{path}, line {number}: {user.strip()} is there twice; keep one")
        users[user.strip()] = password
    if not users:
        raise UsageError(f"{path} names no user; write a line user:password for each")
    return users


class Logins:
    """Sessions in memory: a restart asks everybody for the password again."""

    def __init__(self, users: dict[str, str]) -> None:
        self._users = users
        self._sessions: dict[str, tuple[str, float]] = {}
        self._failures: dict[str, list[float]] = {}
        self._lock = threading.Lock()

    def enter(self, user: str, password: str, address: str) -> str | None:
        """The token of a new session; None for a wrong name or password."""
        right = self._users.get(user.strip())
        # Compared also where the name is unknown, so that the time does not tell.
        same = hmac.compare_digest((right or secrets.token_hex()).encode(), password.encode())
        now = time.monotonic()
        with self._lock:
            if right is None or not same:
                self._failures.setdefault(address, []).append(now)
                return None
            token = secrets.token_urlsafe(32)
            self._sessions = {
                known: session for known, session in self._sessions.items() if session[1] > now
            }
            self._sessions[token] = (user.strip(), now + SESSION_SECONDS)
            return token

    def barred(self, address: str) -> bool:
        """Whether too many wrong passwords came from there within a minute."""
        now = time.monotonic()
        with self._lock:
            recent = [at for at in self._failures.get(address, []) if now - at < WAIT_SECONDS]
            self._failures[address] = recent
            return len(recent) >= FAILURES

    def user(self, token: str | None) -> str | None:
        """Who a token belongs to, if it still holds."""
        with self._lock:
            user, until = self._sessions.get(token or "", ("", 0.0))
        return user if until > time.monotonic() else None

    def leave(self, token: str | None) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(token or "", None)
