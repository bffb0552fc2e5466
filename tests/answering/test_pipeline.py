"""From a question to a cited answer, or to a refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import CHINESE, FRENCH, GATE, FixedStore, NearEmbedding, ScriptedModel, passage

from qa_bot.answering import steps
from qa_bot.answering.check import without_label
from qa_bot.answering.pipeline import Pipeline
from qa_bot.answering.steps import log_odds
from qa_bot.errors import IndexUnusable
from qa_bot.prompts import phrases
from qa_bot.types import Answer, Strictness

QUESTION = "How many companies took part in the exhibition?"


def test_an_answer_cites_the_chosen_sentence_at_its_exact_characters(pipeline: Pipeline) -> None:
    answer = pipeline.answer(QUESTION)
    assert answer.status == "answered"
    assert answer.answer == "130 companies took part. [1]"
    (citation,) = answer.citations
    assert (citation.source, citation.marker) == ("fr.txt", 1)
    assert FRENCH[citation.start : citation.end] == citation.quote
    assert citation.quote == "130 entreprises ont participé à l'exposition."
    assert answer.sentences[0].verdict == "supported"
    assert answer.language == "en"


def test_the_pieces_of_a_stream_make_up_the_answer(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    """There is no second path: `ask` is a drained stream, to the letter."""
    model.reply = "130 companies took part. They came to Wuzhen. It was a show."
    *pieces, answer = pipeline.stream(QUESTION)
    assert isinstance(answer, Answer)
    assert "".join(str(piece) for piece in pieces) == answer.answer
    assert len(pieces) > 5
    assert [sentence.text for sentence in answer.sentences] == [
        "130 companies took part.", "They came to Wuzhen.", "It was a show."
    ]  # fmt: skip


def test_closing_a_stream_stops_the_model(pipeline: Pipeline, model: ScriptedModel) -> None:
    model.reply = "one two three four five six"
    stream = pipeline.stream(QUESTION)
    next(iter(stream))
    stream.close()  # type: ignore[attr-defined]
    assert model.stopped


def test_a_marker_that_the_model_writes_never_reaches_the_reader(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.reply = "130 companies [7] took part 【S2】 there [3, 4]."
    *pieces, answer = pipeline.stream(QUESTION)
    assert isinstance(answer, Answer)
    assert answer.answer == "130 companies took part there. [1]"
    assert "7" not in "".join(str(piece) for piece in pieces)


def test_what_the_documents_do_not_answer_is_refused_with_the_closest_passages(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.yes = [0.4, 0.5, 0.1, 0.2]
    answer = pipeline.answer("Quel est le prix du billet d'entrée au salon ?")
    assert answer.status == "refused"
    assert answer.answer == phrases("fr").refusal
    assert (answer.sentences, answer.citations) == ((), ())
    assert [hit.passage.source for hit in answer.passages] == ["fr.txt", "zh.txt"]


REFUSED = "Pourquoi l'exposition a-t-elle été annulée ?"


def test_a_refusal_tells_what_the_documents_do_say(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    """Asked for the reason of what never was, the reader learns what was."""
    model.yes, embedder.near = [0.1], ("130",)
    *pieces, answer = pipeline.stream(REFUSED)
    assert isinstance(answer, Answer)
    french = phrases("fr")
    assert answer.answer == (
        f"{french.refusal} {french.nearest} “130 entreprises ont participé à l'exposition.” "
        "(Title of fr.txt, 2020-11-23)"
    )
    assert "".join(map(str, pieces)) == answer.answer
    assert (answer.status, answer.citations) == ("refused", ())


def test_a_refusal_in_traditional_characters_leaves_the_quote_as_it_stands(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    model.yes, embedder.near = [0.1], ("光纤",)
    answer = replace(pipeline, answer_language="zh-Hant").answer("鋪設光纖的是哪家企業？")
    assert "最接近的內容是：“中国企业铺设超过20万公里光纤。”" in answer.answer


@pytest.mark.parametrize("why_not", ["far", "another language", "changed since"])
def test_a_refusal_tells_no_sentence_that_would_not_help(
    pipeline: Pipeline,
    model: ScriptedModel,
    embedder: NearEmbedding,
    texts: dict[str, str],
    why_not: str,
) -> None:
    model.yes, embedder.near = [0.1], ("130",)
    if why_not == "far":
        embedder.near = ()
    elif why_not == "another language":
        pipeline = replace(pipeline, answer_language="en")
    else:
        texts["fr.txt"] = "Anything else."
    answer = pipeline.answer(REFUSED)
    assert answer.answer == phrases(answer.language).refusal


@pytest.mark.parametrize(
    ("strictness", "status"), [("low", "answered"), ("normal", "refused"), ("high", "refused")]
)
def test_strictness_moves_what_is_refused(
    pipeline: Pipeline,
    model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
    strictness: Strictness,
    status: str,
) -> None:
    least = {"low": 0.3, "normal": 0.6, "high": 0.9}
    monkeypatch.setattr(steps, "load_gate", lambda it: replace(GATE, least=least[it]))
    model.yes = [0.5]
    answer = replace(pipeline, strictness=strictness).answer(QUESTION)
    assert answer.status == status
    assert answer.confidence == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("quote", "reply", "stands"),
    [
        ("Le salon a ouvert le 23 novembre.", "It opened on 23 November 2020.", True),
        ("Le salon a ouvert cette année.", "It opened in November.", False),
        ("Le salon a ouvert à Wuzhen.", "It opened in 2020.", False),
    ],
    ids=["the year of a date", "no date at all", "no date for a year"],
)
def test_of_a_documents_date_only_the_year_of_a_quoted_date_is_told(
    pipeline: Pipeline,
    model: ScriptedModel,
    embedder: NearEmbedding,
    texts: dict[str, str],
    quote: str,
    reply: str,
    stands: bool,
) -> None:
    """The document is of 2020-11-23; what it tells of need not be."""
    texts["fr.txt"] = quote
    pipeline = replace(pipeline, store=FixedStore(embedder, passage("fr.txt", quote, "fr")))
    model.reply = reply
    answer = pipeline.answer("When did the fair open?")
    assert answer.answer == (f"{reply} [1]" if stands else phrases("en").refusal)


@pytest.mark.parametrize(
    ("question", "stands"),
    [
        ("When was the article on the fair published?", True),
        ("When did the fair open, by the article?", False),
    ],
)
def test_all_of_a_documents_date_is_told_where_it_is_asked_when_it_came_out(
    pipeline: Pipeline,
    model: ScriptedModel,
    embedder: NearEmbedding,
    texts: dict[str, str],
    question: str,
    stands: bool,
) -> None:
    texts["fr.txt"] = "Le 5e salon a lieu à Wuzhen."
    pipeline = replace(
        pipeline, store=FixedStore(embedder, passage("fr.txt", texts["fr.txt"], "fr"))
    )
    model.replies = ["That was on 23 November 2020."]
    model.reply = "The 5th fair is in Wuzhen."
    said = "That was on 23 November 2020." if stands else model.reply
    assert pipeline.answer(question).answer == f"{said} [1]"


def test_a_full_stop_that_ends_no_sentence_tears_nothing(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding, texts: dict[str, str]
) -> None:
    """A stream sees 'am 23.' before it sees 'November'."""
    texts["fr.txt"] = "130 entreprises étaient là le 23 novembre."
    found = passage("fr.txt", texts["fr.txt"], "fr")
    pipeline = replace(pipeline, store=FixedStore(embedder, found))
    model.reply = "Die Firmen kamen am 23. November nach Wuzhen\nund blieben dort. Alle kamen."
    *pieces, answer = pipeline.stream("Wie viele Firmen nahmen an der Ausstellung teil?")
    assert isinstance(answer, Answer)
    assert [sentence.text for sentence in answer.sentences] == [
        "Die Firmen kamen am 23. November nach Wuzhen und blieben dort.",
        "Alle kamen.",
    ]
    assert "".join(str(piece) for piece in pieces) == answer.answer


def test_an_empty_reply_becomes_a_refusal(pipeline: Pipeline, model: ScriptedModel) -> None:
    model.reply = "  \n"
    assert pipeline.answer(QUESTION).status == "refused"


def test_a_quote_that_its_file_no_longer_holds_is_not_cited(
    pipeline: Pipeline, texts: dict[str, str]
) -> None:
    """The file changed since it was indexed: no citation may point into it."""
    texts["fr.txt"] = "Tout autre chose. " + FRENCH
    with pytest.raises(IndexUnusable, match=r"fr\.txt changed .*qa-bot index"):
        pipeline.answer(QUESTION)


def test_a_quote_of_a_deleted_file_stands_as_it_was_indexed(
    pipeline: Pipeline, texts: dict[str, str]
) -> None:
    del texts["fr.txt"]
    assert pipeline.answer(QUESTION).citations[0].quote in FRENCH


def test_a_wrong_number_gives_way_to_the_evidence_itself(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    """In the source's language word for word, in another one translated and checked again."""
    embedder.near = ("130", "340")
    model.reply = "340 entreprises ont participé."
    answer = pipeline.answer("Combien d'entreprises ont participé à l'exposition ?")
    assert answer.answer == "130 entreprises ont participé à l'exposition. [1]"

    model.replies = ["340 companies took part.", "130 companies were at the exhibition."]
    answer = pipeline.answer(QUESTION)
    assert answer.answer == "130 companies were at the exhibition. [1]"
    assert answer.sentences[0].verdict == "supported"


