from pathlib import Path

import pytest

from qa_bot.index.clean import blocks, title_of
from qa_bot.types import Block

SEEDS = Path(__file__).parents[2] / "seeds"

DROPPED = {
    "000_dcde01c7503270f1.txt": ["Dernière mise à jour à 15h28 le 27/11", "Par He Yin"],
    "001_1e351399029ddc50.txt": ["A lire également"],
    "002_12db372c6ed7d9f8.txt": [
        "本报记者 张博岚 刘军国", "③", "④", "杨小明摄(影像中国)", "李震宇摄(影像中国)",
        "朱迪锋摄(影像中国)", "本版责编:韩秉宸 张远南", "李安琪", "版式设计:张芳曼", "①", "②",
        "姚颖康摄(影像中国)", "本报记者 张博岚摄", "⑤",
    ],
    "003_0b16ddb612b41fb5.txt": [
        "Система Orphus",
        "09.11.2018, 19:46 3248",
        "This information may not be reproduced without reference to Kazakhstan Today. "
        "Copyright of materials of News Agency Kazakhstan Today.",
        "When citing our content a hyperlink to this Kazakhstan Today website is obligatory.",
        "relevant news",
        "Most read",
    ],
    "004_338de05fc4110068.txt": [
        "Dibuat pada 11.11", "Kontak",
        "Tinggalkan informasi Anda dan kami akan menghubungi Anda.",
        "Perusahaan", "Tentang Kami", "Bisnis", "Perdagangan Komoditas Massal",
        "Konsultasi Bisnis", "Badan Logistik Internasional",
        "Perdagangan dan Investasi Lintas Batas", "Berita", "Berita",
    ],
}  # fmt: skip
TITLES = {
    "000_dcde01c7503270f1.txt": "La Conférence mondiale de l'Internet - Forum sur le "
    "développement de l'Internet s'est ouverte dans…",
    "001_1e351399029ddc50.txt": "Le sommet de Wuzhen démarre avec un affichage technologique "
    "flagrant et se concentre sur la construction d'une communauté avec un avenir partagé dans "
    "le cyberespace",
    "002_12db372c6ed7d9f8.txt": "顺应时代之变、回应世界之需的中国方案",
    "003_0b16ddb612b41fb5.txt": "WIC makes digital world better",
    "004_338de05fc4110068.txt": "Janji Wuzhen: Sepuluh Tahun Bergandeng Tangan Membangun "
    "Komunitas Masa Depan Bersama di Ruang Siber",
}
HEADINGS = {
    "000_dcde01c7503270f1.txt": 0,
    "001_1e351399029ddc50.txt": 4,
    "002_12db372c6ed7d9f8.txt": 4,
    "003_0b16ddb612b41fb5.txt": 1,
    "004_338de05fc4110068.txt": 1,
}
CAPTIONS = {
    "000_dcde01c7503270f1.txt": ["1/3Le 22", "2/3Le 22", "3/3Le 22"],
    "001_1e351399029ddc50.txt": ["Cette ph"],
    "002_12db372c6ed7d9f8.txt": ["图③:9月22", "图④:11月9", "图⑤:世界互联", "图①:2023", "图②:7月21"],
}


def kept(text: str, found: list[Block]) -> list[str]:
    return [text[block.start : block.end] for block in found]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(block.kind, text[block.start : block.end]) for block in blocks(text)]


@pytest.mark.parametrize("name", sorted(DROPPED))
def test_of_the_seeds_only_boilerplate_goes(name: str) -> None:
    """Every line of the five articles is kept, or is one of those spelled out above."""
    text = (SEEDS / name).read_text("utf-8")
    found = blocks(text)
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    remaining = list(lines)
    for line in DROPPED[name]:
        remaining.remove(line)
    assert kept(text, found) == remaining
    assert title_of(text, found) == TITLES[name]
    assert sum(block.kind == "heading" for block in found) == HEADINGS[name]
    captions = [text[b.start : b.end] for b in found if b.kind == "caption"]
    starts = CAPTIONS.get(name, [])
    assert len(captions) == len(starts)
    assert all(c.startswith(s) for c, s in zip(captions, starts, strict=True))


