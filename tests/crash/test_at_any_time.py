"""Killed or stopped at moments that nobody chose."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    expected_links,
    harvester,
    running,
    status,
    wait_until,
    write_uids,
)
from support.scenes import Scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

    from .conftest import Deaths

OFTEN = {
    "harvester.store.committer.COMMIT_SECONDS": 0.3,
    "harvester.store.committer.TICK_SECONDS": 0.1,
}
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


def again_and_again(servers: Servers, folder: Path, seed: int, form: str) -> int:
    """Killed several times in a row, each time a little further; then left alone."""
    uids = range(1, 1201)
    server, chooser = servers.start(latency=(0.05, 0.3)), random.Random(seed)
    words = command(folder, uids, server, "--rate=60", "--batch-size=5", f"--format={form}")
    done = death = 0
    while death < 5 and done < len(uids):
        asked = len(server.log)
        with running(*words, err=folder / f"err-{death}", patches=OFTEN) as run:
            wait_until(lambda asked=asked: len(server.log) > asked, "it asks")  # type: ignore[misc]
            time.sleep(chooser.uniform(0.0, 1.2))
            run.kill()
        before, done, death = done, status(folder / "out")["uids"]["done"], death + 1
        assert before <= done
    assert death > 1
    assert done > 0, "nothing was ever committed: this would prove nothing"
    finished = harvester(*words)
    assert finished.code == 0, finished.err
    assert_done(folder, uids, server)
    return death


def life_after_life(servers: Servers, folder: Path, seed: int, form: str) -> int:
    """Of a long run; none of its lives lasts for more than three seconds, save the last."""
    server, chooser = servers.start(latency=(0.05, 0.3)), random.Random(seed)
    uids = range(1, 6001)
    words = command(folder, uids, server, "--rate=60", "--batch-size=5", f"--format={form}")
    died = 0
    with servers.nursery() as nursery:
        for seconds in [*(chooser.uniform(0.2, 3.0) for _ in range(30)), 300.0]:
            life = nursery.raise_one(words, seconds=seconds, patches=OFTEN)
            if not life.killed:
                break
            died += 1
    assert life.code == 0, life.said
    assert died > 5
    assert_done(folder, uids, server)
    return died


def while_it_loads(servers: Servers, folder: Path) -> int:
    """Killed as soon as there is a folder, a lock, a state, a job file: a long list is read."""
    server = servers.start()
    uids = range(1, 200_001)
    words = command(folder, uids, server, "--rate=50", "--batch-size=5000")
    names = ("", ".lock", "state.sqlite", "job.toml")
    for death, name in enumerate(names):
        with running(*words, err=folder / f"err-{death}") as run:
            wait_until(lambda name=name: (folder / "out" / name).exists(), name, pause=0.0)  # type: ignore[misc]
            run.kill()
    finished = harvester(*words)
    assert finished.code == 0, finished.err
    assert_done(folder, uids, server)
    return len(names)


def what_a_death_costs(servers: Servers, folder: Path, seconds: float, cost: float) -> int:
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
    return 1


SCENES = [
    Scene(what_a_death_costs, 12.0, 10.5),
    Scene(again_and_again, 1, "parquet"),
    Scene(again_and_again, 2, "jsonl"),
    Scene(while_it_loads),
]
NIGHT = [Scene(what_a_death_costs, 30.0, 15.0)]
NIGHT += [
    Scene(life_after_life, seed, form) for seed in range(10, 15) for form in ("parquet", "jsonl")
]


@pytest.mark.parametrize(
    "scene", [*SCENES, *(pytest.param(one, marks=pytest.mark.torture) for one in NIGHT)], ids=str
)
def test_death(scene: Scene, see: Callable[[Scene], int], deaths: Deaths) -> None:
    """See the scene's own words."""
    deaths["at any time"] += see(scene)