def test_what_a_wrong_sentence_had_shown_is_withdrawn(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    embedder.near = ("130", "340")
    model.replies = ["As many as 340 companies took part.", "130 companies took part."]
    *pieces, _ = pipeline.stream(QUESTION)
    assert "".join(map(str, pieces)) == "As many as\n130 companies took part. [1]"


def test_a_model_that_keeps_inventing_is_refused(pipeline: Pipeline, model: ScriptedModel) -> None:
    model.reply = "340 companies took part."
    answer = pipeline.answer(QUESTION)
    assert (answer.status, answer.answer) == ("refused", phrases("en").refusal)
    assert answer.citations == ()


@pytest.mark.parametrize(
    "text",
    [
        "Exactly 1 " + "000 " * 100,
        "It had " + "580 firms, 580 wares and 580 new technologies, " * 30,
    ],
    ids=["one word", "a list"],
)
def test_a_runaway_model_is_stopped_and_not_believed(
    pipeline: Pipeline, model: ScriptedModel, text: str
) -> None:
    model.reply = text
    assert pipeline.answer(QUESTION).status == "refused"
    assert model.stopped


def test_words_of_the_source_are_translated(pipeline: Pipeline, model: ScriptedModel) -> None:
    model.replies = ["130家 entreprises 参加了展览。", "130家企业参加了展览。"]
    answer = pipeline.answer("多少家公司参加了展览？")
    assert answer.answer == "130家企业参加了展览。 [1]"


def test_a_translation_that_loses_a_number_is_not_taken(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.replies = ["130家 entreprises 参加了展览。", "13家企业参加了展览。"]
    answer = pipeline.answer("多少家公司参加了展览？")
    assert answer.answer == "130家 entreprises 参加了展览。 [1]"


def test_a_question_said_again_is_no_answer(pipeline: Pipeline, model: ScriptedModel) -> None:
    model.reply = f"{QUESTION} Answer: 130 companies."
    assert pipeline.answer(QUESTION).answer == "130 companies. [1]"


@pytest.mark.parametrize(
    ("question", "empty"),
    [
        (QUESTION, "Many companies took part in the exhibition, many companies."),
        ("Which companies took part in the exhibition?", "The companies took part."),
        ("多少家公司参加了展览？", "公司参加了展览。"),
        ("哪种公司参加了展览？", "一个公司参加了展览。"),
    ],
)
def test_a_statement_of_the_question_alone_gives_way_to_the_quote(
    pipeline: Pipeline, model: ScriptedModel, question: str, empty: str
) -> None:
    """Asked how many, a model says that there were many; asked which, that one did."""
    told = "130 enterprises took part." if question.isascii() else "130家企业参加了展览。"
    model.replies = [empty, told]
    assert pipeline.answer(question).answer == f"{told} [1]"


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("多少家公司参加了展览？", "一家公司参加了展览。"),
        ("哪家公司参加了展览？", "百度公司参加了展览。"),
    ],
    ids=["a number that may be an article", "a name"],
)
def test_a_number_or_a_name_beside_the_questions_words_is_an_answer(
    question: str, told: str, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    text = "有百度一家公司参加了今年的展览。"
    store = FixedStore(embedder, passage("zh.txt", text, "zh"))
    model.reply = told
    answer = Pipeline(store, embedder, model, {"zh.txt": text}.get).answer(question)
    assert answer.answer == f"{told} [1]"


def test_what_only_a_title_tells_is_no_answer(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    """No quote would bear it out."""
    titled = replace(passage("fr.txt", FRENCH, "fr"), title="Ten years building shared futures")
    pipeline = replace(pipeline, store=FixedStore(embedder, titled))
    model.reply = "The theme was ten years building shared futures."
    assert pipeline.answer("What was the theme of the exhibition?").status == "refused"
    model.reply = "130 companies took part."
    assert pipeline.answer(QUESTION).status == "answered"


def test_a_name_that_the_evidence_does_not_have_gives_way_to_the_quote(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.replies = ["130 entreprises ont suivi la société Huawei."]
    question = "Combien d'entreprises ont participé à l'exposition ?"
    answer = pipeline.answer(question)
    assert answer.status == "answered"
    assert "Huawei" not in answer.answer
    assert answer.sentences[0].text == answer.citations[0].quote


@pytest.mark.parametrize("heading", ["Light Exhibition", "11.5. Light", "The Light Exhibitions"])
def test_a_heading_is_no_evidence(model: ScriptedModel, heading: str) -> None:
    """Of the title's words and the question's it says nothing new."""
    text = f"{heading}\nIt had 130 exhibitors."
    embedder = NearEmbedding(near=("Light",))
    found = replace(passage("en.txt", text, "en"), title="11.5. Light Exhibition")
    pipeline = Pipeline(FixedStore(embedder, found), embedder, model, {"en.txt": text}.get)
    model.replies = ["It had 130 exhibitors."]
    answer = pipeline.answer("How many exhibitors had the Light Exhibition?")
    assert [citation.quote for citation in answer.citations] == ["It had 130 exhibitors."]


def test_a_short_sentence_that_opens_a_document_is_evidence(model: ScriptedModel) -> None:
    """Though it stands in the title, which is the first line."""
    text = "There were 130 exhibitors. It rained."
    embedder = NearEmbedding(near=("130",))
    found = replace(passage("note.txt", text, "en"), title=text)
    pipeline = Pipeline(FixedStore(embedder, found), embedder, model, {"note.txt": text}.get)
    model.replies = ["130 exhibitors were there."]
    answer = pipeline.answer("How many exhibitors were there?")
    assert [citation.quote for citation in answer.citations] == ["There were 130 exhibitors."]


def test_the_number_of_an_item_is_not_told(model: ScriptedModel) -> None:
    text = "1. The committee has 8 members."
    embedder = NearEmbedding(near=("committee",))
    store = FixedStore(embedder, passage("en.txt", text, "en"))
    model.reply = "The committee has 9 members."  # so that the quote takes its place
    answer = Pipeline(store, embedder, model, {"en.txt": text}.get).answer("How many members?")
    assert answer.answer == "The committee has 8 members. [1]"
    assert answer.citations[0].quote == text


def test_the_number_of_an_item_is_none_that_is_asked_for(model: ScriptedModel) -> None:
    text = "1. The committee has some members."
    embedder = NearEmbedding(near=("committee",))
    store = FixedStore(embedder, passage("en.txt", text, "en"))
    answer = Pipeline(store, embedder, model, {"en.txt": text}.get).answer("How many members?")
    assert answer.status == "refused"
    assert not model.prompts  # no sentence of it was judged


def test_what_a_colon_announces_is_quoted_with_it(model: ScriptedModel) -> None:
    text = "The states are:\n- kept, which is the first\n- lost\nRain fell."
    embedder = NearEmbedding(near=("states",))
    store = FixedStore(embedder, passage("en.txt", text, "en"))
    model.reply = "They are kept and lost."
    answer = Pipeline(store, embedder, model, {"en.txt": text}.get).answer("Which states?")
    assert [citation.quote for citation in answer.citations] == [text.removesuffix("\nRain fell.")]


def test_a_question_of_an_interview_is_quoted_with_what_answers_it(model: ScriptedModel) -> None:
    text = "Q: Is it so? Why do they vanish?\nA: Barriers, all of them."
    embedder = NearEmbedding(near=("vanish",))
    store = FixedStore(embedder, passage("en.txt", text, "en"))
    model.reply = "Because of barriers."
    answer = Pipeline(store, embedder, model, {"en.txt": text}.get).answer("Why do they vanish?")
    assert [each.quote for each in answer.citations] == [text.removeprefix("Q: Is it so? ")]


def test_a_row_that_ends_in_a_question_is_quoted_without_the_next(model: ScriptedModel) -> None:
    text = "id: 1; asks: Why do they vanish?\nid: 2; asks: about barriers"
    embedder = NearEmbedding(near=("vanish",))
    store = FixedStore(embedder, passage("survey.csv", text, "en"))
    model.reply = "Whether they vanish."
    found = Pipeline(store, embedder, model, {"survey.csv": text}.get).answer(
        "What is asked first?"
    )
    assert [each.quote for each in found.citations] == [text.partition("\n")[0]]


@pytest.mark.parametrize(("asked", "judged"), [("opened", 1), ("published", 2)])
def test_a_date_line_is_evidence_of_when_a_document_came_out_alone(
    model: ScriptedModel, asked: str, judged: int
) -> None:
    text = "14 March 2024\nThe bridge reopened on 12 March."
    embedder = NearEmbedding(near=("March",))
    store = FixedStore(embedder, passage("en.txt", text, "en"))
    model.yes = [0.1]
    pipeline = Pipeline(store, embedder, model, {"en.txt": text}.get)
    answer = pipeline.answer(f"When was the article {asked}?")
    assert len([step for step in answer.steps if step.name == "judge"]) == judged


@pytest.mark.parametrize("currency", ["dollars", "rupiah"])
def test_a_sum_in_another_currency_is_not_told(model: ScriptedModel, currency: str) -> None:
    text = f"The fee is 30 {currency}."
    embedder = NearEmbedding(near=("fee",))
    store = FixedStore(embedder, passage("en.txt", text, "en"))
    model.reply = "The fee is 30 yuan."
    answer = Pipeline(store, embedder, model, {"en.txt": text}.get).answer("What is the fee?")
    assert answer.answer == f"{text} [1]"


def test_the_number_of_a_chapter_is_no_answer(model: ScriptedModel) -> None:
    text = "The hall was opened in 1987."
    embedder = NearEmbedding(near=("hall",))
    found = replace(passage("en.txt", text, "en"), title="11.5. The hall")
    pipeline = Pipeline(FixedStore(embedder, found), embedder, model, {"en.txt": text}.get)
    model.reply = "The hall was opened in 11.5."
    assert pipeline.answer("When was the hall opened?").answer == f"{text} [1]"


def test_a_title_that_is_all_of_a_document_is_evidence(model: ScriptedModel) -> None:
    text = "Meeting of 130 exhibitors"
    embedder = NearEmbedding(near=("Meeting",))
    found = replace(passage("note.txt", text, "en"), title=text)
    pipeline = Pipeline(FixedStore(embedder, found), embedder, model, {"note.txt": text}.get)
    model.replies = ["130 exhibitors met."]
    assert pipeline.answer("How many exhibitors met?").citations[0].quote == text


@pytest.mark.parametrize("talk", ["Sure!", "Bien sûr !", "当然可以！", "Tentu saja!"])
def test_small_talk_is_left_out(pipeline: Pipeline, model: ScriptedModel, talk: str) -> None:
    model.reply = f"{talk} 130 companies took part."
    assert pipeline.answer(QUESTION).answer == "130 companies took part. [1]"


def test_a_year_that_only_the_question_names_is_not_taken_for_the_sources(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    """The source speaks of 2019; asked about 2018, the model says 2018."""
    embedder.near = ("2019",)
    model.reply = "In 2018 the digital economy was 35.8 trillion yuan."
    assert pipeline.answer("How large was the digital economy in 2018?").status == "refused"


def test_another_years_document_is_no_evidence_and_no_model_is_asked(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    """The documents are of 2020, and one sentence looks back at 2019."""
    answer = pipeline.answer("How many companies took part in the exhibition of 2018?")
    assert (answer.status, model.prompts) == ("refused", [])
    assert [hit.passage.source for hit in answer.passages] == ["fr.txt", "zh.txt"]
    embedder.near = ("2019",)
    model.reply = "It was 35.8 trillion yuan."
    assert pipeline.answer("How large was the digital economy in 2019?").status == "answered"


def test_a_number_off_by_a_power_of_ten_is_repaired_before_it_is_shown(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    embedder.near = ("20万",)
    model.reply = "Chinese companies laid over 20,000 km of fibre there."
    *pieces, answer = pipeline.stream("How much optical fibre was laid?")
    assert isinstance(answer, Answer)
    assert answer.sentences[0].text == "Chinese companies laid over 200,000 km of fibre there."
    assert answer.sentences[0].verdict == "supported"
    assert "".join(str(piece) for piece in pieces) == answer.answer


def test_a_number_in_another_script_is_recognised(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    embedder.near = ("20万",)
    model.reply = "Over 200,000 km of fibre were laid."
    answer = pipeline.answer("How much optical fibre was laid?")
    assert answer.sentences[0].verdict == "supported"
    assert answer.citations[0].quote == CHINESE[: CHINESE.index("。") + 1]


def test_each_sentence_cites_what_it_shares_words_with(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.yes = [0.1, 0.6, 0.1, 0.1, 0.9]
    model.reply = (
        "Les 130 entreprises ont participé à l'exposition. "
        "L'économie numérique a atteint 35 800 milliards de yuans."
    )
    answer = pipeline.answer("Combien d'entreprises ont participé, et quelle économie ?")
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (2,)]
    assert answer.citations[0].quote.startswith("130 entreprises")


def test_a_sentence_that_shares_no_word_cites_what_is_nearest_in_meaning(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    model.reply = "许多公司出席了展会。"
    embedder.near = ("130", "公司")
    answer = pipeline.answer("多少家公司参加了展览？")
    assert [citation.quote[:15] for citation in answer.citations] == ["130 entreprises"]


def test_text_is_never_a_template(pipeline: Pipeline, model: ScriptedModel) -> None:
    """Neither a question nor a document can name a variable of a prompt."""
    question = "What is $sentences and ${question} and {{7*7}} worth?"
    pipeline.answer(question)
    assert all(question in messages[-1].content for messages in model.prompts)


def test_a_follow_up_is_made_to_stand_alone_before_searching(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.reply = "How many companies took part in 2020?"
    answer = pipeline.answer("And in 2020?", [(QUESTION, "130 companies took part. [1]")])
    assert answer.standalone_question == "How many companies took part in 2020?"
    assert answer.question == "And in 2020?"


@pytest.mark.parametrize(
    "reply",
    ["130 companies took part in 2020.", "Who won the cup in Brazil?", "", "How many in 2019?"],
    ids=["an answer", "another question", "nothing", "another year"],
)
def test_a_follow_up_that_is_made_something_else_is_searched_as_it_was_asked(
    pipeline: Pipeline, model: ScriptedModel, reply: str
) -> None:
    model.replies = [reply]
    answer = pipeline.answer("And in 2020?", [(QUESTION, "130 companies took part. [1]")])
    assert answer.standalone_question == "And in 2020?"


@pytest.mark.parametrize(
    ("marks", "told"),
    [(False, ["supported"]), (True, ["supported", "unsupported"])],
    ids=["left out", "marked"],
)
def test_a_further_sentence_that_fails_is_left_out_or_marked(
    pipeline: Pipeline,
    model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
    marks: bool,
    told: list[str],
) -> None:
    monkeypatch.setattr(steps, "load_gate", lambda strictness: replace(GATE, marks=marks))
    model.reply = "130 companies took part. They paid 9,000 euros each."
    *pieces, answer = pipeline.stream(QUESTION)
    assert isinstance(answer, Answer)
    assert [sentence.verdict for sentence in answer.sentences] == told
    assert "".join(map(str, pieces)).rsplit("\n", 1)[-1] in answer.answer


def test_what_is_only_in_doubt_is_refused_where_doubts_are_marked_too(
    pipeline: Pipeline, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "load_gate", lambda strictness: replace(GATE, marks=True))
    model.reply = "They paid 9,000 euros each. They paid 8,000 euros each."
    assert pipeline.answer(QUESTION).status == "refused"


@pytest.fixture
def verified(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline that asks the model whether what it wrote stands."""
    gate = replace(GATE, stands=0.0)
    monkeypatch.setattr(steps, "load_gate", lambda strictness: gate)
    return pipeline


def test_what_the_model_does_not_stand_by_gives_way_to_the_quote(
    verified: Pipeline, model: ScriptedModel
) -> None:
    model.yes = [0.9, 0.2]
    model.reply = "130 hommes ont été payés."
    answer = verified.answer("Combien d'entreprises ont participé à l'exposition ?")
    assert answer.answer == "130 entreprises ont participé à l'exposition. [1]"
    assert "130 hommes ont été payés." in model.prompts[-1][-1].content
    verdicts = [step.values["odds"] for step in answer.steps if step.name == "verify"]
    assert [odds < 0 for odds in verdicts] == [True]


def test_what_the_model_stands_by_stays(verified: Pipeline, model: ScriptedModel) -> None:
    model.yes = [0.9, 0.8]
    assert verified.answer(QUESTION).answer == "130 companies took part. [1]"


def test_after_a_sentence_that_stands_one_that_does_not_is_dropped(
    verified: Pipeline, model: ScriptedModel
) -> None:
    model.yes = [0.9, 0.8, 0.2]
    model.reply = "130 companies took part. They all had robots."
    assert verified.answer(QUESTION).answer == "130 companies took part. [1]"


def test_a_quote_that_cannot_be_translated_is_not_given(
    verified: Pipeline, model: ScriptedModel
) -> None:
    model.yes = [0.9, 0.2]
    model.replies = ["130 euros were paid.", "130 entreprises ont participé à l'exposition."]
    assert verified.answer(QUESTION).status == "refused"


def test_an_overview_tells_each_sentence_on_the_topic_with_its_citation(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    """In the words of the documents, or of their translation; what is not on it is left out."""
    model.yes = [0.9, 0.1, 0.9, 0.1]
    model.replies = ["Les entreprises chinoises ont posé plus de 200 000 kilomètres de fibre."]
    *pieces, answer = pipeline.stream("Que disent les documents sur l'exposition et la fibre ?")
    assert isinstance(answer, Answer)
    assert answer.answer == (
        "130 entreprises ont participé à l'exposition. [1] "
        "Les entreprises chinoises ont posé plus de 200 000 kilomètres de fibre. [2]"
    )
    assert "".join(str(piece) for piece in pieces) == answer.answer
    assert [citation.source for citation in answer.citations] == ["fr.txt", "zh.txt"]
    assert {sentence.verdict for sentence in answer.sentences} == {"supported"}


def test_an_overview_of_what_no_document_tells_is_a_refusal(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.yes = [0.1]
    assert pipeline.answer("What do the documents say about whales?").status == "refused"


def test_an_overview_leaves_out_a_translation_with_a_wrong_number(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.yes = [0.9, 0.9, 0.1]
    model.replies = ["340 firms took part.", "The economy reached 35.8 trillion yuan in 2019."]
    answer = pipeline.answer("What do the documents say about the economy?")
    assert answer.answer == "The economy reached 35.8 trillion yuan in 2019. [1]"


def test_tokens_of_every_step_are_counted(pipeline: Pipeline) -> None:
    answer = pipeline.answer(QUESTION)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (200, 11)
    assert answer.longest == 110  # of the two prompts with their replies


def test_sentences_are_judged_one_by_one_until_one_surely_answers(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    """Each under its document's title and date, nearest first; the best one is the evidence."""
    model.yes = [0.2, 0.9, 0.3]
    model.reply = "35 800 milliards de yuans."
    answer = pipeline.answer("Quelle était la taille de l'économie numérique en 2019 ?")
    first, second, writing = (messages[-1].content for messages in model.prompts)
    assert first.startswith("[Title of fr.txt, 2020-11-23]\n130 entreprises")
    assert second.startswith("[Title of fr.txt, 2020-11-23]\nL'économie numérique")
    assert "130 entreprises" not in writing
    assert [citation.quote[:22] for citation in answer.citations] == ["L'économie numérique a"]
    assert answer.usage.prompt_tokens == 300


@pytest.mark.parametrize(
    ("yes", "looks"),
    [([0.1, 0.2, 0.1, 0.9], 3), ([0.1, 0.45, 0.1, 0.9], 4)],
    ids=["none of three comes near", "one comes near"],
)
def test_after_three_that_are_far_from_answering_no_more_are_judged(
    pipeline: Pipeline,
    model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
    yes: list[float],
    looks: int,
) -> None:
    monkeypatch.setattr(steps, "load_gate", lambda strictness: replace(GATE, hopeless=-0.5))
    model.yes = yes
    names = [step.name for step in pipeline.answer(QUESTION).steps]
    assert names[: names.index("gate")].count("judge") == looks
    assert ("write" in names) == (looks == 4)


@pytest.mark.parametrize(
    ("yes", "looks", "written_from"),
    [
        ([0.95, 0.1, 0.1, 0.1], 1, "130 entreprises"),
        ([0.7, 0.1, 0.95, 0.1], 3, "公里"),
        ([0.7, 0.1, 0.1, 0.95], 3, "130 entreprises"),
        ([0.1, 0.7, 0.1, 0.95], 4, "1800"),
    ],
    ids=["one that is sure", "a better one", "two that are no better", "the second likely"],
)
def test_after_one_that_likely_answers_two_more_are_judged(
    pipeline: Pipeline,
    model: ScriptedModel,
    monkeypatch: pytest.MonkeyPatch,
    yes: list[float],
    looks: int,
    written_from: str,
) -> None:
    gate = replace(GATE, sure=2.0, likely=0.5)
    monkeypatch.setattr(steps, "load_gate", lambda strictness: gate)
    model.yes = yes
    names = [step.name for step in pipeline.answer(QUESTION).steps]
    assert names[: names.index("gate")].count("judge") == looks
    evidence = model.prompts[looks][-1].content.split("\n\nQuestion")[0]
    assert written_from in evidence.splitlines()[-1]


def test_what_follows_a_sentence_that_gave_no_answer_is_read_with_it(model: ScriptedModel) -> None:
    text = "They met in Wuzhen from 6 to 9 November. The theme of it was light."
    embedder = NearEmbedding(near=("Wuzhen", "theme"))
    store = FixedStore(embedder, passage("en.txt", text, "en"))
    model.yes = [0.95, 0.9]
    model.replies = ["", "Light was the theme."]
    answer = Pipeline(store, embedder, model, {"en.txt": text}.get).answer("What was the theme?")
    judged = [step.result.partition(": ")[2] for step in answer.steps if step.name == "judge"]
    assert judged == ["They met in Wuzhen from 6 to 9 November.", text]
    assert answer.answer == "Light was the theme. [1]"
    assert answer.citations[0].quote == "The theme of it was light."


def test_no_sentence_is_judged_twice(pipeline: Pipeline, model: ScriptedModel) -> None:
    """A second attempt reads what the first one judged, and left."""
    model.yes = [0.1, 0.1, 0.9, 0.8]
    model.reply = QUESTION
    answer = pipeline.answer(QUESTION)
    assert [step.name for step in answer.steps].count("gate") == 2
    judged = [step.result for step in answer.steps if step.name == "judge"]
    assert len({told.split(" of ", 1)[1] for told in judged}) == len(judged)


def test_what_is_not_sure_is_judged_again_behind_the_sentence_before_it(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    """It may point back to it, and then both are evidence: each is quoted where it is told of."""
    model.yes = [0.1, 0.6, 0.9]
    model.reply = "L'économie numérique a atteint 35 800 milliards. 130 entreprises ont participé."
    answer = pipeline.answer("Quelle était la taille de l'économie numérique en 2019 ?")
    *_, again, writing = (messages[-1].content for messages in model.prompts)
    for prompt in (again, writing):
        assert prompt.index("130 entreprises") < prompt.index("L'économie numérique a atteint")
    assert [sentence.citations for sentence in answer.sentences] == [(1,), (2,)]
    assert answer.citations[1].quote.startswith("130 entreprises")
    gate = next(step for step in answer.steps if step.name == "gate")
    assert gate.values["support"] == pytest.approx((log_odds(0.6) + log_odds(0.9)) / 2)


@pytest.mark.parametrize(("alone", "looks"), [(0.52, 5), (0.48, 4)])
def test_what_alone_rather_does_not_answer_is_not_judged_again(
    pipeline: Pipeline, model: ScriptedModel, alone: float, looks: int
) -> None:
    model.yes = [0.1, alone, 0.1, 0.1, 0.1]
    assert [step.name for step in pipeline.answer(QUESTION).steps].count("judge") == looks


def test_a_sentence_that_the_one_before_does_not_help_is_written_from_alone(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.yes = [0.1, 0.7, 0.65]
    model.reply = "35 800 milliards de yuans."
    pipeline.answer("Quelle était la taille de l'économie numérique en 2019 ?")
    assert "130 entreprises" not in model.prompts[-1][-1].content


def test_a_second_sentence_that_states_it_nearly_as_well_is_no_evidence(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    """A small model mixes in what stands beside the best one."""
    model.yes = [0.6, 0.1, 0.7, 0.2]
    pipeline.answer(QUESTION)
    writing = model.prompts[4][-1].content
    assert "公里" in writing
    assert "130 entreprises" not in writing


def test_large_numbers_are_shown_to_the_model_in_the_answers_language(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    embedder.near = ("20万",)
    pipeline.answer("Combien de kilomètres de fibre optique ont été posés ?")
    assert "20万 (= 200 000)公里" in model.prompts[0][-1].content


def test_every_step_says_what_came_of_it(pipeline: Pipeline, model: ScriptedModel) -> None:
    model.reply = "Sure! 130 companies took part."
    answer = pipeline.answer(QUESTION)
    search, *steps = answer.steps
    assert (search.name, search.result.split(",")[0]) == ("search", "2 passages")
    assert [(step.name, step.result.split(" fr.txt")[0]) for step in steps] == [
        ("judge", "log-odds +2.2 of"),
        ("gate", "chance 0.90; answers from 0.60 on (normal strictness)"),
        ("write", "Sure!"),
        ("check", "dropped"),
        ("write", "130 companies took part."),
        ("check", "130 companies took part. [1]"),
    ]
    assert 0 < sum(step.seconds for step in answer.steps) <= answer.seconds


def test_a_refusal_tells_its_steps_too(pipeline: Pipeline, model: ScriptedModel) -> None:
    model.yes = [0.1]
    names = [step.name for step in pipeline.answer(QUESTION).steps]
    assert names == ["search", *["judge"] * 4, "gate"]


def test_the_language_to_answer_in_can_be_set(pipeline: Pipeline, model: ScriptedModel) -> None:
    """A follow-up is still understood in its own language."""
    model.replies = ["How many companies?", "130 entreprises y ont participé."]
    french = replace(pipeline, answer_language="fr")
    answer = french.answer("How many?", [("Who took part?", "Companies.")])
    *_, write = (prompt[-1].content for prompt in model.prompts)
    assert answer.standalone_question == "How many companies?"
    assert phrases("fr").answer in write
    assert (answer.language, answer.answer) == ("fr", "130 entreprises y ont participé. [1]")
    model.yes = [0.1]
    assert french.answer(QUESTION).answer.startswith(phrases("fr").refusal)


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("有多少家企業參加了展覽？", "130家企業參加了展覽。 [1]"),
        ("有多少家企业参加了展览？", "130家企业参加了展览。 [1]"),
    ],
)
def test_chinese_is_answered_in_the_questions_characters(
    pipeline: Pipeline, model: ScriptedModel, question: str, said: str
) -> None:
    """Whichever kind the model happens to write; the quote stays as it stands."""
    for model.reply in ("130家企業參加了展覽。", "130家企业参加了展览。"):
        *pieces, answer = pipeline.stream(question)
        assert isinstance(answer, Answer)
        assert "".join(str(piece) for piece in pieces) == answer.answer == said
        assert answer.citations[0].quote in FRENCH


def test_a_refusal_is_in_the_questions_characters(pipeline: Pipeline, model: ScriptedModel) -> None:
    model.yes = [0.1]
    assert pipeline.answer("門票多少錢？").answer == "這些文檔沒有回答這個問題。"


TWO = "How many companies took part in the exhibition, and what number of guests came?"


@pytest.fixture
def two_questions(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding, texts: dict[str, str]
) -> Pipeline:
    """A pipeline whose model takes `TWO` apart; the second half is in the Chinese document."""
    model.replies = ["How many companies took part?\nHow many guests came?"]
    embedder.near = ("130", "1800")
    return pipeline


def test_two_questions_in_one_are_each_answered_from_their_own_document(
    two_questions: Pipeline, model: ScriptedModel
) -> None:
    model.replies += ["130 companies took part.", "1,800 guests came."]
    model.yes = [0.9, 0.2, 0.9, 0.1]
    *pieces, answer = two_questions.stream(TWO)
    assert isinstance(answer, Answer)
    assert answer.answer == "130 companies took part. [1] 1,800 guests came. [2]"
    assert "".join(str(piece) for piece in pieces) == answer.answer
    assert [citation.source for citation in answer.citations] == ["fr.txt", "zh.txt"]
    assert [hit.rank for hit in answer.passages] == [1, 2]
    assert len({hit.passage.id for hit in answer.retrieved}) == len(answer.retrieved)
    assert [hit.score for hit in answer.retrieved] == sorted(
        (hit.score for hit in answer.retrieved), reverse=True
    )


def test_of_two_questions_the_one_without_an_answer_is_named(
    two_questions: Pipeline, model: ScriptedModel
) -> None:
    model.replies += ["1,800 guests came."]
    model.yes = [0.1, 0.1, 0.1, 0.1, 0.1, 0.9, 0.1]
    *pieces, answer = two_questions.stream(TWO)
    assert isinstance(answer, Answer)
    open_half = f"How many companies took part? {phrases('en').refusal}"
    assert answer.answer == f"1,800 guests came. [1] {open_half}"
    assert "".join(str(piece) for piece in pieces) == answer.answer
    assert (answer.sentences[1].citations, answer.sentences[1].verdict) == ((), "unsupported")


def test_two_questions_without_an_answer_are_one_refusal(
    two_questions: Pipeline, model: ScriptedModel
) -> None:
    model.yes = [0.1]
    answer = two_questions.answer(TWO)
    assert (answer.status, answer.answer) == ("refused", phrases("en").refusal)
    assert (answer.sentences, answer.citations) == ((), ())


@pytest.mark.parametrize(
    "reply", [TWO, "1?\n2?\n3?\n4?", "It was 130.\nIt was 1800.", "Who won?\nThen who won?", ""]
)
def test_what_cannot_be_taken_apart_is_asked_as_it_is(
    pipeline: Pipeline, model: ScriptedModel, reply: str
) -> None:
    model.replies = [reply]
    assert pipeline.answer(TWO).answer == "130 companies took part. [1]"
    assert TWO in model.prompts[-1][-1].content


def test_a_further_part_that_leans_on_the_first_is_made_to_stand_alone(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    asked = "How many firms came to the fair in 2020, and how many came to the later one?"
    alone = "How many firms came to the later fair?"
    model.replies = [alone]
    answer = pipeline.answer(asked)
    assert "How many firms came to the fair in 2020?" in model.prompts[0][-1].content
    split = next(step for step in answer.steps if step.name == "split")
    assert split.result == f"How many firms came to the fair in 2020? | {alone}"


def test_so_is_a_short_part_that_the_model_has_set_apart(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    alone = "What number of guests came to the exhibition?"
    model.replies = ["How many companies took part in the exhibition?\nWhat number?", alone]
    split = next(step for step in pipeline.answer(TWO).steps if step.name == "split")
    assert split.result == f"How many companies took part in the exhibition? | {alone}"


@pytest.mark.parametrize(
    ("reply", "parts"),
    [
        ("How many companies took part?\nWhat is an exhibition?", 2),
        ("How many companies took part?\nWhere was the exhibition?", 1),
        ("Which companies took part?\nWhich guests came?", 2),
    ],
    ids=["its own words", "a question of the model's", "both reworded alike"],
)
def test_a_part_that_the_question_does_not_ask_is_left_out(
    pipeline: Pipeline, model: ScriptedModel, reply: str, parts: int
) -> None:
    model.replies = [reply]
    split = next(step for step in pipeline.answer(TWO).steps if step.name == "split")
    assert split.result.count("|") == parts - 1


def test_a_question_of_one_clause_costs_no_look_for_a_second(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    pipeline.answer(QUESTION)
    assert len(model.prompts) == 2, "one sentence judged, one answer written"


def test_a_follow_up_is_searched_with_what_was_said_before(
    pipeline: Pipeline,
    model: ScriptedModel,
    embedder: NearEmbedding,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        NearEmbedding,
        "get_query_embedding",
        lambda self, query: asked.append(query) or [1.0, 0.0],
    )
    model.replies = ["What does he say?"]
    pipeline.answer("What does he say?", [("Who is Shen Yi?", "A scholar.")])
    assert asked == ["What does he say?", "Who is Shen Yi? A scholar. What does he say?"]
    asked.clear()
    pipeline.answer(QUESTION)
    assert asked == [QUESTION]


def test_an_undated_document_that_names_other_years_only_is_no_evidence(
    pipeline: Pipeline, model: ScriptedModel, embedder: NearEmbedding
) -> None:
    """It speaks of 2019: what it says of 'this year' is not of 2018."""
    undated = replace(passage("fr.txt", FRENCH, "fr"), date=None)
    pipeline = replace(pipeline, store=FixedStore(embedder, undated))
    question = "How many companies took part in the exhibition of {}?"
    assert pipeline.answer(question.format(2018)).status == "refused"
    assert not model.prompts
    assert pipeline.answer(question.format(2019)).status == "answered"


def test_where_nothing_can_be_written_from_the_best_evidence_the_next_is_tried(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.replies = ["How many companies took part in the exhibition?"]  # an echo: it is dropped
    model.reply = "35.8 trillion yuan."
    model.yes = [0.9, 0.8]
    answer = pipeline.answer(QUESTION)
    assert answer.answer == "35.8 trillion yuan. [1]"
    assert answer.citations[0].quote.startswith("L'économie numérique")
    model.replies = []
    model.reply = QUESTION
    assert pipeline.answer(QUESTION).status == "refused"


def test_a_model_that_loops_gives_way_to_the_quote(
    pipeline: Pipeline, model: ScriptedModel
) -> None:
    model.replies = ["the president of the president of the " * 9, "130 companies took part."]
    assert pipeline.answer(QUESTION).answer == "130 companies took part. [1]"


def test_a_translation_that_loops_is_stopped(pipeline: Pipeline, model: ScriptedModel) -> None:
    model.replies = ["It was 7 companies.", "so so so so so so so so so so " * 50]
    model.yes = [0.9, 0.1]
    assert pipeline.answer(QUESTION).status == "refused"
    assert model.stopped


@pytest.mark.parametrize(
    ("question", "reply", "told"),
    [
        (
            "Did 500 companies take part in the exhibition?",
            "Yes, 500 companies took part in the exhibition.",
            "130 enterprises took part.",
        ),
        (QUESTION, "Yes, 130 companies took part.", "Yes, 130 companies took part."),
    ],
    ids=["the question's number", "the quote's"],
)
def test_what_is_agreed_to_must_be_in_the_quote(
    pipeline: Pipeline, model: ScriptedModel, question: str, reply: str, told: str
) -> None:
    model.replies = [reply, "130 enterprises took part."]
    assert pipeline.answer(question).answer == f"{told} [1]"


def test_a_label_is_left_out_and_a_lists_stays() -> None:
    assert without_label("Answer: 130 companies.", QUESTION) == "130 companies."
    assert without_label("Brazil: 3, Germany: 2.", QUESTION) == "Brazil: 3, Germany: 2."
