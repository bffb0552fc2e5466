"""The endpoints of the page and of programs, on Gradio's queue: `ask`, `search`, `documents`.

The page's other calls (`document`, `remove`, `update`) work too, but are not listed.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from qa_bot.errors import QABotError, UsageError
from qa_bot.records import index_record
from qa_bot.streaming import continued
from qa_bot.ui.asking import MOST_CHARACTERS, QUEUED, checked_question
from qa_bot.ui.desk import Desk
from qa_bot.ui.show import Mark, shown_answer, shown_document, shown_hits
from qa_bot.ui.talk import limits_of

if TYPE_CHECKING:
    from fastapi import FastAPI

SEARCHES = 4
"""Searches that may run at once."""
_MOST_TURNS = 50
_MOST_MARKS = 50
_MOST_PASSAGES = 50


def import_gradio() -> None:
    """Import Gradio, which takes seconds: for a thread beside the one that serves."""
    # Gradio reads these before anything we pass could turn them off.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1")
    with warnings.catch_warnings():
        # Gradio's own use of what its libraries have deprecated.
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("gradio")


def make_api(desk: Desk) -> FastAPI:
    """Gradio's application with our endpoints; its `lifespan` must be run, in the same loop."""
    import gradio as gr
    from fastapi import FastAPI

    class Blocks(gr.Blocks):
        """Calls over HTTP may leave out what has a default, as those of Gradio's client do."""

        async def preprocess_data(
            self, block_fn: Any, inputs: list[Any], *more: Any, **named: Any
        ) -> list[Any]:
            left_out = [item.value for item in block_fn.inputs[len(inputs) :]]
            if None not in left_out:
                inputs = [*inputs, *left_out]
            read: list[Any] = await super().preprocess_data(block_fn, inputs, *more, **named)
            return read

    with Blocks(analytics_enabled=False, title="qa_bot") as blocks:
        _endpoints(desk)
    blocks.queue(max_size=QUEUED, api_open=False, default_concurrency_limit=1)
    app: FastAPI = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None), blocks, "/",
        allowed_paths=[], max_file_size=0, show_error=False, enable_monitoring=False,
        ssr_mode=False, mcp_server=False, run_history=False, footer_links=[], pwa=False,
    )  # fmt: skip
    return app


def _endpoints(desk: Desk) -> None:
    from gradio.events import api

    def ask(
        question: str,
        history: list[list[str]],
        source: list[str] = [],  # noqa: B006 (Gradio shows it to programs, and hands on copies)
        language: str = "",
        since: str = "",
        until: str = "",
    ) -> Iterator[dict[str, Any]]:
        """Answer a question from the documents, with citations.

        history: earlier [question, answer] pairs, [] for none. What to answer from: source,
        the documents' names as `documents` gives them; language, their code (fr, zh, …);
        since and until, dates as 2023, 2023-11 or 2023-11-08. Empty ones limit nothing.
        Streams objects: while it is under way with `status` "searching" or "writing" and the
        `answer` so far, and at last the answer record, with the answer in `parts`, its
        `sources` for showing, and the `steps` it came about by.
        """
        only = {"source": source, "language": language, "since": since, "until": until}
        yield from _answered(desk, question, history, only)

    def search(
        query: str,
        k: int,
        source: list[str] = [],  # noqa: B006 (as above)
        language: str = "",
        since: str = "",
        until: str = "",
    ) -> dict[str, Any]:
        """The k (1 to 50) best passages for a query, without the language model.

        source, language, since, until: as `ask` takes them.
        """
        only = {"source": source, "language": language, "since": since, "until": until}
        with _told():
            checked_question(query)
            limits = limits_of(only)
            hits = desk.search(query.strip(), min(int(k), _MOST_PASSAGES), limits)
        return {"query": query, "passages": shown_hits(hits)}

    def documents() -> dict[str, Any]:
        """What is indexed: source, title, date, language, passages, size; and what may be added."""
        with _told():
            return _listing(desk)

    def document(source: str, marks: list[dict[str, Any]]) -> dict[str, Any]:
        """One document's text in pieces, with quotes highlighted at their offsets."""
        with _told():
            found = desk.document(source)
            if found is None:
                raise UsageError(f"{source} is not in the index any more; re-index the documents")
            indexed, text, pages = found
            return shown_document(indexed, text or "", _marks(marks), pages)

    def translate(text: str, language: str, into: str) -> str:
        """A quote in another language; the model's own words, which nothing has checked."""
        with _told():
            checked_question(text)
            return desk.translate(text, language, into)

    def remove(source: str) -> dict[str, Any]:
        """Remove an uploaded document, and its passages from the index."""
        with _told():
            name = desk.uploaded(source)
            if name is None:
                raise UsageError(
                    f"{source} was not uploaded here; remove it from its folder, then re-index"
                )
            desk.uploads.remove(name)
            return _updated(desk)

    def update(rebuild: bool) -> dict[str, Any]:
        """Bring the index up to date with its folders and the uploaded files."""
        with _told():
            return _updated(desk, rebuild=rebuild)

    public = partial(api, api_visibility="public")
    page = partial(api, api_visibility="undocumented")
    public(ask, concurrency_id="model", concurrency_limit=1)
    public(search, concurrency_id="search", concurrency_limit=SEARCHES)
    public(documents, concurrency_id="search", concurrency_limit=SEARCHES)
    page(document, concurrency_id="search", concurrency_limit=SEARCHES)
    page(translate, concurrency_id="model", concurrency_limit=1)
    page(remove, concurrency_id="index", concurrency_limit=1)
    page(update, concurrency_id="index", concurrency_limit=1)


