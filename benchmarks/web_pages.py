"""How much of web pages is read: `python benchmarks/web_pages.py TRAFILATURA [FOLDER …]`.

TRAFILATURA is the unpacked source of trafilatura 1.0.0 (`pip download --no-deps --no-binary :all:
trafilatura==1.0.0`), the last to carry its news pages, with strings that each must give and must
not; a FOLDER holds other .html files, of which the letters read are counted. The baseline is what
trafilatura itself gives.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from trafilatura import extract

from qa_bot.index.readers.markup import text_of_html
from qa_bot.index.readers.parts import one_line
from qa_bot.index.readers.webpage import _decoded, read

READERS: dict[str, Callable[[bytes], str]] = {
    "trafilatura": lambda data: extract(_decoded(data), include_comments=False) or "",
    "qa_bot": lambda data: read(data).text,
    "all that is shown": lambda data: text_of_html(_decoded(data)),
}
_PAGE = re.compile(r"'(https?://[^']+)':\s*'([^']+)'")
_TEST = re.compile(r"load_mock_page\('([^']+)'[^\n]*\)\n(.*?)(?=\n\n|\Z)", re.DOTALL)
_CLAIM = re.compile(
    r"""('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*") (not )?in result""",
)


def cases(source: Path) -> Iterator[tuple[bytes, list[str], list[str]]]:
    """Each page, with what must be read of it and what must not."""
    tests = (source / "tests/realworld_tests.py").read_text("utf-8")
    files = dict(_PAGE.findall(tests.split("def load_mock")[0]))
    for url, body in _TEST.findall(tests):
        claims = [
            (one_line(ast.literal_eval(text)), bool(no))
            for line in body.split("\n")
            for text, no in _CLAIM.findall(line.split(" # and")[0])
        ]
        if url in files and (file := source / "tests/cache" / files[url]).exists():
            wanted, unwanted = (
                [text for text, no in claims if no == kind] for kind in (False, True)
            )
            yield file.read_bytes(), wanted, unwanted


def main() -> None:
    """Print a row for each reader."""
    source, *folders = map(Path, sys.argv[1:])
    pages = list(cases(source))
    others = [file.read_bytes() for folder in folders for file in sorted(folder.rglob("*.html"))]
    print("| | wanted strings read | others left out | letters | letters of FOLDER |")
    print("|---|---|---|---|---|")
    for name, reader in READERS.items():
        kept = left = wanted = unwanted = letters = 0
        for data, yes, no in pages:
            text = one_line(reader(data))
            kept, wanted = kept + sum(each in text for each in yes), wanted + len(yes)
            left, unwanted = left + sum(each not in text for each in no), unwanted + len(no)
            letters += _letters(text)
        more = sum(_letters(reader(data)) for data in others)
        print(f"| {name} | {kept} of {wanted} | {left} of {unwanted} | {letters:,} | {more:,} |")


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


if __name__ == "__main__":
    main()
