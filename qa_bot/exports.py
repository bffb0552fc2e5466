"""Answer records as files for people and spreadsheets: CSV, Markdown, one-file HTML.

Records come from a file or a model, and their texts from documents that may be hostile:
every text is escaped for the format it goes into, and anchors are made of numbers only.
"""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from qa_bot.prompts import load_data

Record = Mapping[str, Any]

COLUMNS = ("id", "question", "status", "language", "answer", "sources", "titles", "dates", "quotes",
           "quote_languages", "unsupported", "standalone_question", "model", "seconds",
           "error")  # fmt: skip
CLOSEST = 3
"""Passages shown with a refusal."""
CAUTION = "Caution: a sentence of this answer is not confirmed by its sources."
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
# Quotes too: where another separator splits a cell, they stand at the start of what is left.
_FORMULA = re.compile(r'(^|[,;|\t\n])(?=[ \t"]*[=@＝＠]|"*[+\-＋－])')
_MARKER = re.compile(r"\[(\d+)\]")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$&=:])")


@dataclass(frozen=True, slots=True)
class About:
    """What a document of answers says of itself."""

    title: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    """How the answers were made: names and values."""
    dates: Mapping[str, str | None] = field(default_factory=dict)
    """The date of each source that has one."""


def write_csv(records: Iterable[Record], file: TextIO, about: About) -> None:
    """One row a question, for spreadsheets: no cell of it can become a formula.

    Columns of several values have one line a citation, `[1] …`. An apostrophe stands
    before what a spreadsheet would run, also where it splits cells at another separator.
    The file must be opened with `newline=""` and, for Excel, `encoding="utf-8-sig"`.
    """
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for record in records:
        cited = record["citations"]
        row = {name: record.get(name) for name in COLUMNS} | {
            "sources": _lines(cited, "source"),
            "titles": _lines(cited, "title"),
            "dates": "\n".join(
                f"[{item['marker']}] {about.dates[item['source']]}"
                for item in cited
                if about.dates.get(item["source"])
            ),
            "quotes": _lines(cited, "quote"),
            "quote_languages": _lines(cited, "language"),
            "unsupported": "\n".join(_unsupported(record)),
        }
        writer.writerow([cell(row[name]) for name in COLUMNS])


def write_markdown(records: Iterable[Record], file: TextIO, about: About) -> None:
    """A document of answers, each with its quotes; markers link to them."""
    file.write(f"# {_plain(about.title)}\n")
    for number, record in enumerate(records, start=1):
        file.write(f"\n## {number}\\. {_plain(record['question']) or '(no question)'}\n\n")
        if _rephrased(record):
            file.write(f"Understood as: {_plain(record['standalone_question'])}\n\n")
        file.write(_linked_markdown(record, number) + "\n")
        if _unsupported(record):
            file.write(f"\n**{CAUTION}**\n")
        for item in record["citations"]:
            quote = "\n".join(f"> {_plain(line)}" for line in _text(item["quote"]).split("\n"))
            place = " · ".join(map(_plain, _place(item, about)))
            file.write(f'\n<a id="{_anchor(number, item["marker"])}"></a>\n'
                       f"**\\[{item['marker']}\\]** {place}\n\n{quote}\n")  # fmt: skip
        for passage in _closest(record):
            file.write(f"\nClosest: {_plain(passage['source'])}\n\n> {_plain(passage['text'])}\n")
    if about.facts:
        file.write("\n## How these answers were made\n\n| | |\n|---|---|\n")
        for name, value in about.facts.items():
            file.write(f"| {_plain(_label(name))} | {_plain(value)} |\n")


def write_html(records: Iterable[Record], file: TextIO, about: About) -> None:
    """The same document as one HTML file that loads nothing from anywhere.

    Iterates over `records` twice: the questions are listed first.
    """
    file.write(_HEAD.format(title=_escaped(about.title), style=_STYLE))
    file.write("<nav><ol>\n")
    for number, record in enumerate(records, start=1):
        file.write(f'<li><a href="#r{number}" {_in(record["language"])}>{_heading(record)}</a> '
                   f"{_badge(record)}</li>\n")  # fmt: skip
    file.write("</ol></nav>\n")
    for number, record in enumerate(records, start=1):
        file.write(_article(record, number, about))
    if about.facts:
        rows = "".join(
            f"<tr><th>{_escaped(_label(name))}</th><td>{_escaped(value)}</td></tr>\n"
            for name, value in about.facts.items()
        )
        file.write(
            f"<section><h2>How these answers were made</h2><table>\n{rows}</table></section>\n"
        )
    file.write("</main></body></html>\n")


def _article(record: Record, number: int, about: About) -> str:
    language = _in(record["language"])
    parts = [f'<article id="r{number}">',
             f"<h2 {language}>{number}. {_heading(record)} {_badge(record)}</h2>"]  # fmt: skip
    if _rephrased(record):
        parts.append(f'<p class="small">Understood as: <span {language}>'
                     f"{_escaped(record['standalone_question'])}</span></p>")  # fmt: skip
    parts.append(f'<p class="answer" {language}>{_linked_html(record, number)}</p>')
    if _unsupported(record):
        parts.append(f'<p class="caution">{CAUTION}</p>')
    for item in record["citations"]:
        place = " · ".join(f"<bdi>{_escaped(part)}</bdi>" for part in _place(item, about))
        parts.append(
            f'<figure id="{_anchor(number, item["marker"])}">'
            f'<figcaption><a href="#r{number}">[{item["marker"]}]</a> {place}</figcaption>'
            f"<blockquote {_in(item['language'])}>{_escaped(item['quote'])}</blockquote></figure>"
        )
    if closest := _closest(record):
        parts.append("<details><summary>Closest passages</summary>")
        parts += [
            f"<figure><figcaption>{_escaped(passage['source'])}</figcaption>"
            f'<blockquote dir="auto">{_escaped(passage["text"])}</blockquote></figure>'
            for passage in closest
        ]
        parts.append("</details>")
    return "\n".join([*parts, "</article>\n"])


