"""The `qa-bot` command: calls and prints; imports what it calls only when it is needed."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Unpack

from qa_bot.errors import QABotError
from qa_bot.options import parser
from qa_bot.terminal import Screen, Told

if TYPE_CHECKING:
    from qa_bot.app import Progress, QABot
    from qa_bot.settings import Settings
    from qa_bot.types import Answer, Filter, IndexReport, Turn

_LEAVING = frozenset({"", "quit", "exit", "/quit", "/exit", "/bye"})
"""What ends a chat: what other programs' users type for it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a C locale must not make French or Chinese fail
            stream.reconfigure(encoding="utf-8", errors="replace")
    if threading.current_thread() is threading.main_thread():
        # `kill` ends us as Ctrl-C does: tidily, with helper processes stopped.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = parser().parse_args(arguments)
    screen = Screen()
    try:
        return COMMANDS[options.command](options, screen)
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

        answer = bot.ask(options.question, **_only(options))
        _print_json(screen, answer_record(answer))
    else:
        answer = _say(bot, screen, options.question, [], **_only(options))
    if options.trace:
        screen.trace(answer)
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

    told = Told(screen)
    for piece in bot.stream(question, history, **only):
        if isinstance(piece, Answer):
            told.end(piece.answer)
            screen.sources(piece)
            return piece
        told.add(piece)
    raise AssertionError("a stream always ends with its Answer")


def _chat(options: argparse.Namespace, screen: Screen) -> int:
    bot = _bot(options, screen)
    bot.load()
    screen.note("Ask in any language. An empty line or `quit` ends; Ctrl-C stops an answer.")
    history: list[Turn] = []
    while True:
        try:
            question = input("> " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return 0
        if question.casefold() in _LEAVING:
            return 0
        try:
            answer = _say(bot, screen, question, history, **_only(options))
        except KeyboardInterrupt:
            screen.note("\nStopped.")
            continue
        except QABotError as exc:  # the next question may well be answered
            screen.note(f"qa-bot: {exc}")
            continue
        history.append(answer.turn)
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
        mcp=options.mcp,
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


COMMANDS: dict[str, Callable[[argparse.Namespace, Screen], int]] = {
    "ask": _ask,
    "chat": _chat,
    "search": _search,
    "batch": _batch,
    "index": _index,
    "eval": _eval,
    "compare": _compare,
    "serve": _serve,
    "doctor": _doctor,
    "models": _models,
}
