"""The tasks of docs/cookbook.md with their code blocks, and how to run them."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.harness import assert_polite, environment

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]

_HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A block of code: language, text, and the name of the file that it shows, if any."""

    language: str
    name: str
    text: str


@dataclass(frozen=True)
class Task:
    """A heading of the cookbook and the blocks below it."""

    title: str
    blocks: Sequence[Block]


def tasks() -> list[Task]:
    """Return all headings that have blocks below them, in order."""
    _, *parts = _HEADING.split((ROOT / "docs/cookbook.md").read_text())
    return [
        Task(title, blocks)
        for title, text in zip(parts[::2], parts[1::2], strict=True)
        if (blocks := blocks_in(text))
    ]


def opening() -> list[Block]:
    """Return the blocks before the first heading."""
    return blocks_in(_HEADING.split((ROOT / "docs/cookbook.md").read_text())[0])


def blocks_in(text: str) -> list[Block]:
    """Return the fenced blocks of a Markdown text."""
    return [
        Block(language, name, code)
        for info, code in _BLOCK.findall(text)
        for language, _, name in [info.partition(" ")]
    ]


def run_task(task: Task, folder: Path, base_url: str, programs: Path) -> None:
    """Run the blocks of a task in a folder, one after the other; each has to succeed.

    Args:
        task: what to run.
        folder: with its lists.
        base_url: of the server that is asked.
        programs: a folder with `harvester` and `python`, as users have them on their PATH.
    """
    env = environment(HARVESTER_BASE_URL=base_url, XDG_CACHE_HOME=str(folder / "cache"))
    env["PATH"] = f"{programs}{os.pathsep}{env['PATH']}"
    for block in [*opening(), *task.blocks]:
        run_block(block, folder, env)


def run_block(block: Block, folder: Path, env: dict[str, str]) -> str:
    """Run a block, or write the file that it shows; return its standard output."""
    match block.language:
        case "sh":
            words = ["sh", "-ec", block.text]
        case "python":
            words = ["python", "-c", block.text]
        case "text":
            return ""
        case "toml":
            path = folder / block.name
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text)
            return ""
        case other:
            raise AssertionError(f"a block of {other!r} cannot be run:\n{block.text}")
    done = subprocess.run(
        words, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
    assert_polite(done.stderr)
    (folder / "said").write_text(done.stdout)
    return done.stdout
