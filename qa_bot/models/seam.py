"""What answering asks of a language model: one small seam, three implementations.

`EmbeddedModel` (the engines in this process), `OllamaModel`, and `PlainModel` for any
other LlamaIndex `LLM`; `answering_model` picks one.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol

from qa_bot.types import Message, Usage


class AnsweringModel(Protocol):
    """A language model as the answering steps use it. Calls are safe from any thread."""

    name: str
    """Shown in every answer record, e.g. `qwen2.5-coder-1.5b (openvino)`."""
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

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], *, at_most: int
    ) -> tuple[tuple[str, ...], Usage]:
        """Pick up to `at_most` of `options` in the model's order; none means 'none of them'."""

    def probability_of_yes(self, messages: Sequence[Message]) -> tuple[float, Usage]:
        """P(yes) / (P(yes) + P(no)) for the next token, in [0, 1]."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` by the model's tokenizer (an estimate where it has none to ask)."""
