"""The Slurm example of `configs/` in a real Slurm: an array with one limit, and its merge."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.harness import assert_exact, expected_links, wait_until, write_uids
from support.redis_server import redis_server
from support.slurm import require_slurm, slurm

import harvester

from .test_rate import busiest_second

if TYPE_CHECKING:
    from support.servers import Servers
    from support.slurm import Slurm

ROOT = Path(harvester.__file__).parents[1]
CONFIGS = ROOT / "configs" / "slurm"
SHARDS, RATE, BATCH = 8, 20, 3

JOB = """\
[source]
ids = ["ids"]

[link]
dbfrom = "pubmed"
db = ["pmc"]

[limits]
rate = {rate}
batch_size = {batch}

[server]
base_url = "{base_url}"
"""


@pytest.mark.torture
def test_an_array_with_a_killed_and_a_preempted_task_is_merged_exactly(
    servers: Servers, tmp_path: Path
) -> None:
    require_slurm()
    server = servers.start(rate=RATE, latency=(0.2,), seed=6)
    uids = range(1, RATE * BATCH * 60 + 1)
    write_uids(tmp_path / "ids", uids)
    (tmp_path / "job.toml").write_text(JOB.format(rate=RATE, batch=BATCH, base_url=server.base_url))
    tool = tmp_path / "bin" / "harvester"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m harvester "$@"\n')
    tool.chmod(0o755)

    def shard(number: int) -> Path:
        return tmp_path / "shards" / str(number)

    def runs(number: int) -> bool:
        return any((shard(number) / "links").glob("part-*"))

    with redis_server(tmp_path) as redis:
        environ = {
            "PATH": f"{tool.parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HARVESTER_LIMITER": redis.url,
            "NCBI_API_KEY": "the-same",
        }
        with slurm(tmp_path, SHARDS, environ) as ctl:
            array = ctl("sbatch", "--parsable", CONFIGS / "array.sbatch")
            merge = ctl(
                "sbatch", "--parsable", f"--dependency=afterok:{array}", CONFIGS / "merge.sbatch"
            )
            wait_until(
                lambda: all(map(runs, range(1, SHARDS + 1))), "all tasks harvest", seconds=300
            )
            os.kill(pid_of("shards/3", tmp_path), signal.SIGKILL)
            wait_until(
                lambda: requeued(ctl, array) == ["3"],
                "the killed task is queued again",
                seconds=300,
            )
            start_now(ctl, array, "3")
            ctl("sbatch", "-p", "high", "--output=urgent.log", "--wrap", "sleep 2")
            wait_until(lambda: len(requeued(ctl, array)) == 2, "a task is preempted", seconds=300)
            preempted = next(task for task in requeued(ctl, array) if task != "3")
            start_now(ctl, array, preempted)
            wait_until(
                lambda: ctl.tasks(merge)[""]["JobState"] not in ("PENDING", "RUNNING"),
                "the merge has ended", seconds=400, pause=1,
            )  # fmt: skip
            said = (tmp_path / "merge-links.log").read_text()
            assert ctl.tasks(merge)[""]["JobState"] == "COMPLETED", said
    assert_exact(
        tmp_path / "links", "pubmed", uids, expected_links(server.graph, "pubmed", uids, ("pmc",))
    )
    assert busiest_second(sorted(entry.arrived for entry in server.log)) <= RATE


def requeued(ctl: Slurm, array: str) -> list[str]:
    """Return the tasks that were queued again."""
    return sorted(key for key, task in ctl.tasks(array).items() if task["Restarts"] != "0")


def start_now(ctl: Slurm, array: str, number: str) -> None:
    """Start a requeued task; by itself it would wait for two minutes.

    Slurm does not start a task in the second in which its credential was revoked.
    """

    def is_waiting() -> bool:
        task = ctl.tasks(array)[number]
        return (task["JobState"], task["Reason"]) == ("PENDING", "BeginTime")

    wait_until(is_waiting, "it waits", seconds=300, pause=0.5)
    ctl("scontrol", "update", f"jobid={array}_{number}", "StartTime=now+4")
    wait_until(
        lambda: ctl.tasks(array)[number]["JobState"] in ("RUNNING", "COMPLETED"), "it runs again",
        seconds=300, pause=0.5,
    )  # fmt: skip


def pid_of(out: str, folder: Path) -> int:
    """Return the pid of the process that harvests into a folder."""
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = command.read_bytes().split(b"\0")
            if out.encode() in words and (command.parent / "cwd").readlink() == folder:
                return int(command.parent.name)
    raise AssertionError(f"no process harvests into {out}")
