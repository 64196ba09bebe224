"""Several harvests with one key at a time, as in an array job: together they keep the rate."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from support.harness import assert_same, expected_links, rows, write_uids
from support.machine import Lateness

from .test_rate import busiest_second

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

RATE, BATCH = 10, 3


def together(servers: Servers, folder: Path, processes: int, seconds: float) -> list[float]:
    """Harvest shares of one list in processes that start together; return the arrival times."""
    server = servers.start(rate=RATE, latency=(0.3,), seed=processes)
    uids = range(1, round(RATE * seconds) * BATCH + 1)
    ids = write_uids(folder / "ids", uids)

    def share(number: int) -> None:
        finished = servers.harvester(
            "run", "--ids", ids, f"--shard={number}/{processes}", "--dbfrom=pubmed", "--db=pmc",
            "--base-url", server.base_url, f"--rate={RATE}", f"--batch-size={BATCH}",
            "-o", folder / str(number), env={"NCBI_API_KEY": "the-same"},
        )  # fmt: skip
        assert finished.code == 0, finished.err
        truth = expected_links(server.graph, "pubmed", shares[number], ("pmc",))
        assert_same(rows(folder / str(number), "links"), truth)

    shares: dict[int, list[int]] = {number: [] for number in range(1, processes + 1)}
    for uid in uids:
        shares[split_mix(uid) % processes + 1].append(uid)
    with ThreadPoolExecutor(processes) as pool:
        list(pool.map(share, shares))
    return sorted(entry.arrived for entry in server.log)


def split_mix(state: int) -> int:
    """Return the output of SplitMix64 for a state, by integer arithmetic."""
    mask = 2**64 - 1
    mix = (state + 0x9E3779B97F4A7C15) & mask
    mix = (mix ^ (mix >> 30)) * 0xBF58476D1CE4E5B9 & mask
    mix = (mix ^ (mix >> 27)) * 0x94D049BB133111EB & mask
    return mix ^ (mix >> 31)


def share_used(times: list[float], window: float) -> float:
    """Return the share of the rate used in the worst window while all had work."""
    count = round(RATE * window)
    busy = [time for time in times if time < times[-1] - 2.0]
    spans = [end - start for start, end in zip(busy, busy[count:], strict=False)]
    return count / max(spans) / RATE


@pytest.mark.alone
def test_eight_processes_keep_one_rate(servers: Servers, tmp_path: Path) -> None:
    with Lateness() as machine:
        times = together(servers, tmp_path, processes=8, seconds=12)
    assert busiest_second(times) <= RATE
    machine.assert_share(share_used(times, window=6.0), 0.88)


@pytest.mark.torture
def test_eight_processes_keep_one_rate_for_long(servers: Servers, tmp_path: Path) -> None:
    with Lateness() as machine:
        times = together(servers, tmp_path, processes=8, seconds=60)
    assert busiest_second(times) <= RATE
    machine.assert_share(share_used(times, window=30.0), 0.9)
