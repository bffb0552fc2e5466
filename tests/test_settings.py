"""Command line over environment over file over default."""

import os
from pathlib import Path

import pytest

from qa_bot.errors import UsageError
from qa_bot.settings import Settings, load_settings, resource


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("QA_BOT_LLM", "QA_BOT_STORE", "QA_BOT_DOCUMENTS", "QA_BOT_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def test_a_given_value_wins_over_environment_file_and_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    default = load_settings().llm
    (tmp_path / "qa_bot.toml").write_text('llm = "ollama/file"\nthreads = 3\n')
    from_file = load_settings()
    monkeypatch.setenv("QA_BOT_LLM", "ollama/environment")
    from_environment = load_settings()
    given = load_settings({"llm": "ollama/given", "store": None})
    assert [default, from_file.llm, from_environment.llm, given.llm] == [
        "auto",
        "ollama/file",
        "ollama/environment",
        "ollama/given",
    ]
    assert given.threads == 3


def test_paths_of_a_file_are_relative_to_that_file(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    config = folder / "my.toml"
    config.write_text('documents = ["texts"]\nstore = "index"\n')
    settings = load_settings(config=config)
    assert settings.documents == ((folder / "texts").resolve(),)
    assert settings.store == (folder / "index").resolve()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('colour = "red"', "colour"),
        ("threads = -1", "threads"),
        ("context_window = 'wide'", "context_window"),
        ('strictness = "harsh"', "strictness"),
        ("llm = 7", "llm"),
        ("llm = [", "qa_bot.toml"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "qa_bot.toml").write_text(text)
    with pytest.raises(UsageError, match=named):
        load_settings()


def test_a_missing_config_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.toml"):
        load_settings(config=tmp_path / "absent.toml")


def test_a_missing_config_file_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QA_BOT_CONFIG", "typo.toml")
    with pytest.raises(UsageError, match=r"typo\.toml"):
        load_settings()


@pytest.mark.parametrize("setting", ["store", "documents", "models"])
def test_an_empty_folder_name_is_refused(setting: str) -> None:
    """An unset shell variable must not make the current folder the index."""
    with pytest.raises(UsageError, match="empty"):
        load_settings({setting: ""})


def test_settings_made_in_code_have_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """`QABot(Settings())` once fetched the model into the folder it was called from."""
    for name in [name for name in os.environ if name.startswith("QA_BOT_")]:
        monkeypatch.delenv(name)
    assert Settings() == load_settings()
    assert Settings().models.is_absolute()


def test_prompts_and_seeds_are_found() -> None:
    assert (resource("prompts") / "answer.md").is_file()
    assert len(list(resource("seeds").glob("*.txt"))) == 5


def test_a_store_with_a_url_is_a_server_and_a_folder_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "qa_bot.toml").write_text('store = "http://localhost:8000"\n')
    one = load_settings()
    assert one.server == "http://localhost:8000"
    assert one.store.is_absolute()
    other = load_settings({"store": "https://localhost:8000"})
    assert other.store != one.store
    word = "sesame"
    monkeypatch.setenv("QA_BOT_CHROMA_TOKEN", word)
    assert load_settings({"store": "folder"}).server == ""
    assert load_settings().chroma_token == word
    assert word not in repr(load_settings())
    with pytest.raises(UsageError, match="server"):
        load_settings({"server": "http://localhost:8000"})
