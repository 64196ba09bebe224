"""Servers slower than the permitted rate are kept busy and not overloaded.

The truth is the server's own log: requests served, refused, and abandoned by the client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.harness import running, status, wait_until, write_uids
from support.machine import Lateness
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

SECONDS = 40.0


def slow(
    servers: Servers, folder: Path, size: int | str, workers: int, each: float, queue: int | None
) -> None:
    """The server is kept busy, finishes what it starts, and refuses few requests."""
    server = servers.start(workers=workers, latency=(0.5,), latency_per_uid=each, queue=queue)
    ids, out = write_uids(folder / "ids", range(1, 1_000_001)), folder / "out"
    with Lateness() as lateness, running(
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
        "--rate=10", "--timeout=10", "--batch-size", size, "-o", out, err=folder / "err",
    ):  # fmt: skip
        wait_until(
            lambda: _seconds([entry.arrived for entry in server.log]) > SECONDS,
            "the time is over",
            seconds=120.0,
            pause=0.5,
        )
        wait_until(lambda: status(out)["limited_by"] == "server", "status says what limits it")
    log = [entry for entry in server.log if entry.utility == "elink"]
    served = [entry for entry in log if entry.status == 200]
    # By the server's own clock: how fast this machine is does not count.
    spans = [(entry.began, entry.ended) for entry in served if entry.began and entry.ended]
    begun, ended = min(began for began, _ in spans), max(ended for _, ended in spans)
    busy = sum(ended - began for began, ended in spans)
    lateness.assert_share(busy / (workers * (ended - begun)), 0.85)
    wasted = sum(entry.ids for entry in served if entry.gone)
    assert wasted <= 0.10 * sum(entry.ids for entry in served)
    refused = [entry for entry in log if entry.status != 200 and not entry.in_service]
    assert len(refused) <= 0.10 * len(log), "5 % in 100 s, most of them at the start"


def _seconds(times: list[float]) -> float:
    return max(times) - min(times) if times else 0.0


SCENARIOS = [
    Scenario(slow, 200, 4, 0.002, None),
    Scenario(slow, "auto", 4, 0.002, None),
    Scenario(slow, 200, 8, 0.010, 12),
]


@pytest.mark.alone
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_slow_server_is_kept_busy_and_not_overloaded(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    run_scenario(scenario)
