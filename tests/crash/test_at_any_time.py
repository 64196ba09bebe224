"""Killed or stopped at moments that nobody chose."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

import pytest
from end_to_end.harness import (
    assert_exact,
    assert_polite,
    expected_links,
    harvester,
    running,
    status,
    wait_until,
    write_uids,
)
from end_to_end.scenes import Scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from end_to_end.servers import Servers

    from harvester.emulator import Emulator

OFTEN = {"harvester.committer.COMMIT_SECONDS": 0.3, "harvester.committer.TICK_SECONDS": 0.1}
"""So that a run that lives for a second leaves something behind."""


def command(folder: Path, uids: range, server: Emulator, *options: str) -> list[object]:
    """A harvest of PMC links into `out`."""
    ids = write_uids(folder / "ids", uids)
    return [
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--linkname=pubmed_pmc",
        "--base-url", server.base_url, "-o", folder / "out", *options,
    ]  # fmt: skip


def assert_done(folder: Path, uids: range, server: Emulator) -> None:
    """The folder holds the truth."""
    truth = expected_links(server.graph, "pubmed", uids, ("pmc",), ("pubmed_pmc",))
    assert_exact(folder / "out", "pubmed", uids, truth)


def again_and_again(servers: Servers, folder: Path, seed: int, form: str) -> None:
    """Killed several times in a row, each time a little further; then left alone."""
    server, chooser = servers.start(latency=(0.05, 0.3)), random.Random(seed)
    uids = range(1, 1201)
    words = command(folder, uids, server, "--rate=60", "--batch-size=5", f"--format={form}")
    done = 0
    for death in range(5):
        asked = len(server.log)
        with running(*words, err=folder / f"err-{death}", patches=OFTEN) as run:
            wait_until(lambda asked=asked: len(server.log) > asked, "it asks")  # type: ignore[misc]
            time.sleep(chooser.uniform(0.0, 1.2))
            run.kill()
        before, done = done, status(folder / "out")["uids"]["done"]
        assert before <= done
        if done == len(uids):
            break
    assert death > 0
    assert done > 0, "nothing was ever committed: this would prove nothing"
    finished = harvester(*words)
    assert finished.code == 0, finished.err
    assert_done(folder, uids, server)


def while_it_loads(servers: Servers, folder: Path) -> None:
    """Killed as soon as there is a folder, a lock, a state, a job file: a long list is read."""
    server = servers.start()
    uids = range(1, 200_001)
    words = command(folder, uids, server, "--rate=50", "--batch-size=5000")
    for death, name in enumerate(("", ".lock", "state.sqlite", "job.toml")):
        with running(*words, err=folder / f"err-{death}") as run:
            wait_until(lambda name=name: (folder / "out" / name).exists(), name, pause=0.0)  # type: ignore[misc]
            run.kill()
    finished = harvester(*words)
    assert finished.code == 0, finished.err
    assert_done(folder, uids, server)


def stopped_and_continued(servers: Servers, folder: Path) -> None:
    """As a laptop that is closed: answers have come and gone, connections are dead."""
    # A burst to make up for lost time would be far above this limit.
    server = servers.start(rate=40, latency=(0.2, 0.5), keepalive_timeout=1.0)
    uids = range(1, 601)
    words = command(folder, uids, server, "--rate=20", "--batch-size=6", "--timeout=1.5")
    with running(*words, err=folder / "err") as run:
        for _ in range(2):
            asked = len(server.log)
            wait_until(lambda asked=asked: len(server.log) > asked + 15, "it asks")  # type: ignore[misc]
            run.signal(signal.SIGSTOP)
            time.sleep(2.0)
            run.signal(signal.SIGCONT)
        ended = run.ended()
    assert ended.code == 0, ended.err
    assert_polite(ended.err)
    assert {entry.status for entry in server.log} <= {200, 0}, "no burst"
    assert_done(folder, uids, server)


def what_a_death_costs(servers: Servers, folder: Path, seconds: float, cost: float) -> None:
    """No more is asked again than was asked in the last few seconds before."""
    server = servers.start(latency=(0.1,))
    uids = range(1, round((seconds + 3) * 20) * 5)
    words = command(folder, uids, server, "--rate=20", "--batch-size=5")
    with running(*words, err=folder / "err") as run:
        wait_until(lambda: len(server.log) > 0, "it asks")
        time.sleep(seconds)
        died = time.monotonic()
        run.kill()
    late = sum(entry.ids for entry in server.log if entry.arrived > died - cost)
    asked = sum(entry.ids for entry in server.log)
    assert 0 < late < asked < len(uids)
    finished = harvester(*words, "--rate=200")
    assert finished.code == 0, finished.err
    again = sum(entry.ids for entry in server.log) - len(uids)
    assert 0 < again <= late
    assert_done(folder, uids, server)


SCENES = [
    Scene(what_a_death_costs, 12.0, 10.5),
    Scene(again_and_again, 1, "parquet"),
    Scene(again_and_again, 2, "jsonl"),
    Scene(while_it_loads),
    Scene(stopped_and_continued),
]


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_death(scene: Scene, see: Callable[[Scene], None]) -> None:
    """See the scene's own words."""
    see(scene)


@pytest.mark.torture
def test_a_death_costs_15_seconds_at_most(servers: Servers, tmp_path: Path) -> None:
    """After a run that was longer than that."""
    what_a_death_costs(servers, tmp_path, 30.0, 15.0)


@pytest.mark.torture
@pytest.mark.parametrize("form", ["parquet", "jsonl"])
@pytest.mark.parametrize("seed", range(10, 20))
def test_again_and_again(servers: Servers, tmp_path: Path, seed: int, form: str) -> None:
    """At many more moments."""
    again_and_again(servers, tmp_path, seed, form)
