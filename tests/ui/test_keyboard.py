"""Every tab by the keyboard alone, wide and narrow, light and dark, with the focus in sight."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_bot import QUOTES
from page_browser import SECONDS, ask, faults, fits, opened, watched
from page_server import Served, served, wait_until_ready
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect
from waiting import wait_until

pytestmark = pytest.mark.browser
MOST_STEPS = 80
"""Presses of the Tab key that may lead to anything on the page."""


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide-light", "narrow-dark"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    width, scheme = request.param
    yield from watched(browser, viewport={"width": width, "height": 780}, color_scheme=scheme)


@pytest.fixture
def tab(context: BrowserContext, page: Served) -> Page:
    return opened(context, page)


def reach(wanted: Locator, key: str = "Tab") -> None:
    """Go to an element with the Tab key; on it the focus must be seen."""
    expect(wanted).to_be_visible()
    for _ in range(MOST_STEPS):
        if wanted.evaluate("element => element === document.activeElement"):
            style = wanted.evaluate(
                "element => [getComputedStyle(element).outlineStyle, element.className]"
            )
            assert style[0] != "none", f"the focus is not seen on {style[1]}"
            return
        wanted.page.keyboard.press(key)
    raise AssertionError(f"no {key} leads to {wanted}")


def go_to(tab: Page, name: str) -> None:
    """Open a tab with the arrow keys."""
    reach(tab.locator('[role="tab"][aria-selected="true"]'))
    for _ in range(3):
        if tab.get_by_role("tab", name=name).get_attribute("aria-selected") == "true":
            return
        tab.keyboard.press("ArrowRight")


def choose(tab: Page, button: Locator, *files: Path) -> None:
    """Choose files with a button that opens the browser's own dialog."""
    with tab.expect_file_chooser() as asked:  # before reaching it: it takes a while to listen
        press(button)
    asked.value.set_files(files)


def press(button: Locator, key: str = "Enter") -> None:
    reach(button)
    button.page.keyboard.press(key)


