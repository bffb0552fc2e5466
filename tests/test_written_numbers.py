"""Large numbers as a reader's language writes them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.numbers import find_numbers
from qa_bot.written_numbers import annotate, repair_numbers, settled_length, write_number

LANGUAGES = ["en", "fr", "zh", "id", "de", "es", "pt"]


@pytest.mark.parametrize(
    "text", ["会议于2023.11.08召开", "192.168.100.17", "9" * 60, "1 000 " * 30]
)
def test_what_is_no_large_number_is_not_annotated(text: str) -> None:
    """Dates, addresses and digit runs: wrong help would be worse than none."""
    assert annotate(text, "zh", "fr") == text


@pytest.mark.parametrize(
    ("claim", "language", "evidence", "repaired"),
    [
        ("规模达到45500亿元", "zh", "45 500 milliards de yuans", "规模达到45.5万亿元"),
        ("30 milliards de personnes", "fr", "全球仍有近30亿人", "3 milliards de personnes"),
        ("3 milliards de personnes", "fr", "全球仍有近30亿人", "3 milliards de personnes"),
        ("12 cases", "en", "120 countries", "12 cases"),
        ("Its 3 parts", "en", "covers 300 million people", "Its 3 parts"),
        ("50 juta", "id", "5亿, 50亿", "50 juta"),
    ],
    ids=[
        "too small",
        "too large",
        "right",
        "small",
        "small beside a large",
        "no single one is meant",
    ],
)
def test_a_number_off_by_a_power_of_ten_is_written_as_the_evidence_has_it(
    claim: str, language: str, evidence: str, repaired: str
) -> None:
    assert repair_numbers(claim, language, [evidence]) == repaired


@pytest.mark.parametrize(
    ("text", "source", "language", "annotated"),
    [
        ("超过20万公里", "zh", "fr", "超过20万 (= 200 000)公里"),
        ("近30亿人", "zh", "id", "近30亿 (= 3 miliar)人"),
        ("45 500 milliards de yuans", "fr", "zh", "45 500 milliards (= 45.5万亿) de yuans"),
        ("700 juta orang", "id", "fr", "700 juta (= 700 millions) orang"),
        ("126个国家", "zh", "en", "126个国家"),
        ("700 juta orang", "id", "id", "700 juta orang"),
    ],
)
def test_large_numbers_are_annotated_in_the_readers_language(
    text: str, source: str, language: str, annotated: str
) -> None:
    assert annotate(text, source, language) == annotated


@pytest.mark.parametrize(
    ("claim", "language", "evidence", "repaired"),
    [
        ("45,500 milliards yuans", "id", "45 500 milliards de yuans", "45,5 triliun yuans"),
        ("2 000 orang", "id", "plus de 2 000 représentants", "2.000 orang"),
        ("10.500,5 kilomètres", "fr", "10.500,5 kilometer", "10 500,5 kilomètres"),
        ("10.000 kilomètres", "fr", "10.000 kilometer", "10.000 kilomètres"),  # or 10?
        ("10,000 km", "zh", "10.000 kilometer", "10,000 km"),
        ("规模为27.2 trillion元", "zh", "27.2 trillion yuan", "规模为27.2万亿元"),
        ("35.8 miliar", "id", "35.8 billion", "35,8 miliar"),
        ("1 million d'euros", "fr", "1 juta euro", "1 million d'euros"),
        ("1.5 × 10^6 Zellen", "de", "1.5 × 10^6 cells", "1,5 Millionen Zellen"),
        ("Web 3.0, 36.2 %", "fr", "Web 3.0, 36.2%", "Web 3.0, 36.2 %"),
        ("2 000 личностей", "ru", "2,000 persons", "2 000 личностей"),
        ("am 1.2.2024", "de", "on 1.2.2024", "am 1.2.2024"),
        ("en 2022", "fr", "in 2022", "en 2022"),
    ],
)
def test_a_number_is_written_in_the_form_of_the_readers_language(
    claim: str, language: str, evidence: str, repaired: str
) -> None:
    assert repair_numbers(claim, language, [evidence]) == repaired


def test_a_form_that_a_text_of_the_readers_language_has_is_left() -> None:
    form, other = "10.500,5 km", "10 500,5 km"
    assert repair_numbers(form, "fr", [form]) == other
    assert repair_numbers(form, "fr", [form], [f"une ligne de {form}"]) == form
    assert repair_numbers(form, "fr", [form], ["une ligne de 210.500,5 km"]) == other
    assert settled_length(f"{form} de voies", "fr", [form]) == 0
    assert settled_length(f"{form} de voies", "fr", [form], [form]) > len(form)


def test_a_wrong_number_is_put_right_though_the_question_has_it() -> None:
    evidence, asked = ["全球仍有近30亿人"], ["30 milliards de personnes ?"]
    assert repair_numbers("30 milliards", "fr", evidence, asked) == "3 milliards"


@given(st.integers(1_000, 10**14), st.sampled_from(LANGUAGES), st.sampled_from(LANGUAGES))
def test_a_number_of_any_language_is_repaired_once_and_keeps_its_value(
    value: int, source: str, language: str
) -> None:
    evidence = write_number(Decimal(value), source)
    repaired = repair_numbers(evidence, language, [str(value)])
    assert repaired in (evidence, write_number(Decimal(value), language))
    assert repair_numbers(repaired, language, [str(value)]) == repaired
    assert settled_length(f"{repaired}. And so it was.", language, [str(value)]) > len(repaired)


@given(st.integers(10_000, 10**15), st.sampled_from(LANGUAGES))
def test_what_is_written_is_read_back(value: int, language: str) -> None:
    written = write_number(Decimal(value), language)
    assert any(Decimal(value) in number.values for number in find_numbers(written, language))
