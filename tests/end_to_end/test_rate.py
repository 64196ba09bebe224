"""The rate as the server measures it: never above the limit in any second, and fully used."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from support.harness import assert_exact, emulate, expected_links, harvester, write_uids
from support.machine import Lateness

from harvester.emulator import SeededGraph

if TYPE_CHECKING:
    from pathlib import Path

SHARE = 0.975
"""Of the rate, over half a minute; over eight seconds late timers of a busy machine cost more."""

QUICK_SHARE = 0.96
"""Of the permitted rate, to be used over any whole stretch."""


class Pace(NamedTuple):
    """A rate, the latencies of responses, and the duration."""

    rate: int
    latency: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.rate}-a-second-with-{self.latency}-s"


QUICK = [Pace(3, "0.8", 11), Pace(10, "0.8,2.5,4", 11), Pace(25, "3.4", 11)]
LONG = [Pace(rate, latency, 36) for rate in (3, 10, 25) for latency in ("0.8", "6.8", "0.8,6.8,13")]


def arrivals(log: Path, rate: int) -> list[float]:
    """Return the arrival times of ELink requests; assert that no request was refused."""
    entries: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
    assert {entry["status"] for entry in entries} == {200}
    assert busiest_second(sorted(entry["arrived"] for entry in entries)) <= rate
    entries = [entry for entry in entries if entry["utility"] == "elink"]
    return sorted(entry["arrived"] for entry in entries)


def busiest_second(times: list[float]) -> int:
    """Return the most arrivals within any span shorter than one second."""
    most = first = 0
    for last, time in enumerate(times):
        while time - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def slowest(times: list[float], count: int) -> float:
    """Return requests per second over the slowest stretch of `count` intervals."""
    spans = [end - start for start, end in zip(times, times[count:], strict=False)]
    return count / max(spans)


def arrival_times_at(pace: Pace, folder: Path) -> list[float]:
    """Harvest from a server that enforces exactly the rate; return the times of arrival."""
    folder.mkdir()
    log, batch = folder / "log.jsonl", 3
    uids = range(1, round(pace.rate * pace.seconds) * batch + 1)
    with emulate(f"--rate={pace.rate}", f"--latency={pace.latency}", f"--log={log}") as base_url:
        finished = harvester(
            "run", "--ids", write_uids(folder / "ids", uids), "--dbfrom=pubmed", "--db=pmc",
            "--linkname=pubmed_pmc", "--base-url", base_url, f"--rate={pace.rate}",
            f"--batch-size={batch}", "-o", folder / "out", timeout=pace.seconds + 60,
        )  # fmt: skip
    assert finished.code == 0, finished.err
    truth = expected_links(SeededGraph(), "pubmed", uids, ("pmc",), ("pubmed_pmc",))
    assert_exact(folder / "out", "pubmed", uids, truth)
    times = arrivals(log, pace.rate)
    assert len(times) * batch == len(uids)
    return times


def assert_kept(
    pace: Pace, times: list[float], machine: Lateness, window: float, share: float
) -> None:
    """Assert that the limit is never passed, and used over every window of so many seconds.

    The first holds on any machine; a machine that is too busy for the second skips the test.
    """
    assert busiest_second(times) <= pace.rate
    machine.assert_share(slowest(times, round(pace.rate * window)) / pace.rate, share)


def test_busiest_second_and_slowest_stretch() -> None:
    """Eleven arrivals in any second count as eleven, and a gap is a slow stretch."""
    even = [0.125 * place for place in range(50)]
    assert busiest_second(even) == 8
    assert busiest_second(sorted([*even, 3.05])) == 9
    assert busiest_second([0.0, 0.999, 1.0]) == 2
    assert slowest(even, 8) == pytest.approx(8)
    assert slowest([*even, *(time + 7 for time in even)], 8) == pytest.approx(8 / 1.75)


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[Pace, list[float]], Lateness]:
    """Arrival times for each quick pace; they run at the same time, each with its own server."""
    base = tmp_path_factory.mktemp("rate")
    with Lateness() as machine, ThreadPoolExecutor(len(QUICK)) as pool:
        times = pool.map(arrival_times_at, QUICK, [base / str(pace) for pace in QUICK])
        return dict(zip(QUICK, times, strict=True)), machine


@pytest.mark.alone
@pytest.mark.parametrize("pace", QUICK, ids=str)
def test_the_rate_is_kept_and_used(
    quick: tuple[dict[Pace, list[float]], Lateness], pace: Pace
) -> None:
    """Eight seconds, with scaled latencies."""
    times, machine = quick
    assert_kept(pace, times[pace], machine, 8.0, QUICK_SHARE)


@pytest.mark.torture
@pytest.mark.parametrize("pace", LONG, ids=str)
def test_the_rate_is_kept_and_used_for_long(pace: Pace, tmp_path: Path) -> None:
    """Any 30 s, with latencies measured at NCBI."""
    with Lateness() as machine:
        times = arrival_times_at(pace, tmp_path / "harvest")
    assert_kept(pace, times, machine, 30.0, SHARE)
