"""What is read out of each format, and what hostile files cost."""

from __future__ import annotations

import datetime
import io
import json
import os
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import made_files
import pytest
from pypdf import PdfReader, PdfWriter

from qa_bot.index import readers
from qa_bot.index.build import open_index, read_document, update_index
from qa_bot.index.extract import Texts
from qa_bot.index.readers.parts import Unreadable
from qa_bot.index.readers.process import ReaderProcess
from qa_bot.types import Extracted

FLOOD = "The river rose by two metres on Monday, said the mayor of the town."
SCHOOL = "Schools stay closed for three days, and the old bridge is closed to everyone."
TITLE = "News of the river"

FILES = {
    "a.docx": made_files.docx([FLOOD, SCHOOL], title=TITLE),
    "a.epub": made_files.epub([f"<h1>One</h1><p>{FLOOD}</p>", f"<p>{SCHOOL}</p>"], title=TITLE),
    "a.pdf": made_files.pdf([[FLOOD], [SCHOOL]], title=TITLE),
    "a.html": made_files.html([FLOOD, SCHOOL], title=TITLE),
    "a.eml": made_files.eml(f"{FLOOD}\n\n{SCHOOL}\n", title=TITLE),
    "a.json": json.dumps(
        {"title": TITLE, "author": "Jane Doe", "date": "2020-05-06", "text": [FLOOD, SCHOOL]}
    ).encode(),
    "a.jsonl": "\n".join(json.dumps({"text": text}) for text in (FLOOD, SCHOOL)).encode(),
    "a.csv": f'Day,Text\n6 May,"{FLOOD}"\n7 May,"{SCHOOL}"\n'.encode(),
    "a.tsv": f"Day\tText\n6 May\t{FLOOD}\n7 May\t{SCHOOL}\n".encode("utf-16"),
    "a.xlsx": made_files.xlsx({"Sheet": [["Day", "Text"], [1, FLOOD], [2, SCHOOL]]}, title=TITLE),
}
BARE = {"a.jsonl", "a.csv", "a.tsv"}
"""Formats that say nothing of themselves."""


@pytest.fixture(scope="module")
def process() -> Iterator[ReaderProcess]:
    shared = ReaderProcess()
    yield shared
    shared.close()


def refused(process: ReaderProcess, data: bytes, suffix: str) -> str:
    """Why a file is not read, and as what it is reported."""
    with pytest.raises(Unreadable) as caught:
        process.read(data, suffix)
    return f"{caught.value.status}: {caught.value}"


@pytest.mark.parametrize("name", FILES)
def test_each_format_gives_its_text_and_what_it_says_of_itself(
    process: ReaderProcess, name: str
) -> None:
    found = process.read(FILES[name], Path(name).suffix)
    assert FLOOD in found.text
    assert SCHOOL in found.text
    assert found.text.index(FLOOD) < found.text.index(SCHOOL)
    assert "rights reserved" not in found.text
    assert "Sign in" not in found.text
    if name not in BARE:
        assert found.title == TITLE
        assert (found.author or "").startswith("Jane Doe")
        expected = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
        assert found.date == (expected if name == "a.xlsx" else "2020-05-06")
    assert len(found.pages) == (2 if name == "a.pdf" else 0)
    assert process.read(FILES[name], Path(name).suffix) == found


def test_every_passage_stands_in_the_text_that_people_are_shown(
    tmp_path: Path, store: Path, embedder: object
) -> None:
    docs = tmp_path / "files"
    docs.mkdir()
    for name, data in FILES.items():
        (docs / name).write_bytes(data)
    report = update_index([docs], store, embedder)  # type: ignore[arg-type]
    assert report.counts == {"added": len(FILES)}
    opened = open_index(store)
    assert opened is not None
    with opened:
        found = opened.store.get(opened.store.ids()).values()
        assert {passage.source for passage in found} == set(FILES)
        texts = {source: opened.read_text(source) for source in FILES}
        for passage in found:
            text = texts[passage.source]
            assert text is not None
            assert text[passage.start : passage.end] == passage.text
        for source in FILES:
            assert read_document([docs], source).text == texts[source]
        pages = {p.page: p.text for p in found if p.source == "a.pdf"}
        assert pages == {1: FLOOD, 2: SCHOOL}
        assert {p.page for p in found if p.source != "a.pdf"} == {None}
        entry = opened.manifest.files["a.pdf"]
        assert (entry.title, entry.author, entry.date) == (TITLE, "Jane Doe", "2020-05-06")
        assert entry.reader.startswith("pdf 2 pypdf ")
    assert update_index([docs], store, embedder).counts == {"unchanged": len(FILES)}  # type: ignore[arg-type]


