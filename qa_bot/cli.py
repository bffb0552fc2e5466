"""The `qa-bot` command. Parses, calls, prints; imports the rest only when it is needed."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from qa_bot.errors import QABotError
from qa_bot.terminal import Screen

if TYPE_CHECKING:
    from qa_bot.app import Progress, QABot
    from qa_bot.settings import Settings
    from qa_bot.types import Answer, Filter, IndexReport, Turn

_PORT = 7860
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a C locale must not make French or Chinese fail
            stream.reconfigure(encoding="utf-8", errors="replace")
    if threading.current_thread() is threading.main_thread():
        # `kill` ends us as Ctrl-C does: tidily, with helper processes stopped.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _parser().parse_args(arguments)
    screen = Screen()
    try:
        run: Callable[[argparse.Namespace, Screen], int] = options.run
        return run(options, screen)
    except QABotError as exc:
        screen.note(f"qa-bot: {exc}")
        return exc.exit_code
    except KeyboardInterrupt:
        screen.note("Interrupted; all finished work is kept.")
        return 130
    except BrokenPipeError:
        # The reader of our output has left; keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _ask(options: argparse.Namespace, screen: Screen) -> int:
    bot = _bot(options, screen)
    if options.json:
        from qa_bot.records import answer_record

        _print_json(screen, answer_record(bot.ask(options.question, **_only(options))))
        return 0
    _say(bot, screen, options.question, [], **_only(options))
    return 0


def _only(options: argparse.Namespace) -> Filter:
    """What documents the options limit a search to; an empty text limits nothing."""
    return {
        "source": options.source,
        "language": options.lang,
        "since": options.since,
        "until": options.until,
    }


def _say(
    bot: QABot, screen: Screen, question: str, history: Sequence[Turn], **only: Unpack[Filter]
) -> Answer:
    """Stream one answer and its sources to the screen."""
    from qa_bot.types import Answer

    for piece in bot.stream(question, history, **only):
        if isinstance(piece, Answer):
            screen.line()
            screen.sources(piece)
            return piece
        screen.write(piece)
    raise AssertionError("a stream always ends with its Answer")


def _chat(options: argparse.Namespace, screen: Screen) -> int:
    bot = _bot(options, screen)
    bot.load()
    screen.note("Ask in any language. An empty line or Ctrl-D ends; Ctrl-C stops an answer.")
    history: list[Turn] = []
    while True:
        try:
            question = input("> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return 0
        if not question:
            return 0
        try:
            answer = _say(bot, screen, question, history, **_only(options))
        except KeyboardInterrupt:
            screen.note("\nStopped.")
            continue
        except QABotError as exc:  # the next question may well be answered
            screen.note(f"qa-bot: {exc}")
            continue
        history.append((question, answer.answer))
        screen.line()


def _batch(options: argparse.Namespace, screen: Screen) -> int:
    from qa_bot.batch import batch

    try:
        progress = batch(
            _bot(options, screen),
            options.questions,
            options.answers,
            out=screen.out,
            resume=options.resume,
            force=options.force,
            retry_errors=options.retry_errors,
            limit=options.limit,
            jobs=options.jobs,
            watch=lambda progress: screen.status(progress.line()),
        )
    except KeyboardInterrupt:
        screen.note("Interrupted; what is finished is kept. Go on with the same command "
                    "and --resume.")  # fmt: skip
        return 130
    screen.note(progress.summary())
    if progress.failed:
        screen.note("Each failed row says why; --retry-errors asks again what failed.")
    return 3 if progress.failed else 0


def _search(options: argparse.Namespace, screen: Screen) -> int:
    hits = _bot(options, screen).search(options.query, options.k, **_only(options))
    if options.json:
        from qa_bot.records import search_record
        from qa_bot.text import language_of

        _print_json(screen, search_record(options.query, language_of(options.query, "en"), hits))
    else:
        screen.hits(hits)
    return 0


def _index(options: argparse.Namespace, screen: Screen) -> int:
    bot = _bot(options, screen)
    if options.watch:  # until Ctrl-C
        for report in bot.watch(options.paths, rebuild=options.rebuild):
            _show_report(report, screen, as_json=options.json)
    report = bot.index(options.paths, rebuild=options.rebuild)
    _show_report(report, screen, as_json=options.json)
    return 3 if report.incomplete else 0


def _show_report(report: IndexReport, screen: Screen, *, as_json: bool) -> None:
    if as_json:
        from qa_bot.records import index_record

        _print_json(screen, index_record(report))
    else:
        screen.report(report)


def _eval(options: argparse.Namespace, screen: Screen) -> int:
    from qa_bot.evals.run import Part, check_thresholds, evaluate, thresholds
    from qa_bot.evals.screen import terminal_summary

    wanted = thresholds(options.fail_under)
    run = evaluate(
        _bot(options, screen, own_store=True),
        options.testset,
        options.output,
        part=Part(options.split, options.limit),
        resume=options.resume,
        retrieval_only=options.retrieval_only,
        answers=options.answers,
        progress=lambda done, total: screen.progress("questions", done, total),
        notify=screen.note,
    )
    if options.json:
        _print_json(screen, run)
    else:
        screen.line(terminal_summary(run, screen.width, options.output / "report.html"))
    check_thresholds(run, wanted)
    return 3 if run["counts"]["error"] else 0


def _compare(options: argparse.Namespace, screen: Screen) -> int:
    from qa_bot.evals.compare import compare, comparison_record, render

    comparison = compare(options.run_a, options.run_b)
    if options.json:
        _print_json(screen, comparison_record(comparison))
    else:
        screen.line(render(comparison, screen.width))
    return 0


def _serve(options: argparse.Namespace, screen: Screen) -> int:
    from qa_bot.ui.serve import serve

    settings = _settings(options)

    def open_bot(progress: Progress) -> QABot:
        from qa_bot.app import QABot

        return QABot(settings, progress=progress, notify=screen.note)

    serve(
        open_bot,
        settings.store,
        host=options.host,
        port=options.port,
        auth=options.auth,
        notify=screen.note,
    )
    return 0


def _doctor(options: argparse.Namespace, screen: Screen) -> int:
    from qa_bot.doctor.report import doctor

    return doctor(
        lambda: _settings(options), options.config, options.port, screen, as_json=options.json
    )


def _models(options: argparse.Namespace, screen: Screen) -> int:
    from qa_bot import manage

    settings = _settings(options)
    if options.action == "pull":
        return manage.pull(options.name, settings.models, screen)
    if options.action == "remove":
        return manage.remove(options.name, settings.models, screen)
    return manage.listing(settings, screen, as_json=options.json)


def _bot(options: argparse.Namespace, screen: Screen, *, own_store: bool = False) -> QABot:
    """The bot of the options; with `own_store`, --documents leave the usual index alone."""
    from qa_bot.app import QABot
    from qa_bot.settings import with_own_store

    settings = _settings(options)
    if own_store and options.documents and not options.store:
        settings = with_own_store(settings)
    return QABot(settings, progress=screen.progress, notify=screen.note)


def _settings(options: argparse.Namespace) -> Settings:
    from qa_bot.settings import Settings, load_settings

    given = vars(options)
    overrides = {each.name: given.get(each.name) for each in fields(Settings)}
    return load_settings(overrides, options.config)


def _print_json(screen: Screen, record: Any) -> None:
    screen.out.write(json.dumps(record, ensure_ascii=False) + "\n")
    screen.out.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qa-bot",
        description="Ask questions of your own documents, on your own machine, "
        "and get answers whose every citation is checked.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    ask = _command(commands, "ask", _ask, "answer one question, then show its sources")
    ask.add_argument("question", help="the question, in any language")
    ask.add_argument("--json", action="store_true", help="print one answer record")

    chat = _command(commands, "chat", _chat, "the same as a conversation")

    search = _command(commands, "search", _search, "show the passages for a query; no LLM")
    search.add_argument("query")
    search.add_argument("-k", type=int, default=5, help="how many passages (default 5)")
    search.add_argument("--json", action="store_true", help="print the result as JSON")

    batch = _command(commands, "batch", _batch, "answer a file of questions into a file")
    batch.add_argument("questions", type=_file, metavar="QUESTIONS",
                       help=".jsonl, .csv or .txt (a question a line), or - for stdin")  # fmt: skip
    batch.add_argument("-o", dest="answers", type=_file, metavar="ANSWERS", required=True,
                       help=".jsonl, .csv, .md or .html, or - for JSON lines")  # fmt: skip
    batch.add_argument("--resume", action="store_true", help="go on after an interruption")
    batch.add_argument("--retry-errors", action="store_true", help="resume, and ask again "
                       "what failed")  # fmt: skip
    batch.add_argument("--force", action="store_true", help="resume although the questions or "
                       "the configuration differ")  # fmt: skip
    batch.add_argument("--limit", type=int, metavar="N", help="take the first N rows only")
    batch.add_argument("--jobs", type=int, default=1, metavar="N",
                       help="questions to ask a server at once (default 1)")  # fmt: skip

    for command in (ask, chat, search):
        command.add_argument(
            "--source", default="", metavar="FILE", help="search this document only"
        )
        command.add_argument(
            "--lang", default="", metavar="CODE", help="only documents in this language"
        )
        command.add_argument("--since", default="", metavar="DATE",
                             help="only from this date on (2023 or 2023-11-08)")  # fmt: skip
        command.add_argument("--until", default="", metavar="DATE", help="only up to this date")

    index = _command(commands, "index", _index, "bring the index up to date with folders")
    index.add_argument("paths", nargs="*", metavar="PATH", help="folders; default: the same as "
                       "last time, or the seeds. The index then holds exactly them")  # fmt: skip
    index.add_argument("--rebuild", action="store_true", help="start the index afresh")
    index.add_argument("--watch", action="store_true", help="then go on, and index what comes, "
                       "changes or goes, until Ctrl-C")  # fmt: skip
    index.add_argument("--json", action="store_true", help="print every file's status as JSON")

    evaluation = _command(commands, "eval", _eval, "answer a test set and score it into a folder")
    evaluation.add_argument("testset", type=Path, metavar="TESTSET", help=".jsonl or .csv")
    evaluation.add_argument("-o", "--output", type=Path, required=True, metavar="RUN",
                            help="the run's folder, with report.html")  # fmt: skip
    evaluation.add_argument("--retrieval-only", action="store_true", help="search, without an LLM")
    evaluation.add_argument("--limit", type=_positive, metavar="N", help="the first N questions")
    evaluation.add_argument("--split", metavar="NAME", help="the questions of this split")
    evaluation.add_argument("--resume", action="store_true", help="go on with a run cut short")
    evaluation.add_argument("--answers", type=Path, metavar="FILE",
                            help="score these answer records (.jsonl) and ask nothing")  # fmt: skip
    evaluation.add_argument("--fail-under", action="append", default=[], metavar="METRIC=VALUE",
                            help="exit code 4 where it is missed; may be repeated. Where less "
                            "is better, VALUE is the most it may be")  # fmt: skip
    evaluation.add_argument("--json", action="store_true", help="print run.json")

    comparison = _command(commands, "compare", _compare, "what changed between two runs")
    comparison.add_argument("run_a", type=Path, metavar="RUN_A")
    comparison.add_argument("run_b", type=Path, metavar="RUN_B")
    comparison.add_argument("--json", action="store_true", help="print the differences as JSON")

    serve = _command(commands, "serve", _serve, "the web interface, on this machine only")
    serve.add_argument("--host", default="127.0.0.1", metavar="ADDRESS",
                       help="where to listen (default 127.0.0.1: this machine only)")  # fmt: skip
    serve.add_argument("--port", type=int, default=_PORT, metavar="N", help=f"(default {_PORT})")
    serve.add_argument("--auth", type=Path, metavar="FILE",
                       help="who may come in: a line user:password each")  # fmt: skip

    doctor = _command(commands, "doctor", _doctor, "check everything that can be wrong; each "
                      "line has its cure. The exit code is that of the first failure")  # fmt: skip
    doctor.add_argument("--port", type=int, default=_PORT, metavar="N",
                        help=f"what `qa-bot serve` would take (default {_PORT})")  # fmt: skip
    doctor.add_argument("--json", action="store_true", help="print the checks as JSON")

    models = _command(commands, "models", _models, "which models there are; pull, remove")
    models.add_argument("--json", action="store_true", help="print the list as JSON")
    models.set_defaults(action=None)
    actions = models.add_subparsers(metavar="ACTION")
    for action, text in (("pull", "fetch a model"), ("remove", "delete a fetched model")):
        sub = actions.add_parser(action, help=text, description=text)
        sub.add_argument("name", nargs="?" if action == "pull" else None)
        sub.set_defaults(action=action)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; give 1 or more")
    return number


def _file(name: str) -> Path | str:
    return name if name == "-" else Path(name)


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[argparse.Namespace, Screen], int],
    text: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (qa_bot.toml)")
    if name in ("models", "compare"):
        return parser
    parser.add_argument("--store", metavar="DIR",
                        help="the index's folder, or a Chroma server's URL")  # fmt: skip
    if name != "index":
        parser.add_argument("--llm", metavar="NAME", help="auto (default), embedded, a model of "
                            "`qa-bot models`, a .gguf file, or ollama/NAME")  # fmt: skip
        parser.add_argument("--engine", choices=("auto", "openvino", "llama.cpp"),
                            help="what runs an embedded model")  # fmt: skip
        parser.add_argument(
            "--strictness",
            choices=("low", "normal", "high"),
            help="how sure it must be to answer at all (default normal)",
        )
    parser.add_argument("--documents", action="append", metavar="DIR",
                        help="a folder to answer from (may be repeated)")  # fmt: skip
    parser.add_argument("--embed", metavar="NAME", help="auto (default), e5+use, use, ollama/NAME")
    parser.add_argument("--threads", type=int, metavar="N", help="cores to use (default: all)")
    return parser