def _answered(
    desk: Desk, question: str, history: Any, only: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    yield {"status": "searching", "answer": ""}
    try:
        checked_question(question)
        # Closing the stream, as Gradio does when the reader has left, stops the model.
        limits = limits_of(only)
        with closing(desk.stream(question.strip(), _turns(history), limits)) as pieces:
            text = ""
            for piece in pieces:
                if isinstance(piece, str):
                    text = continued(text, piece)
                    yield {"status": "writing", "answer": text}
                else:
                    known = {item.source: item for item in desk.documents()}
                    yield shown_answer(piece, known)
    except QABotError as exc:
        yield {"status": "error", "question": question, "answer": "", "error": str(exc)}


def _turns(history: Any) -> list[tuple[str, str]]:
    try:
        return [
            (str(asked)[:MOST_CHARACTERS], str(answered)[:MOST_CHARACTERS])
            for asked, answered in (history or [])[-_MOST_TURNS:]
        ]
    except (TypeError, ValueError) as exc:
        raise UsageError(f"history is no list of [question, answer] pairs: {exc}") from exc


def _marks(marks: Any) -> list[Mark]:
    try:
        return [
            Mark(int(mark["marker"]), int(mark["start"]), int(mark["end"]), str(mark["quote"]))
            for mark in marks[:_MOST_MARKS]
        ]
    except (KeyError, TypeError, ValueError) as exc:
        raise UsageError(f"marks are no list of marker, start, end and quote: {exc!r}") from exc


def _listing(desk: Desk) -> dict[str, Any]:
    listed = [
        {
            "source": item.source,
            "title": item.title,
            "date": item.date,
            "language": item.language,
            "passages": item.passages,
            "size": item.size,
            "uploaded": desk.uploaded(item.source) is not None,
        }
        for item in desk.documents()
    ]
    return {
        "documents": listed,
        "suffixes": list(desk.uploads.suffixes()),
        "limit": desk.uploads.limit(),
        "examples": desk.examples(),
    }


def _updated(desk: Desk, *, rebuild: bool = False) -> dict[str, Any]:
    report = desk.update(rebuild=rebuild)
    return {**index_record(report), **_listing(desk)}


@contextmanager
def _told() -> Iterator[None]:
    """Turn our errors into ones whose message Gradio passes on; others stay unnamed."""
    try:
        yield
    except QABotError as exc:
        from gradio.exceptions import Error

        raise Error(str(exc), print_exception=False) from exc