def test_documents_are_searched_read_uploaded_and_removed(
    context: BrowserContext, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("Notes of the meeting\n\nAll is well.\n", encoding="utf-8")
    for running in served(tmp_path / "served"):
        wait_until_ready(running.url)
        tab = opened(context, running)
        go_to(tab, "Documents")
        reach(tab.get_by_label("Search the documents"))
        tab.keyboard.type("fibre")
        tab.keyboard.press("Enter")
        press(tab.locator("#results .open").nth(1))
        expect(tab.locator("#reader mark.current")).to_have_text(QUOTES["zh"])
        reach(tab.locator("#reader .paper"))  # which the arrow keys then scroll
        assert faults(tab) == []
        press(tab.locator("#reader .close"), "Space")
        expect(tab.locator("#reader")).to_be_hidden()
        choose(tab, tab.get_by_role("button", name="choose files"), notes)
        expect(tab.locator("#uploads li")).to_contain_text("notes.txt added")
        assert fits(tab)
        press(tab.get_by_role("button", name="Remove"))
        expect(tab.locator("#list tr")).to_have_count(4)
        assert faults(tab) == []


def test_a_file_of_questions_is_answered_and_its_answers_kept(tab: Page, tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_text("How many?\na long answer\n", encoding="utf-8")
    go_to(tab, "Batch")
    choose(tab, tab.locator("#batch-choose"), file)
    card = tab.locator("#batch-list .card")
    expect(card).to_contain_text("1 of 2")
    press(card.get_by_role("button", name="Stop"))
    expect(card).to_contain_text("stopped")
    assert fits(tab)
    assert faults(tab) == []
    reach(card.get_by_role("button", name="Download CSV"))
    with tab.expect_download() as saving:
        tab.keyboard.press("Enter")
    assert QUOTES["zh"] in saving.value.path().read_text("utf-8")
    press(card.get_by_role("button", name="Delete"))
    expect(card).to_have_count(0)


def test_an_evaluation_is_begun_stopped_resumed_and_read(
    context: BrowserContext, tmp_path: Path
) -> None:
    rows = [{"question": "How many?", "answers": ["no such thing"]},
            {"question": "a long answer", "answers": ["130"]}]  # fmt: skip
    file = tmp_path / "tests.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for running in served(tmp_path / "served"):
        wait_until_ready(running.url)
        tab = opened(context, running)
        go_to(tab, "Evaluation")
        choose(tab, tab.locator("#evaluate-choose"), file)
        card = tab.locator("#evaluate-list .card")
        expect(card).to_contain_text("running · 1 of 2 answered")
        assert fits(tab)
        press(card.get_by_role("button", name="Stop"))
        expect(card).to_contain_text("stopped")
        assert faults(tab) == []
        running.bot.pause = 0.0
        press(card.get_by_role("button", name="Go on"))
        expect(card).to_have_count(0)
        run = tab.locator("#runs-body .card")
        expect(run).to_contain_text("tests.jsonl · 2 questions · scripted")
        assert fits(tab)
        press(run.get_by_role("button", name="Figures and failures"))
        failure = tab.locator(".failure").first
        press(failure.locator("summary"))
        expect(failure).to_contain_text("no such thing")
        assert fits(tab)
        assert faults(tab) == []
        press(tab.get_by_role("button", name="All runs"))
        expect(run).to_be_visible()


def test_an_evaluation_that_ends_before_the_page_looks_is_listed(
    browser: Browser, tmp_path: Path
) -> None:
    def ended(route: Route) -> bool:
        found = route.fetch().json()
        return bool(found["runs"]) and not found["unfinished"]

    def late(route: Route) -> None:
        wait_until(lambda: ended(route))
        route.continue_()

    file = tmp_path / "tests.jsonl"
    file.write_text(json.dumps({"question": "How many?", "answers": ["130"]}), encoding="utf-8")
    for running in served(tmp_path / "served"):
        wait_until_ready(running.url)
        running.bot.pause = 0.0
        for context in watched(browser):
            tab = opened(context, running)
            tab.get_by_role("tab", name="Evaluation").click()
            expect(tab.locator("#runs-body")).to_contain_text("No run yet.")
            tab.route("**/runs", late)
            tab.locator("#evaluate-files").set_input_files(file)
            expect(tab.locator("#runs-body .card")).to_contain_text("tests.jsonl · 1 questions")


def test_what_is_no_test_set_is_told_where_it_was_chosen(
    browser: Browser, page: Served, tmp_path: Path
) -> None:
    for context in watched(browser, expected=("status of 400",)):
        tab = opened(context, page)
        file = tmp_path / "tests.csv"
        file.write_text("a,b\n1,2\n", encoding="utf-8")
        tab.get_by_role("tab", name="Evaluation").click()
        tab.locator("#evaluate-files").set_input_files(file)
        expect(tab.locator("#evaluate-fault")).to_contain_text("has no column `question`")
        expect(tab.locator("#evaluate-list .card")).to_have_count(0)


def test_settings_are_chosen_and_left(tab: Page, page: Served) -> None:
    press(tab.get_by_role("button", name="Settings"))
    told = tab.get_by_role("dialog", name="Settings")
    expect(tab.get_by_label("Strictness")).to_have_value("normal")
    reach(tab.get_by_label("Strictness"))
    tab.keyboard.type("high")
    reach(tab.get_by_label("Answer in"))
    tab.keyboard.type("Indonesian")
    assert fits(tab)
    assert faults(tab) == []
    tab.keyboard.press("Escape")
    expect(told).to_be_hidden()
    expect(tab.get_by_role("button", name="Settings")).to_be_focused()
    reach(tab.locator("#question"))
    ask(tab, "How many?")
    expect(tab.locator(".marker")).to_have_count(2)
    assert page.bot.manners[-1] == ("high", "id")
    press(tab.locator(".steps summary"), "Space")
    expect(tab.locator(".steps li").first).to_be_visible()
    press(tab.locator("#settings-line"))
    expect(told).to_be_visible()
    press(tab.get_by_role("button", name="As the server has them"))
    expect(tab.get_by_label("Strictness")).to_have_value("normal")


def test_a_source_is_opened_over_the_page_and_left(tab: Page) -> None:
    ask(tab, "How many?")
    expect(tab.locator(".marker")).to_have_count(2)
    press(tab.locator(".marker").first)
    expect(tab.locator("mark.current")).to_be_in_viewport()
    press(tab.get_by_role("button", name="All sources"))
    expect(tab.locator("#sources .card")).to_have_count(2)
    if tab.viewport_size and tab.viewport_size["width"] < 900:
        press(tab.locator("#sources .close"))
        expect(tab.locator("#sources")).to_be_hidden(timeout=5 * SECONDS)
