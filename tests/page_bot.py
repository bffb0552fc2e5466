"""A bot with real text and scripted answers, served as `qa-bot serve` does.

Its documents are real files; what it answers is chosen by words of the question, slowly
enough to be stopped. Run as a program it serves until it is interrupted.
"""

from __future__ import annotations

import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Unpack

from qa_bot.errors import BackendError, ModelMissing
from qa_bot.types import (
    Answer,
    Citation,
    FileReport,
    Filter,
    Hit,
    IndexedDocument,
    IndexReport,
    Passage,
    Sentence,
    Step,
    Strictness,
    Turn,
    Usage,
)
from qa_bot.ui.serve import serve

HOSTILE = '<img src=x onerror="document.title=1"> </mark><script>alert(1)</script>'
QUOTES = {
    "fr": "130 entreprises et institutions ont participé à l'exposition.",
    "zh": "中国企业铺设超过20万公里光纤，共有来自126个国家的1800多位嘉宾参加。",
}
TEXTS = {
    "salon.txt": "Le salon de Wuzhen ouvre ses portes\n\nPublié le 22 novembre 2020.\n\n"
    + "Des visiteurs essaient la réalité virtuelle sur place. " * 60
    + f"\n\n{QUOTES['fr']}\n\n"
    + "Les forums ont duré trois jours, au bord de l'eau. " * 60,
    "光纤.txt": "非洲的光纤与数字丝绸之路\n\n2023年11月8日\n\n"
    + "数字经济成为各国合作的新领域。" * 150
    + f"\n\n{QUOTES['zh']}\n\n"
    + "论坛在水乡举行，嘉宾讨论网络治理。" * 150,
    "siber.md": "Janji Wuzhen: membangun ruang siber bersama\n\n"
    + "KTT diadakan pada 6 hingga 9 November 2024 di kota air. " * 8,
    "hostile.txt": f"A report on <b>fibre</b> & cables {HOSTILE}\n\n2024-03-05\n\n"
    + "Cables. " * 30,
}
LANGUAGES = {"salon.txt": "fr", "光纤.txt": "zh", "siber.md": "id", "hostile.txt": "en"}
DATES = {"salon.txt": "2020-11-22", "光纤.txt": "2023-11-08", "siber.md": "2024-11",
         "hostile.txt": "2024-03-05"}  # fmt: skip


