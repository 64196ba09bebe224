"""Single requests wait while the whole server is down, and only then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from harvester import events
from harvester.client.backoff import outage_delays
from harvester.client.outage_retry import OutageRetry
from harvester.errors import Fault, GaveUp, RequestFailed
from harvester.testing import fake_seconds, run_in_fake_time

if TYPE_CHECKING:
    from harvester.client.client import Client


class Server:
    """Fails for some seconds; EInfo too, unless `einfo` is true."""

    def __init__(
        self,
        until: float,
        *,
        since: float = 0.0,
        einfo: bool = False,
        fault: Fault = Fault.SERVER,
    ) -> None:
        self._since = since
        self._until = until
        self._einfo = einfo
        self._fault = fault

    base_url = "https://server/"

    async def call(self, *_: object) -> str:
        if self._since <= fake_seconds() < self._until:
            raise RequestFailed(self._fault, "HTTP 503")
        return "answer"

    async def ping(self) -> None:
        if not self._einfo and fake_seconds() < self._until:
            raise RequestFailed(Fault.SERVER, "HTTP 503")


def _ask(server: Server) -> tuple[str, list[events.Event], float]:
    seen: list[events.Event] = []

    async def ask() -> tuple[str, list[events.Event], float]:
        client = OutageRetry(cast("Client", server), seen.append)
        answer = await client.call("esearch.fcgi", {}, bytes.decode)
        return answer, seen, fake_seconds()

    return run_in_fake_time(ask())


def test_delays_double_up_to_five_minutes() -> None:
    delays = outage_delays()
    assert [next(delays) for _ in range(8)] == [5, 10, 20, 40, 80, 160, 300, 300]


def test_an_outage_is_reported_and_waited_for() -> None:
    answer, seen, seconds = _ask(Server(until=12))
    assert answer == "answer"
    assert seconds == pytest.approx(15, abs=0.1)
    waits = [one for one in seen if isinstance(one, events.Waiting)]
    assert [(one.cause, one.reason, one.retry_in) for one in waits] == [
        ("outage", "HTTP 503", 5.0),
        ("outage", "HTTP 503", 10.0),
    ]
    assert isinstance(seen[-1], events.Resumed)


@pytest.mark.parametrize(
    "server",
    [Server(until=1e9, einfo=True), Server(until=1e9, fault=Fault.REFUSAL)],
    ids=["einfo answers", "not an outage"],
)
def test_a_failure_of_the_request_alone_is_raised_at_once(server: Server) -> None:
    with pytest.raises(RequestFailed, match="HTTP 503"):
        _ask(server)


def _ask_twice(server: Server) -> float:
    """Send at 0 s and at 1 s; return the time of the second answer."""

    async def ask() -> float:
        client = OutageRetry(cast("Client", server), lambda _: None)
        await client.call("esearch.fcgi", {}, bytes.decode)
        await asyncio.sleep(1.0)
        await client.call("esearch.fcgi", {}, bytes.decode)
        return fake_seconds()

    return run_in_fake_time(ask())


def test_a_utility_that_has_answered_before_is_waited_for() -> None:
    assert _ask_twice(Server(since=1.0, until=500.0, einfo=True)) == pytest.approx(616.0, abs=0.1)


@pytest.mark.parametrize(
    "server",
    [Server(since=1.0, until=1e9, einfo=True), Server(since=1.0, until=1e9, fault=Fault.BODY)],
    ids=["for ten minutes", "not if the answer is bad"],
)
def test_but_not_for_ever(server: Server) -> None:
    with pytest.raises(RequestFailed, match="HTTP 503"):
        _ask_twice(server)


@pytest.mark.parametrize(("give_up_after", "last"), [(4.0, 0.0), (16.0, 15.0), (60.0, 35.0)])
def test_a_call_gives_up_before_a_pause_that_is_too_long(give_up_after: float, last: float) -> None:
    async def ask() -> float:
        client = OutageRetry(cast("Client", Server(until=1e9)), lambda _: None, give_up_after)
        with pytest.raises(GaveUp, match=r"https://server/ is not answering \(HTTP 503\)\."):
            await client.call("esearch.fcgi", {}, bytes.decode)
        return fake_seconds()

    assert run_in_fake_time(ask()) == pytest.approx(last, abs=0.1)


def test_without_an_outage_nothing_is_reported() -> None:
    assert _ask(Server(until=0))[:2] == ("answer", [])
