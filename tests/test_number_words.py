"""Numbers in words are read, up to the hundreds, in five languages."""

from __future__ import annotations

from decimal import Decimal

import pytest

from qa_bot.number_words import halves, number_words
from qa_bot.numbers import missing_numbers
from qa_bot.written_numbers import repair_numbers


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Three of the twenty-three firms", [3, 23]),
        ("one hundred guests", [100]),
        ("two hundred and five", [205]),
        ("les quatre-vingt-dix-sept pays", [97]),
        ("deux cents", [200]),
        ("dua belas kasus dan dua puluh tiga negara", [12, 23]),
        ("seratus acara, tiga ratus orang", [100, 300]),
        ("zwölf Länder", [12]),
        ("doce países", [12]),
        ("someone sixties twofold centre dixième", []),
        ("one, une, satu", []),
        ("近百场活动，上千人", [100, 1000]),
        ("twenty-one countries, trente et un jours, dua puluh satu", [21, 31, 21]),
        ("three and a half days, trois et une autre, un pays", [3, 3]),
        ("fünfundzwanzig Länder, veintidós países, dieciséis", [25, 22, 16]),
        (
            "five million people, tiga juta dolar, cinco mil millones",
            [5_000_000, 3_000_000, 5 * 10**9],
        ),
        ("deux mille trois cents, trois cent mille", [2300, 300_000]),
        ("one million, un milliard, seribu, a trillion", [10**6, 10**9, 1000, 10**12]),
    ],
)
def test_runs_of_number_words_have_one_value(text: str, values: list[int]) -> None:
    assert [max(read) for _, read in number_words(text)] == [Decimal(value) for value in values]


@pytest.mark.parametrize(
    "text",
    [
        "30 pour cent, 30 per cent, 30 por ciento",
        "It was once the capital, to seize it for 50 cents",
        "on Sept. 5 in Lima, Peru",
    ],
)
def test_words_that_only_look_like_numbers_are_none(text: str) -> None:
    assert list(number_words(text)) == []


def test_a_city_and_a_number_of_one_name_are_told_apart() -> None:
    assert missing_numbers("Lima perusahaan hadir.", "5 companies came") == []
    assert missing_numbers("The summit was held in Lima.", "峰会在利马举行") == []


def test_a_billion_in_words_is_either_one() -> None:
    assert missing_numbers("two billion", "2 milliards") == []
    assert missing_numbers("two billion", "2 Billionen") == []
    assert missing_numbers("two billion", "2 millions") == ["two billion"]


@pytest.mark.parametrize("text", ["建设了非洲一半以上", "la moitié", "lebih dari setengah", "half"])
def test_a_half_is_fifty_percent(text: str) -> None:
    assert halves(text) == {Decimal(50), Decimal("0.5")}
    assert missing_numbers("50 %", text) == []


def test_a_share_is_no_amount() -> None:
    evidence = "45 500 milliards de yuans, soit 39,8 % du PIB, ou trois pour cent"
    assert missing_numbers("39.8% of GDP", evidence) == []
    assert missing_numbers("45.5% of GDP", evidence) == ["45.5"]
    assert missing_numbers("45.5 trillion % of GDP", evidence) == ["45.5 trillion"]
    assert missing_numbers("39.8 percent", "占国内生产总值百分之39.8") == []
    assert repair_numbers("45.5% of GDP", "en", [evidence]) == "45.5% of GDP"
    assert repair_numbers("45.5 billion", "en", [evidence]) == "45.5 trillion"


def test_a_number_in_words_must_be_stated_too() -> None:
    assert missing_numbers("Deux cas ont été dévoilés.", "12 kasus yang dirilis") == ["Deux"]
    assert missing_numbers("Douze cas ont été dévoilés.", "12 kasus yang dirilis") == []
    assert missing_numbers("12 cases", "发布了十二个案例") == []
    assert missing_numbers("3 areas", "three areas") == []


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("It is number 1 in the world.", "ranks the first in the world"),
        ("第5届大会", "the Fifth World Internet Conference"),
        ("第2位", "au deuxième rang"),
        ("la 9e édition", "Konferensi Internet Dunia kesembilan"),
        ("the 4th time", "die vierte Konferenz"),
        ("3 lugar", "el tercer puesto"),
        ("the 1st", "排名世界第一"),
        ("the 12th", "第十二届"),
    ],
)
def test_an_ordinal_states_its_number(claim: str, evidence: str) -> None:
    assert missing_numbers(claim, evidence) == []
    assert missing_numbers(claim, "another one")


def test_a_word_that_holds_an_ordinal_states_none() -> None:
    assert missing_numbers("2 or 1", "primeraman secondly firsthand") == ["2", "1"]
