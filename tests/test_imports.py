"""The order of the blocks: a module imports only from its own block or those above it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "qa_bot"
BLOCKS = [
    {"types", "errors"},
    {
        "settings",
        "text",
        "hanzi",
        "numbers",
        "written_numbers",
        "number_words",
        "months",
        "units",
        "places",
        "prompts",
        "records",
        "streaming",
        "exports",
    },
    {"models"},
    {"index"},
    {"answering"},
    {"app"},
    {"questions", "journal", "runner"},
    {"batch", "evals", "ui"},
    {"terminal", "manage", "doctor", "options", "cli", "__main__", "__init__"},
]
LEVEL = {name: level for level, block in enumerate(BLOCKS) for name in block}
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The top-level parts of qa_bot that a module imports, wherever it does so."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "qa_bot":
                found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_from_blocks_above_its_own(module: Path) -> None:
    own = module.parts[0].removesuffix(".py")
    assert own in LEVEL, f"{module} stands in no block: add it to the order in this test"
    if own == "__init__":
        return  # the package's door opens on everything, lazily
    too_low = {name for name in imported(PACKAGE / module) if LEVEL[name] > LEVEL[own]}
    assert not too_low, f"{module} imports from below its block: {too_low}"


def test_help_imports_nothing_heavy() -> None:
    """`qa-bot --help` starts fast because nothing that answers is imported for it."""
    code = (
        "import sys, contextlib, io\n"
        "from qa_bot.cli import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    main(['--help'])\n"
        "heavy = {'numpy', 'chromadb', 'llama_index', 'gradio', 'openvino', 'ollama', 'httpx'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
