"""The public types, checked by mypy and pyright."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.snippets import blocks_of

from harvester import Contact, Job, Limits, Link, Output, Server, Source
from harvester.job import keys

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
USES = ROOT / "tests/typing/intended_uses.py"

WRONG = """
from harvester import Eutils, Job, Link, Source
import harvester

Link(dbfrom="pubmed", cmd="nieghbor")
Link(dbfrom="pubmed", linkname=7)
Link(db="pmc")
Source(idz="pmids.txt")
Job(link={"dbfrom": "pubmed"})

async def wrong(e: Eutils, job: Job) -> None:
    await e.elink("pubmed", 1, cmd="nieghbor")
    harvester.run(job, id=[1])

with Eutils.sync() as eutils:
    eutils.elink("pubmed", 1, cmd="nieghbor")
"""
"""Each line that calls something has a mistake that a type checker finds."""

WRONG_LINES = {
    ("wrong.py", number)
    for number, line in enumerate(WRONG.splitlines(), 1)
    if "(" in line and not line.startswith(("async", "with"))
}


def mypy(*paths: Path) -> list[tuple[str, int, str]]:
    """Return file, line and text of the errors of `mypy --strict`."""
    done = _run(["mypy", "--strict", "--no-error-summary", "-O", "json", *map(str, paths)])
    errors = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [
        (Path(one["file"]).name, one["line"], one["message"])
        for one in errors
        if one["severity"] == "error"
    ]


def pyright(*paths: Path) -> list[tuple[str, int, str]]:
    """Return file, line and text of the errors of pyright."""
    words = ["pyright", "--outputjson", "--pythonpath", sys.executable, *map(str, paths)]
    try:
        said: dict[str, Any] = json.loads(_run(words).stdout)
    except ValueError:
        pytest.skip("pyright cannot run: it needs node, or the network to get it")
    return [
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1, one["message"])
        for one in said["generalDiagnostics"]
        if one["severity"] == "error"
    ]


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-m", *words]
    return subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def documents(folder: Path) -> list[Path]:
    """Write the Python blocks of README.md and docs/library.md, each page as one coroutine."""
    found = []
    for page in (ROOT / "README.md", ROOT / "docs/library.md"):
        code = textwrap.indent("\n\n".join(blocks_of(page)), "    ")
        path = folder / f"{page.stem.lower()}_page.py"
        path.write_text(f"async def page() -> None:\n{code}\n")
        found.append(path)
    return found


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    (tmp_path / "wrong.py").write_text(WRONG)
    return tmp_path / "wrong.py"


def test_mypy_accepts_intended_uses_and_documents_and_finds_mistakes(wrong: Path) -> None:
    errors = mypy(USES, wrong, *documents(wrong.parent))
    assert {(file, line) for file, line, _ in errors} == WRONG_LINES, errors


def test_pyright_accepts_intended_uses_and_documents_and_finds_mistakes(wrong: Path) -> None:
    errors = pyright(USES, wrong, *documents(wrong.parent))
    assert {(file, line) for file, line, _ in errors} == WRONG_LINES, errors


@pytest.mark.parametrize(
    ("group", "typed"),
    [
        (Link, keys.LinkKeys),
        (Source, keys.SourceKeys),
        (Output, keys.OutputKeys),
        (Limits, keys.LimitsKeys),
        (Contact, keys.ContactKeys),
        (Server, keys.ServerKeys),
    ],
)
def test_each_key_of_a_job_is_typed(group: type[BaseModel], typed: Any) -> None:
    assert typed.__annotations__.keys() == group.model_fields.keys()


def test_the_groups_of_a_job_are_typed() -> None:
    assert set(Job.model_fields) == {
        "link", "hop", "source", "output", "limits", "contact", "server", "run",
    }  # fmt: skip
