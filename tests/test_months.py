"""Names of months, and a claim's month against its evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.months import MONTH_NUMBER, months, names_month
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


def test_a_month_is_named_in_figures_too() -> None:
    assert names_month("2023年5月")
    assert names_month("en juillet")
    assert not names_month("5 fois")


@pytest.mark.parametrize(
    ("claim", "evidence", "missing"),
    [
        ("于1991年4月恢复", "re-established in April 1991", []),
        ("于1991年5月恢复", "re-established in April 1991", ["5"]),
        ("Established in April.", "1991年4月", []),
        ("Established in July.", "1991年4月", ["July"]),
        ("有4家", "in April", ["4"]),
    ],
    ids=["name", "another", "figure", "another figure", "no month"],
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
