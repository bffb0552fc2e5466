"""The passages and their vectors, in Chroma behind LlamaIndex's vector-store interface.

Nodes become `Passage` here and nowhere else.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from qa_bot.errors import IndexUnusable, QABotError, UsageError
from qa_bot.index.generations import Lease, copy_generation
from qa_bot.index.sentences import SentenceVectors
from qa_bot.index.server import Server, disconnect
from qa_bot.types import Filter, Passage

if TYPE_CHECKING:
    from chromadb.api.collection_configuration import CreateCollectionConfiguration
    from llama_index.core.schema import BaseNode
    from llama_index.vector_stores.chroma import ChromaVectorStore
    from numpy.typing import NDArray

_COLLECTION = "passages"
# Wide searches, so that the approximate graph finds nearly what an exact search would.
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 400}
EXACT_UP_TO = 100_000
"""Passages up to which every one is compared: 5 ms a query, 150 MB with 384 dimensions."""
_BATCH = 500
"""Ids in one request: SQLite limits the variables of a statement."""
_PAGE = 2000
_SPARE = 32
"""Hits fetched beyond k, so that ties at the end are broken by our order and not Chroma's."""
_FIELDS = ("source", "start", "end", "title", "language", "date", "page")
_SENTENCES = "sentences.sqlite3"
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


