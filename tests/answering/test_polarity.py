"""A sentence may not say the opposite of its quotes."""

import pytest
from fakes import FixedStore, NearEmbedding, ScriptedModel, passage
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.answering.pipeline import Pipeline
from qa_bot.answering.polarity import turned_round


@pytest.mark.parametrize(
    ("language", "text", "quote"),
    [
        ("en", "China did not sign the memorandum.", "中国签署了谅解备忘录。"),
        ("fr", "La Chine n'a pas signé le mémorandum.", "China signed the memorandum."),
        ("id", "Tiongkok tidak menandatangani nota itu.", "La Chine a signé la note."),
        ("zh", "中国没有签署备忘录。", "Tiongkok menandatangani nota itu."),
        ("de", "China unterschrieb nicht.", "China signed the memorandum."),
        ("es", "China nunca firmó.", "China signed the memorandum."),
    ],
)
def test_it_may_not_deny_what_nothing_denies(language: str, text: str, quote: str) -> None:
    assert turned_round(text, language, "", [quote])


@pytest.mark.parametrize(
    ("language", "text", "quote"),
    [
        ("en", "There is no receptionist.", "The hotels are receptionist-free."),
        ("fr", "Il n'y a pas de caissier.", "无人值守，禁止收现金。"),
        ("en", "Not only China signed.", "China signed, and others did."),
        ("zh", "产业不断发展。", "The industry keeps developing."),
        ("zh", "非洲有了网络。", "Africa has networks now."),
        ("zh", "莫斯科和无锡的非政府组织展示了无人机。", "NGOs of Moscow and Wuxi showed drones."),
        ("zh", "不丹签署了。", "Bhutan signed."),
        ("fr", "N'Djamena l'a signé.", "恩贾梅纳签署了。"),
        ("en", "It leads in the field of networks.", "网络领域增长了。"),
        ("en", "He is of Chinese descent.", "他是华裔,收入增长了。"),
        ("id", "Ada sanksi baru.", "制裁增加了。"),
        ("pt", "Abriram 130 escritórios no Brasil.", "They opened 130 offices in Brazil."),
        ("zh", "不超过100人参加。", "Up to 100 people took part."),
        ("en", "No more than 100 came.", "参加人数最多100人。"),
    ],
    ids=[
        "-free",
        "forbids",
        "not only",
        "不断",
        "非洲",
        "names",
        "Bhutan",
        "N'",
        "field",
        "descent",
        "sanksi",
        "no in Portuguese",
        "不超过",
        "no more than",
    ],
)
def test_what_only_looks_like_denying_may_stand(language: str, text: str, quote: str) -> None:
    assert not turned_round(text, language, "", [quote])


def test_what_the_question_denies_may_be_denied() -> None:
    question = "Which country did not sign?"
    assert not turned_round("Japan did not sign.", "en", question, ["All the others signed."])


@pytest.mark.parametrize(
    ("language", "text", "quote"),
    [
        ("en", "It was held in Beijing in May this year.", "It was not held in Beijing this year."),
        ("fr", "Elle veut laisser un pays derrière.", "Elle ne veut laisser aucun pays derrière."),
        ("zh", "他们希望任何一个国家掉队。", "他们不希望任何一个国家掉队。"),
    ],
)
def test_it_may_not_affirm_what_is_denied(language: str, text: str, quote: str) -> None:
    assert turned_round(text, language, "", [quote])


def test_words_that_stand_apart_from_what_is_denied_may_be_said() -> None:
    quote = "It was not held in Beijing this year, but in Wuzhen, where 130 companies took part."
    assert not turned_round("It took place in Wuzhen.", "en", "", [quote])


@pytest.mark.parametrize(
    ("language", "text", "quote"),
    [
        ("en", "The market fell by 15.8%.", "Le marché a progressé de 15,8 %."),
        ("fr", "Le marché a augmenté de 3 %.", "市场下降了3%。"),
        ("id", "Pasar turun 3 persen.", "The market grew by 3%."),
        ("en", "A minority has no access.", "其中大多数没有接入互联网。"),
    ],
)
def test_what_rises_may_not_fall_nor_most_be_few(language: str, text: str, quote: str) -> None:
    assert turned_round(text, language, "How did it go?", [quote])
    assert not turned_round(text, language, text, [quote])


@pytest.mark.parametrize(
    ("language", "text", "quote"),
    [
        ("en", "Less than 200,000 km were laid.", "累计铺设超过20万公里光纤。"),
        ("fr", "Moins de 580 entreprises sont venues.", "580余家企业参展。"),
        ("zh", "近10000公里。", "Lebih dari 10.000 kilometer dibangun."),
        ("id", "Lebih dari 100 acara digelar.", "近100场活动举行。"),
        ("en", "More than 100 people took part.", "参加人数不超过100人。"),
        ("fr", "Plus de 100 personnes.", "Tidak lebih dari 100 orang hadir."),
        ("en", "At most 100 people came.", "Pas moins de 100 personnes sont venues."),
    ],
)
def test_a_least_may_not_become_a_most(language: str, text: str, quote: str) -> None:
    assert turned_round(text, language, "", [quote])


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("At most 100 people took part.", "参加人数不超过100人。"),
        ("At least 100 people attended.", "Tidak kurang dari 100 orang hadir."),
        ("Fewer than 100 people came.", "不到100人参加。"),
    ],
)
def test_a_bound_may_be_told_in_its_opposites_words(text: str, quote: str) -> None:
    assert not turned_round(text, "en", "", [quote])


@pytest.mark.parametrize("text", ["200,000 km were laid.", "More than 200,000 km were laid."])
def test_a_bound_may_be_left_out_or_kept(text: str) -> None:
    assert not turned_round(text, "en", "", ["累计铺设超过20万公里光纤。"])


WORDS = ("not", "the", "market", "fell", "rose", "more than", "nearly", "500", "500 or more",
         "without", "most of", "没有", "增长", "近", "ne", "pas", ".")  # fmt: skip


@given(
    st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join),
    st.sampled_from(["en", "fr", "zh", "ru"]),
)
def test_no_sentence_is_the_opposite_of_itself(text: str, language: str) -> None:
    assert turned_round(text, language, "", [text]) == []


def test_an_answer_that_says_the_opposite_gives_way_to_the_quote(model: ScriptedModel) -> None:
    text = "Uganda has built the network of its schools."
    store = FixedStore(NearEmbedding(near=("Uganda",)), passage("en.txt", text, "en"))
    model.reply = "Uganda has not built the network of its schools."
    pipeline = Pipeline(store, store.embedder, model, {"en.txt": text}.get)
    answer = pipeline.answer("What has Uganda built?")
    assert answer.answer == f"{text} [1]"
