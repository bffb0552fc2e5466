"""What the browser tests of the page share: a watched browser, asking, and axe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from page_server import Served
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, expect

SECONDS = 1000
"""Milliseconds."""
expect.set_options(timeout=20 * SECONDS)  # the machine may be busy with other tests


def watched(
    browser: Browser, expected: Sequence[str] = (), **kind: Any
) -> Iterator[BrowserContext]:
    """A browser of its own; it must meet no dialog, no other host, and no error not expected."""
    kind = {"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **kind}
    made = browser.new_context(**kind)
    made.set_default_timeout(20 * SECONDS)
    wrong: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(text in message.text for text in expected):
            wrong.append(f"console: {message.text}")

    made.on("request", lambda request: wrong.append(f"foreign: {request.url}")
            if not request.url.startswith("http://127.0.0.1:") else None)  # fmt: skip
    made.on("weberror", lambda error: wrong.append(f"script: {error.error}"))
    made.on("dialog", lambda dialog: (_alerts(dialog, wrong), dialog.accept()))
    made.on("console", said)
    yield made
    made.close()
    assert wrong == []


def _alerts(dialog: Dialog, wrong: list[str]) -> None:
    """The page asks before it deletes; nothing of it ever alerts."""
    if dialog.type != "confirm":
        wrong.append(f"dialog: {dialog.message}")


def opened(context: BrowserContext, page: Served, question: str = "Your question") -> Page:
    tab = context.new_page()
    tab.goto(page.url)
    expect(tab.get_by_label(question)).to_be_visible()
    return tab


def ask(tab: Page, text: str) -> None:
    tab.locator("#question").fill(text)
    tab.keyboard.press("Enter")


def fits(tab: Page) -> bool:
    """Whether nothing makes the page wider than its window."""
    return bool(tab.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def faults(tab: Page) -> list[str]:
    """What axe finds wrong, element by element; it must have looked at something."""
    found = Axe().run(tab).response
    assert len(found["passes"]) > 10
    return [
        f"{item['id']}: {node['html'][:200]}"
        for item in found["violations"]
        if item["impact"] in ("serious", "critical")
        for node in item["nodes"]
    ]
