from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_bot.index.build import read_document
from qa_bot.index.clean import blocks
from qa_bot.index.load import decode
from qa_bot.index.split import MAX_BYTES, TARGET_BYTES, embedded_text, passages
from qa_bot.text import sentence_spans, utf8_len
from qa_bot.types import Block, Document, Passage

SEEDS = Path(__file__).parents[2] / "seeds"

LINE = st.one_of(
    st.sampled_from(
        [
            "", "", "Title", "# Heading", "- item", "①", "图1:一张照片,很好看。",
            "Share on Facebook", "The mill was built in 1820. It burnt down.",
            "他说：“好。”然后走了！", "слово " * 40,
            "字" * 700, "a" * 2500, "Home", "News", "مرحبا بالعالم؟ نعم.", "e\u0301t\u00e9 " * 90,
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
)  # fmt: skip
TEXT = st.lists(LINE, max_size=25).flatmap(
    lambda lines: st.sampled_from(["\n", "\r\n", "\r", "\n\n"]).map(lambda end: end.join(lines))
)


def document(text: str, language: str = "en") -> Document:
    return Document("a.txt", text, "A title", language, None, "digest")


def texts(found: list[Passage]) -> list[str]:
    return [passage.text for passage in found]


@given(TEXT)
@settings(max_examples=150)
def test_offsets_sizes_and_coverage_hold_for_any_text(raw: str) -> None:
    text = decode(raw.encode())
    if text is None:
        return
    found = blocks(text)
    made = passages(document(text), found)
    covered = bytearray(len(text))
    for passage in made:
        assert text[passage.start : passage.end] == passage.text == passage.text.strip()
        assert 0 < utf8_len(passage.text) <= MAX_BYTES
        assert embedded_text(passage).isprintable()
        covered[passage.start : passage.end] = b"\1" * (passage.end - passage.start)
    for block in found:
        words = text[block.start : block.end]
        for span in sentence_spans(words):
            if any(c.isalnum() for c in words[span.start : span.end]):
                assert all(covered[block.start + span.start : block.start + span.end])
    kept = bytearray(len(text))
    for block in found:
        kept[block.start : block.end] = b"\1" * (block.end - block.start)
    assert all(kept[i] or text[i].isspace() for i in range(len(text)) if covered[i])
    assert len({passage.id for passage in made}) == len(made)


def test_sentences_fill_passages_up_to_the_target_and_overlap_by_one() -> None:
    text = " ".join(f"This is sentence number {n:03} of the long paragraph." for n in range(40))
    made = passages(document(text), [Block(0, len(text), "text")])
    assert all(utf8_len(p.text) <= TARGET_BYTES for p in made)
    assert len(made) > 3
    for before, after in pairwise(made):
        assert before.start < after.start < before.end < after.end
        assert before.text.endswith(text[after.start : before.end])
    small = passages(document(text), [Block(0, len(text), "text")], target=120)
    assert max(utf8_len(p.text) for p in small) <= 120


def test_short_paragraphs_join_and_long_ones_stay_whole() -> None:
    text = "One is short.\n\nTwo is short.\n\n" + "Three goes on. " * 30
    made = texts(passages(document(text), blocks(text)))
    assert made[0] == "One is short.\n\nTwo is short.\n\n" + made[0][30:]
    paragraphs = "\n\n".join(["word " * 59 + "end."] * 3)
    assert len(passages(document(paragraphs), blocks(paragraphs))) == 3


def test_a_question_goes_with_what_answers_it() -> None:
    text = (
        "A: We saw it. " + "More of it. " * 36 + "\n\nQ: Why only here?\n\nA: Because it is safe."
    )
    made = texts(passages(document(text), blocks(text)))
    assert made[-1] == "Q: Why only here?\n\nA: Because it is safe."


def test_a_heading_goes_with_what_follows() -> None:
    text = "Title\n\nFirst part. " + "More of it. " * 20 + "\n\nSecond heading\n\nSecond part."
    made = texts(passages(document(text), blocks(text)))
    assert made[0].startswith("Title\n\nFirst part.")
    assert made[-1] == "Second heading\n\nSecond part."


def test_a_caption_stands_alone_and_nothing_dropped_gets_in() -> None:
    text = "Before it.\n\n图1:一张照片,很好看。\n\nAfter it.\n\n①\n\nThe end."
    assert texts(passages(document(text), blocks(text))) == [
        "Before it.", "图1:一张照片,很好看。", "After it.", "The end.",
    ]  # fmt: skip


def test_an_id_changes_with_anything_a_passage_shows() -> None:
    base = Document("a.txt", "Some text.", "T", "en", None, "d")
    variants = [
        base,
        Document("b.txt", "Some text.", "T", "en", None, "d"),
        Document("a.txt", "Some next.", "T", "en", None, "d"),
        Document("a.txt", " Some text.", "T", "en", None, "d"),
        Document("a.txt", "Some text.", "U", "en", None, "d"),
        Document("a.txt", "Some text.", "T", "fr", None, "d"),
        Document("a.txt", "Some text.", "T", "en", "2020", "d"),
    ]
    ids = [passages(d, blocks(d.text))[0].id for d in variants]
    assert len(set(ids)) == len(ids)
    assert passages(base, blocks(base.text))[0].id == ids[0]
    assert len(ids[0]) == 32


def test_a_short_passage_takes_the_language_of_its_document() -> None:
    text = "Wuzhen, Zhejiang.\n\n\x00\n\n" + "Les entreprises ont participé à l'exposition. " * 3
    made = passages(document(text, "id"), [Block(0, 17, "text"), Block(22, len(text), "text")])
    assert [p.language for p in made] == ["id", "fr"]


GOLD = {
    "000_dcde01c7503270f1.txt": [
        "130 entreprises et institutions de renom ont participé activement à l'exposition",
        "l'économie numérique de la Chine a atteint 35800 milliards de yuans en 2019, soit 36,2% "
        "du PIB",
        'le dialogue homme-machine avec le robot "Xiaodu" de l\'entreprise Baidu',
        "Le Ministre russe des affaires étrangères Sergueï Lavrov a indiqué clairement",
        "15 percées techniques au niveau mondial dans l'Internet ont été dévoilées à Wuzhen",
        "La Chine a organisé la Conférence mondiale de l'Internet pendant 7 ans consécutifs",
        "les téléconsultations, l'éducation en ligne, les plateformes de partage et le travail "
        "collaboratif se généralisent",
    ],
    "001_1e351399029ddc50.txt": [
        "Wan Lin, PDG de Cainiao Network",
        "a bondi de 15,8% sur une base annuelle",
        "une organisation internationale dont le siège est à Pékin",
        "un robot exosquelette portable présenté par la China Electronic Technology Group "
        "Corporation",
        "la montée en puissance de TikTok est également un exemple du succès de la Chine",
        "ont signé un engagement appelé «\xa0Déclaration pour l’avenir d’Internet\xa0»",
        "sous le thème «\xa0Vers un avenir numérique partagé dans un monde connecté",
    ],
    "002_12db372c6ed7d9f8.txt": [
        "累计铺设超过20万公里光纤",
        "13项精品案例从多元角度",
        "全球仍有近30亿人没有接入互联网",
        "共有来自126个国家和地区的1800多位嘉宾参加本次峰会",
        "与17个国家签署“数字丝绸之路”合作谅解备忘录",
        "肯尼亚总统鲁托表示,点击一次按钮",
        "来自47个国家和地区的580余家企业线上线下联动参展",
        "2020年6月上线的“中国联合展台在线平台”",
        "提供中文和阿拉伯文自由切换浏览的数字资源和文化服务",
        "10月,中国提出《全球人工智能治理倡议》",
    ],
    "003_0b16ddb612b41fb5.txt": [
        "In 2017, China's digital economy hit 27.2 trillion yuan",
        "planning to replace facial recognition with voiceprint identification",
        "The first China International Import Expo (CIIE) is being held in Shanghai",
        "the application of the 4G network was still a major topic",
        "5G cars can be seen everywhere",
        "people thought digital economy was only about e-commerce, and social media-based business",
        "The total volume of its e-commerce ranks the first in the world",
    ],
    "004_338de05fc4110068.txt": [
        "Museum Situs Kuil Nanjing Dabao'en",
        "lebih dari 10.000 kilometer jaringan backbone optik",
        "700 juta orang di Nigeria, Namibia, Türkiye",
        "tingkat penetrasi Internet telah melebihi 47%",
        'membandingkan Sommit Wuzhen dengan "inkubator"',
        'Tema dari KTT ini adalah "Membangun Masa Depan Kecerdasan Digital yang Terbuka, '
        'Kooperatif, Aman, dan Inklusif"',
        '2,6 miliar orang di seluruh dunia masih dalam keadaan "offline"',
    ],
}


@pytest.mark.parametrize("name", sorted(GOLD))
def test_each_fact_of_the_seeds_is_whole_in_one_passage(name: str) -> None:
    loaded = read_document([SEEDS], name)
    made = texts(passages(loaded, blocks(loaded.text)))
    assert [fact for fact in GOLD[name] if not any(fact in words for words in made)] == []
