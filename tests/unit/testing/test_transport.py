"""The scripted transport: answers, failures, delays, and what it records."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from support.snippets import examples_of, run

from harvester import Eutils
from harvester import testing as harvester_testing
from harvester.errors import Fault, RequestFailed
from harvester.eutils.elink.readers.neighbor_json import read
from harvester.testing import (
    FakeClock,
    Reply,
    ScriptedTransport,
    Timed,
    elink_answer,
    fake_seconds,
    run_in_fake_time,
)

if TYPE_CHECKING:
    from harvester.testing import SentRequest


async def post(transport: ScriptedTransport, form: bytes = b"id=1&id=2&db=") -> Reply:
    return await transport.post("elink.fcgi", form, lambda: None)


def test_answers_come_in_the_order_of_the_script() -> None:
    async def script() -> None:
        transport = ScriptedTransport([b"{}", Reply(429, {"retry-after": "2"}, b"")])
        assert await post(transport) == Reply(200, {}, b"{}")
        assert await post(transport) == Reply(429, {"retry-after": "2"}, b"")

    run_in_fake_time(script())


def test_exceptions_of_the_script_are_raised() -> None:
    async def script() -> None:
        transport = ScriptedTransport([RequestFailed(Fault.NETWORK, "cut")])
        with pytest.raises(RequestFailed, match="cut"):
            await post(transport)
        assert transport.in_flight == 0

    run_in_fake_time(script())


def test_a_request_beyond_the_script_fails_the_test() -> None:
    async def script() -> None:
        transport = ScriptedTransport([b"{}"])
        await post(transport)
        with pytest.raises(AssertionError, match=r"request 2 \(to elink.fcgi\).* only 1 answers"):
            await post(transport)

    run_in_fake_time(script())


def test_a_function_answers_each_request() -> None:
    def answer(request: SentRequest) -> bytes:
        return ",".join(request.values("id")).encode()

    async def script() -> None:
        transport = ScriptedTransport(answer)
        assert (await post(transport)).body == b"1,2"
        assert transport.requests[0].fields == [("id", "1"), ("id", "2"), ("db", "")]
        assert transport.requests[0].path == "elink.fcgi"

    run_in_fake_time(script())


def test_delays_are_those_of_the_script() -> None:
    async def script() -> None:
        transport, sent = ScriptedTransport([Timed(b"{}", connecting=2, answering=13)]), []
        await transport.post("elink.fcgi", b"", lambda: sent.append(fake_seconds()))
        assert sent == [pytest.approx(2, abs=0.001)]
        assert fake_seconds() == pytest.approx(15, abs=0.001)

    run_in_fake_time(script())


def test_requests_in_flight_are_counted() -> None:
    async def script() -> None:
        transport = ScriptedTransport(lambda _: Timed(b"{}", answering=1))
        async with asyncio.TaskGroup() as tasks:
            for _ in range(3):
                tasks.create_task(post(transport))
        assert (transport.in_flight, transport.most_in_flight) == (0, 3)

    run_in_fake_time(script())


def test_an_answer_that_never_comes_ends_with_its_task() -> None:
    async def script() -> None:
        transport = ScriptedTransport([Timed(None)])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await post(transport)
        assert transport.in_flight == 0

    run_in_fake_time(script())


async def test_an_installed_script_answers_the_public_functions() -> None:
    with ScriptedTransport([elink_answer("gene", {7157: {"gene_pubmed": [5, 6]}})]).installed():
        async with Eutils(base_url="http://scripted/", rate=1000) as e:
            linked = await e.elink("gene", [7157], db="pubmed")
    assert linked.by_uid("gene_pubmed") == {7157: [5, 6]}


def test_elink_answers_are_read_as_those_of_the_server() -> None:
    body = elink_answer("pubmed", {3: {"pubmed_pmc": [8, 9], "pubmed_pmc_refs": [7]}, 4: {}})
    found = read(body)
    assert found.ids == [["3"], ["4"]]
    assert (found.dbto, found.linkname) == (["pmc", "pmc"], ["pubmed_pmc", "pubmed_pmc_refs"])
    assert found.to_uid.tolist() == [8, 9, 7]


@pytest.mark.parametrize(
    "thing",
    [harvester_testing, ScriptedTransport, run_in_fake_time, FakeClock],
    ids=lambda thing: str(thing.__name__),
)
async def test_examples_of_the_documentation_run(thing: object) -> None:
    names: dict[str, Any] = {"FakeClock": FakeClock}
    for example in examples_of(thing):
        if "run_in_fake_time(" in example:  # starts a loop of its own
            await asyncio.to_thread(exec, example, names)
        else:
            await run(example, names)
    assert len(names) > 1
