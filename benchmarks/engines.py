"""The engines against each other: loading, reading, judging and writing.

    python benchmarks/engines.py MODEL.gguf [--rounds N] [--write]

Each engine runs in a process of its own, in turns, `N` rounds (default 3), after one load that
may have to prepare the file. `openvino, as it comes` is OpenVINO's own form of the file, kept
beside it for the length of the run. Prints a table of medians, with least and greatest;
`--write` puts it into `results/engines.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from qa_bot.models import openvino_prepare
from qa_bot.models.engine import Engine, load_engine
from qa_bot.models.openvino_weights import LeftAsItIs
from qa_bot.types import Message

Result = TypeVar("Result")
ENGINES = ("openvino", "openvino, as it comes", "llama.cpp")
TEXT = "The conference was held in Wuzhen, Zhejiang, with 130 companies from 20 countries. " * 18
ASKED = "Does this text say how many companies came? Answer yes or no."
WRITTEN = 24
OPTIONS: Any = {"context_window": 4096, "threads": None}
ROWS = {
    "load": "load, s",
    "read": "reads, tokens/s",
    "judge": "says yes or no to a prompt that is read already, s",
    "write": "writes, ms/token",
    "memory": "peak memory, MB",
}


def main() -> None:
    """Measure, and print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("model", type=Path)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--write", action="store_true")
    options.add_argument("--one", choices=ENGINES, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.one:
        print(json.dumps(measured(given.one, given.model)))
        return
    plain = given.model.parent / "as it comes"
    plain.mkdir(exist_ok=True)
    try:
        os.link(given.model, plain / given.model.name)
        files = dict.fromkeys(ENGINES, given.model)
        files["openvino, as it comes"] = plain / given.model.name
        for name in ENGINES:
            in_own_process(name, files[name])
        rounds = [{name: in_own_process(name, files[name]) for name in ENGINES}
                  for _ in range(given.rounds)]  # fmt: skip
    finally:
        shutil.rmtree(plain)
    report = table(rounds)
    print(report)
    if given.write:
        made = f"Made by `python benchmarks/engines.py MODEL --write` with {given.model.name}."
        place = Path(__file__).parent / "results" / "engines.md"
        place.write_text(f"# The engines\n\n{made} {given.rounds} rounds.\n\n{report}\n")


def in_own_process(name: str, model: Path) -> dict[str, float]:
    """What one engine takes, from its start."""
    command = [sys.executable, __file__, str(model), "--one", name]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(ended.stdout.splitlines()[-1]))


def measured(name: str, model: Path) -> dict[str, float]:
    """Seconds, rates and memory of one engine in this process."""
    if name == "openvino, as it comes":
        openvino_prepare.in_eight_bits = left_as_it_is
    kind = "llama.cpp" if name == "llama.cpp" else "openvino"
    load, engine = timed(partial(load_engine, model, **OPTIONS, preference=kind))
    messages = [Message("user", f"{TEXT}\n{ASKED}")]
    read, (_, usage) = timed(lambda: engine.next_token(messages))
    again = [Message("user", f"{TEXT}\n{ASKED} Only one word.")]
    judge, _ = timed(lambda: engine.next_token(again))
    write, count = timed(lambda: written(engine))
    engine.close()
    return {
        "load": load,
        "read": usage.prompt_tokens / read,
        "judge": judge,
        "write": 1000 * write / count,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def left_as_it_is(folder: Path, gguf: Path) -> None:
    """In the place of what gives a prepared model other weights."""
    raise LeftAsItIs(f"{gguf.name} is measured as OpenVINO keeps it in {folder}")


def written(engine: Engine) -> int:
    """Tokens written on a short prompt."""
    prompt = [Message("user", "Count from one to a hundred, in words.")]
    return engine.count_tokens("".join(engine.generate(prompt, max_tokens=WRITTEN)))


def timed(work: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds, and what came of it."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def table(rounds: list[dict[str, dict[str, float]]]) -> str:
    """A line a measure, a column an engine."""
    lines = [f"| | {' | '.join(ENGINES)} |", "|---" * (len(ENGINES) + 1) + "|"]
    for key, label in ROWS.items():
        cells = (cell([one[name][key] for one in rounds]) for name in ENGINES)
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(values: Iterable[float]) -> str:
    """The median, with the least and the greatest."""
    found = sorted(values)
    middle, least, greatest = (
        f"{value:.3g}" if value < 1000 else f"{value:.0f}"
        for value in (median(found), found[0], found[-1])
    )
    return f"{middle} ({least}–{greatest})"


if __name__ == "__main__":
    main()
