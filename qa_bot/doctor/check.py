"""What a check finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report."""

    name: str
    status: Status
    detail: str
    cure: str | None = None
    """What to run or do; None where all is well."""
    code: int = 0
    """The exit code that a failure calls for; 0 for the others."""


def ok(name: str, detail: str) -> Check:
    """All is well."""
    return Check(name, "ok", detail)


def warn(name: str, detail: str, cure: str) -> Check:
    """It works, though not as well as it could."""
    return Check(name, "warn", detail, cure)


def fail(name: str, detail: str, cure: str, code: int = 1) -> Check:
    """It does not work; `code` is an exit code of `qa-bot --help`."""
    return Check(name, "fail", detail, cure, code)
