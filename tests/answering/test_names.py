"""Names that a sentence gives and its evidence does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.answering.names import (
    unsupported_latin_words,
    unsupported_names,
    unsupported_quotations,
)

QUESTION = "Who sang the national anthem at the final?"
QUOTE = "Lady Gaga sang the anthem in California, says the WIC's host Jean Dupont."


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        ("The anthem was sung by Lady Gaga.", []),
        ("The anthem was sung by Beyoncé Knowles.", ["Beyoncé", "Knowles"]),
        ("The anthem was sung by the Philadelphia Eagles.", ["Philadelphia", "Eagles"]),
        ("It was the Californian host, Jean-Paul Dupont.", ["Paul"]),
        ("The host of the World Internet Conference is Jean Dupont.", []),
        ("It was sung on 7 February, in California.", []),
        ("Knowles did.", []),
        ("NATO did.", ["NATO"]),
        ("WIC did.", []),
        ("Beyoncé.", ["Beyoncé"]),
        ("Lady Gaga", []),
        ("Twelve.", []),
        ("The host is Mr. Knowles.", ["Knowles"]),
        ("It was sung. Everybody heard it.", []),
        ("Sung: Yes. It was her.", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_name_must_stand_in_the_evidence_or_the_question(text: str, invented: list[str]) -> None:
    assert unsupported_names(text, QUESTION, [QUOTE]) == invented


def test_a_name_of_the_question_may_be_said_again() -> None:
    assert not unsupported_names("Nobody asked Tesla.", "Did Tesla sing?", [QUOTE])


def test_accents_and_forms_of_a_countrys_name_are_the_same_name() -> None:
    evidence = ["Der Präsident der Vereinigten Staaten sprach mit Beyonce."]
    assert not unsupported_names("The American president met Beyoncé.", "", evidence)


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        ("可以使用 dpkg-query 命令查看。", ["dpkg", "query"]),
        ("可以用 wnpp-alert 查看。", []),
        ("占 GDP 的 36%。", []),
        ("它来自 Devscript。", []),
        ("Можно командой dpkg.", ["dpkg"]),
        ("dpkg", []),
    ],
)
def test_latin_words_in_another_script_must_be_given(text: str, invented: list[str]) -> None:
    """They are names or commands there; what is Latin as a whole is left to other checks."""
    evidence = ["软件包归属状态有这几种： wnpp-alert 命令，来自 devscripts 软件包"]
    assert unsupported_latin_words(text, "怎样查看？", evidence) == invented


@given(st.text(max_size=80))
def test_what_the_evidence_says_itself_is_never_invented(text: str) -> None:
    assert unsupported_names(text, "", [text]) == []


@pytest.mark.parametrize(
    ("text", "evidence", "invented"),
    [
        (
            "马丁·路德写了“我们为上帝而歌唱”。",
            "他写下“我们唱了一首新的歌曲”。",
            ["我们为上帝而歌唱"],
        ),
        ("They call it “The Big  Stage.”", 'called "the big stage"', []),
        ("Ils parlent de « l’inclusion ».", "une place à l'inclusion", []),
        ("It is called 'new' by some.", "It is called old.", []),
        ("他说《今日新闻》很好。", "「今日新聞」很好。", []),
        ('She said "never" and "again".', "She said never.", ["again"]),
    ],
)
def test_what_stands_in_quotation_marks_must_be_given(
    text: str, evidence: str, invented: list[str]
) -> None:
    assert unsupported_quotations(text, "", [evidence]) == invented


def test_a_quotation_of_the_question_may_be_said_again() -> None:
    assert (
        unsupported_quotations("“Big stage” is theirs.", "Who said “big stage”?", ["They."]) == []
    )


@given(st.text(max_size=80))
def test_a_quotation_of_the_evidence_is_never_invented(text: str) -> None:
    assert unsupported_quotations(f"“{text}”", "", [text]) == []
