"""The forecast of a harvest against the real engine on simulated time."""

from __future__ import annotations

import statistics
from typing import Any

import pytest
from support.simulated_night import simulated_night

from harvester.engine.forecast import Assumed, forecast

LIMITS: dict[str, Any] = {"batch_size": 200, "concurrency": "auto"}


@pytest.mark.parametrize(
    ("count", "rate", "limits", "bytes_per_uid"),
    [
        (100_000, 10.0, {}, 100),
        (30_000, 3.0, {}, 100),
        (30_000, 10.0, {"concurrency": 8}, 100),
        (1_000_000, 10.0, {"batch_size": "auto"}, 75),
        (50_000, 10.0, {"batch_size": 1000}, 1750),
    ],
)
def test_forecast_is_within_5_percent_of_the_engine(
    count: int, rate: float, limits: dict[str, Any], bytes_per_uid: int
) -> None:
    limits = LIMITS | limits
    runs = [
        simulated_night(count, rate, bytes_per_uid=bytes_per_uid, seed=seed, **limits)
        for seed in range(5)
    ]
    seconds = statistics.median(run.seconds for run in runs)
    requests = statistics.median(len(run.sent_at) for run in runs)
    found = forecast(
        count, rate, timeout=60.0, assumed=Assumed(bytes_per_uid=bytes_per_uid), **limits
    )
    assert found.seconds == pytest.approx(seconds, rel=0.05)
    assert found.requests == pytest.approx(requests, rel=0.05)


def test_one_percent_of_faults_stay_within_5_percent() -> None:
    run = simulated_night(100_000, 10.0, faults=0.01, **LIMITS)
    found = forecast(100_000, 10.0, timeout=60.0, **LIMITS)
    assert found.seconds == pytest.approx(run.seconds, rel=0.05)


def test_all_of_pubmed_takes_the_measured_night() -> None:
    """benchmarks/results/night.md: 5.47 h in requests of 200, 0.23 h with auto (measured)."""
    few = Assumed(bytes_per_uid=75)
    safe = forecast(38_000_000, 10.0, timeout=60.0, assumed=few, **LIMITS)
    auto = forecast(
        38_000_000, 10.0, timeout=60.0, assumed=few, batch_size="auto", concurrency="auto"
    )
    assert safe.seconds / 3600 == pytest.approx(5.47, rel=0.05)
    assert auto.seconds / 3600 == pytest.approx(0.23, rel=0.05)
    assert auto.batch_size == 5000


def test_requests_are_counted_by_time() -> None:
    found = forecast(2_000_000, 10.0, timeout=60.0, **LIMITS)
    assert found.requests == 10_000
    assert found.sent_by(0.0) == 1
    assert found.sent_by(100.0) == pytest.approx(980, abs=15)
    assert found.sent_by(900.0) == pytest.approx(8_824, abs=15)  # behind what was simulated
    assert found.sent_by(found.seconds) == 10_000


def test_nothing_to_ask_for_costs_nothing() -> None:
    found = forecast(0, 10.0, timeout=60.0, **LIMITS)
    assert (found.requests, found.seconds, found.sent_by(10.0)) == (0, 0.0, 0)
