"""The time axis leaves out times without a run, and has ticks at round times."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from harvester.report.time_axis import TimeAxis

MIDNIGHT = 1_795_651_200.0  # 2026-11-26, 00:00 UTC
begins = st.lists(st.integers(0, 5000), min_size=1, max_size=200, unique=True).map(
    lambda numbers: [MIDNIGHT + 64.0 * number for number in sorted(numbers)]
)


@given(begins, st.integers(2, 8))
def test_places_keep_the_order_of_time_and_ticks_are_few(times: list[float], most: int) -> None:
    axis = TimeAxis.of(times, 64)
    places = [axis.place(one) for one in times]
    assert places == sorted(set(places))
    assert places[0] == 0
    assert axis.place(times[-1] + 64) <= axis.length * (1 + 1e-9)
    ticks = axis.ticks(most)
    assert len(ticks) <= 2 * most + 1
    assert all(0 <= place <= axis.length for place in ticks)
    assert all(
        axis.place(one.end) < cut for one, cut in zip(axis.stretches, axis.cuts(), strict=False)
    )


def test_a_pause_of_a_day_takes_little_room() -> None:
    night = [MIDNIGHT + 600 * n for n in range(48)]
    axis = TimeAxis.of([*night, *(one + 86400 for one in night)], 600)
    assert [one.begin for one in axis.stretches] == [MIDNIGHT, MIDNIGHT + 86400]
    assert 2 * 48 * 600 < axis.length < 2 * 48 * 600 * 1.02
    assert axis.place(MIDNIGHT + 60_000) == 48 * 600, "a time between is at the end of the first"


def test_ticks_are_at_full_hours_and_each_day_is_named_once() -> None:
    night = [MIDNIGHT + 1800 + 600 * n for n in range(48)]
    axis = TimeAxis.of([*night, *(one + 86400 for one in night)], 600)
    labels = list(axis.ticks(8).values())
    assert labels == [
        "Nov 26, 02:00", "04:00", "06:00", "08:00", "Nov 27, 02:00", "04:00", "06:00", "08:00",
    ]  # fmt: skip


def test_a_run_of_seconds_has_labels_with_seconds() -> None:
    axis = TimeAxis.of([MIDNIGHT + n for n in range(12)], 1)
    labels = list(axis.ticks(8).values())
    assert labels[:2] == ["Nov 26, 00:00:00", "00:00:02"]
    assert all(before < after for before, after in pairwise(axis.ticks(8)))
