"""The course of a harvest over time: a series of counts of bounded size.

Time is divided into buckets of equal width. When there are more than `MOST_BUCKETS`, the width
doubles and neighbours are merged. Times without a run have no bucket, so a pause of months costs
nothing. Beside the buckets stand the spans of time that were not ordinary: runs, outages, waits.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FORMAT = 1

MOST_BUCKETS = 400
"""Maximum number of buckets. Each takes about 250 bytes of the state: 100 kB at most."""

MOST_SPANS = 100
"""Maximum spans of each kind, the newest; a server that fails for weeks makes thousands."""

MOST_REASONS = 20
"""Maximum distinct reasons of retries; they quote the server, so their number is unbounded."""

OTHER_REASONS = "other reasons"

_LEAST_LATENCY = 0.001  # seconds; shorter latencies count as this
_BINS_PER_OCTAVE = 4  # so that a percentile is within 9 % of the true one

SpanKind: TypeAlias = Literal["run", "outage", "hours", "limiter"]


@dataclass(slots=True)
class Bucket:
    """Counts over one span of time; `seconds` and what is multiplied by them are integrals.

    Attributes:
        seconds: time in which a run was on and did not wait for off-peak hours.
        sent: requests sent.
        ok: whole answers.
        rate_limited: responses 429.
        asked: UIDs in the requests sent.
        settled: UIDs that got an outcome.
        links: links of those.
        in_flight: requests in flight x seconds.
        most_in_flight: the most at one time.
        permitted: permitted requests per second x seconds.
        retried: place in `Timeline.reasons` → batches retried for it.
        latency: number of the bin → whole answers; see `latency_bin`.
        limited: what limited the harvest → seconds.
    """

    seconds: float = 0.0
    sent: int = 0
    ok: int = 0
    rate_limited: int = 0
    asked: int = 0
    settled: int = 0
    links: int = 0
    in_flight: float = 0.0
    most_in_flight: int = 0
    permitted: float = 0.0
    retried: Counter[int] = field(default_factory=Counter)
    latency: Counter[int] = field(default_factory=Counter)
    limited: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def add(self, other: Bucket) -> None:
        """Add the counts of another bucket to this one."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most_in_flight = max(self.most_in_flight, other.most_in_flight)
        self.retried.update(other.retried)
        self.latency.update(other.latency)
        for name, seconds in other.limited.items():
            self.limited[name] += seconds

    def dump(self) -> list[Any]:
        """Return what `load` takes."""
        return [
            *(round(getattr(self, name), 3) for name in _NUMBERS),
            *([[key, round(n, 3)] for key, n in getattr(self, name).items()] for name in _COUNTERS),
        ]

    @classmethod
    def load(cls, row: Sequence[Any]) -> Bucket:
        """Return the bucket that was dumped."""
        numbers = dict(zip(_NUMBERS, row, strict=False))
        retried, latency, limited = map(dict, row[len(_NUMBERS) :])
        return cls(
            **numbers,
            retried=Counter(retried),
            latency=Counter(latency),
            limited=defaultdict(float, limited),
        )


_SUMS = (
    "seconds", "sent", "ok", "rate_limited", "asked", "settled", "links", "in_flight", "permitted",
)  # fmt: skip
_NUMBERS = (*_SUMS, "most_in_flight")
_COUNTERS = ("retried", "latency", "limited")


@dataclass(slots=True)
class Span:
    """A span of time.

    Attributes:
        kind: `run`: a process harvested; `outage`: the server did not answer; `hours`: the run
            waited for off-peak hours; `limiter`: the shared rate limit did not answer.
        start: seconds since 1970.
        end: seconds since 1970; of one that still lasts, or whose process was killed, the last
            time it was recorded.
        text: of a run, its state at the end, empty while it lasts or if it was killed; of an
            outage, the last failure; of a limiter, why it was not asked.
    """

    kind: SpanKind
    start: float
    end: float
    text: str = ""


