"""Answers of the page's conversations: they go on, and are kept, whether someone watches or not."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from qa_bot.errors import QABotError, ServiceError, UsageError
from qa_bot.records import turn_of
from qa_bot.streaming import continued
from qa_bot.types import Answer, Filter, Manner, Turn
from qa_bot.ui.asking import QUEUED, checked_question
from qa_bot.ui.conversations import Conversation, Conversations
from qa_bot.ui.desk import Desk

MOST_OF_ONE = 2
"""Questions that one owner may have in hand at once."""
MOST_SOURCES = 1_000
"""Documents that a question may be limited to."""
MOST_PASSAGES = 20
"""Closest passages of a refusal: no more are retrieved."""
_LIMITS: tuple[Literal["language", "since", "until"], ...] = ("language", "since", "until")


@dataclass(slots=True)
class Writing:
    """An answer under way; `step` is replaced, never changed, so that watchers can compare."""

    owner: str
    conversation: str
    question: str
    history: tuple[Turn, ...]
    only: Filter
    manner: Manner
    passages: int | None
    """How many of the closest passages a refusal shows; None for the few of the record."""
    step: Mapping[str, Any] = field(default_factory=lambda: {"status": "waiting", "before": 0})
    over: threading.Event = field(default_factory=threading.Event)
    """Answered, failed or stopped: nothing more is kept of it."""


class Talk:
    """The conversations of everybody, and the answers being written in them."""

    def __init__(self, desk: Desk, conversations: Conversations) -> None:
        self.conversations = conversations
        self._desk = desk
        self._writing: dict[tuple[str, str], Writing] = {}
        self._lock = threading.Lock()

    def ask(
        self,
        owner: str,
        id: str | None,
        question: str,
        *,
        keep: int,
        only: Mapping[str, Any],
        settings: Mapping[str, Any],
    ) -> str:
        """Begin an answer, as the next turn of a conversation; returns the conversation's id.

        Args:
            owner: whose conversation.
            id: which; None begins one.
            question: in any language.
            keep: how many turns stay: fewer than there are when one is edited or asked again.
            only: what documents to answer from, as `bot.ask` takes it.
            settings: what its asker has set: `strictness`, `answer_language`, `passages`.

        Raises:
            UsageError: an unusable question, or another answer of it is being written.
            ServiceError: too many questions wait.
        """
        checked_question(question)
        question, limits = question.strip(), limits_of(only)
        manner, passages = manner_of(settings)
        with self._lock:
            self._refuse_too_many(owner, id)
            named = id or self.conversations.begin(owner, question)

            def begin(found: Conversation) -> None:
                del found["turns"][keep:]
                found["pending"] = {"question": question, "only": limits, "state": "asking"}

            found = self.conversations.change(owner, named, begin)
            history = tuple(map(turn_of, found["turns"]))
            writing = Writing(owner, named, question, history, limits, manner, passages)
            self._writing[owner, named] = writing
        threading.Thread(target=self._write, args=(writing,), name="answer", daemon=True).start()
        return named

    def writing(self, owner: str, id: str) -> Writing | None:
        """The answer being written in a conversation, if one is."""
        return self._writing.get((owner, id))

    def open(self, owner: str, id: str) -> Conversation:
        """A conversation, and whether an answer is being written in it (`asking`)."""
        asking = self.writing(owner, id) is not None  # before reading: it may end meanwhile
        found = self.conversations.get(owner, id)
        if found["pending"] and not asking and found["pending"]["state"] == "asking":
            found["pending"]["state"] = "stopped"  # the server ended in mid-answer
        return {**found, "asking": asking}

    def stop(self, owner: str, id: str) -> None:
        """Stop the answer being written; the model ends at its next word."""
        if writing := self.writing(owner, id):
            self._end(writing, lambda found: found["pending"].update(state="stopped"))

    def cut(self, owner: str, id: str, keep: int) -> None:
        """Undo all turns after the first `keep`, and a question without an answer."""
        self.stop(owner, id)

        def shorten(found: Conversation) -> None:
            del found["turns"][keep:]
            found["pending"] = None

        if not self.conversations.change(owner, id, shorten)["turns"]:
            self.conversations.remove(owner, id)

    def vote(self, owner: str, id: str, turn: int, vote: Mapping[str, Any]) -> None:
        """Keep what someone thinks of a turn: `vote` up, down or none, `reason`, `right`."""
        kept = vote_of(vote)

        def judge(found: Conversation) -> None:
            if not 0 <= turn < len(found["turns"]):
                raise UsageError("this answer is not there any more; reload the page")
            found["turns"][turn]["vote"] = kept

        self.conversations.change(owner, id, judge, touch=False)

    def remove(self, owner: str, id: str) -> None:
        """Delete a conversation, and stop its answer."""
        self.stop(owner, id)
        self.conversations.remove(owner, id)

    def remove_all(self, owner: str) -> None:
        """Delete all that is kept of an owner, and stop their answers."""
        for whose, named in list(self._writing):
            if whose == owner:
                self.stop(owner, named)
        self.conversations.remove_all(owner)

    def _refuse_too_many(self, owner: str, id: str | None) -> None:
        if id and (owner, id) in self._writing:
            raise UsageError("an answer is being written here; stop it, or wait for it")
        if len(self._writing) >= QUEUED:
            raise ServiceError("too many questions are waiting; try again in a moment")
        if sum(whose == owner for whose, _ in self._writing) >= MOST_OF_ONE:
            raise ServiceError("your other questions are still being answered; wait for one")

    def _write(self, writing: Writing) -> None:
        from qa_bot.ui.show import shown_answer  # imports what answers, which takes a second

        try:
            answer = self._answered(writing)
            if answer is None:  # stopped
                return
            known = {item.source: item for item in self._desk.documents()}
            turn = {**shown_answer(answer, known, writing.passages), "only": writing.only,
                    "vote": None, "longest": answer.longest,
                    "window": self._desk.state()["window"]}  # fmt: skip

            def add(found: Conversation) -> None:
                found["turns"].append(turn)
                found["pending"] = None

            self._end(writing, add)
        except QABotError as exc:
            self._fail(writing, str(exc))
        except Exception as exc:
            self._fail(writing, f"{type(exc).__name__}: {exc}")
            raise

    def _answered(self, writing: Writing) -> Answer | None:
        stopped = writing.over.is_set
        writing.step = {"status": "loading"}
        self._desk.wait(stopped)
        text = ""
        pieces = self._desk.stream(
            writing.question, writing.history, writing.only, writing.manner, leaving=stopped,
            waiting=lambda before: _step(writing, status="waiting", before=before),
            begun=lambda: _step(writing, status="searching"),
        )  # fmt: skip
        with closing(pieces):
            for piece in pieces:
                if stopped():
                    return None
                if not isinstance(piece, str):
                    return piece
                text = continued(text, piece)
                _step(writing, status="writing", answer=text)
        return None

    def _fail(self, writing: Writing, error: str) -> None:
        self._end(writing, lambda found: found["pending"].update(state="failed", error=error))

    def _end(self, writing: Writing, change: Any) -> None:
        """Keep how an answer ended; only the first end of it counts."""
        with self._lock:
            if writing.over.is_set():
                return
            try:
                self.conversations.change(writing.owner, writing.conversation, change)
            except UsageError:
                pass  # it was deleted meanwhile
            finally:
                writing.over.set()
                self._writing.pop((writing.owner, writing.conversation), None)


def _step(writing: Writing, **step: Any) -> None:
    writing.step = step


def limits_of(only: Mapping[str, Any]) -> Filter:
    """What a question is limited to, as it came from a browser.

    Raises:
        UsageError: something else came.
    """
    sources = only.get("source") or []
    if not isinstance(sources, list) or not all(isinstance(item, str) for item in sources):
        raise UsageError("`source` is no list of documents; choose them again")
    limits = Filter(source=sources[:MOST_SOURCES]) if sources else Filter()
    for name in _LIMITS:
        if value := only.get(name):
            limits[name] = str(value)[:20]
    return limits


def manner_of(settings: Mapping[str, Any]) -> tuple[Manner, int | None]:
    """How to answer, and how many passages to show, as they came from a browser.

    What is no strictness or language is the bot's to refuse.

    Raises:
        UsageError: no number of passages came.
    """
    names = ("strictness", "answer_language")
    manner = {name: str(settings[name])[:20] for name in names if settings.get(name) is not None}
    passages = settings.get("passages")
    if passages is not None and not (isinstance(passages, int) and 1 <= passages <= MOST_PASSAGES):
        raise UsageError(f"`passages` is {passages!r}; give a number from 1 to {MOST_PASSAGES}")
    return cast("Manner", manner), passages


def vote_of(vote: Mapping[str, Any]) -> dict[str, str] | None:
    """What someone thinks of an answer; None where they took it back."""
    if vote.get("vote") not in ("up", "down"):
        return None
    kept = {name: str(vote.get(name) or "").strip()[:2_000] for name in ("reason", "right")}
    return {"vote": vote["vote"], **kept}