def _lines(citations: Iterable[Record], name: str) -> str:
    return "\n".join(f"[{item['marker']}] {item[name]}" for item in citations)


def cell(value: object) -> str:
    """Text for a spreadsheet's cell, which no spreadsheet takes for a formula."""
    text = "" if value is None else _text(value).strip()
    return _FORMULA.sub(r"\1'", text)


def _text(value: object) -> str:
    """Text without control characters (and lone surrogates, which no file can hold)."""
    return _CONTROL.sub("\ufffd", str(value).replace("\r\n", "\n").replace("\r", "\n"))


def _escaped(value: object) -> str:
    return html.escape(_text(value))


def _plain(value: object) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _MARKDOWN.sub(r"\\\1", " ".join(_text(value).split()))


def _linked_html(record: Record, number: int) -> str:
    known = {item["marker"] for item in record["citations"]}
    return _MARKER.sub(
        lambda found: (
            f'<a href="#{_anchor(number, int(found[1]))}">{found[0]}</a>'
            if int(found[1]) in known
            else found[0]
        ),
        _escaped(record["answer"]),
    )


def _linked_markdown(record: Record, number: int) -> str:
    known = {item["marker"] for item in record["citations"]}
    pieces = _MARKER.split(_text(record["answer"]))  # text, number, text, number, … text
    shown = []
    for place, piece in enumerate(pieces):
        if place % 2 == 0:
            # Blanks beside a marker stay; plain folds the rest.
            head, tail = piece[:1].isspace(), piece[-1:].isspace() and len(piece) > 1
            shown.append(" " * head + _plain(piece) + " " * tail)
        elif int(piece) in known:
            shown.append(f"[\\[{piece}\\]](#{_anchor(number, int(piece))})")
        else:
            shown.append(f"\\[{piece}\\]")
    return "".join(shown).strip()


def _anchor(number: int, marker: int) -> str:
    return f"r{number}-c{marker}"


def _place(item: Record, about: About) -> list[str]:
    """Where a quote stands, part by part."""
    source, date = item["source"], about.dates.get(item["source"])
    page = [f"page {item['page']}"] if item.get("page") else []
    return [item["title"], source, *([date] if date else []), _language(item["language"]), *page,
            f"characters {item['start']}–{item['end']}"]  # fmt: skip


def _language(code: str) -> str:
    """A language's English name, or its code where it has none here."""
    return str(load_data("languages").get(code, {}).get("name", code))


def _rephrased(record: Record) -> bool:
    understood = record["standalone_question"]
    return bool(understood) and understood != record["question"]


def _unsupported(record: Record) -> list[str]:
    return [item["text"] for item in record["sentences"] if item["verdict"] == "unsupported"]


def _closest(record: Record) -> list[Record]:
    return list(record["passages"][:CLOSEST]) if record["status"] == "refused" else []


def _label(name: str) -> str:
    return name.replace("_", " ")


def _heading(record: Record) -> str:
    return _escaped(record["question"]) or "(no question)"


def _badge(record: Record) -> str:
    if record["status"] == "answered":
        return ""
    word = {"refused": "not in the documents", "error": "failed"}[record["status"]]
    return f'<span class="badge {record["status"]}" lang="en">{word}</span>'


def _in(language: str) -> str:
    """Attributes of a text in a language; the browser finds the direction."""
    return f'lang="{_escaped(language)}" dir="auto"'


_HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
</head>
<body><main>
<h1>{title}</h1>
"""

_STYLE = """\
:root { color-scheme: light dark; --ink: #1b1f24; --faint: #59636e; --line: #d0d7de;
  --paper: #fff; --quote: #f4f6f8; --link: #0550ae; --warn: #9a3412; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --faint: #9aa5b1; --line: #3a424b;
  --paper: #14181d; --quote: #1d232a; --link: #7ab7ff; --warn: #ffb38a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.55 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.15rem; line-height: 1.35; margin: 0 0 .5rem; }
a { color: var(--link); }
nav li { margin: .2rem 0; }
article, section { border-top: 1px solid var(--line); padding: 1.25rem 0; }
.answer { font-size: 1.08rem; white-space: pre-line; }
.small, figcaption, table { font-size: .875rem; color: var(--faint); }
.caution, .badge.error { color: var(--warn); }
.badge { display: inline-block; border: 1px solid; border-radius: 1rem; padding: 0 .6rem;
  font-size: .8rem; font-weight: 400; color: var(--faint); }
figure { margin: .9rem 0; padding: .6rem .8rem; background: var(--quote); border-radius: .4rem; }
figure:target { outline: 2px solid var(--link); }
blockquote { margin: .3rem 0 0; white-space: pre-line; }
th { text-align: start; font-weight: 600; padding-inline-end: 1rem; vertical-align: top; }
@media print { body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
  figure { break-inside: avoid; border: 1px solid var(--line); } h2 { break-after: avoid; } }
"""
