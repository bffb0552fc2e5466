"""The page with the real embedded models over the seeds, as a person uses it in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_browser import faults, fits
from page_server import listening, wait_until_ready
from playwright.sync_api import Browser, Page, expect

from qa_bot.app import QABot
from qa_bot.settings import Settings, resource
from qa_bot.ui.desk import Desk
from qa_bot.ui.front import make_front

pytestmark = [pytest.mark.models, pytest.mark.browser]
ANSWER = 300_000
"""Milliseconds for an answer of the real model on a busy machine."""
ASKED = [
    ("en", "How many kilometres of optical backbone network has Uganda built?", "10,000"),
    ("fr", "Quel robot de Baidu les visiteurs ont-ils essayé ?", "Xiaodu"),
    ("zh", "有多少家企业参加了2023年“互联网之光”博览会？", "580"),
    ("id", "Aplikasi apa yang disebut sebagai contoh keberhasilan perusahaan Tiongkok?", "TikTok"),
]
UNASKED = (
    "How many outstanding cases of building a community with a shared future in cyberspace "
    "were showcased in 2023?",
    "13",
)
"""What no other test asks: an answer given before comes from the model's memory, at once."""
NOTES = "Notes of the garden club\n\nThe greenhouse of Olmstead opens on 14 March at nine.\n"