def test_a_document_keeps_its_lists_tables_and_shown_text_only(process: ReaderProcess) -> None:
    body = (
        "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>First</w:t></w:r></w:p>"
        "<w:p><w:r><w:t>One</w:t><w:br/><w:t>two</w:t><w:delText>gone</w:delText></w:r></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Town</w:t></w:r></w:p></w:tc>"
        "<w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc></w:tr>"
        "</w:tbl>"
    )
    found = process.read(made_files.docx([], body=body), ".docx")
    assert found.text == "- First\n\nOne\ntwo\n\nTown; a b"


def cells(*rows: str, head: str = "") -> str:
    """A table of Word, its cells given between bars."""
    marks = [f"<w:trPr>{head}</w:trPr>", *[""] * len(rows)]
    return "<w:tbl>" + "".join(
        f"<w:tr>{mark}"
        + "".join(f"<w:tc><w:p><w:r><w:t>{x}</w:t></w:r></w:p></w:tc>" for x in row.split("|"))
        + "</w:tr>"
        for mark, row in zip(marks, rows, strict=False)
    ) + "</w:tbl>"  # fmt: skip


def test_the_rows_of_a_table_in_a_document_name_its_columns(process: ReaderProcess) -> None:
    def text(table: str) -> str:
        return process.read(made_files.docx([], body=table), ".docx").text

    assert text(cells("Firm|Price|Weeks", "Vestby|9|20")) == "Firm: Vestby; Price: 9; Weeks: 20"
    # Two columns are a form more often than not, unless the first row is marked.
    assert text(cells("Place|Library", "Chair|I. Solberg")) == "Place; Library\n\nChair; I. Solberg"
    assert text(cells("Who|When", "Moe|May", head="<w:tblHeader/>")) == "Who: Moe; When: May"


def test_a_table_without_a_header_keeps_its_first_row(process: ReaderProcess) -> None:
    def text(data: str) -> str:
        return process.read(data.encode(), ".csv").text

    assert text("Paris;75\nLyon;69\n") == "Paris; 75\n\nLyon; 69"
    assert text("Town;Number\n\nLyon;69\nNice;\n") == "Town: Lyon; Number: 69\n\nTown: Nice"
    assert text('A,B\n"x\ny",2,3') == "A; B\n\nx y; 2; 3"
    assert text("Alone") == "Alone"


def test_a_table_may_have_a_title_above_its_header_and_years_in_it(process: ReaderProcess) -> None:
    def text(data: str) -> str:
        return process.read(data.encode(), ".csv").text

    titled = "Budget,,\nin euros,,\nPost,2022,2023\nPrint,268,301\n"
    assert text(titled) == "Budget\n\nin euros\n\nPost: Print; 2022: 268; 2023: 301"
    assert text("Anna,1987\nPeter,1990\n") == "Anna; 1987\n\nPeter; 1990"  # born, not a header
    assert text("Anna,12,7\nPeter,9,3\n") == "Anna; 12; 7\n\nPeter; 9; 3"


def test_the_sheets_of_a_workbook_are_named(process: ReaderProcess) -> None:
    day = datetime.datetime(2020, 1, 2)
    rows = [["Day", "Sum"], [day, 0.1 + 0.2], [None, 4_111_111_111_111_111]]
    sheets = {"Sums": rows, "Empty": [], "More": [["x"]]}
    found = process.read(made_files.xlsx(sheets), ".xlsx")
    sums = "Day: 2020-01-02; Sum: 0.3\n\nSum: 4111111111111111"  # not 4.11e+15
    assert found.text == f"Sums\n\n{sums}\n\nMore\n\nx"


