"""A harvest with everything that a report can show, made without requests, with its own clock."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester import events
from harvester.job import load
from harvester.job.model import Job
from harvester.model import uids
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import NEIGHBOR_LINKS, answered_rows
from harvester.runs.timeline import TimelineRecorder
from harvester.store.commit import Commit
from harvester.store.ledger import Ledger
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled
from harvester.store.timeline import Timeline
from harvester.store.unanswered import write_unanswered

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

EVENING = datetime(2026, 11, 25, 2, 0, tzinfo=UTC).timestamp()  # 21:00 in New York
NAMES = (
    "pubmed_pubmed", "pubmed_pubmed_refs", "pubmed_pubmed_citedin", "pubmed_pmc", "pubmed_gene",
)  # fmt: skip
FAILURES = ("HTTP 502 (Bad Gateway)", "timed out after 60 s", "ERROR: Couldn't resolve #exLinkSrv2")


def make_harvest(
    folder: Path,
    *,
    hours: float = 0.5,
    answered: int = 3000,
    unanswered: int = 1500,
    names: Sequence[str] = NAMES,
    reasons: Sequence[str] = FAILURES,
    timeline: bool = True,
    server: str = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/",
) -> None:
    """Write a finished harvest of two nights.

    Args:
        folder: new folder of the harvest.
        hours: length of a night.
        answered: UIDs with an answer, from 1.
        unanswered: UIDs without, the next ones: every third is missing.
        names: linknames, each with half as many links as the one before.
        reasons: of failures.
        timeline: whether its course was recorded.
        server: base URL of the E-utilities.
    """
    rng = np.random.default_rng(7)
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": ["pubmed", "pmc", "gene"]},
            "source": {"ids": ["pmids.txt"]},
            "output": {"path": str(folder)},
            "server": {"base_url": server},
            "contact": {"email": "nobody@example.org"},
        }
    )
    members = np.arange(1, answered + 1)
    counts = np.minimum((rng.pareto(0.9, answered) * 8).astype(np.int64), 3000)
    counts[:50] = 0
    total = int(counts.sum())
    chance = 0.5 ** np.arange(1, len(names) + 1)
    codes = rng.choice(len(names), total, p=chance / chance.sum())
    databases = [name.split("_")[1] if name.count("_") else "pubmed" for name in names]
    table = pa.table(
        {
            "dbfrom": ["pubmed"] * total,
            "from_uid": np.repeat(members, counts),
            "dbto": [databases[code] for code in codes],
            "linkname": [names[code] for code in codes],
            "to_uid": (30_000_000 * rng.random(total) ** 5).astype(np.int64) + 1,
            "score": pa.nulls(total, pa.int64()),
            "rank": np.arange(total, dtype=np.int32),
        }
    ).cast(NEIGHBOR_LINKS)
    rest = np.arange(answered + 1, answered + unanswered + 1)
    missing, failed = rest[rest % 3 == 0], rest[rest % 3 != 0]
    settled = [
        Settled("linked", uids.as_set(members[counts > 0])),
        Settled("empty", uids.as_set(members[counts == 0])),
    ]
    if len(missing):
        settled.append(Settled("missing", uids.as_set(missing), "left out of every answer"))
    for place, reason in enumerate(reasons):
        if len(some := failed[place :: len(reasons)]):
            settled.append(Settled("failed", uids.as_set(some), reason))
    with Ledger(folder, make_sink("parquet", "zstd"), "pubmed") as ledger:
        ledger.adopt(job.identity(), load.dump(job))
        ledger.input.add(uids.as_set([*members, *rest]))
        ledger.input.end()
        rows = answered_rows("pubmed", pa.array(members), counts)
        ledger.commit(Commit(RunLengthRows.from_table(table), rows, settled))
        write_unanswered(ledger)
        if timeline:
            course = two_nights(reasons, hours)
            ledger.state.put(timeline=course.dump(), progress=_progress(course))


def _progress(timeline: Timeline) -> str:
    whole = timeline.total()
    begin, end = (
        datetime.fromtimestamp(moment, UTC).isoformat()
        for moment in (timeline.spans[0].start, timeline.spans[-2].end)
    )
    requests = {
        "sent": whole.sent,
        "ok": whole.ok,
        "retried": whole.retried.total(),
        "rate_limited": whole.rate_limited,
    }
    return json.dumps(
        {
            "state": "complete_with_failures",
            "requests": requests,
            "rate": {"limit": 10.0, "achieved": 9.9},
            "eta_seconds": 0.0,
            "started_at": begin,
            "updated_at": end,
        }
    )


def two_nights(reasons: Sequence[str] = FAILURES, hours: float = 0.5) -> Timeline:
    """Return the timeline of two nights, recorded request by request.

    In the first night, the server slows down, is gone for a while, and the run is killed and
    resumed. During the day the run waits. In the second night, a 429 halves the rate.

    Args:
        reasons: of failures.
        hours: length of a night; eight hours take 10 s to record.
    """
    return _Nights(reasons, hours).play()


class _Nights:
    def __init__(self, reasons: Sequence[str], hours: float) -> None:
        self._rng = np.random.default_rng(3)
        self._reasons = reasons
        self._hours = hours
        self._timeline = Timeline()
        self._now = EVENING
        self._rate = 10.0
        self._recorder = self._open()

    def _open(self) -> TimelineRecorder:
        return TimelineRecorder(
            self._timeline, lambda: self._rate, lambda: self._now, lambda: self._now
        )

    def play(self) -> Timeline:
        self._run(0.25, latency=0.9, batch=100)
        self._recorder(events.LimitChanged("server"))
        self._run(0.15, latency=7.0, batch=150, rate=6.0, faults=0.05)
        self._outage(0.05, "HTTP 503 (Service Unavailable)")
        self._recorder(events.LimitChanged("rate"))
        self._run(0.2, latency=1.2, batch=200)
        self._recorder.copy()
        self._now += 0.03 * 3600 * self._hours  # it was killed
        self._recorder = self._open()
        self._run(0.32, latency=1.1, batch=200)
        self._wait_for_hours(2)
        self._run(0.2, latency=0.8, batch=200)
        self._rate = 5.0
        for _ in range(31):
            self._recorder(events.SlowedDown(5.0))
            self._recorder(events.BatchRetried(200, "rate limit exceeded", 2.0))
        self._run(0.4, latency=1.0, batch=200, rate=5.0)
        self._rate = 10.0
        self._recorder.copy()  # as every second of a run
        self._recorder(events.LimitChanged("disk"))
        self._run(0.2, latency=1.0, batch=200, rate=8.0)
        self._recorder.end("complete_with_failures")
        return self._timeline

    def _run(
        self, share: float, *, latency: float, batch: int, rate: float = 10.0, faults: float = 0.002
    ) -> None:
        """Record the requests of a share of a night; about rate x latency are in flight."""
        sent, ended = events.RequestSent(batch), events.RequestEnded()
        in_flight = 0
        for _ in range(round(share * self._hours * 3600)):
            for wait in self._rng.lognormal(np.log(latency), 0.5, round(rate)):
                self._recorder(sent)
                in_flight += 1
                self._now += 1 / round(rate)
                if in_flight > rate * latency:
                    in_flight -= 1
                    self._recorder(ended)
                if self._rng.random() < faults:
                    reason = self._reasons[int(self._rng.integers(len(self._reasons)))]
                    self._recorder(events.BatchRetried(batch, reason, 1.0))
                else:
                    self._recorder(events.BatchAnswered(float(wait), 0))
                    self._recorder(events.UidsSettled({"linked": batch}, batch * 30))
        for _ in range(in_flight):
            self._recorder(ended)

    def _outage(self, share: float, reason: str) -> None:
        until = self._now + share * self._hours * 3600
        while self._now < until:
            self._recorder(events.Waiting("outage", datetime.now(UTC), reason))
            self._recorder(events.RequestSent(1))
            self._recorder(events.RequestEnded())
            self._advance(min(30, until - self._now))
        self._recorder(events.Resumed())

    def _wait_for_hours(self, nights: float) -> None:
        self._recorder(events.Waiting("hours", datetime.now(UTC)))
        self._advance(nights * self._hours * 3600)
        self._recorder(events.Resumed())

    def _advance(self, seconds: float) -> None:
        """Let time pass; a running process reports every few seconds."""
        until = self._now + seconds
        while self._now < until:
            self._now = min(self._now + 10, until)
            self._recorder.copy()
