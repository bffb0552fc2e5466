"""An answer holds the gold answer, or not: every normalisation by its name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.evals.matching import answer_f1, answer_match
from qa_bot.numbers import with_digits

FIGURE = ["35800 milliards", "35.8 trillion", "35.8万亿", "3,58 × 10¹³"]
SAID = {
    "fr": "soit 35 800 milliards de yuans en 2019 [1].",
    "en": "It reached 35.8 trillion yuan [1][2].",
    "zh": "达到35.8万亿元[1]。",
    "id": "mencapai 35,8 triliun yuan",
}


@pytest.mark.parametrize("language", SAID)
@pytest.mark.parametrize("gold", FIGURE)
def test_numbers_match_by_value_across_languages(language: str, gold: str) -> None:
    assert answer_match(SAID[language], [gold], [], language)


@pytest.mark.parametrize("gold", ["3 billion", "30亿", "3 miliar", "3 milliards", "三十亿"])
@pytest.mark.parametrize("said", ["近30亿人", "hampir 3 miliar orang", "nearly 3,000,000,000"])
def test_three_billion_is_the_same_in_every_language(gold: str, said: str) -> None:
    assert answer_match(said, [gold], [])


@pytest.mark.parametrize(
    ("said", "gold", "language"),
    [
        ("The INDUSTRY grew", "industry", "en"),
        ("１３０家企业", "130", "zh"),
        ("40 000 km", "40,000", "fr"),
        ("40.000 km", "40 000", "id"),
        ("36,2 % du PIB", "36.2", "fr"),
        ("Masa depan,\n  internet", "Masa Depan Internet", "id"),
        ("le musée Dabao’en", "Dabao'en", "fr"),
        ("a Pekin", "Pékin", "fr"),
        ("Pe\u0301kin", "P\u00e9kin", "fr"),
        ("13[1] cases", "13", "en"),
        ("谢尔盖·拉夫罗夫[1]", "拉夫罗夫", "zh"),
        ("英国工党于1997年当选", "英国工党于 1997 年当选", "zh"),
        ("共有十五个国家", "15", "zh"),
        ("二〇二〇年", "2020年", "zh"),
        ("约45.5万亿元", "45.5", "zh"),
        ("kemampuan berkolaborasi", "kolabor", "id"),
        ("two voiceprints", "voiceprint", "en"),
        ("Japan, Spain, Thailand", "Thai", "en"),
        ("le 8 novembre", "nov", "fr"),
        ("the drones", "drone", "en"),
        ("en 5G.", "5G", "fr"),
        ("State Route 41 (Yosemite)", "State Route 41", "en"),
        ("in the U.S. and China's", "China", "en"),
    ],
    ids=[
        "case", "full-width digits", "grouping", "grouping dot", "decimal comma", "white space",
        "apostrophes", "accents", "composed letters", "markers", "Chinese inside a name",
        "spaces in Chinese", "Chinese numerals", "Chinese year", "digits before a magnitude",
        "affixes", "affix of a word", "stem of a name", "stem of a word", "plural",
        "letter and digit", "name with a number", "possessive",
    ],
)  # fmt: skip
def test_what_differs_in_writing_only_is_the_same(said: str, gold: str, language: str) -> None:
    assert answer_match(said, [gold], [], language)


@pytest.mark.parametrize(
    ("said", "gold", "language"),
    [
        ("the industry", "US", "en"),
        ("they use it", "US", "en"),
        ("a bronze medal", "onze", "fr"),
        ("1300 firms", "130", "en"),
        ("0.130", "130", "en"),
        ("36.25 %", "36.2", "en"),
        ("136,2 %", "36,2", "fr"),
        ("3 juta orang", "3 miliar", "id"),
        ("3 millions", "3 milliards", "fr"),
        ("3580亿元", "35.8万亿", "zh"),
        ("5G网络", "5", "zh"),
        ("拉夫", "拉夫罗夫", "zh"),
        ("Lin Wan", "Wan Lin", "en"),
        ("Sergueï Lavrov", "Sergei", "fr"),
        ("2,6 billions", "2,6 milliards", "fr"),
        ("", "130", "en"),
        ("130", "%", "en"),
        ("cited [130]", "130", "en"),
    ],
)
def test_what_says_something_else_does_not_match(said: str, gold: str, language: str) -> None:
    assert not answer_match(said, [gold], [], language)


def test_any_answer_or_one_of_each_group_is_enough() -> None:
    groups = [["1800", "1,800"], ["126"]]
    assert answer_match("1800多位嘉宾，126个国家", [], groups, "zh")
    assert not answer_match("1800多位嘉宾", [], groups, "zh")
    assert answer_match("thirteen", ["13", "thirteen"], groups, "en")
    assert not answer_match("anything", [], [], "en")


@pytest.mark.parametrize(
    ("said", "gold", "language", "f1"),
    [
        ("The new economy", "a new economy", "en", 1.0),
        ("l'économie du pays", "économie pays", "fr", 1.0),
        ("the new economy", "new economy", "id", 0.8),
        ("大陆机遇", "大陆", "zh", 2 * 2 / 6),
        ("35 800 milliards", "35.8 trillion", "fr", 1.0),
        ("no such thing", "130", "en", 0.0),
        ("", "130", "en", 0.0),
    ],
)
def test_f1_counts_tokens_by_each_languages_rules(
    said: str, gold: str, language: str, f1: float
) -> None:
    assert answer_f1(said, [gold], [], language) == pytest.approx(f1)


def test_f1_takes_the_best_reference() -> None:
    assert answer_f1("exactly this [1]", ["quite another", "exactly this"], [], "en") == 1.0
    assert answer_f1("two 126", [], [["one", "two"], ["126"]], "en") == 1.0


@pytest.mark.parametrize(
    ("numeral", "digits"),
    [
        ("十五", "15"), ("二十万", "200000"), ("三万五", "35000"), ("三万零五", "30005"),
        ("一亿二千三百万", "123000000"), ("一万二千亿", "1200000000000"), ("三十六点二", "36.2"),
        ("三萬億", "3000000000000"), ("三个", "3个"), ("三星", "三星"), ("百度", "百度"),
        ("一个", "一个"),
    ],
)  # fmt: skip
def test_chinese_numerals_are_read_where_they_are_numbers(numeral: str, digits: str) -> None:
    assert with_digits(numeral) == digits


@given(st.text(max_size=60), st.sampled_from(["en", "fr", "zh", "id", None]))
def test_any_text_is_scored_between_0_and_1(text: str, language: str | None) -> None:
    assert 0 <= answer_f1(text, ["130 entreprises"], [], language) <= 1
    assert answer_f1(text, [text], [], language) in (0.0, 1.0)
