"""The reports of a run: what they show, and that no text in them is more than text."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from evals.run_folders import HOSTILE, KINDS, full_rows, hostile_rows, write_run
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.errors import UsageError
from qa_bot.evals import charts, evidence
from qa_bot.evals.report import write_reports
from qa_bot.evals.screen import terminal_summary
from qa_bot.evals.wording import METRICS, OUTCOMES, interval, number
from qa_bot.text import display_width

MEANINGS = {metric.name: metric.meaning for metric in METRICS}
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """A page as a parser sees it; complains of tags that do not balance."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in {tag}: {names}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A reported folder of every kind of run."""
    root = tmp_path_factory.mktemp("runs")
    for kind, make in KINDS.items():
        make(root / kind)
        write_reports(root / kind)
    return {kind: root / kind for kind in KINDS}


@pytest.fixture(params=list(KINDS))
def folder(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Path:
    return folders[request.param]


def page_of(folder: Path) -> Page:
    return Page((folder / "report.html").read_text("utf-8"))


def run_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text("utf-8"))


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def results_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "results.jsonl").read_text("utf-8").splitlines()]


# --- report.html ---


def test_the_page_is_one_file_that_asks_for_nothing(folder: Path) -> None:
    """No script, link out, or style or image from elsewhere; the page's own policy forbids them."""
    page = page_of(folder)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & {
        tag for tag, _ in page.tags
    }
    for tag, attributes in page.tags:
        for name in ("src", "href", "action", "poster", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    style = re.search(r"<style>(.*?)</style>", (folder / "report.html").read_text("utf-8"), re.S)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    policies = [a["content"] for _, a in page.tags if a.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_links_within_the_page_lead_somewhere_and_ids_are_unique(folder: Path) -> None:
    tags = page_of(folder).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"].removeprefix("#") for _, a in tags if a.get("href")}
    labels = {one for _, a in tags for one in (a.get("aria-labelledby") or "").split()}
    assert targets | labels <= set(ids)


def test_tables_have_captions_and_scopes_and_charts_have_words(folder: Path) -> None:
    page = page_of(folder)
    assert page.count("table") == page.count("caption") >= 2
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    drawings = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert all(a.get("aria-hidden") or a.get("aria-labelledby") for a in drawings)
    assert page.count("desc") == sum("aria-labelledby" in a for a in drawings)
    assert any(tag == "html" and a["lang"] == "en" for tag, a in page.tags)


def test_every_figure_stands_with_its_interval_and_n(folders: dict[str, Path]) -> None:
    for kind in ("full", "retrieval"):
        text = page_of(folders[kind]).text
        run = run_of(folders[kind])
        assert len(run["metrics"]) > 7
        for name, figure in run["metrics"].items():
            if kind == "retrieval" and not figure["n"]:
                continue
            ends = interval(figure["low"], figure["high"])
            words = MEANINGS[name]
            assert f"{name} {words} {number(figure['value'])} {ends} {figure['n']} " in text


def test_slices_show_each_value_and_the_macro_mean(folders: dict[str, Path]) -> None:
    text = page_of(folders["full"]).text
    run = run_of(folders["full"])
    for language in ("en", "fr", "zh", "id"):
        figure = run["slices"]["lang"][language]["answer_match"]
        ends = interval(figure["low"], figure["high"])
        assert f"{number(figure['value'])} n {figure['n']} {ends}" in text
    assert f"Mean of the 4 languages {number(run['macro']['hit@5'])}" in text
    assert "By split" not in text, "one value makes no slice"


def test_all_charts_of_a_full_run(folders: dict[str, Path]) -> None:
    assert page_of(folders["full"]).count("figure") == 5
    text = page_of(folders["full"]).text
    assert "28 unanswerable and 92 answerable questions" in text


def test_a_retrieval_run_shows_only_what_it_measured(folders: dict[str, Path]) -> None:
    page = page_of(folders["retrieval"])
    assert page.count("figure") == 3
    for absent in ("Refusal", "Citations", "Right answer", "refused", "What the answer cites"):
        assert absent not in page.text
    assert "What was found" in page.text


def test_every_failure_is_there_with_its_evidence_under_its_kind(folders: dict[str, Path]) -> None:
    page = page_of(folders["full"])
    run = run_of(folders["full"])
    wrong = {outcome.name for outcome in OUTCOMES if outcome.wrong}
    failures = [row for row in results_of(folders["full"]) if row["attribution"] in wrong]
    assert page.count("details") == len(failures) > 20
    for outcome in OUTCOMES:
        if outcome.wrong and run["attribution"].get(outcome.name):
            assert f"{outcome.label} {run['attribution'][outcome.name]}" in page.text
            assert outcome.meaning in page.text
    assert "fr.txt: document at rank" in page.text
    assert "document not among those found No passage that hits is among those found." in page.text
    assert "The first passage that hits is at rank" in page.text


def test_faults_stand_apart_from_wrong_answers(folders: dict[str, Path]) -> None:
    text = page_of(folders["faults"]).text
    assert "4 failed for a fault and are counted apart" in text
    _, apart = text.split("Faults 4 These questions")
    assert apart.count("The server closed the connection.") == 4


def test_hostile_text_is_shown_as_it_is_and_stays_text(folders: dict[str, Path]) -> None:
    """Parsing and closing as expected is checked by `Page`; no tag comes from the text."""
    page = page_of(folders["hostile"])
    for text in HOSTILE:
        shown = " ".join(text.replace("\ud800", "?").replace("\x00", "\ufffd").split())
        assert shown in page.text.replace("\x00", "\ufffd"), text
    plain = {tag for tag, _ in page_of(folders["full"]).tags}
    assert {tag for tag, _ in page.tags} <= plain | {"strong"}


def test_questions_and_quotes_carry_their_language(folders: dict[str, Path]) -> None:
    tags = page_of(folders["full"]).tags
    asked = {a["lang"] for _, a in tags if a.get("class") == "asked"}
    assert asked == {"en", "fr", "zh", "id"}
    assert {a.get("lang") for tag, a in tags if tag == "q"} >= {"fr", "zh", ""}


# --- highlighting ---


def test_quotes_and_gold_are_marked_where_they_stand() -> None:
    passage = {"source": "a.txt", "start": 10, "text": "one two three four"}
    citations = [
        {"source": "a.txt", "start": 14, "end": 23, "marker": 1},
        {"source": "b.txt", "start": 10, "end": 13, "marker": 2},
    ]
    found = evidence.pieces(passage, citations, ["three"])
    assert [(piece.text, piece.markers, piece.gold) for piece in found] == [
        ("one ", (), False), ("two ", (1,), False), ("three", (1,), True), (" four", (), False),
    ]  # fmt: skip


spans = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted)


@given(st.text(max_size=40), st.integers(0, 20), st.lists(spans, max_size=4), st.text(max_size=5))
def test_highlighting_never_changes_a_passage(
    text: str, start: int, places: list[list[int]], gold: str
) -> None:
    passage = {"source": "a", "start": start, "text": text}
    citations = [
        {"source": "a", "start": a, "end": b, "marker": n} for n, (a, b) in enumerate(places, 1)
    ]
    found = evidence.pieces(passage, citations, [gold])
    assert "".join(piece.text for piece in found) == text
    for citation in citations:
        marked = "".join(piece.text for piece in found if citation["marker"] in piece.markers)
        begin, end = (max(0, citation[edge] - start) for edge in ("start", "end"))
        assert marked == text[begin:end]


def test_gold_documents_are_ranked_by_their_best_passage() -> None:
    row = {
        "retrieved": [{"source": name} for name in ("a", "a", "b")],
        "expected": {
            "gold_docs": ["b", "c"], "gold_passages": ["x", "y"], "passage_docs": ["b", "b"]
        },
    }  # fmt: skip
    assert [(gold.source, gold.text, gold.rank) for gold in evidence.gold(row)] == [
        ("b", "x", 2), ("b", "y", 2), ("c", "", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("documents", "expected"),
    [(["b"], [("b", "x"), ("b", "y")]), (["b", "c"], [("", "x"), ("", "y"), ("b", ""), ("c", "")])],
)
def test_gold_passages_without_their_document_belong_to_the_only_one(
    documents: list[str], expected: list[tuple[str, str]]
) -> None:
    row = {"expected": {"gold_docs": documents, "gold_passages": ["x", "y"]}}
    assert [(gold.source, gold.text) for gold in evidence.gold(row)] == expected


# --- charts ---


def test_the_trade_off_counts_refusals_at_every_threshold() -> None:
    """Confidences that part the two kinds wholly reach the upper left corner."""

    def row(confidence: float, answerable: bool, status: str) -> dict[str, Any]:
        return {
            "confidence": confidence, "status": status, "expected": {"answerable": answerable}
        }  # fmt: skip

    rows = [row(0.9, True, "answered"), row(0.8, True, "refused"), row(0.1, False, "answered")]
    chart = charts.refusal_curve(rows)
    assert chart
    left, right = charts.LEFT, charts.WIDTH - charts.RIGHT
    top, bottom = charts.TOP, charts.HEIGHT - charts.BOTTOM
    half = (left + right) / 2
    expected = [(left, bottom), (left, bottom), (left, top), (half, top), (right, top)]
    assert "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in expected) in chart.svg
    assert "today: 0.00 of the unanswerable refused, 0.50 of the answerable" in chart.svg
    assert charts.refusal_curve(rows[:2]) is None
    assert charts.refusal_curve([{**r, "confidence": None} for r in rows]) is None


def test_reliability_compares_confidence_with_what_happened() -> None:
    rows = [
        {"confidence": 0.85, "expected": {"answerable": n < 9}} for n in range(10)
    ] + [{"confidence": 1.0, "expected": {"answerable": True}}]  # fmt: skip
    chart = charts.confidence_reliability(rows)
    assert chart
    assert "0.90 answerable of 10 near 0.85" in chart.svg
    assert "1.00 answerable of 1 near 1.00" in chart.svg
    assert charts.confidence_reliability(rows[:9]) is None


def test_reliability_of_scores_is_of_first_passages_whose_gold_is_known() -> None:
    def row(
        score: float, rank: int | None, *, answerable: bool = True, known: bool = True
    ) -> dict[str, Any]:
        expected = {"answerable": answerable, "gold_passages": ["gold"] if known else []}
        return {"retrieved": [{"score": score}], "ranks": {"passage": rank}, "expected": expected}

    rows = [row(0.62, 1), row(0.64, 2), row(0.66, None), row(0.05, None, answerable=False,
            known=False), row(0.95, None, known=False)]  # fmt: skip
    chart = charts.score_reliability(rows)
    assert chart
    assert "0.33 gold of 3 near 0.64" in chart.svg
    assert "0.00 gold of 1 near 0.05" in chart.svg
    assert "near 0.95" not in chart.svg
    assert charts.score_reliability([{**rows[0], "retrieved": []}]) is None


def test_the_bar_of_outcomes_fills_its_width_in_order() -> None:
    counts = [("right", 3), ("wrong", 1)]
    assert re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', charts.segments(counts)) == [
        ("0.00", "75.00"), ("75.00", "25.00"),
    ]  # fmt: skip
    alone = charts.segments(counts, only="wrong")
    assert re.findall(r'x="([\d.]+)%" width="([\d.]+)%"', alone) == [("75.00", "25.00")]


@given(st.floats(0.001, 5000))
def test_ticks_of_time_are_round_and_reach_the_slowest(slowest: float) -> None:
    chart = charts.latency([{"seconds": slowest}], {})
    assert chart
    ticks = [
        float(t) for t in re.findall(r'text-anchor="middle" class="tick">([\d.e+-]+)', chart.svg)
    ]
    assert 2 <= len(ticks) <= 7
    assert ticks[-1] >= slowest * 0.998


# --- results.csv ---


def test_the_table_has_a_row_a_question_and_every_score(folders: dict[str, Path]) -> None:
    rows, results = rows_of(folders["full"]), results_of(folders["full"])
    assert len(rows) == len(results) == 120
    for row, result in zip(rows, results, strict=True):
        assert row["id"] == result["id"]
        assert row["question"] == result["question"]
        assert float(row["seconds"]) == result["seconds"]
        for name, score in result["scores"].items():
            assert row[name] == ("" if score is None else str(score)), name
        for citation in result["citations"]:
            assert f"[{citation['marker']}] {citation['quote']}" in row["quotes"]
    assert any("乌镇" in row["question"] for row in rows)


def test_the_table_opens_as_utf8_in_a_spreadsheet(folder: Path) -> None:
    assert (folder / "results.csv").read_bytes().startswith(b"\xef\xbb\xbfid,question,")


def test_no_cell_is_a_live_formula_and_no_text_is_lost(folders: dict[str, Path]) -> None:
    rows, results = rows_of(folders["hostile"]), results_of(folders["hostile"])
    assert len(rows) == len(results)
    for row, result in zip(rows, results, strict=True):
        for name in ("id", "question", "answer", "lang", "type"):
            said = re.sub(r"[\x00-\x08\x0b-\x1f\ud800]", "\ufffd", result[name]).strip()
            assert row[name].replace("'", "") == said.replace("'", "")
        for cell in row.values():
            assert not re.match(r"\s*[=+\-@]|[\t\r\n]", cell), cell


# --- report.md ---


def test_markdown_holds_the_figures_and_the_failures(folders: dict[str, Path]) -> None:
    text = (folders["full"] / "report.md").read_text("utf-8")
    figure = run_of(folders["full"])["metrics"]["hit@5"]
    ends = interval(figure["low"], figure["high"])
    assert f"| hit@5 | {number(figure['value'])} | {ends} | {figure['n']} |" in text
    assert "### Not retrieved: " in text
    assert text.count("  - Expected: ") == page_of(folders["full"]).count("details")


def test_hostile_text_is_plain_in_markdown(folders: dict[str, Path]) -> None:
    """No live tag, link, image or table bar, and no line that a text could begin."""
    text = (folders["hostile"] / "report.md").read_text("utf-8")
    assert not re.search(r"(?<!\\)(?:\\\\)*<", text)
    assert not re.search(r"(?<!\\)\]\(", text)
    assert not set("\x1b\x00\x07\u202e") & set(text)
    for line in text.splitlines():
        assert (
            line == "" or line.startswith(("#", "|", "- ", "  - ", "None.")) or "questions" in line
        )
    assert r"\| a \| b \| \# heading \[link\](javascript:1)" in text


def columns(lines: list[str]) -> Iterator[int]:
    """The number of cells of each table line."""
    for line in lines:
        if line.startswith("|"):
            yield len(re.findall(r"(?<!\\)\|", line)) - 1


def test_markdown_tables_have_as_many_cells_in_each_line(folder: Path) -> None:
    text = (folder / "report.md").read_text("utf-8")
    tables = [part for part in text.split("\n\n") if part.startswith("|")]
    assert tables
    for table in tables:
        assert len(set(columns(table.splitlines()))) == 1, table


# --- the terminal ---


@pytest.mark.parametrize("width", [40, 60, 79, 80, 200])
def test_the_summary_fits_the_screen(folder: Path, width: int) -> None:
    lines = terminal_summary(run_of(folder), width, folder / "report.html").split("\n")
    assert len(lines) < 24
    assert all(display_width(line) <= width for line in lines)


def test_the_summary_says_the_headlines(folders: dict[str, Path]) -> None:
    run = run_of(folders["full"])
    text = terminal_summary(run, 80, Path("RUN/report.html"))
    assert text.startswith("made-up.jsonl: 120 questions in 812 s, made-up-1.5b\n")
    refusals = next(line for line in text.splitlines() if line.startswith("refusal_rate"))
    for name in ("refusal_rate", "over_refusal"):
        figure = run["metrics"][name]
        shown = [number(figure["value"], 2), interval(figure["low"], figure["high"], 2)]
        assert " ".join([*shown, f"{figure['n']:>4}"]) in refusals
    for part in ("\nzh ", "\nacross languages ", "\nsame language ", "not retrieved"):
        assert part in text
    assert text.endswith("\nReport: RUN/report.html")


def test_many_languages_are_cut_and_counted() -> None:
    """The summary names how many lines it leaves to the report."""
    figure = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    run = {
        "test_set": {"name": "x"}, "configuration": {}, "retrieval_only": True, "seconds": 1.0,
        "counts": {"total": 9, "answered": 0, "refused": 0, "error": 0}, "attribution": {},
        "metrics": {"hit@5": figure},
        "slices": {"lang": {f"l{n}": {"hit@5": figure} for n in range(30)}},
    }  # fmt: skip
    lines = terminal_summary(run, 80).split("\n")
    shown = sum(line.startswith("l") for line in lines)
    assert f"… {30 - shown} more in the report" in lines
    assert len(lines) == 23


# --- wording ---


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "–"), (0.5, "0.500"), (1.0, "1.000"), (0.9996, "0.999"),
     (12.34, "12.3"), (812.3, "812")],
)  # fmt: skip
def test_numbers_are_short_and_never_rounded_up_to_perfect(value: float | None, shown: str) -> None:
    assert number(value) == shown


