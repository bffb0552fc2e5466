"""`EmbeddedLLM`: an engine of this process as a LlamaIndex language model.

Making one is cheap; the model is loaded by the first call. It can be given to anything
that takes a LlamaIndex `LLM`. Prompts go through the model's own chat template.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import CustomLLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback

from qa_bot.models.engine import Engine
from qa_bot.types import Message, Usage


class EmbeddedLLM(CustomLLM):
    """A model that runs in this process.

    Every call takes `max_tokens` and `grammar` (the EBNF of `Engine.generate`), and
    raises what `Engine` and its factory raise: `ModelMissing` and `BackendError`.
    """

    model: str
    """Shown in answer records."""
    digest: str = ""
    """Tells this model's file from another of the same name."""
    context_window: int = 4096
    max_tokens: int = 512

    _factory: Callable[[], Engine] = PrivateAttr()
    _engine: Engine | None = PrivateAttr(default=None)
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)

    def __init__(self, factory: Callable[[], Engine], **fields: Any) -> None:
        super().__init__(**fields)
        self._factory = factory

    @classmethod
    def class_name(cls) -> str:
        """Name of the class in LlamaIndex's records."""
        return "EmbeddedLLM"

    @property
    def engine(self) -> Engine:
        """The engine, loaded at first use; two threads at once load it once."""
        with self._lock:
            if self._engine is None:
                self._engine = self._factory()
            return self._engine

    def close(self) -> None:
        """Free the model's memory; the next call loads it again."""
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    @property
    def metadata(self) -> LLMMetadata:
        """What LlamaIndex asks of a model; does not load it."""
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.max_tokens,
            is_chat_model=True,
            model_name=self.model,
        )

    def _generate(self, messages: Sequence[Message], kwargs: dict[str, Any]) -> EngineStream:
        return self.engine.generate(
            messages,
            max_tokens=kwargs.get("max_tokens") or self.max_tokens,
            grammar=kwargs.get("grammar"),
        )

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a conversation."""
        text, usage = drain(self._generate(own_messages(messages), kwargs))
        return ChatResponse(message=_assistant(text), raw=_raw(usage))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Answer a conversation piece by piece; closing the generator cancels."""

        def gen() -> ChatResponseGen:
            for text, piece in _growing(self._generate(own_messages(messages), kwargs)):
                yield ChatResponse(message=_assistant(text), delta=piece)

        return gen()

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt, which is sent as the user's message."""
        text, usage = drain(self._generate([Message("user", prompt)], kwargs))
        return CompletionResponse(text=text, raw=_raw(usage))

    @llm_completion_callback()
    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        """Answer a prompt piece by piece; closing the generator cancels."""

        def gen() -> CompletionResponseGen:
            for text, piece in _growing(self._generate([Message("user", prompt)], kwargs)):
                yield CompletionResponse(text=text, delta=piece)

        return gen()

    # CustomLLM's own async methods would block the event loop for the whole answer.

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """`chat`, in a thread."""
        return await asyncio.to_thread(self.chat, messages, **kwargs)

    async def acomplete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponse:
        """`complete`, in a thread."""
        return await asyncio.to_thread(self.complete, prompt, formatted, **kwargs)

    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> ChatResponseAsyncGen:
        """`stream_chat`, stepped in a thread."""

        async def gen() -> ChatResponseAsyncGen:
            stream = await asyncio.to_thread(self.stream_chat, messages, **kwargs)
            try:
                while (response := await asyncio.to_thread(next, stream, None)) is not None:
                    yield response
            finally:
                stream.close()

        return gen()

    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """`stream_complete`, stepped in a thread."""

        async def gen() -> CompletionResponseAsyncGen:
            stream = await asyncio.to_thread(self.stream_complete, prompt, formatted, **kwargs)
            try:
                while (response := await asyncio.to_thread(next, stream, None)) is not None:
                    yield response
            finally:
                stream.close()

        return gen()


EngineStream = Generator[str, None, Usage]


def drain(stream: EngineStream) -> tuple[str, Usage]:
    """The whole text of a stream, and what it used."""
    pieces: list[str] = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            return "".join(pieces), end.value


def own_messages(messages: Sequence[ChatMessage]) -> list[Message]:
    """LlamaIndex's messages as ours; roles unknown to chat templates become the user's."""
    roles = {MessageRole.SYSTEM: "system", MessageRole.ASSISTANT: "assistant"}
    return [
        Message(roles.get(m.role, "user"), m.content or "")  # type: ignore[arg-type]
        for m in messages
    ]


def _growing(stream: EngineStream) -> Iterator[tuple[str, str]]:
    """(text so far, piece) for each piece; LlamaIndex wants both."""
    text = ""
    try:
        for piece in stream:
            text += piece
            yield text, piece
    finally:
        stream.close()


def _assistant(text: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.ASSISTANT, content=text)


def _raw(usage: Usage) -> dict[str, Any]:
    """Token counts where LlamaIndex's token counter looks for them."""
    return {
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        }
    }
