"""Take the README's pictures of the page, into `benchmarks/screenshots/`.

    python benchmarks/screenshots.py            # the page with the seeds and the real model
    python benchmarks/screenshots.py URL FOLDER # all there are, of a server that runs already

Needs Playwright and Debian's chromium. Look at every picture before it is committed.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FOLDER = Path(__file__).parent / "screenshots"
README = {"source-light", "source-dark", "refusal-light", "documents-light", "phone-light",
          "phone-source-dark"}  # fmt: skip
PORT = 7868
QUESTION = "How many kilometres of optical fibre have Chinese companies laid in Africa?"
UNANSWERABLE = "Pourquoi la Conférence mondiale de l'Internet de 2020 a-t-elle été annulée ?"
MINUTES = 60_000
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}


@contextmanager
def served() -> Iterator[str]:
    """The page over the seeds, in a store of its own."""
    with tempfile.TemporaryDirectory() as store:
        server = subprocess.Popen(
            [sys.executable, "-m", "qa_bot", "serve", "--port", str(PORT), "--store", store]
        )
        try:
            _wait_for_port()
            yield f"http://127.0.0.1:{PORT}"
        finally:
            server.terminate()
            server.wait()


def _wait_for_port() -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"nothing listens on port {PORT} after a minute")


def pictures(browser: Browser, url: str, folder: Path, wanted: set[str] | None) -> None:
    """Wide and narrow, light and dark; those wanted, or all."""
    folder.mkdir(exist_ok=True)
    for scheme in ("light", "dark"):

        def snap(tab: Page, name: str, scheme: str = scheme) -> None:
            if wanted is None or f"{name}-{scheme}" in wanted:
                tab.screenshot(path=folder / f"{name}-{scheme}.png")

        tab = _opened(browser, url, WIDE, scheme)
        snap(tab, "start")
        _ask(tab, QUESTION)
        snap(tab, "answer")
        tab.locator(".turn .marker").first.click()
        tab.locator("mark.current").wait_for()
        tab.mouse.move(0, 0)
        snap(tab, "source")
        tab.locator(".steps summary").click()
        snap(tab, "steps")
        tab.locator(".steps summary").click()
        _ask(tab, UNANSWERABLE)
        snap(tab, "refusal")
        tab.get_by_role("button", name="Bad answer").last.click()
        tab.locator("#open-history").click()
        tab.locator("#scope summary").click()
        snap(tab, "history")
        tab.keyboard.press("Escape")
        tab.locator("#state").click()
        tab.locator("#about-list div").first.wait_for()
        snap(tab, "settings")
        tab.keyboard.press("Escape")
        tab.locator("#open-history").click()
        _batch(tab)
        snap(tab, "batch")
        _evaluation(tab, snap)
        tab.get_by_role("tab", name="Documents").click()
        snap(tab, "documents")
        tab.get_by_label("Search the documents").fill("5G")
        tab.keyboard.press("Enter")
        tab.locator("#results .open").first.click()
        tab.locator("#reader mark.current").wait_for()
        snap(tab, "search")
        tab.context.close()
        phone = _opened(browser, url, PHONE, scheme)
        snap(phone, "phone-start")
        _ask(phone, QUESTION)
        snap(phone, "phone")
        phone.locator(".turn .marker").first.click()
        phone.locator("mark.current").wait_for()
        snap(phone, "phone-source")
        phone.locator("#sources .close").click()
        phone.get_by_role("button", name="Settings").click()
        phone.locator("#about-list div").first.wait_for()
        snap(phone, "phone-settings")
        phone.keyboard.press("Escape")
        phone.locator("#scope summary").click()
        snap(phone, "phone-scope")
        phone.get_by_role("tab", name="Documents").click()
        snap(phone, "phone-documents")
        phone.get_by_role("tab", name="Evaluation").click()
        phone.locator("#runs-body > *").first.wait_for()
        snap(phone, "phone-evaluation")
        phone.context.close()


def _batch(tab: Page) -> None:
    questions = f'question\n"{QUESTION}"\n"{UNANSWERABLE}"\n'.encode()
    tab.get_by_role("tab", name="Batch").click()
    file = {"name": "questions.csv", "mimeType": "text/csv", "buffer": questions}
    tab.locator("#batch-files").set_input_files(file)  # type: ignore[arg-type]
    tab.get_by_text("2 of 2").first.wait_for(timeout=5 * MINUTES)


def _evaluation(tab: Page, snap: Callable[[Page, str], None]) -> None:
    """The runs of the server's `runs` folder; without runs, that there are none."""
    tab.get_by_role("tab", name="Evaluation").click()
    tab.locator("#runs-body > *").first.wait_for()
    snap(tab, "evaluation")
    if tab.locator("#runs-body .card").count() < 2:
        return
    tab.get_by_role("button", name="Figures and failures").first.click()
    tab.locator(".failure summary").first.click()
    tab.locator(".failure").first.scroll_into_view_if_needed()
    snap(tab, "failures")
    tab.get_by_role("button", name="All runs").click()
    tab.get_by_role("button", name="Compare").click()
    tab.get_by_role("button", name="All runs").wait_for()
    snap(tab, "compare")


def _opened(browser: Browser, url: str, size: dict[str, int], scheme: str) -> Page:
    context = browser.new_context(viewport=size, color_scheme=scheme, locale="en-GB")  # type: ignore[arg-type]
    tab = context.new_page()
    tab.goto(url)
    tab.locator("#example-list li").first.wait_for(timeout=5 * MINUTES)
    return tab


def _ask(tab: Page, question: str) -> None:
    before = tab.locator(".actions").count()
    tab.locator("#question").fill(question)
    tab.keyboard.press("Enter")
    tab.locator(".actions").nth(before).wait_for(timeout=5 * MINUTES)
    tab.wait_for_timeout(300)


def main() -> None:
    """See the module's docstring."""
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        if len(sys.argv) > 1:
            pictures(browser, sys.argv[1], Path(sys.argv[2]), None)
            return
        with served() as url:
            pictures(browser, url, FOLDER, README)


if __name__ == "__main__":
    main()
