"""What a person sets on the page, and how an answer came about, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_bot import HOSTILE, QUOTES
from page_browser import SECONDS, ask, faults, fits, opened, watched
from page_server import Served, served, wait_until_ready
from playwright.sync_api import Browser, BrowserContext, Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    yield from watched(browser)


@pytest.fixture
def tab(context: BrowserContext, page: Served) -> Page:
    return opened(context, page)


def open_settings(tab: Page) -> None:
    tab.get_by_role("button", name="Settings").click()
    expect(tab.get_by_role("dialog", name="Settings")).to_be_visible()
    expect(tab.get_by_label("Strictness")).to_have_value("normal")


def test_settings_hold_for_this_tab_alone_and_until_they_are_put_back(
    tab: Page, context: BrowserContext, page: Served
) -> None:
    ask(tab, "How many?")
    expect(tab.locator(".marker")).to_have_count(2)
    assert page.bot.manners[-1] == (None, None)
    open_settings(tab)
    tab.get_by_label("Strictness").select_option("high")
    tab.get_by_label("Answer in").select_option("fr")
    tab.keyboard.press("Escape")
    expect(tab.locator("#settings-line")).to_have_text("strictness: high · answers in French")
    ask(tab, "And then?")
    expect(tab.locator(".marker")).to_have_count(4)
    assert page.bot.manners[-1] == ("high", "fr")

    beside = opened(context, page)  # the same browser, another tab
    expect(beside.locator("#settings-line")).to_be_hidden()
    ask(beside, "How many?")
    expect(beside.locator(".marker")).to_have_count(2)
    assert page.bot.manners[-1] == (None, None)

    tab.reload()
    expect(tab.locator("#settings-line")).to_be_visible()
    tab.locator("#settings-line").click()
    tab.get_by_role("button", name="As the server has them").click()
    tab.keyboard.press("Escape")
    expect(tab.locator("#settings-line")).to_be_hidden()
    ask(tab, "Again?")
    expect(tab.locator(".marker")).to_have_count(6)
    assert page.bot.manners[-1] == (None, None)


def test_every_setting_is_explained(tab: Page) -> None:
    open_settings(tab)
    for name, why in (
        ("Strictness", "the more often it says that they do not."),
        ("Answer in", "quotes stay in their document's."),
        ("Passages shown", "How many passages a search lists"),
        ("Language model", "A change holds for everybody on this server"),
    ):
        expect(tab.get_by_label(name, exact=True)).to_have_accessible_description(
            re.compile(re.escape(why))
        )


def test_fewer_passages_are_shown_where_fewer_are_wanted(tab: Page) -> None:
    open_settings(tab)
    tab.get_by_label("Passages shown").select_option("5")
    tab.keyboard.press("Escape")
    with tab.expect_request("**/call/search") as asked:
        tab.get_by_role("tab", name="Documents").click()
        tab.get_by_label("Search the documents").fill("fibre")
        tab.keyboard.press("Enter")
    assert asked.value.post_data_json == {"data": ["fibre", 5]}
    expect(tab.locator("#results .card")).to_have_count(2)


def test_another_model_is_loaded_in_view_and_a_failure_says_its_cure(
    browser: Browser, tmp_path: Path
) -> None:
    for running in served(tmp_path):
        wait_until_ready(running.url)
        for context in watched(browser, expected=("the server responded with a status of 503",)):
            tab = opened(context, running)
            open_settings(tab)
            tab.get_by_label("Language model").select_option("other")
            tab.get_by_role("button", name="Use this model").click()
            expect(tab.locator("#model-doing")).to_have_text("Loading other…")
            expect(tab.locator("#state-text")).to_have_text("Loading other…")
            expect(tab.locator("#model")).to_contain_text("· other ·")
            expect(tab.locator("#model-doing")).to_be_hidden()
            tab.get_by_label("Language model").select_option("broken")
            tab.get_by_role("button", name="Use this model").click()
            expect(tab.locator("#model-doing")).to_contain_text("models pull broken")
            expect(tab.locator("#model")).to_contain_text("· other ·")


def test_how_an_answer_came_about_is_told_and_its_texts_stay_text(tab: Page) -> None:
    ask(tab, "How many?")
    expect(tab.locator(".marker")).to_have_count(2)
    steps = tab.locator(".steps")
    expect(steps.locator("li").first).to_be_hidden()
    steps.get_by_text("How this answer came about").click()
    expect(steps.locator("li")).to_have_count(3)
    expect(steps.locator("li").first).to_contain_text("Passages found 0.2 s")
    expect(steps.locator("li").nth(1)).to_contain_text(f"log-odds +2.0 of salon.txt: {HOSTILE}")
    expect(steps.locator("li").nth(2)).to_contain_text("Answered or refused")
    assert tab.locator("main img, main script").count() == 0
    assert tab.title() == "qa_bot: ask your documents"


@pytest.mark.parametrize(
    ("locale", "told"),
    [("fr-FR", "Passages trouvés"), ("zh-CN", "找到的段落"), ("id-ID", "Bagian ditemukan")],
)
def test_steps_are_named_in_the_readers_language(
    browser: Browser, page: Served, locale: str, told: str
) -> None:
    context = browser.new_context(locale=locale)
    tab = context.new_page()
    tab.goto(page.url)
    ask(tab, "How many?")
    tab.locator(".steps summary").click(timeout=20 * SECONDS)
    expect(tab.locator(".steps li").first).to_contain_text(told)
    context.close()


def test_a_document_of_pages_is_shown_page_by_page(tab: Page) -> None:
    ask(tab, "How many?")
    expect(tab.locator(".marker")).to_have_count(2)
    tab.locator(".marker").first.click()
    second = tab.get_by_role("region", name="Page 2")
    expect(second.locator("mark.current")).to_have_text(QUOTES["fr"])
    expect(second.locator("mark.current")).to_be_in_viewport()
    expect(tab.locator(".page")).to_have_count(2)
    tab.locator(".marker").nth(1).click()
    expect(tab.locator("mark.current")).to_have_text(QUOTES["zh"])
    expect(tab.locator(".page")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_settings_and_steps_fit_and_axe_finds_no_serious_fault(
    browser: Browser, page: Served, scheme: str, width: int
) -> None:
    context = browser.new_context(
        locale="en-GB",
        color_scheme=scheme,
        viewport={"width": width, "height": 760},  # type: ignore[arg-type]
    )
    tab = opened(context, page)
    expect(tab.locator("#model")).to_be_visible()  # which model answers can be seen at any width
    expect(tab.locator("#model")).to_contain_text("scripted")
    ask(tab, "How many?")
    expect(tab.locator(".marker")).to_have_count(2)
    tab.locator(".steps summary").click()
    assert fits(tab)
    assert faults(tab) == []
    open_settings(tab)
    tab.get_by_label("Strictness").select_option("low")
    assert fits(tab)
    assert faults(tab) == []
    tab.keyboard.press("Escape")
    tab.locator(".marker").first.click()
    expect(tab.locator(".page").first).to_be_visible()
    assert fits(tab)
    assert faults(tab) == []
    context.close()
