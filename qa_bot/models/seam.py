"""What answering asks of a language model: one small seam, three implementations.

`EmbeddedModel` (the engines in this process), `OllamaModel`, and `PlainModel` for any
other LlamaIndex `LLM`; `answering_model` picks one. Prompts are made elsewhere.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Generator, Sequence
from contextlib import closing
from threading import Lock
from typing import Any, Protocol, cast

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.llms import LLM
from llama_index.llms.ollama import Ollama
from ollama import ChatResponse as OllamaReply

from qa_bot.errors import BackendError, QABotError
from qa_bot.models.embedded import EmbeddedLLM, drain
from qa_bot.models.ollama import ollama_errors
from qa_bot.models.replies import (
    UNDECIDED,
    estimated_tokens,
    yes_share,
)
from qa_bot.types import Message, Usage

REMEMBERED = 4096
"""Prompts whose results are kept: far more than an engine's prefix cache has room for."""
DEFAULT_WINDOW = 4096
"""Window of an Ollama LLM that was made without one; its model's own may fill the memory."""


class AnsweringModel(Protocol):
    """A language model as the answering steps use it. Calls are safe from any thread."""

    name: str
    """Shown in every answer record, e.g. `qwen2.5-coder-1.5b (openvino)`."""
    digest: str
    """Tells this model from another of the same name; empty where nothing does."""
    context_window: int
    """Tokens that prompt and answer share."""

    def load(self) -> None:
        """Make the model ready, so that the next call measures itself alone.

        Raises:
            ServiceError: the model or its server is not there.
        """

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> Generator[str, None, Usage]:
        """Write an answer piece by piece, greedily; closing the generator stops the machine."""

    def probability_of_yes(self, messages: Sequence[Message]) -> tuple[float, Usage]:
        """P(yes) / (P(yes) + P(no)) for the next token, in [0, 1]."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` by the model's tokenizer (an estimate where it has none to ask)."""


def answering_model(llm: LLM) -> AnsweringModel:
    """The best implementation for a LlamaIndex language model; loads nothing."""
    if isinstance(llm, EmbeddedLLM):
        return EmbeddedModel(llm)
    if isinstance(llm, Ollama):
        return OllamaModel(llm)
    return PlainModel(llm)


class EmbeddedModel:
    """A model in this process: yes or no by probabilities.

    A prompt that was read before is answered from memory: found whole in an engine's prefix
    cache, its last token would be read alone, by other arithmetic, and an answer would
    depend on what was asked before. (With a part of it in the cache, nothing differs.)
    """

    def __init__(self, llm: EmbeddedLLM) -> None:
        self._llm = llm
        self._known = _Recent()
        self.name = llm.model
        self.digest = llm.digest
        self.context_window = llm.context_window

    def load(self) -> None:
        """See `AnsweringModel.load`."""
        self.name = f"{self._llm.model} ({self._llm.engine.name})"

    def close(self) -> None:
        """Free the model's memory; the next call loads it again."""
        self._llm.close()

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> Generator[str, None, Usage]:
        """See `AnsweringModel.stream`."""
        self.load()
        asked = ("stream", *messages, max_tokens)
        if (known := self._known.get(asked)) is not None:
            yield known[0]
            return known[1]
        said: list[str] = []
        usage: Usage = Usage()
        with closing(self._llm.engine.generate(messages, max_tokens=max_tokens)) as pieces:
            while True:
                try:
                    said.append(next(pieces))
                except StopIteration as end:
                    usage = end.value
                    break
                yield said[-1]
        self._known.add(asked, ("".join(said), usage))
        return usage

    def probability_of_yes(self, messages: Sequence[Message]) -> tuple[float, Usage]:
        """See `AnsweringModel.probability_of_yes`."""
        self.load()
        asked = ("yes", *messages)
        if (known := self._known.get(asked)) is None:
            tokens, usage = self._llm.engine.next_token(messages)
            known = self._known.add(asked, (yes_share(tokens.items()), usage))
        return known

    def count_tokens(self, text: str) -> int:
        """See `AnsweringModel.count_tokens`."""
        self.load()
        return self._llm.engine.count_tokens(text)


class _Recent:
    """Results by what was asked. Threads may share it."""

    def __init__(self) -> None:
        self._results: dict[tuple[Any, ...], tuple[Any, Usage]] = {}
        self._turn = Lock()

    def get(self, asked: tuple[Any, ...]) -> tuple[Any, Usage] | None:
        return self._results.get(asked)

    def add(self, asked: tuple[Any, ...], result: tuple[Any, Usage]) -> tuple[Any, Usage]:
        """Keep a result, in place of the oldest where there are too many."""
        with self._turn:
            self._results[asked] = result
            if len(self._results) > REMEMBERED:
                del self._results[next(iter(self._results))]
        return result


