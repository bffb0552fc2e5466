"""What documents a question is asked of, in Chroma's language."""

from __future__ import annotations

import re
from typing import Any

from qa_bot.errors import UsageError
from qa_bot.types import Filter

_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


def where(only: Filter) -> dict[str, Any] | None:
    """A filter in Chroma's language; None where everything is let through.

    A date that names no day counts as the first day of its year or month, save as the last
    date, where all of the year or month is let through. Undated documents are left out
    where a date is asked for.

    Raises:
        UsageError: a date that is not a year, a month or a day.
    """
    rules: list[dict[str, Any]] = []
    if source := only.get("source"):
        rules.append({"source": source if isinstance(source, str) else {"$in": list(source)}})
    if language := only.get("language"):
        rules.append({"language": language})
    if since := only.get("since"):
        rules.append({"day": {"$gte": day(since)}})
    if until := only.get("until"):
        rules += [{"day": {"$gte": 1}}, {"day": {"$lte": day(until, last=True)}}]
    return {"$and": rules} if len(rules) > 1 else rules[0] if rules else None


def day(date: str, *, last: bool = False) -> int:
    """A date as the number YYYYMMDD, with zeros (or, as a last date, nines) for what is missing.

    Raises:
        UsageError: no year, month or day.
    """
    found = _DATE.fullmatch(date.strip())
    if not found:
        raise UsageError(f"{date!r} is no date; write 2023, 2023-11 or 2023-11-08")
    return int("".join(found.groups(default="99" if last else "00")))
