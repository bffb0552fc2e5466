"""A conversation of the page as a file for people or programs."""

from __future__ import annotations

import io
import json
from typing import Any

import qa_bot
from qa_bot.errors import UsageError
from qa_bot.exports import About, write_html, write_markdown
from qa_bot.ui.desk import Desk

_ONLY_SHOWN = ("parts", "sources", "longest")
"""What the page adds to an answer record."""


def exported(records: Any, kind: str, desk: Desk, title: str) -> str:
    """Answer records as `md`, `html` or `json`, with their quotes and sources.

    Raises:
        UsageError: another kind, or no list of answer records.
    """
    if kind not in ("md", "html", "json"):
        raise UsageError(f"{kind!r} is no kind of file; take md, html or json")
    try:
        kept = [
            {name: value for name, value in record.items() if name not in _ONLY_SHOWN}
            for record in records
        ]
        if kind == "json":
            return json.dumps(kept, ensure_ascii=False, indent=2) + "\n"
        state = desk.state()
        about = About(
            title,
            facts={"model": state["model"] or "", "qa_bot": qa_bot.__version__},
            dates=desk.dates(),
        )
        file = io.StringIO()
        (write_markdown if kind == "md" else write_html)(kept, file, about)
    except (AttributeError, KeyError, TypeError) as exc:
        raise UsageError(f"not a list of answer records ({exc!r})") from exc
    return file.getvalue()
