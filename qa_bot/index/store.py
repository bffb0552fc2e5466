"""The passages and their vectors, in Chroma behind LlamaIndex's vector-store interface.

Nodes become `Passage` here and nowhere else. Chroma logs each change in its database and
now and then writes its graph from the log: readers go through what is left of it when they
open the store, and a process killed while the graph is written may leave it unreadable. So
it is written only where no one reads yet.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import shutil
import sqlite3
import tempfile
import warnings
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from qa_bot.errors import IndexUnusable, QABotError
from qa_bot.index.filters import day
from qa_bot.index.generations import TURN, Lease, copy_generation
from qa_bot.index.sentences import SentenceVectors
from qa_bot.index.server import Server, disconnect
from qa_bot.types import Passage

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
"""Hits that Chroma is asked for beyond k, so that ties at the end are broken by our order."""
_FIELDS = ("source", "start", "end", "title", "language", "date", "page")
_SENTENCES = "sentences.sqlite3"
_DATABASE = "chroma.sqlite3"
LOG = 1000
"""Changes after which Chroma writes its graph by itself."""
_LEAST_LOG = 3
"""The fewest that it can be told to write it after."""
_TURN_SECONDS = 60.0


class PassageStore:
    """A collection of passages with one unit vector each; open it with `open_store`."""

    def __init__(
        self,
        client: Any,
        store: ChromaVectorStore,
        sentences: SentenceVectors,
        folder: Path,
        files: Path,
        lease: Lease,
        server: Server | None,
        live: Set[str] | None,
    ) -> None:
        from filelock import FileLock

        self._store = store
        self._folder = folder
        self._database = files / _DATABASE
        self._server = server
        self._live = live
        # Chroma's processes do not wait for each other as they bring its tables up to date.
        self._turn = None if server else FileLock(files / TURN, timeout=_TURN_SECONDS)
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
        with self._using():
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
        with self._using():
            for at in range(0, len(doomed), _BATCH):
                if not self._server:
                    _wipe(self._database, doomed[at : at + _BATCH])
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
        size = self.count() if self._live is None else len(self._live)
        if not size or k < 1:
            return []
        limits = dict(where) if where else None
        if size <= EXACT_UP_TO:
            hits = self._exact(vector, min(size, k), limits)
        else:
            hits = self._approximate(vector, min(size, k + _SPARE), limits)
        hits.sort(key=lambda hit: (-round(hit[1], 6), hit[0].source, hit[0].start))
        return hits[:k]

    def _exact(
        self, vector: Sequence[float], k: int, where: dict[str, Any] | None
    ) -> list[tuple[Passage, float]]:
        # Chroma's graph can lose sight of passages, above all among many that are alike,
        # and which ones depends on the order they came in.
        with self._using():
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
        wanted = sorted(self.ids())  # not in the order in which they came in, which may vary
        parts = [wanted[at : at + _PAGE] for at in range(0, len(wanted), _PAGE)]
        ids, vectors = [], []
        for part in parts:
            # By their ids: pages by number would shift if another process deleted something.
            page = self._store.client.get(ids=part, include=["embeddings"])
            ids += page["ids"]
            vectors.append(np.asarray(page["embeddings"], dtype=np.float32))
        order = np.argsort(ids)
        matrix = np.concatenate(vectors)[order]
        matrix /= np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-12)
        return np.asarray(ids)[order], matrix

    def _approximate(
        self, vector: Sequence[float], k: int, where: dict[str, Any] | None
    ) -> list[tuple[Passage, float]]:
        from llama_index.core.vector_stores.types import VectorStoreQuery

        query = VectorStoreQuery(query_embedding=[float(x) for x in vector], similarity_top_k=k)
        with self._using():
            result = self._store.query(query, where=where)
        # The adapter reports exp(-distance), and the distance is 1 - cosine.
        scores = [1.0 + math.log(similarity) for similarity in result.similarities or ()]
        hits = zip(map(_passage, result.nodes or ()), scores, strict=True)
        return [hit for hit in hits if self._live is None or hit[0].id in self._live]

    def sentence_vectors(self, ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """The unit vectors of these passages' sentences, a row each, in their order.

        Raises:
            IndexUnusable: the store is damaged.
        """
        with self._using():
            return self.sentences.get(ids)

    def get(self, ids: Iterable[str]) -> dict[str, Passage]:
        """The passages of these ids; an id that is not there is left out.

        Raises:
            IndexUnusable: the store is damaged.
        """
        wanted = sorted(ids)
        found: dict[str, Passage] = {}
        with self._using():
            for at in range(0, len(wanted), _BATCH):
                for node in self._store.get_nodes(wanted[at : at + _BATCH]):
                    found[node.node_id] = _passage(node)
        return found

    def ids(self) -> set[str]:
        """The ids of all passages.

        Raises:
            IndexUnusable: the store is damaged.
        """
        with self._using():
            found = set(self._store.client.get(include=[])["ids"])
            return found if self._live is None else found & self._live

    def count(self) -> int:
        """How many passages there are.

        Raises:
            IndexUnusable: the store is damaged.
        """
        with self._using():
            held = int(self._store.client.count())
            # What a later revision has added is not counted.
            return held if self._live is None or held <= len(self._live) else len(self.ids())

    def logged(self) -> int:
        """How many changes Chroma has yet to write into its graph; 0 with a server.

        Raises:
            IndexUnusable: the store is damaged.
        """
        if self._server:
            return 0
        with self._using(), closing(sqlite3.connect(self._database)) as database:
            (count,) = database.execute("SELECT count(*) FROM embeddings_queue").fetchone()
            return int(count)

    def check(self) -> None:
        """Try what a search needs; a writer that was killed can leave a store unreadable.

        Raises:
            IndexUnusable: the store is damaged.
        """
        with self._using():
            sample = self._store.client.get(limit=1, include=["embeddings"])
            if len(sample["ids"]):
                self._store.client.query(query_embeddings=sample["embeddings"], n_results=1)
            self.sentences.check()

    def close(self) -> None:
        """Let go of the files; closing twice is no error."""
        self._closing()

    @contextmanager
    def _using(self) -> Iterator[None]:
        with _translated(self._folder, self._server), self._turn or nullcontext():
            yield


def write_graph(folder: Path) -> None:
    """Have Chroma write its graph of a store that no one has open, and empty its log.

    Raises:
        IndexUnusable: the store is damaged.
    """
    # It looks at the length of its log when it opens a store, and at no other time.
    for length in (_LEAST_LOG, LOG):
        with closing(open_store(folder)) as store, store._using(), warnings.catch_warnings():
            # Chroma warns of a configuration that it has written itself.
            warnings.simplefilter("ignore", DeprecationWarning)
            store._store.client.get(limit=1)
            store._store.client.modify(configuration={"hnsw": {"sync_threshold": length}})


def open_store(
    folder: Path,
    server: Server | None = None,
    *,
    revision: int | None = None,
    live: Set[str] | None = None,
) -> PassageStore:
    """Open the store in `folder`, made if missing; with a server, its passages lie there.

    Args:
        folder: the generation's.
        server: what holds the passages, if it is not the folder.
        revision: the one that is to be read; None to write.
        live: the ids of that revision's passages, all others being left out; None for all.

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
    lease = Lease(folder, revision)
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
            return PassageStore(client, store, sentences, folder, opened, lease, server, live)
        except BaseException:
            disconnect(client)
            raise