def test_numbers_of_a_workbook_are_read_as_they_are_shown(process: ReaderProcess) -> None:
    from openpyxl import load_workbook

    shown = {"0.0%": "9.3%", '#,##0.00 "€"': "0.093 €", "[$£-809]#,##0": "0.093 £",
             "[Red]0.00": "0.093", '0.00 "USD";[Red]-0.00 "EUR"': "0.093 USD"}  # fmt: skip
    book = load_workbook(io.BytesIO(made_files.xlsx({"S": [["x"] + [0.093] * len(shown)]})))
    for cell, form in zip(book.worksheets[0][1][1:], shown, strict=True):
        cell.number_format = form
    data = io.BytesIO()
    book.save(data)
    assert process.read(data.getvalue(), ".xlsx").text == "; ".join(["x", *shown.values()])


def test_the_records_of_a_file_are_told_apart(process: ReaderProcess) -> None:
    """A record's short fields share a line: "since: 2017" alone would be anybody's."""
    long = FLOOD * 2
    value = {"name": "N", "rows": [{"a": 1, "b": {"c": ["x", 2]}}, {"a": None}], "ok": True}
    value |= {"text": long, "year": 1}
    assert process.read(json.dumps(value).encode(), ".json").text == (
        f"name: N; ok: true\ntext: {long}\nyear: 1\n\na: 1; b.c: x, 2"
    )
    assert "line 2 is no JSON" in refused(process, b'{"a": 1}\n{"a"', ".jsonl")


def test_the_text_of_a_letter_in_html_and_its_attachments(process: ReaderProcess) -> None:
    body = "<style>p {}</style><p>Hello<br>you</p><ul><li>one<li>two</ul>"
    found = process.read(made_files.eml(body, title="Café", kind="html", attached=True), ".eml")
    assert found.text == "Café\n\nFrom: Jane Doe <jane@example.org>\n\nHello\nyou\n\n- one\n\n- two"
    assert found.note == "1 attachments are not read; save them as files"


def test_a_letter_whose_plain_text_only_points_to_its_html(process: ReaderProcess) -> None:
    page = (
        "<p>The print run is moved to 19 February.<table><tr><th>Part<th>Copies"
        "<tr><td>North<td>21<br>000</table>"
    )
    for plain, expected in [
        ("See the HTML.", "The print run is moved to 19 February.\n\nPart | Copies\n\n"
         "Part: North; Copies: 21 000"),
        ("> It is moved\n> > to 19 February, all 21 000 copies.\n",
         "It is moved\nto 19 February, all 21 000 copies."),
    ]:  # fmt: skip
        letter = EmailMessage()
        letter["From"], letter["To"] = "Dewi <dewi@example.org>", "desk@example.org"
        letter.set_content(plain)
        letter.add_alternative(page, subtype="html")
        found = process.read(letter.as_bytes(), ".eml")
        heads, _, text = found.text.partition("\n\n")
        assert heads == "From: Dewi <dewi@example.org>; To: desk@example.org"
        assert text == expected


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("<tr><th><p>Port</p></th><th><p>Fee</p></th></tr>"
         "<tr><td><p>Mere</p></td><td><div>30</div><div>euros</div></td></tr>",
         "Port | Fee\n\nPort: Mere; Fee: 30 euros"),
        ("<tr><td><b>Port</b><td><strong>Fee</strong><tr><td>Mere<td><b>30</b>",
         "Port | Fee\n\nPort: Mere; Fee: 30"),
        ("<thead><tr><td>Port<td>Fee<tbody><tr><td>Mere<td>30",
         "Port | Fee\n\nPort: Mere; Fee: 30"),
        ("<tr><td>Mere<td>30<tr><td><b>Total</b><td><b>30</b>", "Mere | 30\n\nTotal | 30"),
        ("<tr><td><p>A letter of more than one page.</p>" + "<p>It goes on.</p>" * 9 + "<td>Menu",
         "\n\n".join(["A letter of more than one page.", *["It goes on."] * 9, "Menu"])),
    ],
    ids=["paragraphs in cells", "a bold header", "a head", "a bold total", "a layout"],
)  # fmt: skip
def test_the_rows_of_a_web_pages_table(process: ReaderProcess, table: str, told: str) -> None:
    letter = made_files.eml(f"<p>Hello.<table>{table}</table>", title="T", kind="html")
    assert process.read(letter, ".eml").text.partition("Hello.\n\n")[2] == told


@pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "utf-16"])
def test_a_web_page_is_read_in_the_encoding_it_names(process: ReaderProcess, charset: str) -> None:
    text = "Всемирная конференция открылась в городе. В ней приняли участие многие гости из стран."
    assert text in process.read(made_files.html([text], charset=charset), ".html").text


def test_a_web_page_that_names_its_encoding_wrongly_is_read_all_the_same(
    process: ReaderProcess,
) -> None:
    text = "Le café “d'été” est fermé à Noël, et la fête de la forêt réunit tous les élèves."
    page = made_files.html([text])
    for wrong in (b"utf-16", b"shift_jis", b"nonsense", b"base64"):
        assert text in process.read(page.replace(b"utf-8", wrong), ".html").text
    windows = made_files.html([text], charset="cp1252").replace(b"cp1252", b"iso-8859-1")
    assert text in process.read(windows, ".html").text


MANUAL = """<html><head><title>9.9. Quotas</title></head><body>
<ul><li><a href="a.html">Prev</a></li><li><a href="c.html">Next</a></li></ul>
<div class="section"><h1>9.9. Quotas</h1>
<div class="para">The <b>quota</b> package limits the space that a user may take on a disk.</div>
<div class="para">Soft limits may be passed for a while: the user is only warned by mail then,
and has some days to delete what is too much.</div>
<div class="sidebar"><h3>VOCABULARY Blocks</h3>
<div class="para">A block holds between 1 and 8 kilo­bytes since 24 January 2004.</div></div>
<h2>9.9.1. Commands</h2>
<pre># edquota -t
Grace period: 7 days</pre>
<ul><li><div class="para">Hard limits are never passed.</div></li></ul>
</div>
<div class="footer">Back <a href="index.html">home to the whole manual</a></div></body></html>"""


def test_a_manual_is_read_with_its_headings_boxes_and_code(process: ReaderProcess) -> None:
    """And word for word: extractors of news articles lose half of it."""
    found = process.read(MANUAL.encode(), ".html")
    assert found.text.split("\n\n") == [
        "9.9. Quotas",
        "The quota package limits the space that a user may take on a disk.",
        "Soft limits may be passed for a while: the user is only warned by mail then, and has some "
        "days to delete what is too much.",
        "VOCABULARY Blocks",
        "A block holds between 1 and 8 kilobytes since 24 January 2004.",
        "9.9.1. Commands",
        "# edquota -t\nGrace period: 7 days",
        "Hard limits are never passed.",
    ]
    assert found.date is None  # one that is told of is not the page's own


def test_what_stands_around_an_article_is_no_text_of_it(process: ReaderProcess) -> None:
    said = [f"{text} It is said again, number {n}." for n, text in enumerate([FLOOD, SCHOOL] * 3)]
    shown = [f"<p>{text}</p>" for text in said]
    page = (
        "<html><body><nav><p>All the news that we have of all the towns of the valley.</p></nav>"
        f"<div><article><h1>{TITLE}</h1>{''.join(shown[:3])}"
        "<ul><li><a href='x'>Read on: the bridge that was closed last year is open again</a></ul>"
        "<form><p>Enter your address and get our letter every week, free of charge.</p></form>"
        f"{''.join(shown[3:])}</article></div>"
        "<aside><p>Most read: a dog that found its way home over four hundred miles.</p></aside>"
        "<footer><p>We use what you tell us to show you what others pay for.</p></footer>"
    )
    assert process.read(page.encode(), ".html").text.split("\n\n") == [TITLE, *said]


def test_words_split_at_the_end_of_a_line_are_whole(process: ReaderProcess) -> None:
    found = process.read(made_files.pdf([["The infor-", "mation of Jean-", "Paul"]]), ".pdf")
    assert found.text == "The information\nof Jean-\nPaul"