def test_every_figure_of_the_contract_has_words() -> None:
    contract = (
        "hit@5 nDCG@10 MRR@10 recall@20 passage_hit@5 answer_match answer_f1 language_match "
        "citation_precision citation_recall quote_verbatim refusal_rate over_refusal p50_seconds "
        "p95_seconds first_token_p50"
    )
    assert set(contract.split()) <= {metric.name for metric in METRICS}


def test_a_figure_that_is_not_the_contracts_is_shown_too(tmp_path: Path) -> None:
    write_run(tmp_path, full_rows(8))
    run = run_of(tmp_path)
    run["metrics"]["proxy_support"] = {"value": 0.654, "low": 0.5, "high": 0.8, "n": 8}
    (tmp_path / "run.json").write_text(json.dumps(run), "utf-8")
    write_reports(tmp_path)
    assert "proxy_support 0.654 0.500–0.800 8" in page_of(tmp_path).text


# --- folders ---


def test_a_folder_without_a_finished_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"not the folder of a finished run.*--resume"):
        write_reports(tmp_path)


def test_reports_of_the_same_run_are_the_same(tmp_path: Path) -> None:
    write_run(tmp_path, hostile_rows())
    write_reports(tmp_path)
    first = [(tmp_path / name).read_bytes() for name in ("report.html", "report.md", "results.csv")]
    write_reports(tmp_path)
    again = [(tmp_path / name).read_bytes() for name in ("report.html", "report.md", "results.csv")]
    assert first == again


def test_the_report_says_where_the_time_goes(tmp_path: Path) -> None:
    write_run(tmp_path, full_rows(8))
    write_reports(tmp_path)
    page = Page((tmp_path / "report.html").read_text("utf-8")).text
    assert "Where the time goes" in page
    assert "judge" in page
    assert "2.42" in page
