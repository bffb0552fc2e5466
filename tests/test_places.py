"""Countries in texts of any language."""

import pytest

from qa_bot.places import countries, hinted


@pytest.mark.parametrize(
    ("text", "language", "named"),
    [
        ("Le salon a eu lieu à Ganzhou, au Japon.", "fr", {"JP": "Japon"}),
        ("Universitas Leiden berada di Jerman.", "id", {"DE": "Jerman"}),
        ("宝马7系在德国装配。", "zh", {"DE": "德国"}),
        ("The United States Army Band, in South Korea", "en",
         {"US": "United States", "KR": "South Korea"}),
        ("Es liegt in Russland und in China.", "de", {"RU": "Russland", "CN": "China"}),
        ("Bahasa France", "id", {"FR": "France"}),
        ("turkey with chips for us, by Jordana", "en", {}),
        ("Sudah 5G di Wuzhen", "xx", {}),
    ],
)  # fmt: skip
def test_a_country_is_told_by_its_name_in_the_language_or_in_english(
    text: str, language: str, named: dict[str, str]
) -> None:
    assert countries(text, language) == named


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("l'initiative chinoise", "CN"),
        ("中国企业", "CN"),
        ("le ministre russe", "RU"),
        ("法国相关博物馆", "FR"),
        ("Ουγγαρία and the Kenyan president", "KE"),
        ("Die französischen Museen", "FR"),
        ("في المملكة المتحدة", "GB"),
        ("ドイツの大学", "DE"),
        ("Amerika Serikat", "US"),
        ("Presiden Prancis", "FR"),
        ("The U.S. signed, a UK official said", "US"),
        ("The U.S. signed, a UK official said", "GB"),
        ("Presiden AS Joe Biden", "US"),
        ("EE. UU. participó", "US"),
        ("我国网民规模达9.89亿", "CN"),
        ("中美双方会谈", "US"),
        ("俄方表示", "RU"),
        ("British and Americans", "GB"),
    ],
)
def test_a_hint_is_taken_in_whatever_language_it_is(text: str, code: str) -> None:
    assert code in hinted(text)


def test_what_names_no_country_hints_at_none() -> None:
    assert not hinted("130 entreprises ont participé. 共有来自126个国家的嘉宾参加。")
    assert not hinted("Let us begin as we are.")
    assert not hinted("")
