"""The engine with a scripted server, on simulated time."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from support.engines import engine_run, linked, uids_of

from harvester import events
from harvester.engine.flow import BUDGET_BYTES
from harvester.engine.off_peak import Hours
from harvester.errors import Fault, HarvestError, Refused, RequestFailed, WindowClosed
from harvester.model.delivery import AnsweredUids
from harvester.model.outcomes import Outcome
from harvester.model.uids import as_set
from harvester.testing import (
    FakeClock,
    Reply,
    Timed,
    elink_answer,
    fake_seconds,
    run_in_fake_time,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.engines import EngineRun, Script

    from harvester.testing import Answer, SentRequest

BUSY = [pytest.param(0.0, id="quiet machine"), pytest.param(0.5, id="busy machine")]
"""Seconds by which timers are late at most."""


def all_linked(run: EngineRun, uids: range) -> None:
    """Assert that each UID was answered exactly once."""
    assert run.outcomes == dict.fromkeys(uids, Outcome.LINKED)


def fails_for(uid: int, failure: Answer) -> Callable[[SentRequest], Answer]:
    """Answer all requests but those that contain one UID."""
    return lambda request: failure if uid in uids_of(request) else linked(request)


def xml_alone(request: SentRequest) -> bytes:
    """Answer in XML; what comes as JSON cannot be read."""
    if request.values("retmode") != ["xml"]:
        return b'{"linksets":['
    sets = (
        f"<LinkSet><DbFrom>pubmed</DbFrom><IdList><Id>{uid}</Id></IdList><LinkSetDb><DbTo>pmc"
        f"</DbTo><LinkName>pubmed_pmc</LinkName><Link><Id>{10 * uid}</Id></Link></LinkSetDb>"
        "</LinkSet>"
        for uid in uids_of(request)
    )
    return f"<eLinkResult>{''.join(sets)}</eLinkResult>".encode()


# --- answers ----------------------------------------------------------------------------------


def test_each_uid_is_requested_once_and_delivered_once() -> None:
    async def script() -> None:
        run = engine_run(linked, range(1, 201), batch_size=7)
        assert await run.drive() is None
        all_linked(run, range(1, 201))
        requested = [uid for request in run.transport.requests for uid in uids_of(request)]
        assert sorted(requested) == list(range(1, 201))
        assert all(len(uids_of(request)) <= 7 for request in run.transport.requests)

    run_in_fake_time(script())


def test_delivered_rows_are_those_of_the_answers() -> None:
    async def script() -> None:
        run = engine_run(linked, range(1, 51), batch_size=5)
        await run.drive()
        tables = [one.rows.to_table() for one in run.deliveries if isinstance(one, AnsweredUids)]
        rows = [row for table in tables for row in table.to_pylist()]
        assert sorted((row["from_uid"], row["to_uid"]) for row in rows) == [
            (uid, 10 * uid) for uid in range(1, 51)
        ]

    run_in_fake_time(script())


def test_uids_without_links_are_empty() -> None:
    def answer(request: SentRequest) -> bytes:
        return elink_answer("pubmed", {uid: {} for uid in uids_of(request)})

    async def script() -> None:
        run = engine_run(answer, range(1, 11))
        assert await run.drive() is None
        assert set(run.outcomes.values()) == {Outcome.EMPTY}

    run_in_fake_time(script())


def test_requests_in_flight_stay_below_the_concurrency() -> None:
    async def script() -> None:
        run = engine_run(
            lambda request: Timed(linked(request), answering=5), range(1, 61), concurrency=8
        )
        assert await run.drive() is None
        assert run.transport.most_in_flight == 8
        all_linked(run, range(1, 61))

    run_in_fake_time(script())


@pytest.mark.parametrize("latest", BUSY)
def test_no_second_has_more_requests_than_the_rate(latest: float) -> None:
    async def script() -> None:
        run = engine_run(linked, range(1, 201), rate=10)
        assert await run.drive() is None
        times = run.times()
        assert all(times[n + 10] - times[n] > 1.0 - 1e-4 for n in range(len(times) - 10))

    run_in_fake_time(script(), latest=latest)


def test_nothing_is_requested_while_the_committer_is_full() -> None:
    async def script() -> None:
        pending = BUDGET_BYTES + 1
        run = engine_run(linked, range(1, 11), pending=lambda: pending)
        driving = asyncio.create_task(run.drive())
        await asyncio.sleep(300)
        assert run.transport.requests == []
        pending = 0
        assert await driving is None
        all_linked(run, range(1, 11))

    run_in_fake_time(script())


def test_uids_fed_while_running_are_requested() -> None:
    async def script() -> None:
        run = engine_run(linked, range(1, 6), fed=False)
        driving = asyncio.create_task(run.drive())
        await asyncio.sleep(100)
        all_linked(run, range(1, 6))
        assert not driving.done()
        run.engine.feed(as_set(range(6, 11)))
        await asyncio.sleep(100)
        run.engine.end_feed()
        assert await driving is None
        all_linked(run, range(1, 11))

    run_in_fake_time(script())


# --- failures ---------------------------------------------------------------------------------

FAILURES: dict[str, Reply | Exception] = {
    "502": Reply(502, {}, b"Bad Gateway"),
    "cut": Reply(200, {}, elink_answer("pubmed", {1: {"pubmed_pmc": [2]}})[:40]),
    "html": Reply(200, {}, b"<!DOCTYPE html><html>Down</html>"),
    "network": RequestFailed(Fault.NETWORK, "the server closed the connection"),
    "timeout": RequestFailed(Fault.TIMEOUT, "no answer in time"),
    "429": Reply(429, {}, b""),
}


@pytest.mark.parametrize("latest", BUSY)
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_one_request_in_five_failing_loses_nothing(failure: Answer, latest: float) -> None:
    count = 0

    def answer(request: SentRequest) -> Answer:
        nonlocal count
        count += 1
        return failure if count % 5 == 0 else linked(request)

    async def script() -> None:
        run = engine_run(answer, range(1, 101), batch_size=3, max_attempts=10)
        assert await run.drive() is None
        all_linked(run, range(1, 101))

    run_in_fake_time(script(), latest=latest)


def test_a_uid_that_always_fails_is_given_up_alone() -> None:
    async def script() -> None:
        run = engine_run(
            fails_for(5, Reply(502, {}, b"")), range(1, 41), batch_size=8, max_attempts=3
        )
        assert await run.drive() is None
        assert run.outcomes.pop(5) is Outcome.FAILED
        assert {uid for uid, what in run.outcomes.items() if what is Outcome.LINKED} == {
            uid for uid in range(1, 41) if uid != 5
        }
        assert run.reasons() == {5: "HTTP 502"}

    run_in_fake_time(script())


def test_a_uid_left_out_of_every_answer_is_missing() -> None:
    def answer(request: SentRequest) -> bytes:
        found = {uid: {"pubmed_pmc": [uid]} for uid in uids_of(request) if uid != 5}
        return elink_answer("pubmed", found)

    async def script() -> None:
        run = engine_run(answer, range(1, 41), batch_size=8, max_attempts=3)
        assert await run.drive() is None
        assert {uid for uid, what in run.outcomes.items() if what is Outcome.MISSING} == {5}
        assert len(run.outcomes) == 40

    run_in_fake_time(script())


def test_retry_after_overrides_backoff() -> None:
    failed: list[float] = []

    def answer(request: SentRequest) -> Answer:
        if 1 in uids_of(request) and not failed:
            failed.append(request.at)
            return Reply(503, {"retry-after": "120"}, b"")
        return linked(request)

    async def script() -> None:
        run = engine_run(answer, range(1, 51), rate=10)
        assert await run.drive() is None
        again = [r.at for r in run.transport.requests if 1 in uids_of(r)][-1]
        assert again - failed[0] >= 120
        all_linked(run, range(1, 51))

    run_in_fake_time(script())


def test_a_refused_key_ends_the_run_after_four_refusals() -> None:
    async def script() -> None:
        refusal = Reply(400, {}, b'{"error":"API key invalid"}')
        run = engine_run(lambda _: refusal, range(1, 101), concurrency=1)
        ended = await run.drive()
        assert isinstance(ended, Refused)
        assert "API key" in str(ended)
        assert len(run.transport.requests) == 4
        assert run.deliveries == []

    run_in_fake_time(script())


# --- outages ----------------------------------------------------------------------------------


def outage(
    failure: Reply | Exception, seconds: float, latency: tuple[float, float]
) -> Callable[[], Script]:
    """Make a server that is down from the fifth second on, with random latencies."""

    def server() -> Script:
        began, chooser = asyncio.get_running_loop().time(), random.Random(1)

        def answer(request: SentRequest) -> Answer:
            down = 5 < request.at - began < 5 + seconds
            body = failure if down else linked(request)
            return Timed(body, answering=chooser.uniform(*latency))

        return answer

    return server


@pytest.mark.parametrize("latest", BUSY)
@pytest.mark.parametrize("failure", [name for name in FAILURES if name != "429"])
def test_an_outage_charges_no_uid(failure: str, latest: float) -> None:
    """With one attempt only, a UID that the outage was charged to would fail."""
    server = outage(FAILURES[failure], 600, (0.3, 0.3))

    async def script() -> None:
        run = engine_run(server(), range(1, 301), rate=20, max_attempts=1)
        assert await run.drive() is None
        all_linked(run, range(1, 301))
        assert any(isinstance(event, events.Waiting) for event in run.events)

    run_in_fake_time(script(), latest=latest)


@pytest.mark.parametrize("latest", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("seconds", [5, 20])
def test_a_short_outage_charges_no_uid(seconds: float, latest: float) -> None:
    """Some requests are in flight for two seconds, and timers are late."""
    server = outage(FAILURES["502"], seconds, (0.02, 2.0))

    async def script() -> None:
        run = engine_run(server(), range(1, 501), rate=40, max_attempts=1)
        assert await run.drive() is None
        all_linked(run, range(1, 501))

    run_in_fake_time(script(), latest=latest)


def test_where_no_json_can_be_read_xml_is_asked_for() -> None:
    async def script() -> None:
        run = engine_run(xml_alone, range(1, 401), batch_size=5)
        async with asyncio.timeout(3600):
            assert await run.drive() is None
        all_linked(run, range(1, 401))
        in_json = sum(one.values("retmode") == ["json"] for one in run.transport.requests)
        assert in_json < 40  # those in flight before it was noticed, and their retries

    run_in_fake_time(script())


def test_probes_during_an_outage_become_rare() -> None:
    async def script() -> None:
        run = engine_run(lambda _: Reply(503, {}, b""), range(1, 501), rate=20)
        driving = asyncio.create_task(run.drive())
        await asyncio.sleep(600)
        before = len(run.transport.requests)
        await asyncio.sleep(3000)
        assert 8 <= len(run.transport.requests) - before <= 12  # one in 300 s
        run.engine.halt(HarvestError("enough"))
        await driving

    run_in_fake_time(script())


def test_a_uid_of_an_earlier_run_is_the_probe() -> None:
    """The run has no answer of its own yet; a UID of an earlier run shows that the server works."""

    async def script() -> None:
        run = engine_run(fails_for(1, Reply(502, {}, b"")), [1], known=[77], max_attempts=2)
        assert await run.drive() is None
        assert run.outcomes == {1: Outcome.FAILED}
        assert [77] in [uids_of(request) for request in run.transport.requests]

    run_in_fake_time(script())


# --- hours ------------------------------------------------------------------------------------


def test_requests_wait_for_the_off_peak_hours() -> None:
    async def script() -> None:
        noon = FakeClock("2026-11-18T12:00:00-05:00")
        run = engine_run(linked, range(1, 11), hours=Hours(bound=True, clock=noon))
        assert await run.drive() is None
        assert run.times()[0] == pytest.approx(9 * 3600, abs=1)
        all_linked(run, range(1, 11))

    run_in_fake_time(script())


def test_no_request_leaves_after_the_off_peak_hours_end() -> None:
    """One request per second from 04:59:00: after a minute, the rest waits until 21:00."""

    async def script() -> None:
        clock = FakeClock("2026-11-18T04:59:00-05:00")
        run = engine_run(linked, range(1, 101), rate=1, hours=Hours(bound=True, clock=clock))
        assert await run.drive() is None
        morning = [at for at in run.times() if at < 3600]
        assert 55 <= len(morning) <= 61
        assert morning[-1] < 60
        assert run.times()[len(morning)] == pytest.approx(16 * 3600 + 60, abs=2)
        all_linked(run, range(1, 101))

    run_in_fake_time(script())


def test_a_run_that_is_to_leave_at_the_end_of_the_hours_leaves() -> None:
    async def script() -> None:
        clock = FakeClock("2026-11-18T04:59:00-05:00")
        hours = Hours(bound=True, leave=True, clock=clock)
        run = engine_run(linked, range(1, 101), rate=1, hours=hours)
        assert isinstance(await run.drive(), WindowClosed)
        assert fake_seconds() <= 75
        requested = {uid for request in run.transport.requests for uid in uids_of(request)}
        assert run.outcomes == dict.fromkeys(requested, Outcome.LINKED)

    run_in_fake_time(script())
