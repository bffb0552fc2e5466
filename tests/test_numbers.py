"""Numbers by value, whatever language they are written in."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.numbers import find_numbers, missing_numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("超过20万公里", 200_000),
        ("服务超过9亿人", 900_000_000),
        ("近30亿人", 3_000_000_000),
        ("45.5万亿元", 45_500_000_000_000),
        ("45 500 milliards de yuans", 45_500_000_000_000),
        ("45\u202f500 milliards", 45_500_000_000_000),
        ("35800 milliards", 35_800_000_000_000),
        ("27.2 trillion yuan", 27_200_000_000_000),
        ("27.2 trillion元", 27_200_000_000_000),
        ("The 1.2-billion-yuan telescope", 1_200_000_000),
        ("2,6 miliar orang", 2_600_000_000),
        ("700 juta orang", 700_000_000),
        ("1.234.567,5", Decimal("1234567.5")),
        ("1,234,567.5", Decimal("1234567.5")),
        ("40,000", 40_000),
        ("10.000 kilometer", 10_000),
        ("39,8 %", Decimal("39.8")),
        ("2022年", 2022),
        ("3,58 × 10¹³ yuans", 35_800_000_000_000),
        ("3.58 x 10^13", 35_800_000_000_000),
    ],
)
def test_a_number_is_read_by_its_value(text: str, value: Decimal | int) -> None:
    assert any(Decimal(value) in number.values for number in find_numbers(text))


def test_neighbouring_numbers_are_not_joined() -> None:
    """A space groups thousands; it does not make one number of a year and a count."""
    values = [max(number.values) for number in find_numbers("en 2022 15 pays, 8 novembre 2022 120")]
    assert values == [2022, 15, 8, 2022, 120]


def test_names_with_digits_are_not_numbers() -> None:
    assert not list(find_numbers("WIC2022 et B2B"))


def test_billion_depends_on_the_language() -> None:
    """Chinese and Indonesian have no such word: there it is the English one."""
    assert [max(n.values) for n in find_numbers("近3 billion 人", "zh")] == [3_000_000_000]
    assert [max(n.values) for n in find_numbers("2.6 billion", "en")] == [2_600_000_000]
    assert [max(n.values) for n in find_numbers("2,6 billions", "fr")] == [2_600_000_000_000]


@pytest.mark.parametrize(
    ("claim", "evidence", "missing"),
    [
        ("200,000 km of fibre", "铺设超过20万公里光纤", []),
        ("3 milliards de personnes", "近30亿人", []),
        ("900 juta", "服务超过9亿非洲人民", []),
        ("45.5万亿元，占39.8%", "45 500 milliards de yuans, soit 39,8 % du PIB", []),
        ("9 billion people", "服务超过9亿非洲人民", ["9 billion"]),
        ("20 000 km", "铺设超过20万公里光纤", ["20 000"]),
        ("700万", "700 juta orang", ["700万"]),
        ("in 2021", "en 2022", ["2021"]),
        ("3,58 × 10¹³ yuans", "35.8万亿元", []),
        ("3,58 × 10¹² yuans", "35.8万亿元", ["3,58 × 10¹²"]),
        ("5 trillion rupiah", "senilai Rp5 triliun", []),
        ("Rp7 triliun", "senilai Rp5 triliun", ["7 triliun"]),
        ("RMB900 million", "RMB500 million", ["900 million"]),
        ("5 milliards de dollars", "worth $5bn", []),
        ("2 billion euros", "2 mil millones de euros", []),
        ("12.5 million users", "用户达到1250 万人", []),
        ("1.2 million users", "用户有120余万人", []),
        ("30 pour cent", "30% of the firms", []),
        ("第六届", "第五届世界互联网大会", ["6"]),
        ("三百家企业", "三十家企业参加了展览", ["300"]),
        ("二十国集团", "the G20", []),
        ("2023年十大", "the top ten of 2023", []),
        ("2023.11.08", "on 8 November 2023", []),
        ("2023-11-08", "2023年11月8日", []),
        ("08/11/2023", "on November 8, 2023", []),
        ("2023.11.09", "on 8 November 2023", ["2023.11.09"]),
        ("2023-12-08", "on 8 November 2023", ["12"]),
        ("version 2.4.1", "version 2.4.0", ["2.4.1"]),
        ("at 14:30", "à 14h30", []),
        ("at 14:50", "à 14h30", ["50"]),
        ("100 events", "近百场发布活动", []),
        ("200 events", "近百场发布活动", ["200"]),
        ("1 000 entreprises", "上千家企业", []),
    ],
)
def test_a_wrong_number_is_found_across_languages(
    claim: str, evidence: str, missing: list[str]
) -> None:
    assert missing_numbers(claim, evidence) == missing


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    """No text breaks the reader, and a text always states its own numbers."""
    assert missing_numbers(text, text) == []
