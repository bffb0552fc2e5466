"""An index whose passages a Chroma server keeps: a real one, on this machine only."""

from __future__ import annotations

import http.server
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from qa_bot.app import QABot
from qa_bot.cli import main
from qa_bot.errors import IndexUnusable, ServiceError, UsageError
from qa_bot.index.build import OpenIndex, open_index, update_index
from qa_bot.index.manifest import writing
from qa_bot.index.server import Server, disconnect
from qa_bot.settings import load_settings

_RUN = "from chromadb.cli.cli import app; app()"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def chroma(data: Path) -> Iterator[str]:
    """A Chroma server's URL, while it runs."""
    port = free_port()
    arguments = ["run", "--path", str(data), "--host", "127.0.0.1", "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, "-c", _RUN, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=data.parent,
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(600):
                try:
                    httpx.get(f"{url}/api/v2/heartbeat", timeout=5).raise_for_status()
                    break
                except httpx.HTTPError:
                    assert process.poll() is None, "the server has ended"
                    time.sleep(0.2)
            yield url
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chroma(tmp_path_factory.mktemp("server") / "data") as url:
        yield url


@pytest.fixture
def server(url: str) -> Server:
    return Server(url)


def opened(store: Path, server: Server) -> OpenIndex:
    index = open_index(store, server=server)
    assert index is not None
    return index


@contextmanager
def connected(server: Server) -> Iterator[Any]:
    client = server.connect()
    yield client
    disconnect(client)


def collections(server: Server, store: Path) -> list[str]:
    with connected(server) as client:
        names = [collection.name for collection in client.list_collections()]
    return sorted(name.removeprefix(server.prefix(store)) for name in names
                  if name.startswith(server.prefix(store)))  # fmt: skip


def sources(index: OpenIndex) -> set[str]:
    assert index.store.ids() == index.manifest.passage_ids
    return {passage.source for passage in index.store.get(index.store.ids()).values()}


def test_the_index_is_kept_up_to_date_and_searched(
    docs: Path, store: Path, embedder: Any, server: Server
) -> None:
    assert update_index([docs], store, embedder, server=server).counts == {"added": 3}
    assert not list(store.rglob("chroma.sqlite3"))
    vector = embedder.get_query_embedding("The river number 1 is long. It flows by town 1.")
    with opened(store, server) as reader:
        (best, *_) = reader.store.search(vector, 3)
        assert best[0].source == "1.txt"
        assert [p.source for p, _ in reader.store.search(vector, 3, {"source": "2.txt"})] == [
            "2.txt"
        ]
        (docs / "1.txt").unlink()
        (docs / "new.txt").write_text("The lighthouse of the northern harbour was painted red.")
        counts = update_index([docs], store, embedder, server=server).counts
        assert counts == {"added": 1, "removed": 1, "unchanged": 2}
        with opened(store, server) as later:
            assert sources(later) == {"0.txt", "2.txt", "new.txt"}
            assert later.store.sentence_vectors(later.store.ids()).keys() == later.store.ids()
    assert update_index([docs], store, embedder, server=server).counts == {"unchanged": 3}
    update_index([docs], store, embedder, server=server, rebuild=True)
    assert len(collections(server, store)) == 1
    with opened(store, server) as later:
        assert sources(later) == {"0.txt", "2.txt", "new.txt"}


def test_two_stores_share_a_server(
    docs: Path, tmp_path: Path, embedder: Any, server: Server
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    update_index([docs], one, embedder, server=server)
    (docs / "0.txt").unlink()
    update_index([docs], two, embedder, server=server)
    with opened(one, server) as index:
        assert len(sources(index)) == 3
    with opened(two, server) as index:
        assert len(sources(index)) == 2


def test_what_the_server_has_lost_is_made_again_from_the_cache(
    docs: Path, store: Path, embedder: Any, server: Server
) -> None:
    update_index([docs], store, embedder, server=server)
    with connected(server) as client:
        (name,) = collections(server, store)
        client.delete_collection(server.prefix(store) + name)
    told: list[str] = []
    assert open_index(store, told.append, server) is None
    assert "holds 0 passages instead of 3" in told[0]
    update_index([docs], store, embedder, server=server)
    with opened(store, server) as index:
        assert len(sources(index)) == 3


class Broken(Exception):
    """The embedder's."""


def test_a_run_that_fails_leaves_the_old_index_and_the_next_one_cleans_up(
    docs: Path, store: Path, embedder: Any, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_index([docs], store, embedder, server=server)
    (docs / "new.txt").write_text("The lighthouse of the northern harbour was painted red.")

    def fail(*_: object, **__: object) -> None:
        raise Broken

    with monkeypatch.context() as patch:
        patch.setattr(type(embedder), "get_text_embedding_batch", fail)
        with pytest.raises(Broken):
            update_index([docs], store, embedder, server=server)
    with opened(store, server) as index:
        assert len(sources(index)) == 3
    update_index([docs], store, embedder, server=server)
    assert len(collections(server, store)) == 1
    with opened(store, server) as index:
        assert len(sources(index)) == 4


def test_a_server_that_goes_away_is_named_and_serves_again(
    docs: Path, tmp_path: Path, store: Path, embedder: Any
) -> None:
    with chroma(tmp_path / "data") as url:
        server = Server(url)
        update_index([docs], store, embedder, server=server)
        index = opened(store, server)
    with pytest.raises(ServiceError, match="no Chroma server answers at http"):
        index.store.search([1.0] * 32, 1)
    index.close()
    with pytest.raises(ServiceError, match="chroma run"):
        open_index(store, server=server)
    with pytest.raises(ServiceError):
        update_index([docs], store, embedder, server=server)


def test_the_command_ends_with_5_where_no_server_is(
    docs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, embedder: Any
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("qa_bot.app.make_embedder", lambda *_, **__: embedder)
    address = f"http://127.0.0.1:{free_port()}"
    assert main(["index", str(docs), "--store", address]) == 5
    assert f"no Chroma server answers at {address}" in capsys.readouterr().err


def test_a_bot_works_with_a_url_for_its_store(
    docs: Path, tmp_path: Path, url: str, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (tmp_path / "qa_bot.toml").write_text(f'store = "{url}"')
    settings = load_settings({"documents": (docs,)}, tmp_path / "qa_bot.toml")
    assert (settings.server, settings.store.is_relative_to(tmp_path)) == (
        url,
        sys.platform == "linux",
    )
    bot = QABot(replace(settings, store=tmp_path / "store"), embedder=embedder)
    hits = bot.search("The river number 2 is long. It flows by town 2.", 1)
    assert [hit.passage.source for hit in hits] == ["2.txt"]
    bot.close()


@pytest.mark.parametrize("address", ["http://", "http://localhost:port", "http://localhost:99999"])
def test_a_url_without_a_server_is_a_usage_error(address: str) -> None:
    with pytest.raises(UsageError, match="--store"):
        Server(address).connect()


class Guard(http.server.BaseHTTPRequestHandler):
    """Passes requests on to `target` where they bear the token."""

    target = ""

    def pass_on(self) -> None:
        if self.headers["Authorization"] != "Bearer sesame":
            self.send_response(401)
            self.end_headers()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = {"Content-Type": "application/json"}
        answer = httpx.request(self.command, self.target + self.path, content=body, headers=kind)
        self.send_response(answer.status_code)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_POST = do_DELETE = do_PUT = pass_on  # noqa: N815 - names of the base class

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate")
def test_a_token_and_tls(
    docs: Path, store: Path, tmp_path: Path, embedder: Any, url: str, monkeypatch: Any
) -> None:
    certificate, key = tmp_path / "own.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.setattr(Guard, "target", url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Guard) as guard:
        guard.socket = context.wrap_socket(guard.socket, server_side=True)
        threading.Thread(target=guard.serve_forever, daemon=True).start()
        try:
            address = f"https://localhost:{guard.server_port}"
            server = Server(address, "sesame", str(certificate))
            assert update_index([docs], store, embedder, server=server).counts == {"added": 3}
            with opened(store, server) as index:
                assert len(sources(index)) == 3
            with pytest.raises(ServiceError, match="QA_BOT_CHROMA_TOKEN"):
                Server(address, "wrong", str(certificate)).connect()
            with pytest.raises(ServiceError, match="QA_BOT_CHROMA_CERTIFICATE"):
                Server(address, "sesame").connect()
            with pytest.raises(UsageError, match="cannot be used"):
                Server(address, "sesame", str(tmp_path / "none.pem")).connect()
        finally:
            guard.shutdown()
    assert "sesame" not in repr(server)


def test_a_second_writer_is_refused_as_with_a_folder(
    docs: Path, store: Path, embedder: Any, server: Server
) -> None:
    with writing(store), pytest.raises(IndexUnusable, match="is being indexed by process"):
        update_index([docs], store, embedder, server=server)
