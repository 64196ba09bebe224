"""Harvests killed at random times, not at chosen steps."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    expected_links,
    running,
    status,
    wait_until,
    write_uids,
)
from support.scenarios import Scenario
from support.timing import OFTEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

    from .conftest import KillCount


def command(folder: Path, uids: range, server: Emulator, *options: str) -> list[object]:
    """Return the command line of a harvest of PMC links into `out`."""
    ids = write_uids(folder / "ids", uids)
    return [
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--linkname=pubmed_pmc",
        "--base-url", server.base_url, "-o", folder / "out", *options,
    ]  # fmt: skip


def assert_done(folder: Path, uids: range, server: Emulator) -> None:
    """Assert that the folder equals the truth."""
    truth = expected_links(server.graph, "pubmed", uids, ("pmc",), ("pubmed_pmc",))
    assert_exact(folder / "out", "pubmed", uids, truth)


def killed_several_times(servers: Servers, folder: Path, seed: int, form: str) -> int:
    """A harvest is killed several times in a row; the last run completes it."""
    uids = range(1, 1201)
    server, chooser = servers.start(latency=(0.05, 0.3)), random.Random(seed)
    words = command(folder, uids, server, "--rate=60", "--batch-size=5", f"--format={form}")
    done = kills = 0
    while (kills < 5 or done == 0) and done < len(uids):
        assert kills < 30, "nothing was ever committed: this would prove nothing"
        asked = len(server.log)
        with running(*words, err=folder / f"err-{kills}", patches=OFTEN) as run:
            wait_until(lambda asked=asked: len(server.log) > asked, "it asks")  # type: ignore[misc]
            time.sleep(chooser.uniform(0.0, 1.2))
            run.kill()
        before, done, kills = done, status(folder / "out")["uids"]["done"], kills + 1
        assert before <= done
    assert kills > 1
    finished = servers.harvester(*words)
    assert finished.code == 0, finished.err
    assert_done(folder, uids, server)
    return kills


def killed_every_three_seconds(servers: Servers, folder: Path, seed: int, form: str) -> int:
    """A long run is killed after at most three seconds each time, until it is complete."""
    server, chooser = servers.start(latency=(0.05, 0.3)), random.Random(seed)
    uids = range(1, 6001)
    words = command(folder, uids, server, "--rate=60", "--batch-size=5", f"--format={form}")
    kills = 0
    with servers.fork_server() as fork_server:
        for seconds in [*(chooser.uniform(0.2, 3.0) for _ in range(30)), 300.0]:
            ended = fork_server.run(words, seconds=seconds, patches=OFTEN)
            if not ended.killed:
                break
            kills += 1
    assert ended.code == 0, ended.output
    assert kills > 5
    assert_done(folder, uids, server)
    return kills


def killed_while_loading(servers: Servers, folder: Path) -> int:
    """A run is killed while it reads a long list: once a file of the folder exists."""
    server = servers.start()
    uids = range(1, 200_001)
    words = command(folder, uids, server, "--rate=50", "--batch-size=5000")
    names = ("", ".lock", "state.sqlite", "job.toml")
    for kills, name in enumerate(names):
        with running(*words, err=folder / f"err-{kills}") as run:
            wait_until(lambda name=name: (folder / "out" / name).exists(), name, pause=0.0)  # type: ignore[misc]
            run.kill()
    finished = servers.harvester(*words)
    assert finished.code == 0, finished.err
    assert_done(folder, uids, server)
    return len(names)


def only_uncommitted_uids_again(servers: Servers, folder: Path) -> int:
    """After a kill, exactly the UIDs sent and not committed are requested again.

    How long a commit may take to come is tested on a simulated clock, in `test_committer.py`.
    """
    server = servers.start(latency=(0.1,))
    uids = range(1, 1501)
    words = command(folder, uids, server, "--rate=20", "--batch-size=5")
    with running(*words, err=folder / "err") as run:
        wait_until(lambda: len([*(folder / "out" / "uids").glob("*")]) > 1, "it commits twice")
        run.kill()
    servers.read_all()
    asked = sum(entry.ids for entry in server.log)
    done = status(folder / "out")["uids"]["done"]
    assert 0 < done < asked < len(uids)
    finished = servers.harvester(*words, "--rate=200")
    assert finished.code == 0, finished.err
    assert sum(entry.ids for entry in server.log) == len(uids) + asked - done
    assert_done(folder, uids, server)
    return 1


SCENARIOS = [
    Scenario(only_uncommitted_uids_again),
    Scenario(killed_several_times, 1, "parquet"),
    Scenario(killed_several_times, 2, "jsonl"),
    Scenario(killed_while_loading),
]
NIGHT = [
    Scenario(killed_every_three_seconds, seed, form)
    for seed in range(10, 15)
    for form in ("parquet", "jsonl")
]


@pytest.mark.parametrize(
    "scenario",
    [*SCENARIOS, *(pytest.param(one, marks=pytest.mark.torture) for one in NIGHT)],
    ids=str,
)
def test_killed_harvest_resumes_exactly(
    scenario: Scenario, run_scenario: Callable[[Scenario], int], kill_count: KillCount
) -> None:
    """Run one scenario; its docstring says what is proved."""
    kill_count["at any time"] += run_scenario(scenario)
