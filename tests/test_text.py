import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_bot.text import (
    SENTENCE_BYTES,
    language_of,
    normalise,
    sentence_spans,
    utf8_len,
    without_mark,
    wrapped_runs,
)

MIXED = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            'aàZ .!?…。！？；”"«»\u00a0)\n\t,、世界の인터넷Приветسلام1๒\u0301\x00\x1c😀'
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=400,
)


def sentences(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentence_spans(text)]


@given(MIXED)
@settings(deadline=None)
def test_spans_cover_every_visible_character_once_in_order(text: str) -> None:
    place = 0
    for span in sentence_spans(text):
        assert span.start >= place
        assert not text[place : span.start].strip()
        words = text[span.start : span.end]
        assert words == words.strip()
        assert words
        assert utf8_len(words) <= SENTENCE_BYTES
        place = span.end
    assert not text[place:].strip()


@pytest.mark.parametrize("piece", ["字", "a", "word ", "é, ", "😀", "a\u0301", "\u0301", "語、"])
def test_what_never_ends_is_cut_at_1200_bytes(piece: str) -> None:
    text = piece * 3000
    found = sentence_spans(text)
    assert all(utf8_len(text[s.start : s.end]) <= SENTENCE_BYTES for s in found)
    assert sum(len("".join(text[s.start : s.end].split())) for s in found) == len(
        "".join(text.split())
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Li met Dr. No. 5 in the U.S. today. Good.", 2),
        ("In Brown v. Board of Education it ruled. Pdt. Abraham agreed.", 2),
        ("Written by S. Iyer and P. Månsson for Harry S. Truman. See S. 12 of it.", 2),
        ("PT. Telkom untung. Ir. Soekarno lahir di Surabaya. Hj. Siti dan Tn. Budi datang.", 3),
        ("11.5. Light and sound\nA.4. Knoppix\n3. Rooms\nIt is 3.5. Yes. A. Smith agreed.", 6),
        ("El presidente de EE. UU. habló. Das gilt z. B. für Wien. L'art. 5. Il sig. Rossi.", 4),
        ("M. Xi a parlé. Mme Li aussi.", 2),
        ("See p. 5, vol. 2, e.g. this, i.e. that. J. R. R. Tolkien wrote it.", 2),
        ("Lebih dari 10.000 kilometer. Itu 47%. Benar.", 3),
        ("Am 3. Oktober 1990 war es so weit. Schön.", 2),
        ("3.5 is more than 3. Yes! Really? No…", 4),
        ("他说:“好。”然后走了！真的？是的……完了", 5),
        ("甲；乙。丙", 3),
        ("これは本です。「はい。」と言った", 3),
        ("« Oui ! » dit-il. Puis rien.", 2),
        ("one\ntwo\n\nthree", 3),
        ("यह है। वह है।", 2),
        ("", 0),
        (" \n\t", 0),
    ],
)
def test_sentences_are_counted_as_a_reader_would(text: str, expected: int) -> None:
    assert len(sentences(text)) == expected, sentences(text)


def test_a_closing_quote_stays_with_its_sentence() -> None:
    assert sentences('"It is so." He left.') == ['"It is so."', "He left."]
    assert sentences("“好。”他走了。") == ["“好。”", "他走了。"]


def test_the_lines_of_a_column_are_told_by_its_own_width() -> None:
    """And not by that of the title above it."""
    title = (
        "Oyster reefs return to the Carrow estuary: working paper 14 of the field station, May 2021"
    )
    column = (
        "Water temperature and salinity were logged\n"
        "every fifteen minutes by us. The hatchery\n"
        "delivered two million spat in three\n"
        "batches; the second one was lost when a\n"
        "pump failed in the first weeks of the hot\n"
        "August 2016. Fish were more numerous on\n"
        "the reefs than on bare mud: we counted as\n"
        "many as twenty species against nine. The\n"
        "drill was the main predator, and growth\n"
        "was fastest in 2018."
    )
    assert [" ".join(each.split()) for each in sentences(f"{title}\n{column}")][1:3] == [
        "Water temperature and salinity were logged every fifteen minutes by us.",
        "The hatchery delivered two million spat in three batches; the second one was lost when a "
        "pump failed in the first weeks of the hot August 2016.",
    ]