def _writable(folder: Path) -> Path:
    """The folder, or a copy for this process where it may not be written: Chroma must."""
    if not folder.is_dir() or os.access(folder, os.W_OK):
        return folder
    private = Path(tempfile.mkdtemp(prefix="qa_bot-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    copy_generation(folder, private / folder.name)
    return private / folder.name


def _wipe(database: Path, ids: Sequence[str]) -> None:
    """Overwrite the words of passages that Chroma is about to delete, which would leave them."""
    marks = ",".join("?" * len(ids))
    rows = f"(SELECT id FROM embeddings WHERE embedding_id IN ({marks}))"  # noqa: S608
    with closing(sqlite3.connect(database, timeout=_TURN_SECONDS)) as file, file:
        file.execute("PRAGMA secure_delete = ON")
        file.execute(f"DELETE FROM embedding_fulltext_search WHERE rowid IN {rows}", ids)  # noqa: S608
        file.execute(f"DELETE FROM embedding_metadata WHERE id IN {rows}", ids)  # noqa: S608
        # The log's vectors stay: the graph may have to be made from them.
        file.execute(f"UPDATE embeddings_queue SET metadata = NULL WHERE id IN ({marks})", ids)  # noqa: S608


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
            "day": day(passage.date) if passage.date else 0,  # Chroma compares numbers only
        },
        excluded_embed_metadata_keys=[*_FIELDS, "day"],
        excluded_llm_metadata_keys=[*_FIELDS, "day"],
    )


def _passage(node: BaseNode) -> Passage:
    fields = {field: node.metadata[field] for field in _FIELDS}
    return Passage(id=node.node_id, text=node.get_content(), **fields)
