"""A Chroma server that keeps the passages instead of a folder, and how it is reached.

Everything else of the index stays in the store's folder: manifest, lock, cache and the
vectors of sentences. Each generation is one collection, named after its folder.
"""

from __future__ import annotations

import hashlib
import socket
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qa_bot.errors import ServiceError, UsageError

_PAGE = 100
_ANSWERS_WITHIN = 10.0
"""Seconds. Chroma's own client would wait for ever."""


@dataclass(frozen=True, slots=True)
class Server:
    """A Chroma server by its URL (http or https)."""

    url: str
    token: str = field(default="", repr=False)
    """Sent as `Authorization: Bearer …` and as `X-Chroma-Token`; none if empty."""
    certificate: str = ""
    """A file with the certificate of who signed the server's; empty for the system's."""

    def connect(self) -> Any:
        """A client of the server.

        Raises:
            UsageError: the URL names no server.
            ServiceError: the server is not there, or lets us not in.
        """
        import chromadb
        import httpx
        from chromadb.config import Settings

        parts = urlsplit(self.url)
        tls = parts.scheme == "https"
        try:
            port = parts.port or (443 if tls else 8000)
        except ValueError as exc:
            raise UsageError(f"--store {self.url}: {exc}") from exc
        if not parts.hostname:
            raise UsageError(f"--store {self.url} names no host; write http://HOST:PORT")
        headers = (
            {"Authorization": f"Bearer {self.token}", "X-Chroma-Token": self.token}
            if self.token
            else {}
        )
        trusted = _trusted(self.certificate)
        settings = Settings(
            anonymized_telemetry=False, chroma_server_ssl_verify=self.certificate or None
        )
        try:
            httpx.get(
                f"{parts.scheme}://{parts.netloc}/api/v2/heartbeat",
                headers=headers,
                timeout=_ANSWERS_WITHIN,
                verify=trusted,
            ).raise_for_status()
            with warnings.catch_warnings():
                # Chroma hands the certificate's name on in a way that httpx deprecates.
                warnings.simplefilter("ignore", DeprecationWarning)
                return chromadb.HttpClient(
                    parts.hostname, port, ssl=tls, headers=headers, settings=settings
                )
        except Exception as exc:  # Chroma wraps what httpx raises in errors of any kind
            raise self.failure(exc) or ServiceError(f"{self.url}: {exc}") from exc

    def failure(self, exc: BaseException) -> ServiceError | None:
        """What is wrong with the server where that is why something failed, else None."""
        import httpx

        for cause in _chain(exc):
            if isinstance(cause, httpx.HTTPStatusError):
                status = cause.response.status_code
                if status in (401, 403):
                    return ServiceError(
                        f"the Chroma server at {self.url} lets us not in ({status}); give its "
                        "token in QA_BOT_CHROMA_TOKEN"
                    )
                if status >= 500 or "/heartbeat" in str(cause.request.url):
                    return ServiceError(
                        f"the Chroma server at {self.url} failed ({status}); look at its log"
                    )
            if isinstance(cause, httpx.TransportError):
                cure = (
                    "name the file of who signed it in QA_BOT_CHROMA_CERTIFICATE"
                    if "CERTIFICATE" in str(cause)
                    else "start it with `chroma run`, or name a folder with --store"
                )
                return ServiceError(
                    f"no Chroma server answers at {self.url} ({cause or type(cause).__name__}); "
                    f"{cure}"
                )
        return None

    def collection(self, folder: Path) -> str:
        """The name of the collection that belongs to a generation's folder on this machine."""
        return f"{self.prefix(folder.parent)}{folder.name}"

    def prefix(self, store_dir: Path) -> str:
        """What the names of a store's collections begin with: many stores may share a server."""
        place = f"{socket.gethostname()}\0{store_dir.resolve()}"
        return f"qa_bot-{hashlib.sha256(place.encode()).hexdigest()[:12]}-"


def disconnect(client: Any) -> None:
    """Close a client of Chroma, and its connections, which its own `close` leaves open."""
    # An embedded Chroma has no sessions. With a server, its client and the one that checks
    # the tenant have one each.
    owners = (client._server, client._admin_client._server)
    sessions = [owner._session for owner in owners if hasattr(owner, "_session")]
    client.close()
    for session in sessions:
        session.close()


def drop_stray_collections(store_dir: Path, server: Server) -> None:
    """Delete a store's collections whose folder is gone: replaced, or never finished.

    Raises:
        ServiceError: the server is not there.
    """
    client = server.connect()
    try:
        names = [
            collection.name
            for at in range(0, client.count_collections(), _PAGE)
            for collection in client.list_collections(limit=_PAGE, offset=at)
        ]
        kept = {server.collection(folder) for folder in store_dir.iterdir()}
        prefix = server.prefix(store_dir)
        for name in names:
            if name.startswith(prefix) and name not in kept:
                client.delete_collection(name)
    finally:
        disconnect(client)


def _trusted(certificate: str) -> Any:
    import ssl

    try:
        return ssl.create_default_context(cafile=certificate or None)
    except OSError as exc:
        raise UsageError(f"the certificate {certificate} cannot be used: {exc}") from exc


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__