class OllamaModel:
    """A model on an Ollama server.

    Yes or no is by probabilities where the server sends them (Ollama 0.12.11 on), and
    else by a vote that is 0 or 1.
    """

    def __init__(self, llm: Ollama) -> None:
        self._llm = llm
        self.name = f"{llm.model} (ollama)"
        self.digest = ""
        self.context_window = llm.context_window if llm.context_window > 0 else DEFAULT_WINDOW
        self._sends_logprobs = True

    def load(self) -> None:
        """See `AnsweringModel.load`; an empty chat has the server load the model."""
        with ollama_errors(self._llm.model, self._llm.base_url):
            self._llm.client.chat(**self._request([], 1))

    def _request(self, messages: Sequence[Message], max_tokens: int) -> dict[str, Any]:
        """The part of a request that is the same for all."""
        return {
            "model": self._llm.model,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "options": {
                "temperature": self._llm.temperature or 0,
                "num_ctx": self.context_window,
                **self._llm.additional_kwargs,
                "num_predict": max_tokens,
            },
            "keep_alive": self._llm.keep_alive,
            # A model that thinks aloud first would neither say yes nor be quick.
            "think": self._llm.thinking or False,
        }

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> Generator[str, None, Usage]:
        """See `AnsweringModel.stream`; closing it closes the connection."""
        request = self._request(messages, max_tokens)
        found = self._llm.client.chat(**request, stream=True)
        parts = cast(Generator[OllamaReply, None, None], found)
        with ollama_errors(self._llm.model, self._llm.base_url), closing(parts):
            for part in parts:
                if part.message.content:
                    yield part.message.content
                if part.done:
                    return _ollama_usage(part)
        raise BackendError(
            f"Ollama at {self._llm.base_url} stopped in the middle of an answer: "
            "see the log of `ollama serve`, then ask again"
        )

    def probability_of_yes(self, messages: Sequence[Message]) -> tuple[float, Usage]:
        """See `AnsweringModel.probability_of_yes`."""
        used = Usage()
        if self._sends_logprobs:
            with ollama_errors(self._llm.model, self._llm.base_url):
                request = self._request(messages, 1)
                reply = self._llm.client.chat(**request, logprobs=True, top_logprobs=10)
            used = _ollama_usage(reply)
            if reply.logprobs:
                first = reply.logprobs[0].top_logprobs or []
                return yes_share((t.token, math.exp(t.logprob)) for t in first), used
            self._sends_logprobs = False
        vote, usage = self._vote(messages)
        return vote, used + usage

    def _vote(self, messages: Sequence[Message]) -> tuple[float, Usage]:
        """1 for yes, 0 for no, by a JSON schema; 0.5 where the reply was cut off."""
        last = messages[-1]
        # Servers constrain the reply but do not tell the model, which then fights it.
        hint = f'{last.content}\nWrite JSON: {{"value": "yes" or "no"}}.'
        told = [*messages[:-1], Message(last.role, hint)]
        value = {"type": "string", "enum": ["yes", "no"]}
        schema = {"type": "object", "properties": {"value": value}, "required": ["value"]}
        with ollama_errors(self._llm.model, self._llm.base_url):
            reply = self._llm.client.chat(**self._request(told, 16), format=schema)
        try:
            said = json.loads(reply.message.content or "")["value"]
        except (ValueError, KeyError, TypeError):
            said = None
        return {"yes": 1.0, "no": 0.0}.get(str(said), UNDECIDED), _ollama_usage(reply)

    def count_tokens(self, text: str) -> int:
        """An estimate (see `estimated_tokens`): Ollama has no tokenizer to ask."""
        return estimated_tokens(text)


class PlainModel:
    """Any other LlamaIndex `LLM`: everything is free text, read by us."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.name = llm.metadata.model_name
        self.digest = ""
        self.context_window = llm.metadata.context_window

    def load(self) -> None:
        """See `AnsweringModel.load`; there is no way to load a model unknown to us."""

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> Generator[str, None, Usage]:
        """See `AnsweringModel.stream`; usage is estimated, and so is the limit."""
        sent = sum(estimated_tokens(m.content) for m in messages)
        text = ""
        try:
            chat = [ChatMessage(role=m.role, content=m.content) for m in messages]
            for part in self._llm.stream_chat(chat):
                text += part.delta or ""
                if part.delta:
                    yield part.delta
                if estimated_tokens(text) >= max_tokens:
                    break
        except QABotError:
            raise
        except Exception as exc:  # what a foreign client raises is not known here
            raise BackendError(
                f"the language model {self.name} failed ({type(exc).__name__}: {exc}): "
                "check its server, key and settings"
            ) from exc
        return Usage(sent, estimated_tokens(text))

    def probability_of_yes(self, messages: Sequence[Message]) -> tuple[float, Usage]:
        """See `AnsweringModel.probability_of_yes`; 1, 0, or 0.5 for neither."""
        text, usage = drain(self.stream(messages, max_tokens=32))
        found = re.search(r"\b(yes|no)\b", text.lower())
        return (float(found.group(1) == "yes") if found else UNDECIDED), usage

    def count_tokens(self, text: str) -> int:
        """An estimate: see `estimated_tokens`."""
        return estimated_tokens(text)


def _ollama_usage(reply: OllamaReply) -> Usage:
    return Usage(reply.prompt_eval_count or 0, reply.eval_count or 0)
