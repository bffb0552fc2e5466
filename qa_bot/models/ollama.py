"""Ollama: a LlamaIndex client with our settings, the check that it is there, its errors.

It starts no server and pulls no model; the messages say how to. Answers by an Ollama
model are made by `OllamaModel` in seam.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
from llama_index.llms.ollama import Ollama
from ollama import AsyncClient, Client, ResponseError
from ollama._client import _parse_host  # the only public way builds a client to read it from

from qa_bot.errors import BackendBusy, BackendError, ModelMissing

CONNECT_SECONDS = 2.0
"""A server on this machine or network accepts at once, or is not there."""
LIST_SECONDS = 5.0
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 (read, never bound)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SEED = 0


def ollama_url(host: str | None = None) -> str:
    """The server's URL from `host`, or OLLAMA_HOST, or Ollama's default.

    Takes every form that Ollama takes: `host`, `host:port`, `:port`, a URL. An address
    to listen on ("anywhere", as servers write it) is read as this machine.

    Raises:
        BackendError: it is no host.
    """
    given = host or os.environ.get("OLLAMA_HOST") or ""
    try:
        parts = urlsplit(_parse_host(given.strip()))
        name, port = parts.hostname or "", parts.port
    except ValueError as exc:
        raise BackendError(
            f"{given!r} is no host for Ollama ({exc}): give HOST:PORT, as in 127.0.0.1:11434"
        ) from exc
    if name in ANYWHERE:
        return urlunsplit(parts._replace(netloc=f"{ANYWHERE[name]}:{port}"))
    return urlunsplit(parts)


def make_ollama(
    model: str, *, host: str | None, context_window: int, timeout: float, keep_alive: str
) -> Ollama:
    """A LlamaIndex Ollama model, greedy and repeatable; contacts nothing.

    Raises:
        BackendError: `host` is no host.
    """
    url = ollama_url(host)
    options = _client_options(url, timeout)
    return Ollama(
        model=model,
        base_url=url,
        temperature=0,
        # Without it the server is asked before every first call, and obeys its model's
        # maximum: gigabytes for the cache of a window nobody fills.
        context_window=context_window,
        request_timeout=timeout,
        keep_alive=keep_alive,
        additional_kwargs={"seed": SEED},
        client=Client(host=url, **options),
        async_client=AsyncClient(host=url, **options),
    )


def check_ollama(model: str, host: str | None) -> None:
    """Make sure that the server is there and has the model.

    Raises:
        BackendError: there is no server, or it does not answer as Ollama does.
        ModelMissing: the server lacks the model; names those it has.
    """
    url = ollama_url(host)
    with ollama_errors(model, url):
        names = _installed(url)
    if not _has(model, names):
        raise _missing(model, url, names)


def ollama_has(model: str, host: str | None) -> bool:
    """Whether a server is there with the model; never raises, and takes 2 s at most."""
    try:
        check_ollama(model, host)
    except (BackendError, ModelMissing):
        return False
    return True


def ollama_models(host: str | None) -> list[str]:
    """The models that a server has; none where there is no server. Takes 2 s at most."""
    try:
        url = ollama_url(host)
        with ollama_errors("", url):
            return sorted(_installed(url))
    except (BackendError, ModelMissing):
        return []


@contextmanager
def ollama_errors(model: str, url: str) -> Iterator[None]:
    """Turn what the client raises into our errors, each with its cure.

    Raises:
        ModelMissing: the server lacks the model.
        BackendBusy: the server is busy, or did not answer in time.
        BackendError: any other failure.
    """
    try:
        yield
    except ResponseError as exc:
        raise _refused(exc, model, url) from exc
    except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout) as exc:
        raise BackendError(
            f"no Ollama server at {url}: start it with `ollama serve`, or name another "
            "with OLLAMA_HOST"
        ) from exc
    except httpx.TimeoutException as exc:
        raise BackendBusy(
            f"Ollama at {url} did not answer in time: the machine may be busy, or {model} "
            "too large for it; raise QA_BOT_OLLAMA_TIMEOUT, or choose a smaller model"
        ) from exc
    except (httpx.HTTPError, ValueError) as exc:
        # A server that dies in an answer breaks the connection or tears the last line.
        raise BackendError(
            f"Ollama at {url} broke off or sent no proper answer ({type(exc).__name__}: {exc}): "
            "see the log of `ollama serve`, then ask again"
        ) from exc


def _refused(exc: ResponseError, model: str, url: str) -> BackendError | ModelMissing:
    """The error for a reply that is an error."""
    if exc.status_code == httpx.codes.NOT_FOUND and str(exc.error).startswith("model"):
        return _missing(model, url, None)
    if exc.status_code == httpx.codes.NOT_FOUND:
        return BackendError(f"{url} is no Ollama server ({exc.error}): check OLLAMA_HOST")
    if exc.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return BackendBusy(f"Ollama at {url} is busy ({exc.error}): ask again in a while")
    return BackendError(
        f"Ollama at {url} failed ({exc.error}): see the log of `ollama serve`, then ask again"
    )


def _missing(model: str, url: str, names: list[str] | None) -> ModelMissing:
    has = "" if names is None else f"; it has {', '.join(names) or 'none'}"
    return ModelMissing(
        f"Ollama at {url} does not have the model {model}{has}: get it with `ollama pull {model}`"
    )


def _installed(url: str) -> list[str]:
    """Names of the server's models."""
    with Client(host=url, **_client_options(url, LIST_SECONDS)) as client:
        return [found.model for found in client.list().models if found.model]


def _has(model: str, names: list[str]) -> bool:
    """Whether `model` is among `names`, where `x` and `x:latest` are the same."""
    return _tagged(model) in {_tagged(name) for name in names}


def _tagged(name: str) -> str:
    name = name.lower()
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def make_client(url: str, timeout: float) -> Client:
    """Ollama's own client, with the time-outs and proxy rules of every call of ours."""
    return Client(host=url, **_client_options(url, timeout))


def _client_options(url: str, timeout: float) -> dict[str, Any]:
    # A proxy is for other machines: it cannot reach the server on this one.
    return {
        "timeout": httpx.Timeout(timeout, connect=CONNECT_SECONDS),
        "trust_env": urlsplit(url).hostname not in LOOPBACK,
        # A connection kept open would outlive its use, and break when the server restarts.
        "limits": httpx.Limits(max_keepalive_connections=0),
    }
