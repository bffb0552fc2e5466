"""The two kinds of Chinese characters are told apart and turned into each other."""

from __future__ import annotations

import pytest

from qa_bot.hanzi import Characters, characters_of, in_characters, language_and_characters

SIMPLIFIED = "中国企业累计铺设超过20万公里光纤，服务超过9亿非洲人民。"
TRADITIONAL = "中國企業累計鋪設超過20萬公里光纖，服務超過9億非洲人民。"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (SIMPLIFIED, "simplified"),
        (TRADITIONAL, "traditional"),
        ("世界互聯網大會在哪裡舉行？", "traditional"),
        ("世界互联网大会在哪里举行？", "simplified"),
        ("人工智能", None),
        ("No Chinese at all", None),
        ("", None),
    ],
)
def test_a_text_is_in_one_kind_or_in_none_that_tells(text: str, kind: Characters | None) -> None:
    assert characters_of(text) == kind


def test_a_text_is_put_into_either_kind() -> None:
    assert in_characters(SIMPLIFIED, "traditional") == TRADITIONAL
    assert in_characters(TRADITIONAL, "simplified") == SIMPLIFIED
    assert in_characters(TRADITIONAL, "traditional") == TRADITIONAL


def test_other_scripts_and_texts_of_no_wanted_kind_stay_as_they_are() -> None:
    assert in_characters("Élan vital, 12 %", "traditional") == "Élan vital, 12 %"
    assert in_characters(SIMPLIFIED, None) == SIMPLIFIED


def test_a_code_may_name_the_characters() -> None:
    assert language_and_characters("zh-Hant") == ("zh", "traditional")
    assert language_and_characters("zh-hans") == ("zh", "simplified")
    assert language_and_characters("fr") == ("fr", None)
