"""Rate limit, API keys, keep-alive, headers, compression, log, outages."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING

import aiohttp
import pytest

from harvester.emulator import Emulator, EmulatorConfig
from harvester.emulator.ratelimit import RateLimit

from .conftest import Client

if TYPE_CHECKING:
    from pathlib import Path


def test_no_sliding_second_has_more_than_the_limit() -> None:
    limit = RateLimit(3, 10)
    granted = [limit.count("1.2.3.4", t / 10, has_key=False).granted for t in range(8)]
    assert granted == [True] * 3 + [False] * 5
    # Rejected requests count, so one second must pass after the third last of all.
    assert not limit.count("1.2.3.4", 1.4, has_key=False).granted
    quiet = limit.count("1.2.3.4", 2.45, has_key=False)
    assert (quiet.granted, quiet.count, quiet.remaining) == (True, 1, 2)


def test_requests_are_counted_by_time_of_arrival() -> None:
    limit = RateLimit(3, 10)
    for arrived in (1.0, 1.9, 0.8):
        assert limit.count("1.2.3.4", arrived, has_key=False).granted
    # The second before the last holds 0.95, 1.0 and 1.9; the next one is too many.
    assert limit.count("1.2.3.4", 0.95, has_key=False).granted
    assert not limit.count("1.2.3.4", 1.85, has_key=False).granted


def test_keys_and_addresses_are_counted_separately() -> None:
    limit = RateLimit(3, 10)
    for _ in range(10):
        assert limit.count("key", 0.0, has_key=True).granted
    assert not limit.count("key", 0.0, has_key=True).granted
    assert limit.count("other", 0.0, has_key=True).granted
    assert limit.count("1.2.3.4", 0.0, has_key=False).granted


async def test_http_1_0_gets_no_chunks() -> None:
    """EDirect runs curl with --http1.0."""
    async with Emulator(EmulatorConfig(rate=None)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /entrez/eutils/elink.fcgi?id=1&retmode=json HTTP/1.0\r\n\r\n")
        head, _, body = (await asyncio.wait_for(reader.read(), 30)).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        async with aiohttp.ClientSession() as session:
            whole = await Client(session, server).json("id=1")
    assert head.startswith(b"HTTP/1.0 200 OK")
    assert b"chunked" not in head.lower()
    assert b"Connection: close" in head
    assert json.loads(body) == whole


async def test_over_the_limit_is_429_over_all_utilities(session: aiohttp.ClientSession) -> None:
    async with Emulator(EmulatorConfig()) as server:
        client = Client(session, server)
        for utility in ("einfo", "esearch", "elink"):
            assert (await client.raw(utility, "id=1&term=all"))[0] == 200
        async with session.get(f"{server.base_url}elink.fcgi?id=1&retmode=xml") as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "2"
            assert "Access-Control-Allow-Origin" not in response.headers
            assert response.headers["X-RateLimit-Limit"] == "3"
            assert response.headers["X-RateLimit-Remaining"] == "0"
            body = await response.json()
        assert body == {
            "error": "API rate limit exceeded",
            "api-key": "127.0.0.1",
            "count": "4",
            "limit": "3",
        }
        assert (await client.raw("elink", "id=1&api_key=abc"))[0] == 200
        assert server.log.busiest_second() == 5
        assert [entry.status for entry in server.log] == [200, 200, 200, 429, 200]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the time of arrival")
async def test_a_request_counts_from_arrival_not_from_reading() -> None:
    async with Emulator(EmulatorConfig()) as server:
        reader, writer = await asyncio.open_connection(server.config.host, server.port)
        writer.write(b"GET /entrez/eutils/elink.fcgi?id=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.5)  # noqa: ASYNC251 - the server is busy
        read_from = time.monotonic()
        await reader.readline()
        writer.close()
    assert server.log.entries[0].arrived < read_from - 0.25


async def test_an_unknown_key_is_400(session: aiohttp.ClientSession) -> None:
    async with Emulator(EmulatorConfig(api_keys=("good",))) as server:
        client = Client(session, server)
        assert (await client.raw("elink", "id=1&api_key=good"))[0] == 200
        status, body = await client.raw("elink", "id=1&api_key=bad", post=True)
        assert status == 400
        assert json.loads(body)["error"] == "API key invalid"


async def test_the_40th_request_closes_the_connection(session: aiohttp.ClientSession) -> None:
    async with Emulator(EmulatorConfig(rate=None)) as server:
        for number in range(1, 42):
            async with session.get(f"{server.base_url}einfo.fcgi") as response:
                await response.read()
            if number == 40:
                assert response.headers["Connection"] == "close"
            else:
                assert response.headers["Keep-Alive"] == f"timeout=4, max={40 - (number - 1) % 40}"
        assert [entry.nth for entry in server.log] == [*range(1, 41), 1]
        assert {entry.connection for entry in server.log} == {1, 2}


async def test_an_idle_connection_is_closed() -> None:
    async with Emulator(EmulatorConfig(rate=None, keepalive_timeout=0.1)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /entrez/eutils/einfo.fcgi HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(5):
            answer = await reader.read()  # ends when the server closes
        assert b"Keep-Alive: timeout=0.1, max=40" in answer
        writer.close()
        await writer.wait_closed()


async def test_headers_are_those_of_recorded_answers(
    recorded: Path, session: aiohttp.ClientSession
) -> None:
    lines = (recorded / "biocommons-eutils" / "test_elink__0.xml.headers.txt").read_text()
    theirs = {line.partition(":")[0].lower() for line in lines.splitlines() if line[:1] != "#"}
    async with (
        Emulator() as server,
        session.get(f"{server.base_url}elink.fcgi?id=1") as response,
    ):
        ours = {name.lower() for name in response.headers}
        assert response.headers["Content-Type"] == "text/xml; charset=UTF-8"
        assert response.headers["Content-Encoding"] == "gzip"
        assert response.headers["Transfer-Encoding"] == "chunked"
    assert ours == theirs


async def test_compression_depends_on_accept_encoding(session: aiohttp.ClientSession) -> None:
    async with Emulator(EmulatorConfig(rate=None)) as server:
        url = f"{server.base_url}elink.fcgi?id=1"
        async with session.get(url, headers={"Accept-Encoding": "identity"}) as response:
            assert "Content-Encoding" not in response.headers
            plain = await response.read()
        async with session.get(url) as response:
            assert await response.read() == plain


async def test_retry_after_can_be_left_out(session: aiohttp.ClientSession) -> None:
    async with Emulator(EmulatorConfig(rate=1, retry_after=None)) as server:
        await Client(session, server).raw("einfo", "")
        async with session.get(f"{server.base_url}einfo.fcgi") as response:
            assert response.status == 429
            assert "Retry-After" not in response.headers


@pytest.mark.parametrize(
    ("path", "status"),
    [("elink.cgi?id=1", 200), ("elink.fcgi/?id=1", 200), ("nothing.fcgi", 404), ("", 404)],
)
async def test_other_paths_are_404(session: aiohttp.ClientSession, path: str, status: int) -> None:
    async with Emulator() as server, session.get(server.base_url + path) as response:
        assert response.status == status


async def test_other_methods_are_405(session: aiohttp.ClientSession) -> None:
    async with Emulator() as server, session.put(f"{server.base_url}elink.fcgi") as response:
        assert response.status == 405


async def test_the_log_describes_requests_without_keys(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    path = tmp_path / "log.jsonl"
    async with Emulator(EmulatorConfig(log=path, faults=("500@77",))) as server:
        client = Client(session, server)
        await client.raw("elink", "dbfrom=pubmed&id=1,2&id=3&api_key=SECRET", post=True)
        await client.raw("elink", "dbfrom=pubmed&id=77")
        first, second = server.log
        assert (first.method, first.utility) == ("POST", "elink")
        assert first.names == ("dbfrom", "id", "api_key")
        assert (first.ids, first.parameters, first.status, first.nth) == (3, 2, 200, 1)
        assert first.key != second.key == ""
        assert first.bytes > 0
        assert (second.fault, second.status, second.nth) == ("500", 500, 2)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["status"] for line in lines] == [200, 500]
    assert "SECRET" not in path.read_text() + repr(server.log.entries)


async def test_an_answer_takes_its_latency(session: aiohttp.ClientSession) -> None:
    config = EmulatorConfig(rate=None, latency=(0.05,), latency_per_uid=0.02)
    async with Emulator(config) as server:
        await Client(session, server).raw("elink", "id=1,2")
        assert server.log.entries[0].seconds >= 0.09


@pytest.mark.parametrize("kind", [503, "reset", "hang", "refused"])
async def test_outages_start_and_end_at_run_time(
    session: aiohttp.ClientSession, kind: int | str
) -> None:
    timeout = aiohttp.ClientTimeout(total=0.3 if kind == "hang" else 30.0)
    async with Emulator(EmulatorConfig(rate=None)) as server:
        url = f"{server.base_url}einfo.fcgi"
        async with session.get(url) as response:
            assert response.status == 200
        async with server.outage(kind):
            if kind == 503:
                async with session.get(url) as response:
                    assert response.status == 503
                    await response.read()
            else:
                failure = TimeoutError if kind == "hang" else aiohttp.ClientConnectionError
                with pytest.raises(failure):
                    await session.get(url, timeout=timeout)
        async with session.get(url) as response:
            assert response.status == 200


async def test_an_outage_can_be_configured(session: aiohttp.ClientSession) -> None:
    async with Emulator(EmulatorConfig(rate=None, outage=(0.0, 0.2))) as server:
        client = Client(session, server)
        assert (await client.raw("einfo", ""))[0] == 503
        async with asyncio.timeout(5):
            while (await client.raw("einfo", ""))[0] == 503:
                await asyncio.sleep(0.02)
        assert next(entry.fault for entry in server.log) == "outage"
        assert server.log.entries[-1].fault == ""
