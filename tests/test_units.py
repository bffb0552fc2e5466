"""A sum in another currency, or a number in another unit, than the evidence has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.units import repair_currencies, unsupported_units


@pytest.mark.parametrize(
    ("claim", "evidence", "wrong"),
    [
        ("每剂70万人民币。", "sekitar 700 ribu rupiah per dosis", ["yuan"]),
        ("Harganya 30 rupiah.", "门票每张30元", ["rupiah"]),
        ("It cost 41 million dollars.", "Cela a coûté 41 millions d'euros.", ["dollar"]),
        ("It cost $41 million.", "Cela a coûté 41 millions d'euros.", ["dollar"]),
        ("Rp 5 miliar", "5 billion US dollars", ["rupiah"]),
        ("Il a duré 3 semaines.", "Berlangsung selama 3 bulan.", ["week"]),
        ("40 kilometer", "40 miles away, 3 metres wide", ["kilometre"]),
    ],
)
def test_a_unit_that_the_evidence_does_not_name_is_told(
    claim: str, evidence: str, wrong: list[str]
) -> None:
    assert unsupported_units(claim, "How much is it?", [evidence]) == wrong


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("每张30元。", "30 yuan each"),
        ("50 miliar dolar AS", "500亿美元"),
        ("$50 billion", "500亿美元"),
        ("30 kroner", "30克朗"),
        ("40 kilometres of it", "40 km"),
        ("Ouvert jusqu'à 23 heures.", "de 8 h à 23 h"),
        ("Pukul 21, 2 jam kemudian", "at 9 pm, 2 hours later"),
        ("-40°C", "零下40摄氏度"),
        ("pendant 4 jours", "为期四天的"),
        ("42 visitors of 9 kinds", "42 people"),
        ("27 European countries, 126 français, 3 literary works", "27, 126, 3"),
        ("5 livres, 3 metrics", "5本书, 3项指标"),
        ("3周年", "its third anniversary"),
        ("2023年11月8日", "8 November 2023"),
    ],
)
def test_a_unit_is_known_in_another_language_and_by_its_sign(claim: str, evidence: str) -> None:
    assert unsupported_units(claim, "How much is it?", [evidence]) == []


def test_a_unit_of_the_question_counts_where_the_evidence_names_no_other() -> None:
    question = "How many kilometres of cable, and how many euros?"
    assert unsupported_units("200 kilometres, 5 euros", question, ["cable: 200; price: 5"]) == []
    assert unsupported_units("200 kilometres", question, ["200 metres of cable"]) == ["kilometre"]


@pytest.mark.parametrize(
    ("claim", "language", "evidence", "repaired"),
    [
        ("每剂70万人民币。", "zh", "700 ribu rupiah per dosis", "每剂70万印尼盾。"),
        ("Harganya 30 rupiah.", "id", "门票每张30元", "Harganya 30 yuan."),
        ("It cost $41 million.", "en", "41 millions d'euros", "It cost euros 41 million."),
        ("It cost 5 euros.", "en", "5 roupies", "It cost 5 euros."),
        ("It cost 5 euros.", "en", "30 yuan, or 4 dollars", "It cost 5 euros."),
        ("It cost 5 euros.", "en", "The 元宇宙 costs 5.", "It cost 5 euros."),
        ("It cost 5 euros.", "en", "5本书,每本30元", "It cost 5 euros."),
        ("5 yuan for 3 days", "en", "5元", "5 yuan for 3 days"),
    ],
    ids=[
        "to Chinese",
        "from Chinese",
        "a sign",
        "of several countries",
        "two",
        "none",
        "no sum",
        "right",
    ],
)
def test_another_currency_gives_way_to_the_only_one_of_the_evidence(
    claim: str, language: str, evidence: str, repaired: str
) -> None:
    assert repair_currencies(claim, language, [evidence]) == repaired


NAMES = {
    "en": ("dollars", "euros", "yuan", "rupiah", "kilometres", "days", "weeks"),
    "fr": ("dollars", "euros", "yuans", "roupies", "kilomètres", "jours", "semaines"),
    "zh": ("美元", "欧元", "元", "盾", "公里", "天", "周"),
    "id": ("dolar", "euro", "yuan", "rupiah", "kilometer", "hari", "minggu"),
    "de": ("Dollar", "Euro", "Yuan", "Rupien", "Kilometer", "Tage", "Wochen"),
}
LANGUAGES = st.sampled_from(sorted(NAMES))
UNITS = st.integers(0, 6)


@given(LANGUAGES, LANGUAGES, UNITS, UNITS, st.integers(2, 999))
def test_across_languages_a_unit_is_itself_and_no_other(
    one: str, other: str, unit: int, told: int, number: int
) -> None:
    claim, evidence = f"{number} {NAMES[one][unit]}", f"{number} {NAMES[other][told]}"
    assert bool(unsupported_units(claim, "", [evidence])) == (unit != told)