@dataclass
class PageBot:
    """Answers by script; `stopped` is set once an answer was broken off."""

    folder: Path
    pause: float = 0.02
    loading: float = 0.0
    model: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(name="scripted", context_window=4096)
    )
    asked: list[tuple[str, Sequence[Turn]]] = field(default_factory=list)
    limits: list[Filter] = field(default_factory=list)
    manners: list[tuple[Strictness | None, str | None]] = field(default_factory=list)
    """The strictness and language that each question came with."""
    stopped: threading.Event = field(default_factory=threading.Event)
    named: tuple[Path, ...] = ()
    fault: Exception | None = None

    def load(self) -> None:
        time.sleep(self.loading)
        if self.fault:
            raise self.fault

    def close(self) -> None:
        """There is nothing to let go of."""

    def configuration(self) -> dict[str, Any]:
        return {"model": self.model.name, "context_window": 4096, "version": "0.0",
                "documents": 4, "strictness": "normal", "answer_language": ""}  # fmt: skip

    def models(self) -> list[str]:
        return sorted(["scripted", "other", "broken"], key=lambda name: name != self.model.name)

    def use_model(self, name: str) -> None:
        time.sleep(self.pause * 20)
        if name == "broken":
            raise ModelMissing("the file of broken is damaged; run `qa-bot models pull broken`")
        self.model = SimpleNamespace(name=name, context_window=4096)

    def folders(self) -> tuple[Path, ...]:
        return self.named or (self.folder,)

    def _files(self) -> dict[str, Path]:
        folders = self.folders()
        return {
            f"{folder.name}/{path.name}" if len(folders) > 1 else path.name: path
            for folder in folders
            for path in sorted(folder.iterdir())
            if path.suffix in (".txt", ".md")
        }

    def documents(self) -> tuple[IndexedDocument, ...]:
        return tuple(
            IndexedDocument(
                source,
                path.read_text("utf-8").partition("\n")[0] or path.stem,
                DATES.get(path.name),
                LANGUAGES.get(path.name, "en"),
                max(1, len(path.read_text("utf-8")) // 500),
                path.stat().st_size,
            )
            for source, path in sorted(self._files().items())
        )

    def index(self, paths: Sequence[str | Path] = (), *, rebuild: bool = False) -> IndexReport:
        before = {item.source for item in self.documents()} if self.named else set()
        self.named = tuple(map(Path, paths)) or self.folders()
        files = [
            FileReport(source, "unchanged" if source in before else "added")
            for source in self._files()
        ]
        return IndexReport(tuple(files), len(files), 0.1)

    def read_text(self, source: str) -> str | None:
        path = self._files().get(source)
        return path.read_text("utf-8") if path else None

    def read_pages(self, source: str) -> tuple[int, ...]:
        """One document is of two pages, the second of which begins with its quote."""
        text = self.read_text(source) or ""
        return (0, text.index(QUOTES["fr"])) if source.endswith("salon.txt") else ()

    def _passage(self, name: str, quote: str) -> Passage:
        source = next(item for item in self._files() if item.endswith(name))
        text = self.read_text(source) or ""
        start = text.index(quote)
        title = text.partition("\n")[0]
        return Passage(f"p-{name}", source, start, start + len(quote), quote, title,
                       LANGUAGES[name], DATES[name])  # fmt: skip

    def search(self, query: str, k: int = 5, **only: Unpack[Filter]) -> list[Hit]:
        self.limits.append(only)
        return self._hits(k)

    def _hits(self, k: int) -> list[Hit]:
        passages = [self._passage("salon.txt", QUOTES["fr"]),
                    self._passage("光纤.txt", QUOTES["zh"])]  # fmt: skip
        return [Hit(n, 0.9 - n / 10, item) for n, item in enumerate(passages[:k], start=1)]

    def translate(self, text: str, language: str, into: str) -> str:
        return f"({language} → {into}) {text[:12]}"

    def stream(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        id: str = "1",
        strictness: Strictness | None = None,
        answer_language: str | None = None,
        **only: Unpack[Filter],
    ) -> Iterator[str | Answer]:
        self.manners.append((strictness, answer_language))
        self.asked.append((question, list(history)))
        self.limits.append(only)
        if "explode" in question:
            raise BackendError("the model's server is gone; start it with `ollama serve`")
        answer = replace(self._answer(question), id=id)
        try:
            time.sleep(self.pause * 5)
            repeats = 25 if "longish" in question else 200 if "long" in question else 1
            words = re.findall(r"\S+\s*", answer.answer) * repeats
            for word in words:
                yield word
                time.sleep(self.pause)
        except GeneratorExit:
            self.stopped.set()
            raise
        yield answer

    def _answer(self, question: str) -> Answer:
        hits = tuple(self._hits(5))
        refused = "ticket" in question
        sentences = (
            Sentence(
                "130 companies and institutions took part in the exhibition.", (1,), "supported"
            ),
            Sentence("They came from 999 cities.", (), "unsupported"),
            Sentence("Chinese firms have laid over 200,000 km of fibre.", (2,), "supported"),
        )
        if "hostile" in question:
            sentences = (
                Sentence(HOSTILE + " [link](javascript:alert(1)) **bold**", (1,), "supported"),
            )
        cited = [hit.passage for hit in hits]
        marked = [s.text + "".join(f" [{n}]" for n in s.citations) for s in sentences]
        return Answer(
            id="1",
            question=question,
            status="refused" if refused else "answered",
            language="en",
            answer="The documents do not answer this question." if refused else " ".join(marked),
            sentences=() if refused else sentences,
            citations=() if refused else tuple(
                Citation(n, p.source, p.title, p.start, p.end, p.text, p.language)
                for n, p in enumerate(cited, start=1)
                if any(n in sentence.citations for sentence in sentences)
            ),
            passages=hits,
            retrieved=hits,
            standalone_question=question,
            model="scripted",
            seconds=1.2,
            first_token_seconds=0.3,
            usage=Usage(100, 20),
            longest=1024,
            steps=(
                Step("search", 0.2, "2 passages, by chance to answer: 0.80 salon.txt:3-63"),
                Step("judge", 0.6, f"log-odds +2.0 of salon.txt: {HOSTILE}"),
                Step("gate", 0.0, "chance 0.90; answers from 0.60 on (normal strictness)"),
            ),
        )  # fmt: skip


def write_documents(folder: Path) -> Path:
    """The documents as files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def main() -> None:
    """PORT [LOADING SECONDS]: serve until interrupted."""
    port, loading = int(sys.argv[1]), float((sys.argv[2:] or ["0"])[0])
    with tempfile.TemporaryDirectory() as made:
        folder = write_documents(Path(made) / "documents")
        serve(
            lambda progress: PageBot(folder, loading=loading),
            Path(made) / "store",
            port=port,
            notify=lambda text: print(text, file=sys.stderr),  # noqa: T201
        )


if __name__ == "__main__":
    main()
