"""Questions a minute of `qa-bot batch`, against a shell loop of `qa-bot ask`.

    python benchmarks/batch.py QUESTIONS.jsonl [options of qa-bot ask …]

Asks every question of the file in a loop of `qa-bot ask --json`, and as a batch with one
job and, of a server (`--llm ollama/NAME`), with two. The index must be there, so that none
of them builds it. Prints a JSON object: questions a minute of each, and how many answers
differ from those of one job.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from qa_bot.questions import read_questions

COMMAND = [sys.executable, "-m", "qa_bot"]


def main() -> None:
    """Measure, and print."""
    questions, options = Path(sys.argv[1]), sys.argv[2:]
    rows = read_questions(questions)
    loop, seconds = [], {}
    started = time.perf_counter()
    for row in rows:
        command = [*COMMAND, "ask", "--json", row.question, *options]
        loop.append(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    seconds["loop"] = time.perf_counter() - started
    answers = {"loop": [record["answer"] for record in loop]}
    for jobs in ("1", "2") if any("ollama/" in option for option in options) else ("1",):
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder) / "answers.jsonl"
            started = time.perf_counter()
            subprocess.run(
                [*COMMAND, "batch", questions, "-o", output, "--jobs", jobs, *options], check=True
            )
            seconds[f"jobs {jobs}"] = time.perf_counter() - started
            lines = output.read_text(encoding="utf-8").split("\n")
            answers[f"jobs {jobs}"] = [json.loads(line)["answer"] for line in lines if line]
    result = {
        "questions a minute": {
            name: round(60 * len(rows) / spent, 2) for name, spent in seconds.items()
        },
        "answers other than with one job": {
            name: sum(a != b for a, b in zip(found, answers["jobs 1"], strict=True))
            for name, found in answers.items()
        },
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
