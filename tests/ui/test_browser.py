"""What a person does on the page, in a real browser, and what they then see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from page_bot import HOSTILE, QUOTES
from page_browser import SECONDS, ask, faults, fits, opened, watched
from page_server import Served, served
from playwright.sync_api import Browser, BrowserContext, Page, expect

pytestmark = pytest.mark.browser


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    yield from watched(browser)


@pytest.fixture
def tab(context: BrowserContext, page: Served) -> Page:
    return opened(context, page)


def test_an_answer_streams_and_its_markers_open_the_quotes_in_their_documents(tab: Page) -> None:
    ask(tab, "How many companies took part?")
    expect(tab.locator(".said.writing")).to_be_visible()
    expect(tab.locator(".turn .marker")).to_have_text(["[1]", "[2]"])
    expect(tab.locator("#sources .card")).to_have_count(2)
    expect(tab.locator("#sources .card").first).to_contain_text("22 Nov 2020 · French · salon.txt")
    expect(tab.locator("#sources .card").first).to_contain_text("Quote found word for word")

    tab.get_by_role("button", name="Source 2").first.click()
    mark = tab.locator("mark.current")
    expect(mark).to_have_text(QUOTES["zh"])
    expect(mark).to_be_in_viewport()
    expect(tab.locator(".paper .text")).to_have_attribute("lang", "zh")
    expect(tab.locator(".paper .text")).to_contain_text("数字经济成为各国合作的新领域。")

    tab.get_by_role("button", name="All sources").click()
    tab.locator("#sources .card .open").first.click()
    expect(tab.locator("mark.current")).to_have_text(QUOTES["fr"])
    expect(tab.locator("mark.current")).to_be_in_viewport()


def test_a_sentence_without_support_is_marked(tab: Page) -> None:
    ask(tab, "How many?")
    doubtful = tab.locator(".unsupported")
    expect(doubtful).to_have_count(1)
    expect(doubtful).to_have_text("They came from 999 cities. ⚠ not confirmed by its sources")


def test_a_refusal_is_plain_and_shows_the_closest_passages(tab: Page) -> None:
    ask(tab, "What does a ticket cost?")
    expect(tab.locator(".badge")).to_have_text("Not in the documents")
    expect(tab.locator(".closest button")).to_have_count(2)
    expect(tab.locator("#sources")).to_contain_text("They were not found to answer the question.")
    expect(tab.locator("#sources")).not_to_contain_text("Quote found")
    tab.locator(".closest button").first.click()
    expect(tab.locator("mark.current")).to_have_text(QUOTES["fr"])


def test_shift_enter_breaks_the_line_and_stop_ends_the_work(tab: Page, page: Served) -> None:
    page.bot.stopped.clear()
    tab.locator("#question").fill("a long answer")
    tab.keyboard.press("Shift+Enter")
    tab.keyboard.type("please")
    expect(tab.locator(".turn")).to_have_count(0)
    tab.keyboard.press("Enter")
    expect(tab.locator(".asked")).to_contain_text("a long answer\nplease")
    expect(tab.locator(".said.writing")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator(".turn")).to_contain_text("Stopped.")
    assert page.bot.stopped.wait(10)
    # The next question is answered at once, and the stopped one is no part of the conversation.
    ask(tab, "And now?")
    expect(tab.locator(".turn").last.locator(".marker")).to_have_count(2)
    assert page.bot.asked[-1] == ("And now?", [])


def test_who_has_to_wait_is_told_how_many_are_before(
    tab: Page, browser: Browser, page: Served
) -> None:
    ask(tab, "a long answer")
    expect(tab.locator(".said.writing")).to_be_visible()
    other = browser.new_context(locale="en-GB")
    beside = opened(other, page)
    ask(beside, "How many?")
    expect(beside.locator(".doing")).to_have_text("Waiting: 1 before you…")
    tab.get_by_role("button", name="Stop").click()
    expect(beside.locator(".marker")).to_have_count(2, timeout=20 * SECONDS)
    other.close()


def test_an_answer_goes_on_and_is_kept_while_nobody_looks(
    context: BrowserContext, tab: Page, page: Served
) -> None:
    ask(tab, "a longish answer")
    expect(tab.locator(".said.writing")).to_be_visible()
    tab.reload()  # in mid-answer: it goes on where it was
    expect(tab.locator(".asked")).to_contain_text("a longish answer")
    expect(tab.locator(".said.writing")).to_be_visible()
    tab.close()
    beside = opened(context, page)
    open_history(beside)
    kept = beside.locator("#history-list .open").first
    expect(kept).to_contain_text("a longish answer")
    kept.click()
    expect(beside.locator(".turn .marker")).to_have_count(2)


def open_history(tab: Page) -> None:
    button = tab.locator("#open-history")
    if button.get_attribute("aria-expanded") == "false":
        button.click()


def test_a_failure_says_its_cure_and_can_be_tried_again(tab: Page) -> None:
    ask(tab, "explode")
    expect(tab.locator(".failed")).to_contain_text("start it with `ollama serve`")
    tab.get_by_role("button", name="Try again").click()
    expect(tab.locator(".failed")).to_have_count(1)


def test_a_follow_up_sends_the_conversation_and_a_reload_keeps_it(tab: Page, page: Served) -> None:
    ask(tab, "First?")
    expect(tab.locator(".marker")).to_have_count(2)
    tab.reload()
    expect(tab.locator(".asked")).to_contain_text("First?")
    expect(tab.locator(".marker")).to_have_count(2)
    ask(tab, "Second?")
    expect(tab.locator(".marker")).to_have_count(4)
    question, history = page.bot.asked[-1]
    assert (question, history[0][0]) == ("Second?", "First?")
    tab.get_by_role("button", name="New conversation").click()
    expect(tab.locator(".turn")).to_have_count(0)
    expect(tab.get_by_role("heading", name="Ask your documents")).to_be_visible()


def test_conversations_are_kept_found_renamed_opened_and_deleted(tab: Page) -> None:
    ask(tab, "About the exhibition?")
    expect(tab.locator(".marker")).to_have_count(2)
    tab.get_by_role("button", name="New conversation").click()
    ask(tab, "What does a ticket cost?")
    expect(tab.locator(".badge")).to_be_visible()
    open_history(tab)
    kept = tab.locator("#history-list .open")
    expect(kept).to_have_count(2)
    expect(kept.first).to_contain_text("What does a ticket cost?")
    tab.get_by_label("Find a conversation").fill("EXHIBITION")
    expect(kept).to_have_count(1)
    kept.click()
    expect(tab.locator(".asked")).to_contain_text("About the exhibition?")
    expect(tab.locator(".marker")).to_have_count(2)
    tab.get_by_label("Find a conversation").fill("")
    deleting = tab.get_by_role("button", name="Delete: What does")
    with tab.expect_event("dialog") as asked:
        deleting.click()
    assert "What does a ticket cost?" in asked.value.message
    expect(kept).to_have_count(1)
    tab.reload()
    expect(tab.locator(".asked")).to_contain_text("About the exhibition?")
    open_history(tab)
    tab.get_by_role("button", name="Delete all").click()
    expect(tab.locator(".turn")).to_have_count(0)
    expect(kept).to_have_count(0)


@pytest.mark.parametrize(
    ("kind", "found"),
    [("Markdown", "# How many?"), ("HTML", "<!doctype html>"), ("JSON", "[")],
)
def test_a_conversation_is_saved_with_its_quotes(tab: Page, kind: str, found: str) -> None:
    ask(tab, "How many?")
    expect(tab.locator(".marker")).to_have_count(2)
    tab.locator("#save summary").click()
    choice = tab.get_by_role("button", name=kind)
    box = choice.bounding_box()
    assert box is not None
    assert box["width"] > box["height"]  # a word on one line
    with tab.expect_download() as saving:
        choice.click()
    text = saving.value.path().read_text("utf-8")
    assert text.startswith(found)
    assert "中国企业铺设超过20万公里光纤" in text
    assert "1800" in text


def test_a_turn_is_edited_asked_again_and_undone(tab: Page, page: Served) -> None:
    ask(tab, "First?")
    expect(tab.locator(".marker")).to_have_count(2)
    ask(tab, "Secnod?")
    expect(tab.locator(".marker")).to_have_count(4)
    second = tab.locator(".turn").nth(1)
    second.get_by_role("button", name="Edit the question").click()
    tab.keyboard.press("Control+A")
    tab.keyboard.type("Second?")
    tab.keyboard.press("Enter")
    expect(tab.locator(".asked").nth(1)).to_have_text("You asked: Second?")
    expect(tab.locator(".marker")).to_have_count(4)
    question, history = page.bot.asked[-1]
    assert (question, [turn[0] for turn in history]) == ("Second?", ["First?"])

    first = tab.locator(".turn").first
    first.get_by_role("button", name="Edit the question").click()
    expect(first).to_contain_text("The 1 later turns are dropped.")
    tab.keyboard.press("Escape")
    expect(tab.locator(".turn")).to_have_count(2)
    first.get_by_role("button", name="Try again").click()
    expect(tab.locator(".turn")).to_have_count(1)
    expect(tab.locator(".marker")).to_have_count(2)
    tab.get_by_role("button", name="Undo this turn").click()
    expect(tab.locator(".turn")).to_have_count(0)
    expect(tab.locator("#question")).to_have_value("First?")


def test_a_judged_answer_becomes_a_test_case(tab: Page) -> None:
    ask(tab, "How many?")
    tab.get_by_role("button", name="Bad answer").click()
    tab.get_by_label("What is wrong?").select_option("wrong")
    tab.get_by_label("What would have been right?").fill("130 companies")
    tab.get_by_role("button", name="Turn into a test case").click()
    expect(tab.get_by_role("status").filter(has_text="Test cases")).to_contain_text("Test cases: 1")
    with tab.expect_download() as saving:
        tab.get_by_role("button", name="Download").click()
    assert '"answers": ["130 companies"]' in saving.value.path().read_text("utf-8")
    tab.reload()
    expect(tab.get_by_role("button", name="Bad answer")).to_have_attribute("aria-pressed", "true")
    expect(tab.get_by_label("What would have been right?")).to_have_value("130 companies")


def test_a_question_is_limited_to_a_document_and_a_language(tab: Page, page: Served) -> None:
    expect(tab.locator("#only-documents li")).to_have_count(4)
    tab.locator("#scope summary").click()
    tab.locator("#only-language").select_option("zh")
    tab.get_by_label("From").fill("2020")
    tab.locator("#only-find").fill("光纤")
    tab.locator("#only-documents label").click()
    ask(tab, "How many?")
    expect(tab.locator(".limited")).to_contain_text(
        "非洲的光纤与数字丝绸之路 · Chinese · from 2020"
    )
    expect(tab.locator(".marker")).to_have_count(2)
    assert page.bot.limits[-1] == {"source": ["光纤.txt"], "language": "zh", "since": "2020"}
    tab.locator("#scope summary").click()
    tab.get_by_role("button", name="Lift the limits").click()
    ask(tab, "Again?")
    expect(tab.locator(".marker")).to_have_count(4)
    assert page.bot.limits[-1] == {}


def test_a_quote_is_translated_and_marked_as_a_translation(tab: Page) -> None:
    ask(tab, "How many?")
    expect(tab.locator("#sources .card")).to_have_count(2)
    tab.locator("#sources .card").nth(1).get_by_role("button", name="Translate").click()
    translation = tab.locator("#sources .translation")
    expect(translation).to_contain_text("Translation by the model, not checked")
    expect(translation).to_contain_text("(zh → en) 中国企业")


def test_what_is_in_use_is_told_and_explained(tab: Page) -> None:
    expect(tab.locator("#state")).to_contain_text("4 documents · scripted · ")
    tab.locator("#state").click()
    told = tab.get_by_role("dialog", name="Settings")
    expect(told).to_contain_text("4096")
    expect(told).to_contain_text("Each answer says how much it took.")
    tab.keyboard.press("Escape")
    expect(told).to_be_hidden()
    ask(tab, "How many?")
    expect(tab.locator(".actions")).to_contain_text("25 % of the context window")


def test_a_question_is_stopped_before_the_server_has_heard_of_it(tab: Page) -> None:
    """Escape pressed that early was lost once, and the answer written to its end."""
    tab.locator("#question").fill("a long answer")
    tab.locator("#question").evaluate(
        """box => ["Enter", "Escape"].forEach(key => box.dispatchEvent(
             new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})))"""
    )
    expect(tab.locator(".turn")).to_contain_text("Stopped.")


def test_a_file_of_questions_is_answered_stopped_resumed_and_kept(
    tab: Page, tmp_path: Path
) -> None:
    file = tmp_path / "questions.txt"
    file.write_text("How many?\na long answer\n", encoding="utf-8")
    tab.get_by_role("tab", name="Batch").click()
    tab.locator("#batch-files").set_input_files(file)
    card = tab.locator("#batch-list .card")
    expect(card).to_contain_text("running · 1 of 2")
    card.get_by_role("button", name="Stop").click()
    expect(card).to_contain_text("stopped · 1 of 2")
    with tab.expect_download() as saving:
        card.get_by_role("button", name="Download Markdown").click()
    assert QUOTES["zh"] in saving.value.path().read_text("utf-8")
    card.get_by_role("button", name="Go on").click()
    expect(card).to_contain_text("running")
    card.get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)


def test_runs_are_opened_and_compared(tab: Page, context: BrowserContext) -> None:
    tab.get_by_role("tab", name="Evaluation").click()
    expect(tab.locator("#runs-body .card")).to_have_count(2)
    expect(tab.locator("#runs-body .card").first).to_contain_text("Right answer")
    with context.expect_page() as opening:
        tab.get_by_role("link", name="Open the report").first.click()
    expect(opening.value.get_by_role("heading", level=1)).to_be_visible()
    opening.value.close()
    tab.get_by_role("button", name="Figures and failures").first.click()
    failure = tab.locator(".failure").first
    failure.locator("summary").click()
    expect(failure).to_contain_text("Should have been found")
    expect(failure.locator("mark").first).to_be_visible()
    tab.get_by_role("button", name="All runs").click()
    tab.get_by_label("Run before").select_option("first")
    tab.get_by_label("Run after").select_option("second")
    tab.get_by_role("button", name="Compare").click()
    expect(tab.get_by_role("heading", name="Broken: 0")).to_be_visible()
    expect(tab.locator("#runs-body")).to_contain_text("Right answer")


def test_a_second_browser_sees_nothing_of_the_first(
    tab: Page, browser: Browser, page: Served
) -> None:
    ask(tab, "My secret question")
    expect(tab.locator(".marker")).to_have_count(2)
    other = browser.new_context(locale="en-GB")
    beside = opened(other, page)
    ask(beside, "Something else")
    expect(beside.locator(".marker")).to_have_count(2)
    assert "secret" not in beside.content()
    assert page.bot.asked[-1] == ("Something else", [])
    other.close()


def test_hostile_text_is_shown_as_text_everywhere(tab: Page) -> None:
    expect(tab.locator("#example-list")).to_contain_text("<b>fibre</b>")
    ask(tab, f"hostile {HOSTILE}")
    expect(tab.locator(".asked")).to_contain_text(HOSTILE)
    expect(tab.locator(".said")).to_contain_text(f"{HOSTILE} [link](javascript:alert(1)) **bold**")
    tab.get_by_role("tab", name="Documents").click()
    expect(tab.locator("#list")).to_contain_text(HOSTILE)
    tab.get_by_role("button", name="A report on").click()
    expect(tab.locator("#reader .text")).to_contain_text(HOSTILE)
    assert tab.locator("main img, main b, main script, a[href^='javascript']").count() == 0
    assert tab.title() == "qa_bot: ask your documents"


def test_documents_are_listed_searched_uploaded_and_removed(
    browser: Browser, tmp_path: Path
) -> None:
    notes = tmp_path / "Meine Notizen.txt"
    notes.write_text("Notizen zum Treffen\n\nAlles gut.\n", encoding="utf-8")
    bad = tmp_path / "tool.exe"
    bad.write_bytes(b"MZ")
    for running in served(tmp_path):
        context = browser.new_context(locale="en-GB")
        context.on("dialog", lambda dialog: dialog.accept())
        tab = opened(context, running)
        tab.get_by_role("tab", name="Documents").click()
        expect(tab.locator("#list tr")).to_have_count(4, timeout=60 * SECONDS)
        expect(tab.locator("#list tr").nth(1)).to_contain_text("salon.txt")
        expect(tab.locator("#list tr").nth(1)).to_contain_text("French")
        tab.get_by_label("Search the documents").fill("fibre")
        tab.keyboard.press("Enter")
        expect(tab.locator("#results .card")).to_have_count(2)
        tab.locator("#results .open").nth(1).click()
        expect(tab.locator("#reader mark.current")).to_have_text(QUOTES["zh"])
        tab.locator("#reader .close").click()
        expect(tab.locator("#reader")).to_be_hidden()

        tab.locator("#files").set_input_files([notes, bad])
        expect(tab.locator("#uploads li").first).to_contain_text("Meine Notizen.txt added")
        expect(tab.locator("#uploads li").nth(1)).to_contain_text("is of a kind that is not read")
        row = tab.locator("#list tr", has_text="Notizen zum Treffen")
        expect(row).to_contain_text("uploaded")
        row.get_by_role("button", name="Remove").click()
        expect(tab.locator("#list tr")).to_have_count(4)
        context.close()


@pytest.mark.parametrize(
    ("locale", "question", "empty"),
    [
        ("fr-FR", "Votre question", "Interrogez vos documents"),
        ("zh-CN", "您的问题", "向您的文档提问"),
        ("id-ID", "Pertanyaan Anda", "Bertanyalah pada dokumen Anda"),
        ("de-DE", "Your question", "Ask your documents"),
    ],
)
def test_the_page_speaks_the_browsers_language(
    browser: Browser, page: Served, locale: str, question: str, empty: str
) -> None:
    context = browser.new_context(locale=locale)
    tab = opened(context, page, question)
    expect(tab.get_by_role("heading", name=empty)).to_be_visible()
    tab.get_by_role("combobox").select_option("en")
    expect(tab.get_by_role("heading", name="Ask your documents")).to_be_visible()
    context.close()


def test_on_a_phone_everything_fits_and_sources_open_over_the_page(
    browser: Browser, page: Served
) -> None:
    context = browser.new_context(
        locale="en-GB", viewport={"width": 390, "height": 760}, has_touch=True, is_mobile=True
    )
    tab = opened(context, page)
    ask(tab, "How many?")
    expect(tab.locator(".marker")).to_have_count(2)
    expect(tab.locator("#sources")).to_be_hidden()
    tab.locator(".marker").first.tap()
    expect(tab.locator("mark.current")).to_be_in_viewport()
    assert fits(tab)
    tab.locator("#sources .close").tap()
    expect(tab.locator("#sources")).to_be_hidden()
    for place, shown in (
        ("Documents", "#list tr"), ("Batch", "#batch-drop"), ("Evaluation", "#runs-body .card"),
    ):  # fmt: skip
        tab.get_by_role("tab", name=place).tap()
        expect(tab.locator(shown).first).to_be_visible()
        assert fits(tab), place
    tab.get_by_role("button", name="Figures and failures").first.tap()
    expect(tab.locator(".failure").first).to_be_visible()
    assert fits(tab)
    tab.get_by_role("tab", name="Chat").tap()
    tab.locator("#scope summary").tap()
    expect(tab.locator("#only-clear")).to_be_hidden()
    assert fits(tab)
    open_history(tab)
    expect(tab.locator("#history-list .open").first).to_be_visible()
    assert fits(tab)
    context.close()


def test_dark_follows_the_system_and_can_be_chosen(browser: Browser, page: Served) -> None:
    context = browser.new_context(locale="en-GB", color_scheme="dark")
    tab = opened(context, page)
    shade = "getComputedStyle(document.body).backgroundColor"
    assert tab.evaluate(shade) == "rgb(20, 25, 27)"
    tab.get_by_role("button", name="Light or dark").click()
    assert tab.evaluate(shade) == "rgb(245, 244, 240)"
    tab.reload()
    assert tab.evaluate(shade) == "rgb(245, 244, 240)"
    context.close()


def test_the_keyboard_alone_is_enough(tab: Page) -> None:
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="Skip to the question")).to_be_focused()
    tab.keyboard.press("Enter")
    tab.keyboard.type("How many?")
    tab.keyboard.press("Enter")
    expect(tab.locator(".marker")).to_have_count(2)
    tab.keyboard.press("Shift+Tab")  # from the question back into the answer
    for _ in range(10):
        if tab.evaluate("document.activeElement.className") == "marker":
            break
        tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Enter")
    expect(tab.locator("mark.current")).to_have_text(QUOTES["zh"])
    tab.locator("#tab-chat").focus()
    tab.keyboard.press("ArrowRight")
    expect(tab.locator("#documents")).to_be_visible()


def test_a_person_logs_in_and_out(browser: Browser, guarded: Served) -> None:
    context = browser.new_context(locale="en-GB")
    tab = context.new_page()
    tab.goto(guarded.url)
    tab.get_by_label("Name").fill("ada")
    tab.get_by_label("Password").fill("wrong")
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("alert")).to_have_text("Wrong name or password.")
    tab.get_by_label("Password").fill("s3cret: päss")
    tab.keyboard.press("Enter")
    expect(tab.get_by_label("Your question")).to_be_visible()
    tab.get_by_role("button", name="Log out").click()
    expect(tab.get_by_label("Password")).to_be_visible()
    context.close()


def test_a_question_asked_while_the_model_loads_is_answered_then(
    browser: Browser, tmp_path: Path
) -> None:
    for running in served(tmp_path, loading=2.0):
        context = browser.new_context(locale="en-GB")
        tab = opened(context, running)
        ask(tab, "How many?")
        expect(tab.locator(".doing")).to_contain_text("Loading the model")
        expect(tab.locator(".marker")).to_have_count(2, timeout=60 * SECONDS)
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Browser, page: Served, scheme: str) -> None:
    context = browser.new_context(locale="en-GB", color_scheme=scheme)  # type: ignore[arg-type]
    tab = opened(context, page)
    expect(tab.locator("#example-list li")).to_have_count(4)
    assert faults(tab) == []
    ask(tab, "How many?")
    expect(tab.locator(".marker")).to_have_count(2)
    assert faults(tab) == []
    tab.locator(".marker").first.click()
    expect(tab.locator("mark.current")).to_be_visible()
    assert faults(tab) == []
    ask(tab, "What does a ticket cost?")
    expect(tab.locator(".badge")).to_be_visible()
    ask(tab, "explode")
    expect(tab.locator(".failed")).to_be_visible()
    assert faults(tab) == []
    tab.get_by_role("button", name="Bad answer").first.click()
    tab.get_by_role("button", name="Edit the question").first.click()
    open_history(tab)
    tab.locator("#scope summary").click()
    assert faults(tab) == []
    tab.locator("#state").click()
    expect(tab.locator("#about-list div")).to_have_count(3)
    assert faults(tab) == []
    tab.keyboard.press("Escape")
    for place, shown in (
        ("Documents", "#list tr"), ("Batch", "#batch-list li"), ("Evaluation", "#runs-body .card"),
    ):  # fmt: skip
        tab.get_by_role("tab", name=place).click()
        expect(tab.locator(shown).first).to_be_visible()
        assert faults(tab) == [], place
    tab.get_by_role("button", name="Figures and failures").first.click()
    tab.locator(".failure summary").first.click()
    assert faults(tab) == []
    context.close()