def test_lines_that_run_through_all_pages_are_no_text(process: ReaderProcess) -> None:
    texts = ["It rained on Monday.", "It snowed on Tuesday.", "The sun shone.", "It was dry."]
    pages = [["Weather report", text, f"Page {n} of 4"] for n, text in enumerate(texts, 1)]
    found = process.read(made_files.pdf(pages), ".pdf")
    assert found.text == "\n\n".join(texts)
    assert [found.text[start:].split("\n")[0] for start in found.pages] == texts
    short = process.read(made_files.pdf(pages[:2]), ".pdf")  # two pages may be alike by chance
    assert "Weather report" in short.text


def test_a_workbook_without_a_date_is_not_dated_today(process: ReaderProcess) -> None:
    book = zipfile.ZipFile(io.BytesIO(FILES["a.xlsx"]))
    bare = {name: book.read(name) for name in book.namelist() if name != "docProps/core.xml"}
    found = process.read(made_files.zipped(bare), ".xlsx")
    assert FLOOD in found.text
    assert (found.title, found.author, found.date) == ("", None, None)


def test_a_pdf_without_text_says_so(tmp_path: Path, store: Path, embedder: object) -> None:
    docs = tmp_path / "files"
    docs.mkdir()
    (docs / "scan.pdf").write_bytes(made_files.pdf([[], []]))
    (docs / "half.pdf").write_bytes(made_files.pdf([[FLOOD], []]))
    report = update_index([docs], store, embedder)  # type: ignore[arg-type]
    assert [(f.source, f.status, f.reason) for f in report.files] == [
        ("half.pdf", "added", "1 of 2 pages have no text (scanned?)"),
        ("scan.pdf", "empty", "no text (scanned?)"),
    ]


def encrypted_pdf() -> bytes:
    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(FILES["a.pdf"])))
    writer.encrypt("secret", algorithm="RC4-128")
    data = io.BytesIO()
    writer.write(data)
    return data.getvalue()


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 20}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
DRM = '<e><CipherReference URI="OEBPS/text/c1%20.xhtml"/></e>'
BROKEN = {
    "encrypted.pdf": (encrypted_pdf(), "failed: is encrypted"),
    "cut.pdf": (FILES["a.pdf"][:300], "failed: is damaged, encrypted or no PDF"),
    "no.pdf": (b"hello", "failed: is damaged, encrypted or no PDF"),
    "loop.pdf": (made_files.pdf([[FLOOD]], kids="2 0 R 2 0 R"), "failed: "),
    "cut.docx": (FILES["a.docx"][:200], "failed: is damaged or of another kind"),
    "other.docx": (made_files.zipped({"a": "x"}), "failed: is no Word document"),
    "xml.docx": (made_files.zipped({"word/document.xml": "<a><b></a>"}), "failed: holds damaged"),
    "entities.docx": (
        made_files.zipped({"word/document.xml": ENTITIES + "]><x>&i;</x>"}),
        "failed: declares XML entities",
    ),
    "drm.epub": (
        made_files.epub([FLOOD], **{"META-INF/encryption.xml": DRM}),
        "failed: is protected against copying",
    ),
    "other.epub": (made_files.zipped({"b": "x"}), "failed: is no EPUB book"),
    "cut.xlsx": (FILES["a.xlsx"][:500], "failed: is damaged or of another kind"),
    "other.xlsx": (made_files.zipped({"c": "x"}), "failed: "),
    "cut.json": (b'{"a": ', "failed: is no JSON"),
    "deep.json": (b"[" * 200_000, "failed: is nested too deeply"),
    "wrong.eml": (b"", "failed: is no letter"),
    "photo.csv": (b"\x89PNG\r\n" + bytes(range(256)) * 9, "undecodable: unknown encoding"),
    "photo.eml": (b"\x89PNG\r\n\r\n" + bytes(range(256)) * 9, "failed: is no letter"),
    "bomb.docx": (
        made_files.zipped({"word/document.xml": b"x" * 300_000_000}),
        "too_large: expands to more than 256 MB",
    ),
    "bomb.epub": (
        made_files.zipped({f"{n}": b"x" * 30_000_000 for n in range(10)}),
        "too_large: expands to more than 256 MB",
    ),
    "many.xlsx": (
        made_files.zipped({f"{n}": b"" for n in range(20_001)}),
        "too_large: holds 20,001 files",
    ),
}  # fmt: skip


