"""Files of answers as a spreadsheet, a browser and a Markdown reader take them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from typing import Any, TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_bot import QUOTE, ScriptedBot

from qa_bot.exports import About, write_csv, write_html, write_markdown
from qa_bot.questions import as_questions
from qa_bot.runner import answer_all

Records = list[dict[str, Any]]
ABOUT = About(
    "Answers to q<1>.csv", {"model": "tiny & good", "documents": 5}, {"fr.txt": "2020-11-23"}
)


def records(*questions: str) -> Records:
    return list(answer_all(ScriptedBot().ask, as_questions(questions)))


def written(
    write: Callable[[Iterable[Any], TextIO, About], None], *questions: str, about: About = ABOUT
) -> str:
    file = io.StringIO(newline="")
    write(records(*questions), file, about)
    return file.getvalue()


def spreadsheet(text: str, separator: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))


def test_a_spreadsheet_shows_a_row_a_question_with_its_evidence() -> None:
    header, answered, refused, failed = spreadsheet(written(write_csv, "Who?", "refuse?", ""))
    row = dict(zip(header, answered, strict=True))
    assert row["answer"] == "Who? [1] and <i>more</i> [2]"
    assert row["sources"] == "[1] fr.txt\n[2] zh.txt"
    assert row["titles"] == "[1] L'exposition <2020>\n[2] 光纤"
    assert row["dates"] == "[1] 2020-11-23"
    assert row["quotes"] == "[1] " + QUOTE.replace("\n=", "\n'=") + "\n[2] 中国企业铺设"
    assert row["quote_languages"] == "[1] fr\n[2] zh"
    assert (refused[2], refused[header.index("sources")]) == ("refused", "")
    assert failed[2] == "error"
    assert "row 3" in failed[-1]


ACTIVE = re.compile(r"\s*[=@＝＠]|[+\-＋－\t\n]")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "payload",
    ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\n=1", " =1", "＝1", "\r=1",
     'x,=1', "x;=1", "x;@a", "x\t=1", "x\n=1", "x|+1", 'x";=1;"', 'a,"=1', "x, =1", "x;-1"],
)  # fmt: skip
def test_no_cell_becomes_a_formula_whatever_separates_cells(payload: str, separator: str) -> None:
    """A spreadsheet set to another separator splits cells elsewhere, quotes or not."""
    (record,) = records("Who?")
    citation = {**record["citations"][0], "title": payload, "quote": payload, "source": payload}
    hostile = {**record, "id": payload, "question": payload, "answer": payload, "error": payload,
               "citations": [citation], "standalone_question": payload}  # fmt: skip
    file = io.StringIO(newline="")
    write_csv([hostile], file, About("", {}, {payload: payload}))
    for row in spreadsheet(file.getvalue(), separator):
        for cell in row:
            assert not ACTIVE.match(cell), cell
    for line in file.getvalue().split("\n"):
        for part in re.split(r"[,;\t|]", line):
            assert not ACTIVE.match(part.lstrip('"')), part


@given(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1))
def test_ordinary_text_stays_as_it_is_in_a_csv(text: str) -> None:
    """Only an apostrophe is ever added, and only at a place that could start a cell."""
    (record,) = records("Who?")
    file = io.StringIO(newline="")
    write_csv([{**record, "answer": text}], file, ABOUT)
    header, row = spreadsheet(file.getvalue())
    shown = row[header.index("answer")]
    assert re.sub(r"(^|[,;|])'(?=[ \t\"]*[=@＝＠]|\"*[+\-＋－])", r"\1", shown) == text.strip()


class Page(HTMLParser):
    """What a browser finds in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.quotes: list[dict[str, str | None]] = []
        self.names: set[str] = set()
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.add(tag)
        self.names |= set(found)
        self.ids += [found["id"]] if found.get("id") else []
        self.links += [found["href"] or ""] if "href" in found else []
        self.quotes += [found] if tag == "blockquote" else []

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_links_every_marker_to_its_quote_and_back() -> None:
    page = Page(written(write_html, "Who?", "refuse?", ""))
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} == set(page.ids)
    assert page.links.count("#r1-c1") == page.links.count("#r1-c2") == 1
    assert [quote["lang"] for quote in page.quotes[:2]] == ["fr", "zh"]
    assert all(quote["dir"] == "auto" for quote in page.quotes)


def test_a_page_shows_what_an_answer_rests_on() -> None:
    text = Page(written(write_html, "Who?", "refuse?", "")).text
    for shown in ("L'exposition <2020>", "fr.txt", "2020-11-23", "French", "characters 5–", QUOTE,
                  "Closest passages", "row 3: the question is empty", "tiny & good",
                  "sentence of this answer is not confirmed"):  # fmt: skip
        assert shown in text


HOSTILE = (
    "</title></p><script>alert(1)</script><img src=https://x/y onerror=z> \" ' {} [1](https://x)"
)


def test_a_page_asks_nothing_of_the_network_and_runs_nothing() -> None:
    (record,) = records(HOSTILE)
    citation = dict.fromkeys(("source", "title", "quote", "language"), HOSTILE)
    hostile = {**record, "answer": f"{HOSTILE} [1]", "language": HOSTILE, "error": HOSTILE,
               "standalone_question": HOSTILE + "?",
               "citations": [{**record["citations"][0], **citation}]}  # fmt: skip
    file = io.StringIO()
    write_html([hostile], file, About(HOSTILE, {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}))
    page = Page(file.getvalue())
    assert not page.tags & {"script", "img", "link", "iframe", "object", "base", "form"}
    assert all(link.startswith("#") for link in page.links)
    assert not {"src", "srcset", "action", "onerror", "style"} & page.names
    assert "url(" not in file.getvalue()
    assert "default-src 'none'" in file.getvalue()
    assert HOSTILE in page.text


def test_a_number_in_brackets_that_is_no_marker_stays_text() -> None:
    (record,) = records("Who?")
    file = io.StringIO()
    write_html([{**record, "answer": "Item [7] of [1]."}], file, ABOUT)
    assert "Item [7] of <a" in file.getvalue()


def test_markdown_links_every_marker_to_its_quote() -> None:
    text = written(write_markdown, "Who?", "refuse?")
    assert "[\\[1\\]](#r1-c1) and" in text
    assert '<a id="r1-c1"></a>' in text
    assert "> 130 entreprises ont participé,\n> " in text
    assert "2020\\-11\\-23 · French" in text
    assert "Closest: fr\\.txt" in text
    assert "| model | tiny \\& good |" in text


def test_markdown_shows_hostile_text_as_text() -> None:
    text = written(write_markdown, f"{HOSTILE}\n# Heading\n```\n| x", about=About(HOSTILE))
    plain = re.sub(r"\\.", "", text)
    assert set(re.findall(r"<[^>]*>", plain)) == {'<a id="r1-c1">', '<a id="r1-c2">', "</a>"}
    assert set(re.findall(r"\]\(([^)]*)\)", plain)) == {"#r1-c1", "#r1-c2"}
    assert len(re.findall(r"^#", text, re.MULTILINE)) == 2
    assert "```" not in text
    assert "https://x" not in text  # where bare addresses would become links


@pytest.mark.parametrize("write", [write_csv, write_markdown, write_html])
def test_control_characters_reach_no_file(
    write: Callable[[Iterable[Any], TextIO, About], None],
) -> None:
    text = written(write, "Bell \x07 nul \x00 escape \x1b[31m half \ud800")
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]", text)