@dataclass(slots=True)
class Timeline:
    """Buckets and spans of all runs of a harvest.

    Attributes:
        width: seconds of a bucket, a power of two.
        buckets: number of the bucket since 1970 → its counts.
        reasons: reasons of retries, in the order of their first occurrence.
        spans: the newest `MOST_SPANS` of each kind, in the order of their start.
        counts: number of spans of each kind, with those no longer kept.
    """

    width: int = 1
    buckets: dict[int, Bucket] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def at(self, moment: float) -> Bucket:
        """Return the bucket of a moment, which is created if it is missing.

        Args:
            moment: seconds since 1970.
        """
        number = math.floor(moment / self.width)
        found = self.buckets.get(number)
        if found is None:
            found = self.buckets[number] = Bucket()
            if len(self.buckets) > MOST_BUCKETS:
                self.shrink(MOST_BUCKETS)
                return self.at(moment)
        return found

    def shrink(self, most: int) -> None:
        """Double the width and merge neighbours until there are at most some buckets."""
        while len(self.buckets) > most:
            self.width *= 2
            before, self.buckets = self.buckets, {}
            for number, bucket in before.items():
                if (found := self.buckets.get(number // 2)) is None:
                    self.buckets[number // 2] = bucket
                else:
                    found.add(bucket)

    def left(self, moment: float) -> float:
        """Return the seconds from a moment to the end of its bucket; more than none."""
        return (math.floor(moment / self.width) + 1) * self.width - moment

    def reason(self, text: str) -> int:
        """Return the place of a reason in `reasons`."""
        if text not in self.reasons:
            if len(self.reasons) >= MOST_REASONS:
                text = OTHER_REASONS
            if text not in self.reasons:
                self.reasons.append(text)
        return self.reasons.index(text)

    def begin(self, kind: SpanKind, moment: float, text: str = "") -> Span:
        """Return a new span that begins at a moment."""
        span = Span(kind, moment, moment, text)
        self.spans.append(span)
        self.counts[kind] += 1
        same = [one for one in self.spans if one.kind == kind]
        if len(same) > MOST_SPANS:
            self.spans.remove(same[0])
        return span

    def total(self) -> Bucket:
        """Return the counts of all buckets together."""
        whole = Bucket()
        for bucket in self.buckets.values():
            whole.add(bucket)
        return whole

    def in_order(self) -> Iterator[tuple[float, Bucket]]:
        """Yield each bucket with the seconds since 1970 at which it begins, in order of time."""
        for number in sorted(self.buckets):
            yield float(number * self.width), self.buckets[number]

    def dump(self) -> str:
        """Return the timeline as text."""
        return orjson.dumps(
            {
                "format": FORMAT,
                "width": self.width,
                "reasons": self.reasons,
                "counts": self.counts,
                "spans": [
                    [one.kind, round(one.start, 3), round(one.end, 3), one.text]
                    for one in self.spans
                ],
                "buckets": [[number, one.dump()] for number, one in self.buckets.items()],
            }
        ).decode()

    @classmethod
    def load(cls, text: str | None) -> Timeline | None:
        """Return the timeline that was dumped; None if there is none or it is of another format."""
        kept = orjson.loads(text) if text else {}
        if kept.get("format") != FORMAT:
            return None
        return cls(
            kept["width"],
            {number: Bucket.load(row) for number, row in kept["buckets"]},
            kept["reasons"],
            [Span(*row) for row in kept["spans"]],
            Counter(kept["counts"]),
        )


def latency_bin(seconds: float) -> int:
    """Return the bin of a latency: bins are evenly spaced on a scale of logarithms."""
    return int(_BINS_PER_OCTAVE * math.log2(max(seconds, _LEAST_LATENCY) / _LEAST_LATENCY))


def percentile(bins: Counter[int], share: float) -> float | None:
    """Return the latency in seconds that a share of the answers did not exceed.

    Args:
        bins: number of the bin → answers.
        share: from 0 to 1.

    Returns:
        Seconds, within the width of a bin; None without answers.
    """
    left = share * bins.total()
    for number in sorted(bins):
        if left <= bins[number]:
            part = left / bins[number]
            return _LEAST_LATENCY * float(2 ** ((number + part) / _BINS_PER_OCTAVE))
        left -= bins[number]
    return None
