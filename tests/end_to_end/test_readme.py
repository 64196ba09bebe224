"""The commands of README.md and of the reference pages work as printed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pytest
from support.cookbook import ROOT, Block, blocks_in, run_block
from support.harness import assert_exact, environment, expected_links, rows, write_uids

from harvester.emulator import Emulator, EmulatorConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import Servers

PMIDS = [12345678, 23456789, 34567890]
EMULATOR = "http://127.0.0.1:8080/entrez/eutils/"
START = "harvester emulate"

RUN_ELSEWHERE = {"cookbook.md", "export.md", "library.md", "planning.md", "report.md"}
"""Pages with a test module of their own."""

INSTALLATION = ("make demo", "make unit", "python3 -m venv", "unset HARVESTER_BASE_URL")
"""Blocks of `console` need the network or minutes; each begins like one of these."""


def blocks(name: str, *languages: str) -> list[Block]:
    """Return the blocks of a page in some languages."""
    found = blocks_in((ROOT / name).read_text(encoding="utf-8"))
    return [block for block in found if block.language in languages]


@pytest.fixture
def server(servers: Servers) -> Emulator:
    """An emulator whose graph links all of PMIDS to genes."""
    return servers.start(seed=4)


@pytest.fixture
def env(server: Emulator, servers: Servers, tmp_path: Path) -> dict[str, str]:
    """An environment with `harvester` and `python` on the PATH and `server` in place of NCBI."""
    env = environment(HARVESTER_BASE_URL=server.base_url, XDG_CACHE_HOME=str(tmp_path / "cache"))
    return env | {"PATH": f"{servers.shell.programs()}{os.pathsep}{env['PATH']}"}


@pytest.fixture(params=["README.md"])
def rehearsal(env: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Run a page's server at a free port; return its base URL."""
    (command,) = (b.text for b in blocks(request.param, "sh") if b.text.startswith(START))
    _, *options = command.replace("8080", "0").split()
    words = [sys.executable, "-m", "harvester", *options]  # a process that can be ended
    with subprocess.Popen(
        words, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def test_readme(server: Emulator, env: dict[str, str], rehearsal: str, tmp_path: Path) -> None:
    said = ""
    email = {"NCBI_EMAIL": "you@example.org"}  # a block exports it, for those after it
    for block in blocks("README.md", "sh"):
        if not block.text.startswith(START):
            text = block.text.replace(EMULATOR, rehearsal)
            said += run_block(Block("sh", "", text), tmp_path, env | email)
    truth = expected_links(server.graph, "pubmed", PMIDS, ["gene"], ["pubmed_gene"])
    assert_exact(tmp_path / "genes", "pubmed", PMIDS, truth)
    assert_exact(tmp_path / "genes-jsonl", "pubmed", PMIDS, truth)
    assert all(str(row) in said for row in truth.to_pylist())
    lines = [json.loads(line) for line in said.splitlines() if line.startswith('{"')]
    assert len(lines) == min(3, truth.num_rows)
    assert rows(tmp_path / "rehearsal", "uids").num_rows == len(PMIDS)

    (python,) = blocks("README.md", "python")
    said = run_block(python, tmp_path, env)
    all_links = expected_links(server.graph, "pubmed", PMIDS, ["gene"])
    assert said.startswith(f"{all_links.num_rows} ")
    assert "{12345678: [" in said

    (reading,) = blocks("docs/folder.md", "python")
    assert run_block(reading, tmp_path, env).startswith(f"{truth.num_rows} links")


@pytest.mark.parametrize("rehearsal", ["docs/tutorial.md"], indirect=True)
def test_tutorial(env: dict[str, str], rehearsal: str, tmp_path: Path) -> None:
    """All blocks run in one shell, as in a reader's terminal."""
    text = "".join(b.text for b in blocks("docs/tutorial.md", "sh") if not b.text.startswith(START))
    del env["HARVESTER_BASE_URL"]
    said = run_block(Block("sh", "", text.replace(EMULATOR, rehearsal)), tmp_path, env)
    asked = [int(line) for line in (tmp_path / "pmids.txt").read_text().split()]
    assert len(asked) == 6
    truth = expected_links(
        Emulator(EmulatorConfig()).graph, "pubmed", asked, ["gene"], ["pubmed_gene"]
    )
    assert_exact(tmp_path / "practice", "pubmed", asked, truth)
    first = truth.filter(pc.field("from_uid") != asked[-1]).to_pylist()
    assert first
    assert {f"{row['from_uid']} -> {row['to_uid']}" for row in first} <= set(said.splitlines())


def test_options(server: Emulator, env: dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    write_uids(tmp_path / "pmids.txt", PMIDS)
    for block in blocks("docs/options.md", "sh"):
        run_block(block, tmp_path, env | {"NCBI_EMAIL": "you@example.org"})
    truth = expected_links(server.graph, "pubmed", PMIDS, ["pmc"], ["pubmed_pmc"])
    assert_exact(tmp_path / "pubmed-pmc", "pubmed", PMIDS, truth)


def test_every_block_is_run() -> None:
    run = {"README.md": 6, "docs/options.md": 1, "docs/folder.md": 1, "docs/tutorial.md": 9}
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        name = str(page.relative_to(ROOT))
        if page.name not in RUN_ELSEWHERE:
            assert len(blocks(name, "sh", "python", "toml")) == run.get(name, 0), name
            for block in blocks(name, "console"):
                assert block.text.startswith(INSTALLATION), block.text
