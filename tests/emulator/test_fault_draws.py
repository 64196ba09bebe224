"""Which faults a request gets: repeatable by seed, with the probabilities of their spellings."""

from __future__ import annotations

from random import Random

import pytest

from harvester.emulator.faults import EXCLUDED_FROM_ALL, NAMES, PER_PART, FaultSpec, fault_plan
from harvester.emulator.request import UtilityRequest


def draws(faults: list[str], seed: int, requests: list[str]) -> dict[str, list[str]]:
    """Return the names of the faults drawn, by request."""
    plan = fault_plan(faults, seed)
    received: dict[str, list[str]] = {}
    for query in requests:
        request = UtilityRequest.read("elink", query, b"", "127.0.0.1")
        received.setdefault(query, []).append(
            ",".join(draw.spec.name for draw in plan.draw(request))
        )
    return received


def test_draws_do_not_depend_on_the_order_of_requests() -> None:
    requests = [f"id={n}" for n in range(40)] * 3
    shuffled = Random(1).sample(requests, len(requests))
    faults = ["500:0.2", "short:0.2", "all:0.1"]
    assert draws(faults, 1, requests) == draws(faults, 1, shuffled)
    assert draws(faults, 1, requests) != draws(faults, 2, requests)


def test_all_draws_every_fault_with_its_probability() -> None:
    received = draws(["all:0.25"], 1, [f"id={n}" for n in range(4000)])
    fired = [name for names in received.values() for name in names if name]
    assert len(fired) / 4000 == pytest.approx(0.25, abs=0.03)
    assert set(fired) == set(NAMES) - set(PER_PART) - set(EXCLUDED_FROM_ALL)


def test_faults_end_after_their_number_of_times() -> None:
    requests = [f"id={n % 4}" for n in range(20)]
    received = [
        [draw.spec.name for draw in plan.draw(UtilityRequest.read("elink", query, b"", ""))]
        for plan in [fault_plan(["503*2", "short@3*1", "lost-blocks*3:0.5"], 1)]
        for query in requests
    ]
    fired = [name for names in received for name in names]
    assert (fired.count("503"), fired.count("short")) == (2, 1)
    assert [n for n, names in enumerate(received) if "lost-blocks" in names] == [0, 1, 2]
    assert "503" in received[0]
    assert not any(received[8:]), "no fault after the last one"


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("500:0.05", FaultSpec("500", 0.05)),
        ("http-500:0.05", FaultSpec("http-500", 0.05)),
        ("poison@1,22", FaultSpec("poison", 1.0, frozenset({"1", "22"}))),
        ("short@5:0.5", FaultSpec("short", 0.5, frozenset({"5"}))),
        ("503*2", FaultSpec("503", times=2)),
        ("short@5*3:0.5", FaultSpec("short", 0.5, frozenset({"5"}), 3)),
    ],
)
def test_spellings(text: str, spec: FaultSpec) -> None:
    assert FaultSpec.read(text) == spec
    fault_plan([text], 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shrot", "Did you mean short"),
        ("500:2", "from 0 to 1"),
        ("500:x", "from 0 to 1"),
        ("500*x", "a number of times from 1"),
        ("500*0", "a number of times from 1"),
    ],
)
def test_bad_spellings_are_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fault_plan([text], 0)