BODY = "The mill was built in 1820 by two brothers. It burnt down twice."
BODY_DE = "Die Mühle wurde 1820 von zwei Brüdern gebaut. Sie brannte zweimal ab."
BODY_ES = "El molino fue construido en 1820 por dos hermanos. Se quemó dos veces."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Home\nNews\nContact\nThe old mill\n\n{BODY}", ["The old mill", BODY]),
        (f"Die Mühle\n\nVon Anna Schmidt\n\n{BODY_DE}", ["Die Mühle", BODY_DE]),
        (f"{BODY_DE}\n\nLesen Sie auch\nDas Rad\nDer Bach", [BODY_DE]),
        (f"El molino\n{BODY_ES}\nTodos los derechos reservados", ["El molino", BODY_ES]),
        (f"{BODY_ES}\n\nFoto: Ana Pérez / EFE", [BODY_ES]),
        (f"The mill\nPublished on 3 May 2020 at 10:15\n{BODY}", ["The mill", BODY]),
        (f"{BODY}\n\nShare on Facebook\nTwitter | WhatsApp | Email", [BODY]),
        (f"{BODY}\n\n© 2021 The Mill Press. All rights reserved.", [BODY]),
        (f"水车\n\n发布时间：2020-05-03 10:15\n\n{'水车建于1820年。' * 3}\n\n责任编辑：张三", None),
        (f"{BODY}\n\n* * *\n\n{BODY}", [BODY, BODY]),
        (
            "The mill\n\n1 Wheel . . . . . . 1\n1.1 The wheel of 1820 . . . . 1\n2 Fire 3"
            "\n\n2.1 Fire of 1830 . . . . 4\n2.2 Fire again . . . . 9\n3 End . . . . . . 12\n\n"
            + BODY,
            ["The mill", BODY],
        ),
        (f"{BODY}\n\nRead also: The wheel\n\n{BODY}", [BODY, BODY]),
    ],
)
def test_boilerplate_of_other_sites_goes(text: str, expected: list[str] | None) -> None:
    assert kept(text, blocks(text)) == (expected or ["水车", "水车建于1820年。" * 3])


@pytest.mark.parametrize(
    "text",
    [
        f"WhatsApp\n\n{BODY}",
        f"1973年10月6日\n\n{BODY}",
        f"香港体育记者协会\n\n{BODY}",
        "By Design\n\n" + BODY,
        "Copyright law protects authors. It was reformed in 2019.",
        "Updated models are better than older ones.",
        "Published in 1859, the book changed biology for good.",
        "Share prices fell by 3 % in 2020.",
        f"{BODY}\n\nMembers\n\n- Ann\n- Bob\n- Carol",
        f"{BODY}\n\nAlice 12\nBob 15\nCarol 9",
        f"{BODY}\n\nTea ...... 3\nWine ...... 9\nBeer ...... 4\nSoup ...... 6\nBread ...... 1",
        "Roses are red\nViolets are blue\nSugar is sweet",
        "Home\nNews\nContact",
        "Quelle: Wikipedia",
        "name;age\nAnn;3\nBob;4",
    ],
)
def test_in_doubt_a_line_stays(text: str) -> None:
    assert "\n".join(kept(text, blocks(text))) == "\n".join(s for s in text.split("\n") if s)


@pytest.mark.parametrize(
    "line",
    [
        "(2/5) Besucher sehen sich die neue Mühle an, die im Mai eröffnet wurde.",
        "Foto: Warga melihat kincir air di desa itu pada hari Minggu.",
        "This photo taken on May 3, 2020 shows the old mill by the river.",
        "图1：参观者在观看水车，2020年5月。",
        "Visitors look at the old mill, in Lyon, May 3, 2020. (Ann Lee/Reuters)",
    ],
)
def test_captions_stay_as_captions(line: str) -> None:
    assert ("caption", line) in kinds(f"{BODY}\n\n{line}\n\n{BODY}")


def test_markdown_and_plain_headings() -> None:
    text = f"# The mill\n\n{BODY}\n\n## Its end\n\n{BODY}\n\nLater years\n\n{BODY}"
    assert [words for kind, words in kinds(text) if kind == "heading"] == [
        "# The mill",
        "## Its end",
        "Later years",
    ]
    assert title_of(text, blocks(text)) == "The mill"


def test_a_hard_wrapped_paragraph_is_one_block() -> None:
    paragraph = (
        "The old mill stands by the river that the people of the\n"
        "village have always called the Long Water, and its wheel\n"
        "has not turned since the great flood of that year. Its\n"
        "owner died."
    )
    assert kinds(f"The mill\n\n{paragraph}\n\n{paragraph}") == [
        ("heading", "The mill"),
        ("text", paragraph),
        ("text", paragraph),
    ]


def test_a_text_of_nothing_has_no_blocks_and_no_title() -> None:
    for text in ("", " \n\n", "***\n---\n①"):
        assert [words for _, words in kinds(text) if words.strip("*-\n①")] == []
    assert title_of("", []) == ""


def test_a_question_may_be_the_title() -> None:
    text = f"Who built the mill?\n\n{BODY}"
    assert title_of(text, blocks(text)) == "Who built the mill?"


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("The river rose by two metres.", "© 2024 Example News. All rights reserved."),
        ("La rivière est montée.", "Toute reproduction est interdite."),
        ("Air sungai naik dua meter.", "Baca juga: Banjir di kota."),
        ("河水上涨了两米。", "版权所有，未经授权不得转载。"),
    ],
)
def test_a_notice_that_runs_on_behind_the_text_is_cut_off(text: str, notice: str) -> None:
    whole = f"The first line is a title\n\n{text} {notice}"
    assert kept(whole, blocks(whole))[-1] == text
    # In the midst of the text such a sentence is part of it.
    middle = f"{notice} {text}\n\n" + "\n\n".join(f"{text} Day {n}." for n in range(20))
    assert blocks(middle)[0].end >= len(notice)