class PassageStore:
    """A collection of passages with one unit vector each; open it with `open_store`."""

    def __init__(
        self,
        client: Any,
        store: ChromaVectorStore,
        sentences: SentenceVectors,
        folder: Path,
        lease: Lease,
        server: Server | None,
    ) -> None:
        self._store = store
        self._folder = folder
        self._server = server
        self.sentences = sentences
        """The vectors of the passages' sentences; a passage may have none."""
        # Also where no one closes it: once nothing uses it any more, or at the end.
        self._closing = weakref.finalize(self, _close, client, sentences, lease)
        self._matrix: tuple[NDArray[np.str_], NDArray[np.float32]] | None = None
        """The ids and unit vectors in memory, from the first search to the next change."""

    def add(self, passages: Sequence[Passage], vectors: Sequence[Sequence[float]]) -> None:
        """Add passages that are not in the store yet, each with its vector.

        Raises:
            IndexUnusable: the store is damaged, or made for vectors of another length.
        """
        self._matrix = None
        with _translated(self._folder, self._server):
            for at in range(0, len(passages), _BATCH):
                part = slice(at, at + _BATCH)
                self._store.add(
                    [_node(p, v) for p, v in zip(passages[part], vectors[part], strict=True)]
                )

    def delete(self, ids: Iterable[str]) -> None:
        """Remove passages; ids that are not there are no error.

        Raises:
            IndexUnusable: the store is damaged.
        """
        doomed = sorted(ids)
        self._matrix = None
        with _translated(self._folder, self._server):
            for at in range(0, len(doomed), _BATCH):
                self._store.delete_nodes(doomed[at : at + _BATCH])
            self.sentences.delete(doomed)

    def search(
        self, vector: Sequence[float], k: int, where: Mapping[str, Any] | None = None
    ) -> list[tuple[Passage, float]]:
        """The `k` nearest passages with their cosine similarity, best first.

        Args:
            vector: the query's.
            k: at most this many are returned.
            where: a filter in Chroma's language, such as `{"source": "a.txt"}`.

        Raises:
            IndexUnusable: the store is damaged, or made for vectors of another length.
        """
        size = self.count()
        if not size or k < 1:
            return []
        wanted = min(size, k + _SPARE)
        found = self._exact if size <= EXACT_UP_TO else self._approximate
        hits = found(vector, wanted, dict(where) if where else None)
        hits.sort(key=lambda hit: (-round(hit[1], 6), hit[0].source, hit[0].start))
        return hits[:k]

    def _exact(
        self, vector: Sequence[float], k: int, where: dict[str, Any] | None
    ) -> list[tuple[Passage, float]]:
        # Chroma's graph can lose sight of passages, above all among many that are alike,
        # and which ones depends on the order they came in.
        with _translated(self._folder, self._server):
            ids, matrix = self._matrix or self._load_matrix()
            self._matrix = ids, matrix
            query = np.asarray(vector, dtype=np.float32)
            scores = matrix @ (query / max(float(np.linalg.norm(query)), 1e-12))
            if where:
                allowed = self._store.client.get(where=where, include=[])["ids"]
                scores[~np.isin(ids, allowed)] = -np.inf
            order = np.argsort(-scores.round(6), kind="stable")[: k + _BATCH]
            # All that tie with the last one go on, to be put in our order.
            least = max(float(scores[order[min(k, len(order)) - 1]]) - 1e-6, -2.0)
            best = {str(ids[i]): float(scores[i]) for i in order if scores[i] >= least}
        return [(passage, best[passage.id]) for passage in self.get(best).values()]

    def _load_matrix(self) -> tuple[NDArray[np.str_], NDArray[np.float32]]:
        pages = list(self._pages("embeddings"))
        ids = np.concatenate([page["ids"] for page in pages])
        order = np.argsort(ids)  # not in the order in which they came in, which may vary
        vectors = [np.asarray(page["embeddings"], dtype=np.float32) for page in pages]
        matrix = np.concatenate(vectors)[order]
        matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
        return ids[order], matrix

    def _approximate(
        self, vector: Sequence[float], k: int, where: dict[str, Any] | None
    ) -> list[tuple[Passage, float]]:
        from llama_index.core.vector_stores.types import VectorStoreQuery

        query = VectorStoreQuery(query_embedding=[float(x) for x in vector], similarity_top_k=k)
        with _translated(self._folder, self._server):
            result = self._store.query(query, where=where)
        # The adapter reports exp(-distance), and the distance is 1 - cosine.
        scores = [1.0 + math.log(similarity) for similarity in result.similarities or ()]
        return list(zip(map(_passage, result.nodes or ()), scores, strict=True))

    def _pages(self, *what: str) -> Iterator[Any]:
        """All that is stored, in pages, so that memory and a server's answers stay small."""
        for at in range(0, self._store.client.count(), _PAGE):
            yield self._store.client.get(limit=_PAGE, offset=at, include=list(what))

    def copy_from(self, other: PassageStore) -> None:
        """Take over the passages and vectors of another store; not the vectors of sentences.

        Raises:
            IndexUnusable: one of them is damaged.
        """
        with _translated(self._folder, self._server):
            for page in other._pages("embeddings", "documents", "metadatas"):
                parts = {key: page[key] for key in ("ids", "embeddings", "documents", "metadatas")}
                self._store.client.add(**parts)

    def sentence_vectors(self, ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """The unit vectors of these passages' sentences, a row each, in their order.

        Raises:
            IndexUnusable: the store is damaged.
        """
        with _translated(self._folder, self._server):
            return self.sentences.get(ids)

    def get(self, ids: Iterable[str]) -> dict[str, Passage]:
        """The passages of these ids; an id that is not there is left out.

        Raises:
            IndexUnusable: the store is damaged.
        """
        wanted = sorted(ids)
        found: dict[str, Passage] = {}
        with _translated(self._folder, self._server):
            for at in range(0, len(wanted), _BATCH):
                for node in self._store.get_nodes(wanted[at : at + _BATCH]):
                    found[node.node_id] = _passage(node)
        return found

    def ids(self) -> set[str]:
        """The ids of all passages.

        Raises:
            IndexUnusable: the store is damaged.
        """
        with _translated(self._folder, self._server):
            return set(self._store.client.get(include=[])["ids"])

    def count(self) -> int:
        """How many passages there are.

        Raises:
            IndexUnusable: the store is damaged.
        """
        with _translated(self._folder, self._server):
            return int(self._store.client.count())

    def check(self) -> None:
        """Try what a search needs; a writer that was killed can leave a store unreadable.

        Raises:
            IndexUnusable: the store is damaged.
        """
        with _translated(self._folder, self._server):
            sample = self._store.client.get(limit=1, include=["embeddings"])
            if len(sample["ids"]):
                self._store.client.query(query_embeddings=sample["embeddings"], n_results=1)
            self.sentences.check()

    def close(self) -> None:
        """Let go of the files; closing twice is no error."""
        self._closing()


def open_store(folder: Path, server: Server | None = None) -> PassageStore:
    """Open the store in `folder`, made if missing; with a server, its passages lie there.

    Raises:
        IndexUnusable: what is there is damaged or is no store.
        ServiceError: the server is not there.
    """
    # Imported here: it takes a second, and `--help` needs none of it.
    import chromadb
    from chromadb.config import Settings
    from llama_index.vector_stores.chroma import ChromaVectorStore

    # Without a handler Python prints a library's warnings to stderr.
    logging.getLogger("chromadb").addHandler(logging.NullHandler())
    configuration = cast("CreateCollectionConfiguration", {"hnsw": _HNSW})
    lease = Lease(folder)
    with _translated(folder, server), lease.released_on_error():
        opened = _writable(folder)
        client: Any  # the declared type lacks `close`
        if server:
            opened.mkdir(parents=True, exist_ok=True)
            client, name = server.connect(), server.collection(folder)
        else:
            settings = Settings(anonymized_telemetry=False)
            client, name = chromadb.PersistentClient(str(opened), settings), _COLLECTION
        try:
            collection = client.get_or_create_collection(
                name, configuration=configuration, embedding_function=None
            )
            store = ChromaVectorStore(chroma_collection=collection)
            sentences = SentenceVectors(opened / _SENTENCES)
            return PassageStore(client, store, sentences, folder, lease, server)
        except BaseException:
            disconnect(client)
            raise


def where(only: Filter) -> dict[str, Any] | None:
    """A filter in Chroma's language; None where everything is let through.

    A date that names no day counts as the first day of its year or month, save as the last
    date, where all of the year or month is let through. Undated documents are left out
    where a date is asked for.

    Raises:
        UsageError: a date that is not a year, a month or a day.
    """
    rules: list[dict[str, Any]] = []
    if source := only.get("source"):
        rules.append({"source": source if isinstance(source, str) else {"$in": list(source)}})
    if language := only.get("language"):
        rules.append({"language": language})
    if since := only.get("since"):
        rules.append({"day": {"$gte": _day(since)}})
    if until := only.get("until"):
        rules += [{"day": {"$gte": 1}}, {"day": {"$lte": _day(until, last=True)}}]
    return {"$and": rules} if len(rules) > 1 else rules[0] if rules else None


def _day(date: str, *, last: bool = False) -> int:
    """A date as the number YYYYMMDD, with zeros (or, as a last date, nines) for what is missing."""
    found = _DATE.fullmatch(date.strip())
    if not found:
        raise UsageError(f"{date!r} is no date; write 2023, 2023-11 or 2023-11-08")
    year, month, day = found.groups(default="99" if last else "00")
    return int(year + month + day)


def _writable(folder: Path) -> Path:
    """The folder, or a copy for this process where it may not be written: Chroma must."""
    if not folder.is_dir() or os.access(folder, os.W_OK):
        return folder
    private = Path(tempfile.mkdtemp(prefix="qa_bot-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    copy_generation(folder, private / folder.name)
    return private / folder.name


def _close(client: Any, sentences: SentenceVectors, lease: Lease) -> None:
    sentences.close()
    disconnect(client)
    lease.release()


@contextmanager
def _translated(folder: Path, server: Server | None) -> Iterator[None]:
    try:
        yield
    except QABotError:
        raise
    except BaseException as exc:
        if server and (fault := server.failure(exc)):
            raise fault from exc
        # A panic of Chroma's Rust side is no `Exception`; an interrupt must stay what it is.
        if isinstance(exc, Exception) or type(exc).__name__ == "PanicException":
            raise IndexUnusable(
                f"the index in {folder} cannot be used ({exc}); run `qa-bot index --rebuild`"
            ) from exc
        raise


def _node(passage: Passage, vector: Sequence[float]) -> BaseNode:
    from llama_index.core.schema import TextNode

    return TextNode(
        id_=passage.id,
        text=passage.text,
        embedding=[float(x) for x in vector],
        metadata={
            **{field: getattr(passage, field) for field in _FIELDS},
            "day": _day(passage.date) if passage.date else 0,  # Chroma compares numbers only
        },
        excluded_embed_metadata_keys=[*_FIELDS, "day"],
        excluded_llm_metadata_keys=[*_FIELDS, "day"],
    )


def _passage(node: BaseNode) -> Passage:
    fields = {field: node.metadata[field] for field in _FIELDS}
    return Passage(id=node.node_id, text=node.get_content(), **fields)