@pytest.fixture(scope="module")
def tab(
    browser: Browser, default_model_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("real")
    settings = Settings(
        documents=(resource("seeds"),), store=folder / "store", llm="embedded",
        models=default_model_path.parents[1],
    )  # fmt: skip
    desk = Desk(lambda progress: QABot(settings, progress=progress), settings.store)
    front = make_front(desk, folder / "kept", runs=folder / "runs")
    with listening(front) as url:
        wait_until_ready(url)
        tab = browser.new_context(locale="en-GB").new_page()
        tab.set_default_timeout(ANSWER)
        tab.goto(url)
        yield tab


def asked(tab: Page, question: str) -> None:
    """Ask in a conversation of its own, and wait for the end of the answer."""
    tab.get_by_role("button", name="New conversation").click()
    tab.locator("#question").fill(question)
    tab.keyboard.press("Enter")
    expect(tab.locator(".turn .thumbs")).to_be_visible(timeout=ANSWER)


@pytest.mark.parametrize(("language", "question", "fact"), ASKED)
def test_an_answer_in_each_language_leads_to_its_characters_in_the_document(
    tab: Page, language: str, question: str, fact: str
) -> None:
    asked(tab, question)
    expect(tab.locator(".said")).to_contain_text(fact)
    expect(tab.locator(".said")).to_have_attribute("lang", language)
    tab.locator(".turn .marker").first.click()
    mark = tab.locator("mark.current").first
    expect(mark).to_be_in_viewport()
    source = (tab.locator(".reading .small").first.text_content() or "").rpartition(" · ")[2]
    text = (resource("seeds") / source).read_text(encoding="utf-8")
    shown = tab.locator(".paper .text").text_content() or ""
    assert (mark.text_content() or "") in text
    assert shown in text
    assert len(shown) > len(mark.text_content() or "")


def test_what_the_documents_do_not_say_is_refused(tab: Page) -> None:
    asked(tab, "Who won the 2018 football World Cup?")
    expect(tab.locator(".badge")).to_have_text("Not in the documents")
    expect(tab.locator(".closest button").first).to_be_visible()


def test_an_uploaded_file_is_asked_about_and_survives_a_reload(tab: Page, tmp_path: Path) -> None:
    file = tmp_path / "garden.txt"
    file.write_text(NOTES, encoding="utf-8")
    tab.get_by_role("tab", name="Documents").click()
    tab.locator("#files").set_input_files(file)
    expect(tab.locator("#uploads li")).to_contain_text("garden.txt added", timeout=ANSWER)
    tab.get_by_role("tab", name="Chat").click()
    asked(tab, "When does the greenhouse of Olmstead open?")
    expect(tab.locator(".said")).to_contain_text("14 March")
    tab.reload()
    expect(tab.locator(".said")).to_contain_text("14 March")


def test_an_answer_in_another_language_is_asked_for_and_told_how_it_came_about(tab: Page) -> None:
    tab.get_by_role("button", name="Settings").click()
    tab.get_by_label("Answer in").select_option("fr")
    tab.keyboard.press("Escape")
    asked(tab, ASKED[0][1])
    expect(tab.locator(".said")).to_have_attribute("lang", "fr")
    expect(tab.locator(".actions")).to_contain_text("% of the context window")
    tab.locator(".steps summary").click()
    steps = tab.locator(".steps li")
    expect(steps.filter(has_text="Answered or refused")).to_contain_text("(normal strictness)")
    expect(steps.filter(has_text="Sentence judged by the model").first).to_contain_text("log-odds")
    tab.locator("#settings-line").click()
    tab.get_by_role("button", name="As the server has them").click()
    tab.keyboard.press("Escape")


def test_a_stopped_answer_is_stopped_and_the_next_question_answered(tab: Page) -> None:
    tab.get_by_role("button", name="New conversation").click()
    tab.locator("#question").fill(UNASKED[0])
    tab.keyboard.press("Enter")
    expect(tab.locator(".doing")).to_be_visible()
    tab.keyboard.press("Escape")
    expect(tab.locator(".turn")).to_contain_text("Stopped.")
    tab.get_by_role("button", name="Try again").click()
    expect(tab.locator(".turn .thumbs")).to_be_visible(timeout=ANSWER)
    expect(tab.locator(".said")).to_contain_text(UNASKED[1])


def test_a_conversation_is_exported_with_its_quotes(tab: Page) -> None:
    asked(tab, ASKED[2][1])
    quote = tab.locator("#sources blockquote").first.text_content() or ""
    tab.locator("#save summary").click()
    with tab.expect_download() as saving:
        tab.get_by_role("button", name="JSON").click()
    assert len(quote) > 10
    assert json.dumps(quote, ensure_ascii=False) in saving.value.path().read_text("utf-8")


def test_a_file_of_questions_and_a_test_set_are_answered(tab: Page, tmp_path: Path) -> None:
    questions = tmp_path / "questions.txt"
    questions.write_text(f"{ASKED[0][1]}\n", encoding="utf-8")
    tab.get_by_role("tab", name="Batch").click()
    tab.locator("#batch-files").set_input_files(questions)
    expect(tab.locator("#batch-list .card")).to_contain_text("done · 1 of 1", timeout=ANSWER)
    tests = tmp_path / "tests.jsonl"
    tests.write_text(json.dumps({"question": ASKED[0][1], "answers": [ASKED[0][2]]}))
    tab.get_by_role("tab", name="Evaluation").click()
    tab.locator("#evaluate-files").set_input_files(tests)
    run = tab.locator("#runs-body .card")
    expect(run).to_contain_text("tests.jsonl · 1 questions", timeout=ANSWER)
    figure = run.locator(".figures div").filter(has_text="Right answer")
    expect(figure.locator("dd")).to_have_text("1.000")
    tab.get_by_role("tab", name="Chat").click()


def test_on_a_phone_in_the_dark_with_the_keyboard_alone(tab: Page) -> None:
    browser = tab.context.browser
    assert browser is not None
    context = browser.new_context(
        locale="id-ID", color_scheme="dark", viewport={"width": 390, "height": 780}
    )
    phone = context.new_page()
    phone.set_default_timeout(ANSWER)
    phone.goto(tab.url)
    phone.keyboard.press("Tab")  # the link to the question
    phone.keyboard.press("Enter")
    phone.keyboard.type(ASKED[3][1])
    phone.keyboard.press("Enter")
    expect(phone.locator(".turn .thumbs")).to_be_visible(timeout=ANSWER)
    expect(phone.locator(".said")).to_contain_text(ASKED[3][2])
    for _ in range(30):
        if phone.evaluate("document.activeElement.className") == "marker":
            break
        phone.keyboard.press("Shift+Tab")
    phone.keyboard.press("Enter")
    expect(phone.locator("mark.current").first).to_be_in_viewport()
    assert fits(phone)
    assert faults(phone) == []
    context.close()
