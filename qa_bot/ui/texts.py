"""What the page says, in the reader's language; all of it stands in `page/texts.json`."""

from __future__ import annotations

import html
import json
import re
from functools import cache
from importlib.resources import files

DEFAULT = "en"
_PLACE = re.compile(r"\{\{(\w+)\}\}")


@cache
def texts() -> dict[str, dict[str, str]]:
    """Every text by language and name."""
    read: dict[str, dict[str, str]] = json.loads(page_file("texts.json"))
    return read


@cache
def page_file(name: str) -> str:
    """A file of the page."""
    return (files("qa_bot.ui") / "page" / name).read_text(encoding="utf-8")


def chosen_language(accepted: str, wanted: str = "") -> str:
    """The best language that we have: the one wanted by name, else by `Accept-Language`."""
    if wanted in texts():
        return wanted
    weighted = []
    for place, part in enumerate(accepted.split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((-float(weight or 1), place, tag.split("-")[0].lower()))
        except ValueError:
            continue
    for _, _, tag in sorted(weighted):
        if tag in texts():
            return tag
    return DEFAULT


def filled(name: str, language: str) -> str:
    """A page's HTML in a language: each `{{name}}` is that text, escaped.

    `{{texts}}` is all of them as JSON, for the scripts, and `{{language}}` the language's code.
    """
    said = texts()[language]
    # In a script element only `<` could end it; in JSON it may be written so.
    known = {
        "language": language,
        "texts": json.dumps(said).replace("<", "\\u003c"),
    }
    return _PLACE.sub(
        lambda found: known[found[1]] if found[1] in known else html.escape(said[found[1]]),
        page_file(name),
    )
