"""One function runs asynchronous work, so that every command has the same event loop."""

from __future__ import annotations

import ast
import asyncio
import sys
from pathlib import Path

import pytest

import harvester
from harvester import Job
from harvester.api.harvest import run_records
from harvester.api.loop import run_async

ROOT = Path(harvester.__file__).parent


async def _loop() -> str:
    return type(asyncio.get_running_loop()).__module__


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not exist there")
def test_the_loop_is_uvloops() -> None:
    assert run_async(_loop()).startswith("uvloop")


def test_errors_pass_through() -> None:
    async def fail() -> None:
        raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        run_async(fail())


async def test_a_running_loop_is_named_with_the_remedy() -> None:
    """As in a notebook. A coroutine that is never awaited would also warn, which fails here."""
    job = Job(link={"dbfrom": "pubmed"}, output={"path": "out"})
    with pytest.raises(RuntimeError, match=r"as in a notebook: use await harvest\(job\)\.$"):
        harvester.run(job)
    with pytest.raises(RuntimeError, match=r"use await records\(job\)\.$"):
        run_records(job)


def test_nothing_else_makes_a_loop() -> None:
    """Except the emulator, which is a program of its own, and simulated time."""
    makers = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in (
                "asyncio.run", "asyncio.Runner", "asyncio.new_event_loop", "uvloop.run",
            ):  # fmt: skip
                makers.add(path.relative_to(ROOT).as_posix())
    apart = ("emulator/", "testing/")
    assert {name for name in makers if not name.startswith(apart)} == {"api/loop.py"}
