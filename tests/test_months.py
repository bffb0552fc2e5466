"""Names of months, days of the year, and a claim's month against its evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.months import MONTH_NUMBER, days, is_date, months, names_month, weekdays
from qa_bot.numbers import missing_numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Inaugurée en juillet.", [7]),
        ("It opened on May 9, 2022, and in October.", [5, 10]),
        ("le 9 mai, et en mars 2018", [5, 3]),
        ("pada 31 Okt. 2020", [10]),
        ("It may march on; mars des juifs", []),
        ("12 des 2000 invités, la moitié des 15", []),
        ("5月", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_month_is_told_from_other_words(text: str, found: list[int]) -> None:
    assert [int(number) for _, number in months(text)] == found


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Monday, 8 January 2024 07:45", True),
        ("Le 26 avril 2024", True),
        ("2024年5月7日星期二", True),
        ("09.11.2018, 19:46", True),
        ("2024-01-05 | 30", False),
        ("11月8日至10日,2023年世界互联网大会乌镇峰会在浙江乌镇举行。", False),
        ("Debian 2008", False),
        ("The bridge opened on 8 January 2024.", False),
        ("大桥于2024年5月7日重新开放", False),
    ],
)
def test_a_line_that_is_but_a_date_is_told_from_others(text: str, date: bool) -> None:
    assert is_date(text) is date


def test_a_month_is_named_in_figures_too() -> None:
    assert names_month("2023年5月")
    assert names_month("en juillet")
    assert not names_month("5 fois")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("le sommet du 6 au 8 novembre", {(11, 6), (11, 7), (11, 8)}),
        ("November 6–7, 2024, at 10:30", {(11, 6), (11, 7)}),
        ("11月6日至7日", {(11, 6), (11, 7)}),
        ("pada 26 Januari 2024", {(1, 26)}),
        ("am 1. und 2. März, nicht im April 2024", {(3, 1), (3, 2)}),
        ("date: 2024-01-26; sold: 30", {(1, 26)}),
        ("05/11/2024", {(5, 11), (11, 5)}),
        ("26.01.2024", {(1, 26)}),
        ("31 December to 2 January", {(12, 31), (1, 2)}),
        ("November 2020; 12 des 2000 invités; 99 May; 2024-13-40", set()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_days_are_told_in_every_way_of_writing_them(text: str, found: set[tuple[int, int]]) -> None:
    assert days(text) == found


@pytest.mark.parametrize(
    ("claim", "evidence", "missing"),
    [
        ("于1991年4月恢复", "re-established in April 1991", []),
        ("于1991年5月恢复", "re-established in April 1991", ["5"]),
        ("Established in April.", "1991年4月", []),
        ("Established in July.", "1991年4月", ["July"]),
        ("有4家", "in April", ["4"]),
        ("Le 15 juillet", "第七届博览会15日开幕", ["15 juillet"]),
        ("7月15日", "the seventh fair, on the 15th", ["7"]),
        ("Le 15 juillet", "2024-07-15", []),
        ("en juillet", "07/15/2024", []),
        ("pada bulan Juli", "七月", []),
    ],
    ids=[
        "name",
        "another",
        "figure",
        "another figure",
        "no month",
        "seventh",
        "seventh in words",
        "date",
        "date in another order",
        "numeral",
    ],
)
def test_a_months_name_is_its_number(claim: str, evidence: str, missing: list[str]) -> None:
    assert missing_numbers(claim, evidence) == missing


@given(
    st.sampled_from(sorted(MONTH_NUMBER.keys() - {"des", "set", "mar"})),
    st.integers(1, 28),
    st.integers(1990, 2030),
)
def test_a_date_states_its_month_in_every_language(name: str, day: int, year: int) -> None:
    assert [int(number) for _, number in months(f"{day} {name} {year}")] == [MONTH_NUMBER[name]]
    assert {month for month, _ in days(f"{day} {name} {year}")} == {MONTH_NUMBER[name]}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("am Dienstag, 14. Januar", [2]),
        ("pada hari Minggu; dua minggu lalu", [7]),
        ("Jakarta, Minggu (12/5). Minggu lalu juga", [7]),
        ("Vendredi et samedi", [5, 6]),
        ("上周三开幕,星期天闭幕", [3, 7]),
        ("一周三次,每周五天", []),
        ("on Tue, 5 Nov; the Sun shone", [2]),
        ("a Jumat’s", [5]),
        ("the Monday.com page, mondays", [1]),
    ],
)
def test_a_weekday_is_told_from_other_words(text: str, found: list[int]) -> None:
    assert [number for _, number in weekdays(text)] == found


@pytest.mark.parametrize(
    ("claim", "evidence", "missing"),
    [
        ("pada Kamis", "am Dienstag", ["Kamis"]),
        ("pada hari Selasa", "am Dienstag", []),
        ("星期二", "mardi dernier", []),
        ("mardi 3 mai", "le 3 mai", ["mardi"]),
    ],
)
def test_a_weekday_must_be_the_quotes(claim: str, evidence: str, missing: list[str]) -> None:
    assert missing_numbers(claim, evidence) == missing
