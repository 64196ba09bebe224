"""The series of counts over time stays small, and keeps all sums when it is made coarser."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.store.timeline import (
    MOST_BUCKETS,
    MOST_REASONS,
    MOST_SPANS,
    OTHER_REASONS,
    Timeline,
    latency_bin,
    percentile,
)

NIGHT = 1_790_000_000.0


@given(st.lists(st.tuples(st.floats(0, 5e7), st.integers(1, 9)), max_size=1500))
def test_any_series_stays_bounded_and_keeps_its_sums(moments: list[tuple[float, int]]) -> None:
    timeline = Timeline()
    for moment, sent in moments:
        bucket = timeline.at(NIGHT + moment)
        bucket.sent += sent
        bucket.most_in_flight = max(bucket.most_in_flight, sent)
        bucket.latency[sent] += 1
        bucket.limited["rate"] += sent
    assert len(timeline.buckets) <= MOST_BUCKETS
    whole = timeline.total()
    assert whole.sent == sum(sent for _, sent in moments)
    assert whole.most_in_flight == max((sent for _, sent in moments), default=0)
    assert whole.latency == Counter(sent for _, sent in moments)
    assert whole.limited.get("rate", 0) == whole.sent
    begins = [begin for begin, _ in timeline.in_order()]
    assert begins == sorted(begins)
    assert all(begin % timeline.width == 0 for begin in begins)


def test_each_count_lies_in_the_bucket_of_its_time() -> None:
    timeline = Timeline()
    for second in range(5000):
        timeline.at(NIGHT + second).sent += second % 7
    assert timeline.width == 16
    expected = Counter[float]()
    for second in range(5000):
        expected[(NIGHT + second) // 16 * 16] += second % 7
    assert {begin: bucket.sent for begin, bucket in timeline.in_order()} == expected


def test_a_pause_of_a_year_does_not_make_it_coarser() -> None:
    timeline = Timeline()
    for day in (0, 365):
        for second in range(100):
            timeline.at(NIGHT + 86400 * day + second).sent += 1
    assert timeline.width == 1
    assert len(timeline.buckets) == 200


def test_a_long_series_takes_a_bounded_part_of_the_state() -> None:
    timeline = Timeline()
    for number in range(MOST_BUCKETS):
        bucket = timeline.at(NIGHT + number)
        bucket.sent, bucket.ok, bucket.in_flight = 123, 120, 1234.567
        bucket.latency.update(range(40, 60))
        bucket.retried.update(range(MOST_REASONS))
    assert len(timeline.dump()) < 200_000


def test_it_is_read_as_it_was_written() -> None:
    timeline = Timeline()
    for second in (0, 1, 700):
        bucket = timeline.at(NIGHT + second)
        bucket.sent, bucket.permitted = 3, 10.5
        bucket.retried[timeline.reason("HTTP 502")] += 2
        bucket.latency[latency_bin(0.8)] += 1
        bucket.limited["server"] += 0.25
    timeline.begin("outage", NIGHT, "HTTP 502").end = NIGHT + 12.5
    assert Timeline.load(timeline.dump()) == timeline


@pytest.mark.parametrize("text", [None, "", '{"format": 2, "series": []}', "{}"])
def test_none_and_later_formats_are_read_as_none(text: str | None) -> None:
    assert Timeline.load(text) is None


def test_reasons_beyond_the_limit_are_counted_together() -> None:
    timeline = Timeline()
    for number in range(100):
        timeline.at(NIGHT).retried[timeline.reason(f"ERROR {number}")] += 1
    assert len(timeline.reasons) == MOST_REASONS + 1
    assert timeline.reasons[-1] == OTHER_REASONS
    assert timeline.at(NIGHT).retried[MOST_REASONS] == 100 - MOST_REASONS


def test_only_the_newest_spans_of_a_kind_are_kept_and_all_are_counted() -> None:
    timeline = Timeline()
    run = timeline.begin("run", NIGHT)
    for number in range(3 * MOST_SPANS):
        timeline.begin("outage", NIGHT + number)
    assert timeline.spans[0] is run
    assert [span.start for span in timeline.spans[1:]] == [
        NIGHT + number for number in range(2 * MOST_SPANS, 3 * MOST_SPANS)
    ]
    assert timeline.counts == {"run": 1, "outage": 3 * MOST_SPANS}


@given(st.lists(st.floats(0.002, 300), min_size=1, max_size=200), st.floats(0.01, 1))
def test_percentiles_are_within_the_width_of_a_bin(seconds: list[float], share: float) -> None:
    found = percentile(Counter(map(latency_bin, seconds)), share)
    true = float(np.quantile(seconds, share, method="inverted_cdf"))
    assert found is not None
    assert true / 1.2 <= found <= true * 1.2


def test_without_answers_there_is_no_percentile() -> None:
    assert percentile(Counter(), 0.5) is None