def test_a_hard_wrapped_paragraph_keeps_its_sentences_whole() -> None:
    text = (
        "The quick brown fox jumps over the lazy dog near the old\n"
        "river bank, where many boats lie at anchor until the next\n"
        "morning. Then they leave."
    )
    found = sentences(text)
    assert len(found) == 2
    assert found[0].endswith("morning.")


@pytest.mark.parametrize(
    "text",
    [
        "   2. The documents of the project are the works entitled\n      Contract and Guidelines.",
        "A friend of ours has later taken all names of his own project out of the\n"
        "Debian Guidelines.",
        "In print the letters of a line are not as wide as those of other lines,\n"
        "so that a line that is full has fewer letters, it seems,\nthan the "
        "one below or above it, which may have many a narrow one, as in lilliputian.",
    ],
    ids=["a hanging line", "a line that ends in its midst", "a page of print"],
)
def test_a_paragraph_is_known_by_how_its_lines_go_on(text: str) -> None:
    assert len(sentences(text)) == 1, sentences(text)


def test_lines_that_say_something_each_stay_apart() -> None:
    lines = ["The old mill of Wuzhen opens again", "Eight firms took part in the first fair"]
    assert sentences("\n".join(lines)) == lines


def test_a_list_is_not_taken_for_a_wrapped_paragraph() -> None:
    lines = ["- the first thing on a list of things to remember", "- the second thing", "- third"]
    assert wrapped_runs(lines) == [[line] for line in lines]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1. It is red.", "It is red."),
        ("• It is red.", "It is red."),
        ("(b) It is red.", "It is red."),
        ("3. Oktober 1990 war es so weit.", "3. Oktober 1990 war es so weit."),
        ("3.5 is a number.", "3.5 is a number."),
        ("-5 °C", "-5 °C"),
        ("", ""),
    ],
)
def test_the_mark_of_an_item_is_no_part_of_what_it_says(text: str, said: str) -> None:
    assert without_mark(text) == said


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How many companies took part in the exhibition?", "en"),
        ("Combien d'entreprises ont participé à l'exposition ?", "fr"),
        ("Berapa kilometer jaringan backbone optik yang dibangun Uganda?", "id"),
        ("Wie viele Unternehmen nahmen an der Ausstellung teil?", "de"),
        ("¿Cuántas empresas participaron en la exposición de este año?", "es"),
        ("Сколько компаний приняло участие в выставке?", "ru"),
        ("Combien de chaises y a-t-il en stock ?", "fr"),
        ("Gibt es Stühle?", "de"),
        ("¿Hay sillas en stock?", "es"),
        ("Hoeveel stoelen zijn er in het magazijn?", "nl"),
        ("共有多少家企业参展?", "zh"),
        ("烏鎮峰會何時舉行?", "zh"),
        ("展示会には何社が参加しましたか", "ja"),
        ("ソニー", "ja"),
        ("전시회에 몇 개의 기업이 참가했습니까?", "ko"),
        ("มีบริษัทเข้าร่วมกี่แห่ง", "th"),
        ("كم عدد الشركات التي شاركت في المعرض؟", "ar"),
        ("Kaspersky在Nigeria的项目", "zh"),
        ("谁是Cainiao Network的CEO?", "zh"),
        ("What does 构建网络空间命运共同体 mean?", "en"),
        ("tema KTT Wuzhen", "id"),
        ("Où ?", "fr"),
        ("Que dit-on de l’Afrique ?", "fr"),
        ("Was sagen die Dokumente über Kaspersky?", "de"),
        ("¿Qué dicen de los robots?", "es"),
    ],
)
def test_language_is_that_of_the_sentence(text: str, language: str) -> None:
    assert language_of(text) == language


def test_without_letters_the_default_is_the_language() -> None:
    assert language_of("123 + 4 = ?") == "und"
    assert language_of("", "fr") == "fr"


@given(MIXED)
@settings(deadline=None)
def test_any_text_has_a_language_and_normalises_to_a_fixed_point(text: str) -> None:
    assert 2 <= len(language_of(text)) <= 3
    assert normalise(normalise(text)) == normalise(text)


def test_normalise_makes_typographic_variants_equal() -> None:
    assert normalise("L’économie\u00a0« 5 G » — x") == 'l\'économie " 5 g " - x'
    assert normalise("ＡＢＣ　１２３") == "abc 123"
    assert utf8_len("é字") == 5