def cost(process: ReaderProcess) -> tuple[float, float]:
    """Seconds of processor time the child has used, and the most memory it took, in MB."""
    if process._child is None or not Path("/proc/self/stat").is_file():
        return time.process_time(), 0
    entry = Path(f"/proc/{process._child.pid}")
    used = (entry / "stat").read_text().rpartition(")")[2].split()
    memory = int((entry / "status").read_text().split("VmHWM:")[1].split()[0]) / 1000
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK"), memory


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_or_hostile_file_is_refused_soon(process: ReaderProcess, name: str) -> None:
    data, reason = BROKEN[name]
    before = cost(process)[0]
    assert refused(process, data, Path(name).suffix).startswith(reason)
    seconds, memory = cost(process)
    assert seconds - before < 5
    assert memory < 300


def test_a_page_nested_without_end_is_read_soon(process: ReaderProcess) -> None:
    before = cost(process)[0]
    assert process.read(b"<html><body>" + b"<div>" * 100_000 + b"x", ".html").text == "x"
    assert cost(process)[0] - before < 5


def test_a_forged_size_does_not_hide_what_a_member_holds(process: ReaderProcess) -> None:
    data = BROKEN["bomb.docx"][0]
    real, forged = (300_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    assert real in data
    assert refused(process, data.replace(real, forged), ".docx").startswith("failed: is damaged")
    assert cost(process)[1] < 300


@pytest.mark.slow
def test_a_pdf_that_unpacks_without_end_is_bounded(process: ReaderProcess) -> None:
    packed = zlib.compress(b"BT (x) Tj ET " * 30_000_000, 9)
    assert len(packed) < 2_000_000
    stream = b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(packed) + packed
    plain = made_files.pdf([["x"]])
    at = plain.index(b"6 0 obj\n") + 8
    data = plain[:at] + stream + b"\nendstream\nendobj\n" + plain[plain.index(b"xref") :]
    start = time.monotonic()
    try:
        process.read(data, ".pdf")
    except Unreadable as exc:
        assert "damaged" in str(exc) or "longer" in str(exc) or "memory" in str(exc)  # noqa: PT017
    assert time.monotonic() - start < 40


def test_thirty_good_and_twenty_broken_files_are_all_accounted_for(
    tmp_path: Path, store: Path, embedder: object
) -> None:
    docs = tmp_path / "files"
    docs.mkdir()
    for number in range(3):
        for name, data in FILES.items():
            path = docs / f"{number}{name}"
            path.write_bytes(data if number == 0 else _other(name, number))
    for name, (data, _) in BROKEN.items():
        (docs / f"x-{name}").write_bytes(data)
    report = update_index([docs], store, embedder)  # type: ignore[arg-type]
    assert len(report.files) == 50
    good = [f for f in report.files if not f.source.startswith("x-")]
    assert {f.status for f in good} == {"added"}
    assert len(good) == 30
    bad = {f.source: f for f in report.files if f.source.startswith("x-")}
    assert {f.status for f in bad.values()} == {"failed", "too_large", "undecodable"}
    assert all(f.reason and "Traceback" not in f.reason for f in bad.values())
    assert report.incomplete


def _other(name: str, number: int) -> bytes:
    flood = f"{FLOOD} It was flood {number}."
    made = {  # no two files alike, which would make one a duplicate
        ".docx": lambda: made_files.docx([flood]),
        ".epub": lambda: made_files.epub([flood]),
        ".pdf": lambda: made_files.pdf([[flood]]),
        ".html": lambda: made_files.html([flood, SCHOOL]),
        ".eml": lambda: made_files.eml(flood),
        ".xlsx": lambda: made_files.xlsx({"Sheet": [[flood]]}),
        ".json": lambda: json.dumps({"text": flood}).encode(),
        ".jsonl": lambda: json.dumps({"text": flood}).encode() + b"\n",
        ".csv": lambda: f'"{flood}"'.encode(),
        ".tsv": lambda: flood.encode(),
    }
    return made[Path(name).suffix]()


def test_the_same_bytes_in_a_file_that_is_not_read_are_no_duplicate(
    tmp_path: Path, store: Path, embedder: object
) -> None:
    docs = tmp_path / "files"
    docs.mkdir()
    (docs / "a.json").write_text(FLOOD)
    (docs / "b.txt").write_text(FLOOD)
    (docs / "c.md").write_text(FLOOD)
    report = update_index([docs], store, embedder)  # type: ignore[arg-type]
    assert [file.status for file in report.files] == ["failed", "added", "duplicate"]


def test_a_format_whose_library_is_missing_names_the_cure(
    tmp_path: Path, store: Path, embedder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = readers.Format("webpage", library="no_such_library", cure="pip install 'qa-bot[html]'")
    monkeypatch.setitem(readers.FORMATS, ".html", absent)
    docs = tmp_path / "files"
    docs.mkdir()
    (docs / "a.txt").write_text(FLOOD)
    (docs / "a.html").write_bytes(FILES["a.html"])
    report = update_index([docs], store, embedder)  # type: ignore[arg-type]
    assert [(f.status, f.reason) for f in report.files] == [
        ("failed", ".html files need no_such_library; pip install 'qa-bot[html]'"),
        ("added", None),
    ]
    assert report.incomplete


def test_a_reader_that_dies_or_hangs_is_replaced(
    process: ReaderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.read(FILES["a.csv"], ".csv")
    assert process._child is not None
    process._child.kill()
    process._child.wait()
    assert FLOOD in process.read(FILES["a.csv"], ".csv").text
    monkeypatch.setattr("qa_bot.index.readers.process.SECONDS", 0)
    assert "takes longer than 0 s" in refused(process, FILES["a.pdf"] * 300, ".pdf")
    monkeypatch.undo()
    assert FLOOD in process.read(FILES["a.csv"], ".csv").text


def test_no_control_character_or_broken_surrogate_comes_out(process: ReaderProcess) -> None:
    data = json.dumps({"a": "x\x00y\ud800z\r\nw\x1b"}).encode()
    found = process.read(data, ".json")
    assert found.text == "a: x y?z\nw "
    named = json.dumps({"title": "The \ud800 river\x00", "author": "\udfff", "text": "deep"})
    found = process.read(named.encode(), ".json")
    assert (found.title, found.author) == ("The ? river ", "?")


def test_a_reader_leaves_with_its_parent() -> None:
    code = (
        "import os, sys\nfrom qa_bot.index.readers.process import ReaderProcess\n"
        "process = ReaderProcess()\nprocess.read(b'a,b', '.csv')\n"
        "print(process._child.pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    child = Path(f"/proc/{int(ran.stdout)}/status")
    deadline = time.monotonic() + 5
    while child.is_file() and "zombie" not in child.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not child.is_file() or "zombie" in child.read_text()


def test_extracted_text_is_kept_by_content() -> None:
    class Kept(dict[str, str]):
        def text(self, key: str) -> str | None:
            return self.get(key)

        def keep_text(self, key: str, value: str) -> None:
            self[key] = value

    kept = Kept()
    first, again = Texts(kept), Texts(kept)
    found = first.of(FILES["a.pdf"], ".pdf")
    first.close()
    assert len(kept) == 1
    assert again.of(FILES["a.pdf"], ".pdf") == found
    assert again._process._child is None  # nothing was extracted
    for key, value in kept.items():
        kept[key] = json.dumps(json.loads(value) | {"other": True})
    assert again.of(FILES["a.pdf"], ".pdf") == found  # what another version kept is made anew
    assert again._process._child is not None
    again.close()
    assert again.of(b"Hello", ".txt") == Extracted("Hello")


@pytest.mark.slow
def test_a_scanned_page_is_read_off_its_picture(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    from PIL import Image, ImageDraw, ImageFont

    lines = ["Menteri mengatakan ekspor naik.", "The report came out in 2023."]
    page = Image.new("RGB", (1000, 300), "white")
    for number, line in enumerate(lines):
        place = (40, 60 + 100 * number)
        ImageDraw.Draw(page).text(place, line, fill="black", font=ImageFont.load_default(40))
    page.save(tmp_path / "scan.pdf")
    process = ReaderProcess()
    try:
        found = process.read((tmp_path / "scan.pdf").read_bytes(), ".pdf")
    finally:
        process.close()
    assert found.text.split("\n") == lines
    assert found.note == "1 of 1 pages were read off a picture"
