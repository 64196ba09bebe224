"""`manifest.json` after a kill around every step that concerns it: absent or exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.fork_server import KillPoint
from support.kill_schedule import run_all
from support.manifests import assert_absent_or_exact, assert_exact_manifest
from support.short_runs import KINDS, ShortRun, uninterrupted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.fork_server import ForkServer
    from support.servers import Servers

    from .conftest import KillCount

AROUND = 3
"""Steps before and after each step on the manifest at which a run is killed, too."""


def around_the_manifest(steps: Sequence[str]) -> list[KillPoint]:
    """Return the points before and after each step on the manifest, and before the steps around."""
    named = [place for place, step in enumerate(steps) if "manifest.json" in step]
    assert [step.split()[0] for step in (steps[place] for place in named)] == [
        "unlink", "open", "write", "flush", "replace",
    ]  # fmt: skip
    found = []
    for place in sorted({p + by for p in named for by in range(-AROUND, AROUND + 1)}):
        if 0 <= place < len(steps):
            nth = steps[: place + 1].count(steps[place])
            ways = ("before", "after") if place in named else ("before",)
            found += [KillPoint(steps[place], nth, when) for when in ways]
    return found


def killed_around(servers: Servers, base: Path, kind: str, form: str, every: int) -> int:
    """Kill at every N-th of these points; the folder is right after each kill and at the end."""
    short_run = ShortRun(servers, base, form, kind)
    with servers.fork_server() as fork_server:
        steps = uninterrupted(short_run, fork_server, base / "uninterrupted").steps
    assert_exact_manifest(base / "uninterrupted")

    def one(point: KillPoint, number: int, fork_server: ForkServer) -> int:
        out = base / str(number)
        short_run.prepare(fork_server, out)
        killed = fork_server.run(short_run.command(out), point, root=str(out), **short_run.often)
        if out.exists():
            assert_absent_or_exact(out)
        assert fork_server.run(short_run.command(out)).code == short_run.code
        short_run.assert_complete(out)
        assert_exact_manifest(out)
        return killed.killed

    return run_all(servers, around_the_manifest(steps)[::every], one)


@pytest.mark.parametrize(
    ("kind", "form", "every"), [("retry", "parquet", 2), ("longer", "jsonl", 4)]
)
def test_manifest_is_absent_or_exact_after_a_kill(
    servers: Servers, tmp_path: Path, kill_count: KillCount, kind: str, form: str, every: int
) -> None:
    """A run on a finished folder removes it first and writes it last."""
    kill_count["at a step"] += (killed := killed_around(servers, tmp_path, kind, form, every))
    assert killed >= 3


@pytest.mark.torture
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_manifest_is_absent_or_exact_after_a_kill_at_each_step(
    servers: Servers, tmp_path: Path, kill_count: KillCount, kind: str, form: str
) -> None:
    """The same at all points of all kinds of runs."""
    kill_count["at a step"] += (killed := killed_around(servers, tmp_path, kind, form, 1))
    assert killed >= 5
