"""One rate limit for several machines with different clocks, measured at the server."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    command,
    environment,
    expected_links,
    wait_until,
    write_uids,
)
from support.hosts import HUB_ADDRESS, hosts
from support.machine import Lateness
from support.redis_server import RedisServer, require_redis

from harvester.emulator import SeededGraph

from .test_rate import busiest_second
from .test_together import split_mix

if TYPE_CHECKING:
    from pathlib import Path

RATE, BATCH, HOSTS, EACH = 40, 3, 3, 4
SHARES = HOSTS * EACH
BASE = f"http://{HUB_ADDRESS}:8080/entrez/eutils/"


def requests(log: Path) -> list[float]:
    """Return the arrival times of the requests so far, on the server's monotonic clock."""
    lines = log.read_text().splitlines() if log.exists() else []
    return sorted(json.loads(line)["arrived"] for line in lines)


def share_used(times: list[float], start: float, end: float) -> float:
    """Return the share of the rate that was used between two times."""
    inside = [at for at in times if start <= at < end]
    return (len(inside) - 1) / (inside[-1] - inside[0]) / RATE


@pytest.mark.torture
def test_three_hosts_with_four_processes_each_keep_one_limit(tmp_path: Path) -> None:
    require_redis()
    uids = range(1, RATE * BATCH * 50 + 1)
    ids, log = write_uids(tmp_path / "ids", uids), tmp_path / "log.jsonl"
    with hosts(HOSTS) as (hub, machines), ExitStack() as stack, Lateness() as machine:

        def start(*words: str, err: Path) -> subprocess.Popen[bytes]:
            stream = stack.enter_context(err.open("wb"))
            process = subprocess.Popen(
                words, stdout=stream, stderr=stream, env=environment(NCBI_API_KEY="the-same")
            )
            stack.callback(process.wait, 10)
            stack.callback(process.kill)
            return process

        redis = RedisServer(tmp_path, host=HUB_ADDRESS, prefix=hub.prefix)
        redis.start()
        stack.callback(redis.kill)
        emulate = ("emulate", "--host=0.0.0.0", f"--rate={RATE}", "--latency=0.3", f"--log={log}")
        start(*hub.prefix, *command(*emulate), err=tmp_path / "emulator")
        wait_until((tmp_path / "emulator").read_bytes, "the emulator listens", seconds=300)
        runs = [
            start(
                *machines[number % HOSTS].prefix,
                *command(
                    "run", "--ids", ids, f"--shard={number + 1}/{SHARES}", "--dbfrom=pubmed",
                    "--db=pmc", "--base-url", BASE, f"--rate={RATE}", f"--batch-size={BATCH}",
                    "--limiter", redis.url, "-o", tmp_path / str(number + 1),
                ),
                err=tmp_path / f"{number + 1}.err",
            )
            for number in range(SHARES)
        ]  # fmt: skip
        wait_until(
            lambda: all(
                (tmp_path / str(number + 1) / "links").exists() for number in range(SHARES)
            ),
            "all have begun",
            seconds=300,
        )
        begun = time.monotonic() + 5
        time.sleep(15)
        redis.kill()
        killed = time.monotonic()
        time.sleep(5)
        redis.start()
        again = time.monotonic() + 8
        codes = [run.wait(180) for run in runs]
        assert codes == [0] * SHARES, (tmp_path / "1.err").read_text()
    times = requests(log)
    assert busiest_second(times) <= RATE
    quiet = [at for at in times if killed + 3 < at < again - 8]
    assert quiet == [], "requests were sent without Redis"
    for number in range(SHARES):
        share = [uid for uid in uids if split_mix(uid) % SHARES == number]
        truth = expected_links(SeededGraph(), "pubmed", share, ("pmc",))
        assert_exact(tmp_path / str(number + 1), "pubmed", share, truth)
    assert "The shared rate limit is not answering" in (tmp_path / "1.err").read_text()
    machine.assert_share(share_used(times, begun, killed), 0.97)
    machine.assert_share(share_used(times, again, again + 12), 0.97)
