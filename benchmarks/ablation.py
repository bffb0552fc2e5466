"""What each part of answering is worth: the same questions with one part left out at a time.

    python benchmarks/ablation.py TESTSET DOCUMENTS OUT [--questions N] [--only NAME …] [--write]

Asks N questions of the test set (24), taken evenly over its types and languages, of the bot as
it is; of the bot without one part; and of two rivals with the same models: one prompt that asks
the model to cite, and LlamaIndex's CitationQueryEngine as its documentation uses it. Each is a
run folder in OUT, and goes on where it was cut short. `--write` stores results/ablation.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack
from unittest.mock import patch

from llama_index.core import SimpleDirectoryReader, VectorStoreIndex
from llama_index.core.query_engine import CitationQueryEngine

from qa_bot.answering import ground, steps
from qa_bot.answering.check import unsupported_numbers
from qa_bot.answering.cite import Citer
from qa_bot.app import QABot
from qa_bot.evals.run import evaluate
from qa_bot.models.choose import make_llm
from qa_bot.models.embedded import drain
from qa_bot.prompts import phrases
from qa_bot.settings import load_settings
from qa_bot.text import language_of, sentence_spans
from qa_bot.types import Answer, Citation, Filter, Message, Sentence, Turn, Usage

SHOWN = 4
"""Passages in the prompt that asks for citations."""
QUOTE = 400
"""Characters of a rival's quote, which is its whole passage: no quote may be over 1,200 bytes."""
CITE_PROMPT = """\
Answer the question from the numbered passages only, in {language}, in one short sentence. \
Cite the passages that you use by their numbers in brackets, as [1], after the sentence. \
If they do not answer the question, reply exactly NO ANSWER.

{passages}

Question: {question}"""
METRICS = ("answer_match", "refusal_rate", "over_refusal", "citation_precision",
           "citation_recall", "language_match", "p50_seconds")  # fmt: skip


class CitesByPrompt(QABot):
    """One prompt with the first passages; the model writes the markers, and nothing is checked."""

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        id: str = "1",
        **only: Unpack[Filter],
    ) -> Answer:
        """See `QABot.ask`; a conversation is left out."""
        del history
        self.load()
        begun = time.perf_counter()
        language = language_of(question, "en")
        hits = self.search(question, SHOWN, **only)
        passages = "\n\n".join(f"[{hit.rank}] {hit.passage.text}" for hit in hits)
        prompt = CITE_PROMPT.format(
            language=phrases(language).name, passages=passages, question=question
        )
        text, usage = drain(self.model.stream([Message("user", prompt)], max_tokens=128))
        places = [(hit.passage.source, hit.passage.start, hit.passage.text) for hit in hits]
        return _answer(id, question, "" if "NO ANSWER" in text else text, places, usage, begun)


class CitesByLlamaIndex(QABot):
    """LlamaIndex's engine over the same files, with its own splitter and prompts."""

    engine: Any = None

    def load(self) -> None:
        """See `QABot.load`."""
        if self._llm is None:
            self._llm = make_llm(self.settings, self._threads, self._fetching, self._notify)
        super().load()
        if self.engine is None:
            files = SimpleDirectoryReader(str(self.folders()[0]), recursive=True).load_data()
            index = VectorStoreIndex.from_documents(files, embed_model=self.embedder)
            self.engine = CitationQueryEngine.from_args(
                index, llm=self._llm, similarity_top_k=3, citation_chunk_size=512
            )

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        id: str = "1",
        **only: Unpack[Filter],
    ) -> Answer:
        """See `QABot.ask`; a conversation and filters are left out."""
        del history, only
        self.load()
        begun = time.perf_counter()
        reply = self.engine.query(question)
        root = self.folders()[0]
        places = []
        for node in reply.source_nodes:
            chunk = node.node.get_content().partition("\n")[2].rstrip("\n")
            source = Path(node.node.metadata["file_path"]).relative_to(root).as_posix()
            start = max(0, (self.read_text(source) or "").find(chunk))
            places.append((source, start, chunk))
        return _answer(id, question, str(reply), places, Usage(), begun)


def _answer(
    id: str,
    question: str,
    text: str,
    places: Sequence[tuple[str, int, str]],
    usage: Usage,
    begun: float,
) -> Answer:
    """What a rival said as an `Answer`; the markers it wrote cite whole passages."""
    language = language_of(question, "en")
    cited = sorted({int(n) for n in re.findall(r"\[(\d+)\]", text) if 0 < int(n) <= len(places)})
    citations = []
    for number in cited:
        source, start, passage = places[number - 1]
        quote = passage[:QUOTE]
        citations.append(
            Citation(number, source, source, start, start + len(quote), quote, language_of(quote))
        )
    sentences = [
        Sentence(text[span.start : span.end], tuple(cited), "supported")
        for span in sentence_spans(text)
    ]
    return Answer(
        id=id,
        question=question,
        status="answered" if text else "refused",
        language=language,
        answer=text or phrases(language).refusal,
        sentences=tuple(sentences),
        citations=tuple(citations),
        passages=(),
        retrieved=(),
        standalone_question=question,
        model="rival",
        seconds=time.perf_counter() - begun,
        first_token_seconds=None,
        usage=usage,
    )


