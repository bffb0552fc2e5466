"""Runs `qa-bot` commands in this process with a scripted bot, in a folder of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from scripted_bot import ScriptedBot

from qa_bot import cli


@dataclass
class Commands:
    """Call it with a command's arguments; it keeps what was printed."""

    folder: Path
    capture: pytest.CaptureFixture[str]
    bot: ScriptedBot = field(default_factory=ScriptedBot)
    out: str = ""
    err: str = ""

    @classmethod
    def installed(
        cls, folder: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> Self:
        """Commands that are run in `folder`, by the scripted bot."""
        commands = cls(folder, capture)
        monkeypatch.chdir(folder)
        monkeypatch.setattr(cli, "_bot", lambda options, screen, own_store=False: commands.bot)
        return commands

    def __call__(self, *arguments: str) -> int:
        self.bot.asked.clear()
        code = cli.main(list(arguments))
        self.out, self.err = self.capture.readouterr()
        return code

    def read(self, name: str) -> list[dict[str, Any]]:
        """The rows of a .jsonl file in the folder."""
        lines = (self.folder / name).read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    def write(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Write a .jsonl file into the folder."""
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (self.folder / name).write_text(text, encoding="utf-8")
