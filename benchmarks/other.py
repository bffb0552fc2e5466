"""Answers on documents of other kinds: `python benchmarks/other.py PACKAGES RUNS`.

PACKAGES is a folder into which the Debian packages `debian-handbook`, `debian-history` and
`maint-guide-zh-cn` were unpacked (`dpkg -x`), and the source of trafilatura 1.0.0 (see
`web_pages.py`). Six collections are evaluated on our questions in `other/`, into folders below
RUNS: chapters of a handbook in four languages (.html); a history, a constitution and a guide (.pdf
and .txt); saved web pages in German, English and French (.html); tables; what lies in an office
(.docx, .xlsx, .eml, .pdf, .md, .txt); and what a newsroom keeps, in four languages (.txt).
"""

from __future__ import annotations

import gzip
import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from qa_bot.text import language_of

HERE = Path(__file__).parent / "other"
LANGUAGES = {"id": "id-ID", "zh": "zh-CN", "fr": "fr-FR", "en": "en-US"}
_PARAGRAPH = re.compile(r'<div class="para">(.*?)</div>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def handbook(packages: Path, folder: Path) -> None:
    """Each chapter in the next language in turn into which at least half of it is translated."""
    book = packages / "usr/share/doc/debian-handbook/html"
    for number, name in enumerate(sorted(path.name for path in (book / "en-US").glob("sect.*"))):
        turn = number % len(LANGUAGES)
        for language in [*LANGUAGES][turn:] + [*LANGUAGES][:turn]:
            page = book / LANGUAGES[language] / name
            if page.exists() and _share(page, language) >= (0.9 if language == "en" else 0.55):
                shutil.copy(page, folder / f"{language}_{name}")
                break


def history(packages: Path, folder: Path) -> None:
    """A history in French and a guide in Chinese (PDF), two texts in English, one in Indonesian."""
    share = packages / "usr/share/doc"
    shutil.copy(share / "debian-history/docs/project-history.fr.pdf", folder)
    shutil.copy(share / "maint-guide-zh-cn/maint-guide.zh-cn.pdf", folder)
    shutil.copy(share / "debian-handbook/html/id-ID/sect.release-lifecycle.html", folder)
    for name in ("constitution.txt", "social-contract.txt"):
        packed = (share / f"debian-history/{name}.gz").read_bytes()
        (folder / name).write_bytes(gzip.decompress(packed))


def web(packages: Path, folder: Path) -> None:
    """News, reports, blogs and shops, as they were saved."""
    for page in (packages / "trafilatura-1.0.0/tests/cache").glob("*.html"):
        if not page.name.startswith("exotic_tags"):  # made up
            shutil.copy(page, folder)


COLLECTIONS: dict[str, Callable[[Path, Path], None]] = {
    "handbook": handbook,
    "history": history,
    "web": web,
}
KEPT = ("tables", "office", "news")
"""Collections whose documents are in the repository."""


def _share(page: Path, language: str) -> float:
    """Of the longer paragraphs, how many are in that language."""
    found = [html.unescape(_TAG.sub(" ", each)) for each in _PARAGRAPH.findall(page.read_text())]
    long = [each for each in found if len(each) > 80]
    return sum(language_of(each) == language for each in long) / len(long) if len(long) > 2 else 0


def main() -> None:
    """Make the collections, evaluate, and print a row for each."""
    packages, runs = map(Path, sys.argv[1:])
    print("| | files | questions | right | refused rightly | refused wrongly |")
    print("|---|---|---|---|---|---|")
    for name in (*COLLECTIONS, *KEPT):
        folder = runs / f"{name}_documents"
        folder.mkdir(parents=True, exist_ok=True)
        if name in KEPT:
            shutil.copytree(HERE / name, folder, dirs_exist_ok=True)
        else:
            COLLECTIONS[name](packages, folder)
        paths = ["--documents", str(folder), "--store", str(runs / f"{name}_store")]
        command = [sys.executable, "-m", "qa_bot", "eval", str(HERE / f"{name}.jsonl")]
        subprocess.run([*command, "-o", str(runs / name), *paths], check=True, stdout=sys.stderr)
        metrics = json.loads((runs / name / "run.json").read_text("utf-8"))["metrics"]
        asked = len((HERE / f"{name}.jsonl").read_text("utf-8").splitlines())
        figures = [
            _figure(metrics[key]) for key in ("answer_match", "refusal_rate", "over_refusal")
        ]
        print(f"| {name} | {len(list(folder.iterdir()))} | {asked} |", " | ".join(figures), "|")


def _figure(metric: dict[str, float]) -> str:
    return f"{metric['value']:.2f} of {metric['n']}"


if __name__ == "__main__":
    main()
