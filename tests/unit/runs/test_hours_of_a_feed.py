"""A hop of a chain keeps NCBI's hours once its input is more than a small job."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter
from harvester.engine.off_peak import Hours
from harvester.engine.stop import Stop
from harvester.eutils.identity import Identity
from harvester.job import load
from harvester.job.model import Job
from harvester.job.ncbi import BASE_URL
from harvester.model import uids
from harvester.runs import passes
from harvester.runs.run import Runner
from harvester.sources.feed import HopFeed
from harvester.testing import FakeClock, ScriptedTransport, elink_answer, run_in_fake_time

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.testing import SentRequest

EINFO = json.dumps({"einforesult": {"dblist": ["pubmed", "pmc"]}}).encode()


def answer(request: SentRequest) -> bytes:
    asked = [int(uid) for uid in request.values("id")]
    return elink_answer("pubmed", {uid: {} for uid in asked}) if asked else EINFO


@pytest.mark.parametrize(
    ("count", "number_of_passes", "waits"),
    [(1000, 1, False), (30_000, 1, True), (15_000, 2, True), (10_000, 2, False)],
)
def test_feed_of_a_large_job_waits_for_the_night(
    count: int,
    number_of_passes: int,
    waits: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transport = ScriptedTransport(answer, BASE_URL)
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pmc", "linkname": "pubmed_pmc"},
            "output": {"path": str(tmp_path / "out")},
            "limits": {"batch_size": 200, "passes": number_of_passes, "rate": 3},
        }
    )
    begun = 0.0

    async def harvest() -> None:
        nonlocal begun
        clock = FakeClock("2026-11-18T20:55:00-05:00")
        hours = SimpleNamespace(of=lambda job, needed: Hours.of(job, needed, clock))
        monkeypatch.setattr(passes, "Hours", hours)
        limiter = Limiter(3.0)
        begun = limiter._clock()
        client = Client(transport, limiter, Identity(job.contact, None))
        feed = HopFeed()
        for first in range(1, count + 1, 5000):
            feed.hand(uids.as_set(range(first, min(first + 5000, count + 1))))
        feed.end()
        runner = Runner(client=client, listeners=[], stop=Stop())
        result = await runner.run(load.absolute(job), feed)
        assert result.total == count

    run_in_fake_time(harvest())
    elink = [one for one in transport.requests if one.path == "elink.fcgi"]
    minutes = [(one.at - begun) / 60 for one in elink]
    assert sum(len(one.values("id")) for one in elink) == count * number_of_passes
    small = [one for one in minutes if one < 5.0]
    assert len(small) <= 101 if waits else len(small) == len(elink)
    assert (max(minutes) >= 5.0) is waits