def _gate(**changed: float) -> Callable[[], AbstractContextManager[object]]:
    gate = replace(steps.load_gate("normal"), **changed)
    return lambda: patch.object(steps, "load_gate", lambda strictness: gate)


def _without_check() -> AbstractContextManager[object]:
    stack = ExitStack()
    stack.enter_context(patch.object(Citer, "unstated", lambda self, text, quoted: []))
    stack.enter_context(patch.object(Citer, "repaired", lambda self, text: text))
    stack.enter_context(patch.object(Citer, "settled", lambda self, text: text))
    return stack


def _without_annotation() -> AbstractContextManager[object]:
    stack = ExitStack()
    for module in (ground, steps):
        stack.enter_context(patch.object(module, "annotate", lambda text, source, language: text))
    return stack


VARIANTS: dict[str, tuple[type[QABot], Any]] = {
    "as it is": (QABot, nullcontext),
    "without the gate": (QABot, _gate(least=-1.0)),
    "asked whether it stands": (QABot, _gate(stands=0.9)),
    "without the check of numbers, countries and names": (QABot, _without_check),
    "without annotated numbers": (QABot, _without_annotation),
    "cited by prompt": (CitesByPrompt, nullcontext),
    "CitationQueryEngine": (CitesByLlamaIndex, nullcontext),
}


def chosen(testset: Path, count: int) -> list[str]:
    """`count` lines of a test set, evenly over its types and languages; without follow-ups."""
    rows = [json.loads(line) for line in testset.read_text("utf-8").splitlines()]
    rows = [row for row in rows if not row.get("history")]
    rows.sort(key=lambda row: (row.get("type", ""), row.get("lang", ""), row["id"]))
    picked = [rows[number * len(rows) // count] for number in range(min(count, len(rows)))]
    return [json.dumps(row, ensure_ascii=False) for row in picked]


def wrong_numbers(folder: Path) -> int:
    """Answers with a sentence that has a number which none of its quotes states."""
    found = 0
    for line in (folder / "results.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        quotes = {each["marker"]: each["quote"] for each in row["citations"]}
        found += any(
            unsupported_numbers(
                re.sub(r"\[\d+\]", "", sentence["text"]),
                row["question"],
                [quotes[marker] for marker in sentence["citations"] if marker in quotes],
            )
            for sentence in row["sentences"]
        )
    return found


def main() -> None:
    """Run what is not finished, and print (and store) the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("testset", type=Path)
    parser.add_argument("documents", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--questions", type=int, default=24)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    part = options.out / "testset.jsonl"
    part.write_text("\n".join(chosen(options.testset, options.questions)) + "\n", "utf-8")
    settings = load_settings(
        {"documents": [options.documents], "store": options.out / "store", "llm": "embedded"}
    )
    heading = "| | " + " | ".join(METRICS) + " | answers with a number no quote states |"
    table = [heading, "|---" * (len(METRICS) + 2) + "|"]
    print(*table, sep="\n", flush=True)
    for name in options.only:
        bot_class, changed = VARIANTS[name]
        folder = options.out / name.replace(" ", "-")
        if not (folder / "run.json").exists():
            with changed():
                bot = bot_class(settings)
                evaluate(bot, part, folder, resume=folder.exists(),
                         progress=lambda done, total: print(f"{done}/{total}", end="\r",
                                                            file=sys.stderr))  # fmt: skip
                bot.close()
        metrics = json.loads((folder / "run.json").read_text())["metrics"]
        values = [metrics[metric]["value"] for metric in METRICS]
        cells = ["–" if value is None else f"{value:.2f}" for value in values]
        table.append(f"| {name} | {' | '.join(cells)} | {wrong_numbers(folder)} |")
        print(table[-1], flush=True)
    if options.write:
        head = (f"# What each part of answering is worth\n\nMade by `python benchmarks/ablation.py "
                f"{options.testset.name} …`, {options.questions} questions.\n\n")  # fmt: skip
        target = Path(__file__).parent / "results" / "ablation.md"
        target.write_text(head + "\n".join(table) + "\n", "utf-8")


if __name__ == "__main__":
    main()
