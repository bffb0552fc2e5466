"""Small files of every format, made by hand so that tests know each byte."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>{title}</dc:title>'
    "<dc:creator>{author}</dc:creator><dcterms:created>{date}T10:00:00Z</dcterms:created>"
    "</cp:coreProperties>"
)


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    """A zip file, its members compressed."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def docx(paragraphs: Sequence[str], *, title: str = "", body: str = "", **extra: str) -> bytes:
    """A Word document; `body` is raw XML behind the paragraphs."""
    shown = "".join(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)
    document = f"<w:document {WORD}><w:body>{shown}{body}</w:body></w:document>"
    core = CORE.format(title=title, author="Jane Doe", date="2020-05-06")
    return zipped({"word/document.xml": document, "docProps/core.xml": core, **extra})


def epub(chapters: Sequence[str], *, title: str = "", **extra: str) -> bytes:
    """An e-book in which the chapters' files are not in reading order."""
    names = [f"c{len(chapters) - n}" for n in range(len(chapters))]
    items = "".join(
        f'<item id="{name}" href="text/{name}%20.xhtml" media-type="application/xhtml+xml"/>'
        for name in sorted(names)
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in names)
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>{title}</dc:title><dc:title>Another title</dc:title>"
        "<dc:creator>Jane Doe</dc:creator><dc:date>2020-05-06</dc:date></metadata>"
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    texts = {
        f"OEBPS/text/{name} .xhtml": f"<html><head><title>x</title></head><body>{chapter}</body>"
        for name, chapter in zip(names, chapters, strict=True)
    }
    return zipped({"META-INF/container.xml": container, "OEBPS/book.opf": package} | texts | extra)


def pdf(pages: Sequence[Sequence[str]], *, title: str = "", kids: str = "") -> bytes:
    """A PDF with lines of Latin text on each page; `kids` replaces the list of pages."""
    listed = kids or " ".join(f"{5 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{listed}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        f"<< /Title ({title}) /Author (Jane Doe) /CreationDate (D:20200506100000Z) >>",
    ]
    for number, lines in enumerate(pages):
        shown = " ".join(f"({line}) Tj T*" for line in lines)
        stream = f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET" if lines else ""
        objects += [
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {6 + 2 * number} 0 R >>",
            f"<< /Length {len(stream.encode('cp1252'))} >>\nstream\n{stream}\nendstream",
        ]
    data = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode("cp1252")
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 4 0 R >>\n"
    return data + (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}"
        f"startxref\n{len(data)}\n%%EOF\n"
    ).encode("ascii")


def html(paragraphs: Sequence[str], *, title: str = "", charset: str = "utf-8") -> bytes:
    """A web page with menus and notices around its article."""
    shown = "".join(f"<p>{text}</p>" for text in paragraphs)
    return (
        f'<!doctype html><html><head><meta charset="{charset}"><title>{title}</title>'
        '<meta name="author" content="Jane Doe">'
        '<meta property="article:published_time" content="2020-05-06T10:00:00Z"></head><body>'
        '<nav><ul><li><a href="/">Home</a></li><li><a href="/b">Sign in</a></li></ul></nav>'
        f"<article><h1>{title}</h1>{shown}</article>"
        "<footer><p>Copyright 2020. All rights reserved.</p></footer></body></html>"
    ).encode(charset)


def eml(text: str, *, title: str = "", kind: str = "plain", attached: bool = False) -> bytes:
    """A letter, with a picture attached where that is asked for."""
    from email.message import EmailMessage

    letter = EmailMessage()
    letter["Subject"], letter["From"] = title, "Jane Doe <jane@example.org>"
    letter["Date"] = "Wed, 06 May 2020 10:00:00 +0200"
    letter.set_content(text, subtype=kind)
    if attached:
        letter.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="a.png")
    return letter.as_bytes()


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]], *, title: str = "") -> bytes:
    """A workbook."""
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.title, book.properties.creator = title, "Jane Doe"
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()
