"""The timeline of a harvest as moments that can be drawn and listed."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from harvester.errors import printable
from harvester.report.facts import Course, Moment, Period
from harvester.store.timeline import percentile

if TYPE_CHECKING:
    from harvester.store.timeline import Bucket, Timeline

_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
_PERIODS = 100
"""Maximum periods listed, the newest."""


def course_of(timeline: Timeline, most: int) -> Course:
    """Return a timeline with at most some moments; the timeline is made coarser for it."""
    timeline.shrink(most)
    whole = timeline.total()
    return Course(
        interval=timeline.width,
        moments=[_moment(at, bucket, timeline) for at, bucket in timeline.in_order()],
        periods=[
            Period(one.kind, one.start, one.end, printable(one.text))
            for one in timeline.spans[-_PERIODS:]
        ],
        counts=dict(timeline.counts),
        totals={
            "seconds": round(whole.seconds, 3),
            "sent": whole.sent,
            "ok": whole.ok,
            "rate_limited": whole.rate_limited,
            "settled": whole.settled,
            "links": whole.links,
            "most_in_flight": whole.most_in_flight,
        },
        latency={
            name: round(seconds, 4)
            for name, share in _SHARES.items()
            if (seconds := percentile(whole.latency, share)) is not None
        },
        retried=_reasons(whole, timeline),
        limited={name: round(seconds, 3) for name, seconds in whole.limited.items()},
    )


def _moment(at: float, bucket: Bucket, timeline: Timeline) -> Moment:
    seconds = max(bucket.seconds, 1e-3)
    span = max(bucket.seconds, min(1.0, timeline.width))  # a run may begin at the very end of one
    p50, p90, p99 = (percentile(bucket.latency, share) for share in _SHARES.values())
    return Moment(
        at=at,
        seconds=round(bucket.seconds, 3),
        requests=round(bucket.sent / span, 3),
        permitted=round(bucket.permitted / seconds, 3),
        p50=p50 and round(p50, 4),
        p90=p90 and round(p90, 4),
        p99=p99 and round(p99, 4),
        batch_size=round(bucket.asked / bucket.sent, 1) if bucket.sent else None,
        in_flight=round(bucket.in_flight / seconds, 2),
        settled=round(bucket.settled / span, 1),
        links=round(bucket.links / span, 1),
        rate_limited=bucket.rate_limited,
        retried=_reasons(bucket, timeline),
        limited={name: round(part / seconds, 3) for name, part in bucket.limited.items()},
    )


def _reasons(bucket: Bucket, timeline: Timeline) -> dict[str, int]:
    """Return reason → batches, by descending number."""
    counts: Counter[str] = Counter()
    for place, count in bucket.retried.items():
        counts[printable(timeline.reasons[place])] += count
    return dict(counts.most_common())
