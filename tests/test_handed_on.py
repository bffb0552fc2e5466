"""The documents that are handed on, as a reader's browser shows them: answers of a batch."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from scripted_bot import QUOTE, ScriptedBot

from qa_bot.batch import batch

pytestmark = pytest.mark.browser
HOSTILE = "Who? </a></li><script>document.title='run'</script><img src=x onerror=alert(1)>"


@pytest.fixture(params=["light-wide", "dark-phone"])
def document(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Page]:
    """Three answers as one HTML file, opened from disk."""
    (tmp_path / "q.txt").write_text(f"{HOSTILE}\nrefuse?\nHow many?\n", encoding="utf-8")
    batch(ScriptedBot(), tmp_path / "q.txt", tmp_path / "a.html", out=io.StringIO())
    scheme, width = request.param.split("-")
    size = {"width": 1280 if width == "wide" else 360, "height": 700}
    context = browser.new_context(color_scheme=scheme, viewport=size)
    page, wrong = context.new_page(), []
    page.on("request", lambda asked: wrong.append(asked.url))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto((tmp_path / "a.html").as_uri())
    yield page
    context.close()
    assert wrong == [(tmp_path / "a.html").as_uri()], "it asks for nothing but itself"


def test_a_marker_leads_to_its_quote_and_back(document: Page) -> None:
    answer = document.locator("article").last
    answer.locator(".answer a", has_text="[1]").click()
    quote = answer.locator("figure").first
    expect(quote).to_be_in_viewport()
    assert " ".join((quote.locator("blockquote").text_content() or "").split()) == " ".join(
        QUOTE.split()
    )
    quote.locator("figcaption a").click()
    expect(answer.locator("h2")).to_be_in_viewport()


def test_text_is_shown_as_it_was_written_and_nothing_of_it_runs(document: Page) -> None:
    expect(document.locator("article h2").first).to_contain_text(HOSTILE)
    assert "run" not in document.title()
    assert document.locator("script, img").count() == 0


def test_it_fits_its_window_and_everyone_can_read_it(document: Page) -> None:
    assert document.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert Axe().run(document).response["violations"] == []
