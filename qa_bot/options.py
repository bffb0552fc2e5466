"""What the `qa-bot` command takes: one function a command, each option with its help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

PORT = 7860
_EXIT_CODES = """\
exit codes:
  0  success (a refusal is a success)
  1  failed
  2  wrong usage
  3  some rows or files failed, the rest is done
  4  a threshold of --fail-under was missed
  5  a needed service or model is not there
  6  the index is locked or must be rebuilt
  130  interrupted, with all finished work kept

Every option can also be set in qa_bot.toml or as QA_BOT_… in the environment;
the command line wins over the environment, and that over the file."""

Arguments = argparse.ArgumentParser


def parser() -> Arguments:
    """The parser of the whole command line; its result names the command in `command`."""
    whole = argparse.ArgumentParser(
        prog="qa-bot",
        description="Ask questions of your own documents, on your own machine, "
        "and get answers whose every citation is checked.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = whole.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, (add, text) in COMMANDS.items():
        command: Arguments = commands.add_parser(name, help=text, description=text)
        command.set_defaults(command=name)
        command.add_argument("--config", type=Path, metavar="FILE", help="settings (qa_bot.toml)")
        add(command)
    return whole


def _ask(command: Arguments) -> None:
    command.add_argument("question", help="the question, in any language")
    command.add_argument("--json", action="store_true", help="print one answer record")
    command.add_argument("--trace", action="store_true", help="show how the answer came about, "
                         "step by step")  # fmt: skip
    _filters(command)
    _model(command)
    _index_place(command)


def _chat(command: Arguments) -> None:
    _filters(command)
    _model(command)
    _index_place(command)


def _search(command: Arguments) -> None:
    command.add_argument("query")
    command.add_argument("-k", type=int, default=5, help="how many passages (default 5)")
    command.add_argument("--json", action="store_true", help="print the result as JSON")
    _filters(command)
    _model(command)
    _index_place(command)


def _batch(command: Arguments) -> None:
    command.add_argument("questions", type=_file, metavar="QUESTIONS",
                         help=".jsonl, .csv, .txt (a question a line), or - for stdin")  # fmt: skip
    command.add_argument("-o", dest="answers", type=_file, metavar="ANSWERS", required=True,
                         help=".jsonl, .csv, .md or .html, or - for JSON lines")  # fmt: skip
    command.add_argument("--resume", action="store_true", help="go on after an interruption")
    command.add_argument("--retry-errors", action="store_true", help="resume, and ask again "
                         "what failed")  # fmt: skip
    command.add_argument("--force", action="store_true", help="resume although the questions or "
                         "the configuration differ")  # fmt: skip
    command.add_argument("--limit", type=int, metavar="N", help="take the first N rows only")
    command.add_argument("--jobs", type=int, default=1, metavar="N",
                         help="questions to ask a server at once (default 1)")  # fmt: skip
    _model(command)
    _index_place(command)


def _index(command: Arguments) -> None:
    command.add_argument("paths", nargs="*", metavar="PATH", help="folders; default: the same as "
                         "last time, or the seeds. The index then holds exactly them")  # fmt: skip
    command.add_argument("--rebuild", action="store_true", help="start the index afresh")
    command.add_argument("--watch", action="store_true", help="then go on, and index what comes, "
                         "changes or goes, until Ctrl-C")  # fmt: skip
    command.add_argument("--json", action="store_true", help="print every file's status as JSON")
    _index_place(command)


def _eval(command: Arguments) -> None:
    command.add_argument("testset", type=Path, metavar="TESTSET", help=".jsonl or .csv")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="RUN",
                         help="the run's folder, with report.html")  # fmt: skip
    command.add_argument("--retrieval-only", action="store_true", help="search, without an LLM")
    command.add_argument("--limit", type=_positive, metavar="N", help="the first N questions")
    command.add_argument("--split", metavar="NAME", help="the questions of this split")
    command.add_argument("--resume", action="store_true", help="go on with a run cut short")
    command.add_argument("--answers", type=Path, metavar="FILE",
                         help="score these answer records (.jsonl) and ask nothing")  # fmt: skip
    command.add_argument("--fail-under", action="append", default=[], metavar="METRIC=VALUE",
                         help="exit code 4 where it is missed; may be repeated. Where less "
                         "is better, VALUE is the most it may be")  # fmt: skip
    command.add_argument("--json", action="store_true", help="print run.json")
    _model(command)
    _index_place(command)


def _compare(command: Arguments) -> None:
    command.add_argument("run_a", type=Path, metavar="RUN_A")
    command.add_argument("run_b", type=Path, metavar="RUN_B")
    command.add_argument("--json", action="store_true", help="print the differences as JSON")


def _serve(command: Arguments) -> None:
    command.add_argument("--host", default="127.0.0.1", metavar="ADDRESS",
                         help="where to listen (default 127.0.0.1: this machine only)")  # fmt: skip
    command.add_argument("--port", type=int, default=PORT, metavar="N", help=f"(default {PORT})")
    command.add_argument("--auth", type=Path, metavar="FILE",
                         help="who may come in: a line user:password each")  # fmt: skip
    command.add_argument("--mcp", action="store_true", help="also serve the tools ask, search and "
                         "documents to MCP clients, at /mcp")  # fmt: skip
    _model(command)
    _index_place(command)


def _doctor(command: Arguments) -> None:
    command.add_argument("--port", type=int, default=PORT, metavar="N",
                         help=f"what `qa-bot serve` would take (default {PORT})")  # fmt: skip
    command.add_argument("--json", action="store_true", help="print the checks as JSON")
    _model(command)
    _index_place(command)


def _models(command: Arguments) -> None:
    command.add_argument("--json", action="store_true", help="print the list as JSON")
    command.set_defaults(action=None)
    actions = command.add_subparsers(metavar="ACTION")
    for action, text in (("pull", "fetch a model"), ("remove", "delete a fetched model")):
        sub = actions.add_parser(action, help=text, description=text)
        sub.add_argument("name", nargs="?" if action == "pull" else None)
        sub.set_defaults(action=action)


def _filters(command: Arguments) -> None:
    """Which documents may answer."""
    command.add_argument("--source", default="", metavar="FILE", help="search this document only")
    command.add_argument("--lang", default="", metavar="CODE",
                         help="only documents in this language")  # fmt: skip
    command.add_argument("--since", default="", metavar="DATE",
                         help="only from this date on (2023 or 2023-11-08)")  # fmt: skip
    command.add_argument("--until", default="", metavar="DATE", help="only up to this date")


def _model(command: Arguments) -> None:
    """What answers."""
    command.add_argument("--llm", metavar="NAME", help="auto (default), embedded, a model of "
                         "`qa-bot models`, a .gguf file, or ollama/NAME")  # fmt: skip
    command.add_argument("--engine", choices=("auto", "openvino", "llama.cpp"),
                         help="what runs an embedded model")  # fmt: skip
    command.add_argument("--strictness", choices=("low", "normal", "high"),
                         help="how sure it must be to answer at all (default normal)")  # fmt: skip
    command.add_argument("--answer-language", metavar="CODE", help="answer in this language (fr, "
                         "zh-Hant …), whatever the question's")  # fmt: skip


def _index_place(command: Arguments) -> None:
    """What is searched."""
    command.add_argument("--store", metavar="DIR",
                         help="the index's folder, or a Chroma server's URL")  # fmt: skip
    command.add_argument("--documents", action="append", metavar="DIR",
                         help="a folder to answer from (may be repeated)")  # fmt: skip
    command.add_argument("--embed", metavar="NAME",
                         help="auto (default), e5+use, use, ollama/NAME")  # fmt: skip
    command.add_argument("--threads", type=int, metavar="N", help="cores to use (default: all)")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; give 1 or more")
    return number


def _file(name: str) -> Path | str:
    return name if name == "-" else Path(name)


COMMANDS: dict[str, tuple[Callable[[Arguments], None], str]] = {
    "ask": (_ask, "answer one question, then show its sources"),
    "chat": (_chat, "the same as a conversation"),
    "search": (_search, "show the passages for a query; no LLM"),
    "batch": (_batch, "answer a file of questions into a file"),
    "index": (_index, "bring the index up to date with folders"),
    "eval": (_eval, "answer a test set and score it into a folder"),
    "compare": (_compare, "what changed between two runs"),
    "serve": (_serve, "the web interface, on this machine only"),
    "doctor": (_doctor, "check everything that can be wrong; each line has its cure. "
               "The exit code is that of the first failure"),
    "models": (_models, "which models there are; pull, remove"),
}  # fmt: skip
"""What adds a command's own options, and what the command does."""
