import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa_bot.errors import UsageError
from qa_bot.index.load import MAX_BYTES, date_of, decode, named_folders, path_of, walk

CHINESE = "当前,全球新一轮科技革命和产业变革深入推进,网络信息技术日新月异。"
RUSSIAN = "Всемирная конференция по интернету открылась в городе. В ней приняли участие многие."
JAPANESE = "世界インターネット大会は烏鎮で開催されました。参加者は多くの国から集まりました。"
KOREAN = "세계 인터넷 대회가 우전에서 개막했다. 여러 국가와 지역의 대표들이 참가했다."
TAIWAN = "世界網際網路大會烏鎮峰會在浙江烏鎮舉行。共有來自一百二十六個國家和地區的嘉賓參加。"
FRENCH = "Le café a été fermé à Noël. L'été, la fête de la forêt réunit les élèves."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (FRENCH, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (FRENCH, "utf-16"),
        (CHINESE, "utf-32"),
        (FRENCH, "utf-16-le"),
        ("plain English text", "utf-16-be"),
        (CHINESE, "utf-16-le"),
        (CHINESE, "gb18030"),
        (TAIWAN, "big5"),
        (JAPANESE, "shift_jis"),
        (KOREAN, "euc-kr"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "utf-16-le"),
        (RUSSIAN, "utf-16-be"),
        (FRENCH, "cp1252"),
        ("Le café à été fermé.", "cp1252"),
    ],
)
def test_each_encoding_gives_the_text(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
        FRENCH.encode() + b"\xff\xfe\x81\x00" + CHINESE.encode(),
        b"\xef\xbb\xbf" + FRENCH.encode("cp1252"),
    ],
    ids=["picture", "torn UTF-8", "wrong byte-order mark"],
)
def test_what_cannot_be_told_is_not_guessed(data: bytes) -> None:
    assert decode(data) is None


@given(st.text())
@settings(deadline=None)
def test_text_is_what_python_reads(text: str) -> None:
    folder = Path(os.environ.get("TMPDIR", "/tmp"))  # noqa: S108 - one file, removed below
    path = folder / f"qa_bot-load-{os.getpid()}.txt"
    data = text.encode()
    if text[:1] in ("\ufeff", "\ufffe") or sum(byte < 32 for byte in data) > 0.3 * len(text):
        return
    path.write_bytes(data)
    try:
        assert decode(data) == path.read_text("utf-8")
    finally:
        path.unlink()


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("09.11.2018, 19:46 3248", "2018-11-09"),
        ("on 2024-02-29 and 2020-01-01", "2024-02-29"),
        ("于2023年11月8日举行", "2023-11-08"),
        ("2020年6月上线", "2020-06"),
        ("prise le 8 novembre 2022", "2022-11-08"),
        ("le 1er août 2021", "2021-08-01"),
        ("Jakarta, 17 Agustus 2019", "2019-08-17"),
        ("am 3. Oktober 1990", "1990-10-03"),
        ("el 5 de mayo de 2018", "2018-05-05"),
        ("November 8, 2022, 10:30", "2022-11-08"),
        ("Nov. 8, 2022", "2022-11-08"),
        ("in March 2021", "2021-03"),
        ("25/12/2020", "2020-12-25"),
        ("03/04/2020", "2020"),
        ("30 février 2021", None),
        ("2023年大会举行。2023年的主题。2021年上线。2023年论坛。", "2023"),
        ("In 2019 and 2020, in 2019 and 2020, in 2019 and 2020.", None),
        ("Dibuat pada 11.11", None),
        ("mise à jour à 15h28 le 27/11", None),
        ("10.000 kilometer, 2.3.4.2018", None),
    ],
)
def test_dates_of_many_forms(text: str, date: str | None) -> None:
    assert date_of(text, "a.txt") == date


def test_the_head_dates_a_text_before_its_end_and_its_name() -> None:
    filler = "word " * 600
    assert date_of(f"{filler}2019-01-01 {filler}", "2020-05-06 note.txt") == "2020-05-06"
    assert date_of(f"{filler}{filler}2019-01-01", "20200506.txt") == "2019-01-01"
    assert date_of(filler, "note 2020-13-06.txt") is None


def test_every_file_of_the_walk_is_accounted_for(tmp_path: Path) -> None:
    root = tmp_path / "docs"
    (root / "sub").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / ".git" / "config.txt").write_text("x")
    for name in ("b.TXT", "sub/a.md", "c.pdf", "README", ".hidden.txt"):
        (root / name).write_text("x")
    (tmp_path / "out.txt").write_text("secret")
    (root / "link.txt").symlink_to(tmp_path / "out.txt")
    (root / "loop").symlink_to(root)
    (root / "dangling.txt").symlink_to(root / "nothing")
    os.mkfifo(root / "pipe.txt")
    with (root / "big.txt").open("wb") as big:
        big.truncate(MAX_BYTES + 1)
    found = {file.source: file.status for file in walk({"": root}, exclude=tmp_path / "store")}
    assert found == {
        ".git": "skipped",
        ".hidden.txt": "skipped",
        "README": "unsupported",
        "b.TXT": None,
        "big.txt": "too_large",
        "c.pdf": "unsupported",
        "dangling.txt": "failed",
        "link.txt": "skipped",
        "loop": "skipped",
        "pipe.txt": "skipped",
        "sub/a.md": None,
    }
    reasons = {file.source: file.reason for file in walk({"": root}, exclude=tmp_path)}
    assert reasons["c.pdf"] == ".pdf files are not read; convert to .txt"


def test_several_folders_prefix_their_names(tmp_path: Path) -> None:
    for name in ("one/docs", "two/docs", "two/more"):
        (tmp_path / name).mkdir(parents=True)
    roots = named_folders([tmp_path / "one/docs", tmp_path / "two/more", tmp_path / "one/docs"])
    assert list(roots) == ["docs", "more"]
    assert path_of(roots, "more/a/b.txt") == (tmp_path / "two/more/a/b.txt").resolve()
    with pytest.raises(UsageError, match="two documents' folders are called 'docs'"):
        named_folders([tmp_path / "one/docs", tmp_path / "two/docs"])


@pytest.mark.parametrize("source", ["../out.txt", "/etc/passwd", "other/a.txt"])
def test_a_source_never_leads_out_of_the_folders(tmp_path: Path, source: str) -> None:
    with pytest.raises(UsageError, match="not in the documents' folders"):
        path_of({"docs": tmp_path, "more": tmp_path}, source)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere is missing"):
        named_folders([tmp_path / "nowhere"])
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(UsageError, match="is not a folder"):
        named_folders([tmp_path / "file.txt"])
    with pytest.raises(UsageError, match="no documents' folder"):
        named_folders([])
