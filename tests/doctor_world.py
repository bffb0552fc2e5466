"""A small world for `qa-bot doctor`: documents, and an index of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fakes import HashEmbedding

from qa_bot.index.build import update_index
from qa_bot.settings import Settings, load_settings


@dataclass(frozen=True)
class World:
    """Folders, with an index of them by `embedder`."""

    documents: Path
    store: Path
    embedder: HashEmbedding

    def settings(self, **given: object) -> Settings:
        named = {"documents": [self.documents], "store": self.store,
                 "models": self.store.parent / "models"}  # fmt: skip
        return load_settings(named | given)

    def index(self) -> None:
        update_index([self.documents], self.store, self.embedder)
