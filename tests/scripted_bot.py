"""A bot that answers at once what it is asked, with quotes; run as a program, a slow batch.

Imports little, so that a test can start and kill it many times.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qa_bot.batch import batch
from qa_bot.types import Answer, Citation, Hit, Passage, Sentence, Turn, Usage

QUOTE = "130 entreprises ont participé,\n=2+3 selon <b>l'organisateur</b>."


@dataclass
class ScriptedBot:
    """Repeats the question; says with what history it was asked, and keeps what was asked."""

    seconds: float = 0.0
    fault: Callable[[str], Exception | None] = lambda question: None
    """The error that a question meets, where it meets one."""
    settings: dict[str, Any] = field(default_factory=lambda: {"model": "scripted"})
    asked: list[str] = field(default_factory=list)
    takes_jobs: bool = True

    def load(self) -> None:
        """There is nothing to load."""

    def configuration(self, *, model: bool = True) -> dict[str, Any]:
        return {name: value for name, value in self.settings.items() if model or name != "model"}

    def read_text(self, source: str) -> str | None:
        return {"fr.txt": f"Titre{QUOTE}", "zh.txt": "中国企业铺设超过20万公里光纤。"}.get(source)

    def search(self, query: str, k: int) -> list[Hit]:
        return [_HIT]

    def dates(self) -> dict[str, str | None]:
        return {"fr.txt": "2020-11-23", "zh.txt": None}

    def ask(self, question: str, history: Sequence[Turn] = (), *, id: str = "1") -> Answer:
        self.asked.append(id)
        started = time.perf_counter()
        time.sleep(self.seconds)
        if error := self.fault(question):
            raise error
        refused = "refuse" in question
        earlier = f" after {history[-1][0]}" if history else ""
        text = "Not there." if refused else f"{question}{earlier} [1] and <i>more</i> [2]"
        return Answer(
            id=id,
            question=question,
            status="refused" if refused else "answered",
            language="en",
            answer=text,
            sentences=() if refused else (Sentence(text, (1, 2), "unsupported"),),
            citations=() if refused else CITATIONS,
            passages=(_HIT,),
            retrieved=(_HIT,),
            standalone_question=question,
            model="scripted",
            seconds=time.perf_counter() - started,
            first_token_seconds=None,
            usage=Usage(10, 2),
        )


CITATIONS = (
    Citation(1, "fr.txt", "L'exposition <2020>", 5, 5 + len(QUOTE), QUOTE, "fr"),
    Citation(2, "zh.txt", "光纤", 0, 6, "中国企业铺设", "zh"),
)

_HIT = Hit(1, 0.5, Passage("p", "fr.txt", 5, 5 + len(QUOTE), QUOTE, "Title", "fr", "2020-11-23"))


def main() -> None:
    """QUESTIONS ANSWERS SECONDS: answer slowly, resuming; says when it begins."""
    questions, answers, seconds = sys.argv[1:]

    def begun(progress: object) -> None:
        print("begun", flush=True)  # noqa: T201

    bot: Any = ScriptedBot(float(seconds))
    batch(bot, Path(questions), Path(answers), out=sys.stdout, resume=True, watch=begun)


if __name__ == "__main__":
    main()
