"""The HTTP session: requests sent, replies received, and the error for each kind of failure."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections import Counter
from contextlib import asynccontextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import aiohttp
import numpy as np
import pytest
from aioresponses import aioresponses

from harvester.client import transport as transport_module
from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter, Permit
from harvester.client.transport import Transport
from harvester.errors import Fault, RateLimited, RequestFailed
from harvester.eutils.elink.commands import Elink
from harvester.eutils.identity import Identity
from harvester.job.groups import Contact
from harvester.job.link import Link
from harvester.model.batch import Batch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from harvester.client.reply import Reply

KEY = "0123456789abcdef0123456789abcdef0123"
FORM = f"dbfrom=pubmed&db=pmc&api_key={KEY}&id=1&id=2".encode()
BASE = "http://eutils.test/entrez/eutils/"
ANSWER = b'{"linksets":[{"ids":["1"]},{"ids":["2"]}]}'


def _ignore_sent() -> None:
    """Ignore when the request is sent."""


async def _failure(sent: Awaitable[Reply]) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        await sent
    shown = repr(caught.value) + caught.value.reason
    assert KEY not in shown
    return caught.value


# --- where a session is enough --------------------------------------------------------------


async def test_status_headers_and_body_come_back() -> None:
    with aioresponses() as mocked:
        mocked.post(f"{BASE}elink.fcgi", status=503, body=b"x\xff", headers={"Retry-After": "2"})
        async with Transport(BASE, 5) as transport:
            reply = await transport.post("elink.fcgi", FORM, _ignore_sent)
    assert (reply.status, reply.body, reply.headers["retry-after"]) == (503, b"x\xff", "2")


def _refused() -> aiohttp.ClientConnectorError:
    key: Any = None
    return aiohttp.ClientConnectorError(key, ConnectionRefusedError(111, "Connection refused"))


@pytest.mark.parametrize(
    ("trouble", "fault"),
    [
        (TimeoutError(), Fault.TIMEOUT),
        (aiohttp.ServerTimeoutError(KEY), Fault.TIMEOUT),
        (aiohttp.ConnectionTimeoutError(KEY), Fault.TIMEOUT),
        (aiohttp.ClientPayloadError(KEY), Fault.BODY),
        (aiohttp.ServerDisconnectedError(KEY), Fault.NETWORK),
        (_refused(), Fault.NETWORK),
        (aiohttp.ClientOSError(104, f"Connection reset {KEY}"), Fault.NETWORK),
        (ConnectionResetError(104, KEY), Fault.NETWORK),
        (aiohttp.InvalidURL(KEY), Fault.NETWORK),
        (aiohttp.ClientConnectionError(KEY), Fault.NETWORK),
        (ValueError(KEY), Fault.NETWORK),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
async def test_each_trouble_becomes_a_failure_that_repeats_no_key(
    trouble: Exception, fault: Fault
) -> None:
    with aioresponses() as mocked:
        mocked.post(f"{BASE}elink.fcgi", exception=trouble)
        async with Transport(BASE, 5) as transport:
            failure = await _failure(transport.post("elink.fcgi", FORM, _ignore_sent))
    assert failure.fault is fault


async def test_it_must_be_opened_first() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await Transport(BASE, 5).post("elink.fcgi", FORM, _ignore_sent)


def _client(transport: Transport) -> Client:
    contact = Contact(email="me@example.org", tool="test")
    return Client(transport, Limiter(1000, clock=time.monotonic), Identity(contact, KEY))


ELINK = Elink(Link(dbfrom="pubmed"))


async def test_a_client_gives_a_reconciled_answer_and_its_size() -> None:
    with aioresponses() as mocked:
        mocked.post(f"{BASE}elink.fcgi", body=ANSWER)
        async with Transport(BASE, 5) as transport:
            batch = Batch(np.array([1, 2, 3], np.int64), "json")
            answer, body = await _client(transport).ask(ELINK, batch, Permit(clock=time.monotonic))
    assert body == ANSWER
    assert answer.answered.tolist() == [1, 2]
    assert answer.left_out.tolist() == [3]


async def test_a_client_tells_a_refusal_for_the_rate_from_others() -> None:
    limit = b'{"error":"API rate limit exceeded","count":"11","limit":"10"}'
    batch = Batch(np.array([1], np.int64), "json")
    with aioresponses() as mocked:
        mocked.post(f"{BASE}elink.fcgi", status=429, body=limit)
        mocked.post(f"{BASE}elink.fcgi", status=502, body=b"<html>")
        async with Transport(BASE, 5) as transport:
            with pytest.raises(RateLimited) as caught:
                await _client(transport).ask(ELINK, batch, Permit(clock=time.monotonic))
            assert caught.value.limit == 10.0
            with pytest.raises(RequestFailed, match="HTTP 502"):
                await _client(transport).ask(ELINK, batch, Permit(clock=time.monotonic))


@pytest.mark.parametrize(("status", "alive"), [(200, True), (503, False)])
async def test_einfo_tells_whether_the_server_is_alive(status: int, alive: bool) -> None:
    with aioresponses() as mocked:
        mocked.post(f"{BASE}einfo.fcgi", status=status, body=b"<eInfoResult/>")
        async with Transport(BASE, 5) as transport:
            with nullcontext() if alive else pytest.raises(RequestFailed):
                await _client(transport).ping()


async def test_a_429_slows_all_utilities_down() -> None:
    limit = b'{"error":"API rate limit exceeded","count":"11","limit":"10"}'
    with aioresponses() as mocked:
        mocked.post(f"{BASE}einfo.fcgi", status=429, body=limit)
        async with Transport(BASE, 5) as transport:
            client = _client(transport)
            with pytest.raises(RateLimited):
                await client.ping()
            assert client.rate == 10.0


# --- where it takes a socket ----------------------------------------------------------------


class _Server:
    """Speaks minimal HTTP; records requests and their connections."""

    def __init__(self, respond: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> None:
        self._respond = respond
        self.heads: list[str] = []
        self.bodies: list[bytes] = []
        self.connections: Counter[int] = Counter()
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = int(head.lower().partition("content-length:")[2].split()[0])
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                self.connections[writer.get_extra_info("peername")[1]] += 1
                await self._respond(writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def _serving(
    respond: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[_Server]:
    server = _Server(respond)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://localhost:{listening.sockets[0].getsockname()[1]}/"
    try:
        yield server
    finally:
        listening.close()


def _whole(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def _says(
    answer: bytes, *, close: bool = False
) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
    async def respond(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if close:
            await writer.drain()
            writer.close()

    return respond


async def test_the_form_leaves_as_it_is_with_the_headers_of_a_form() -> None:
    async with _serving(_says(_whole(ANSWER))) as server, Transport(server.url, 5) as transport:
        reply = await transport.post("elink.fcgi", FORM, _ignore_sent)
    assert reply.body == ANSWER
    assert server.bodies == [FORM]
    head = server.heads[0].lower()
    assert head.startswith("post /elink.fcgi http/1.1\r\n")
    assert "content-type: application/x-www-form-urlencoded\r\n" in head
    assert "gzip" in head.partition("accept-encoding:")[2].partition("\r\n")[0]
    assert KEY not in head


async def test_a_connection_is_used_again_but_left_before_the_server_cuts_it() -> None:
    """NCBI closes a connection after 40 requests."""
    async with _serving(_says(_whole(ANSWER))) as server, Transport(server.url, 5) as transport:
        for _ in range(100):
            await transport.post("elink.fcgi", FORM, _ignore_sent)
    assert sum(server.connections.values()) == 100
    assert max(server.connections.values()) < 40
    assert len(server.connections) <= 4


async def test_no_cookie_is_kept() -> None:
    cookie = "Set-Cookie: ncbi_sid=abc; path=/"
    answering = _serving(_says(_whole(ANSWER, cookie)))
    async with answering as server, Transport(server.url, 5) as transport:
        for _ in range(2):
            await transport.post("elink.fcgi", FORM, _ignore_sent)
    assert all("cookie:" not in head.lower() for head in server.heads)


async def test_a_redirect_is_not_followed() -> None:
    async with _serving(_says(_whole(ANSWER))) as elsewhere:
        moved = _whole(b"", f"Location: {elsewhere.url}", status="307 Temporary Redirect")
        async with _serving(_says(moved)) as server, Transport(server.url, 5) as transport:
            assert (await transport.post("elink.fcgi", FORM, _ignore_sent)).status == 307
    assert elsewhere.bodies == []


async def test_a_compressed_answer_is_decompressed() -> None:
    body = _whole(gzip.compress(ANSWER), "Content-Encoding: gzip")
    async with _serving(_says(body)) as server, Transport(server.url, 5) as transport:
        assert (await transport.post("elink.fcgi", FORM, _ignore_sent)).body == ANSWER


_PACKED = _whole(gzip.compress(bytes(range(256)) * 50), "Content-Encoding: gzip")
_CUT = {
    "plain": _whole(ANSWER * 100)[:-1],
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + ANSWER[:5] + b"\r\n",
    "gzip": _PACKED[:-30],
    "damaged gzip": _whole(b"\x1f\x8b\x08" + b"?" * 60, "Content-Encoding: gzip"),
    "no gzip": _whole(ANSWER, "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("answer", _CUT.values(), ids=_CUT.keys())
async def test_an_answer_cut_or_damaged_on_its_way_is_no_answer(answer: bytes) -> None:
    answering = _serving(_says(answer, close=True))
    async with answering as server, Transport(server.url, 5) as transport:
        failure = await _failure(transport.post("elink.fcgi", FORM, _ignore_sent))
    assert failure.fault is Fault.BODY


@pytest.mark.parametrize("cut", [1, 8, 9, 12, 20])
async def test_gzip_cut_short_by_a_proxy_is_never_a_shorter_answer(cut: int) -> None:
    """Its length is right, its end is missing: if aiohttp does not detect it, the reader does."""
    packed = gzip.compress(ANSWER)
    answering = _serving(_says(_whole(packed[:-cut], "Content-Encoding: gzip")))
    async with answering as server, Transport(server.url, 5) as transport:
        batch = Batch(np.array([1, 2], np.int64), "json")
        try:
            answer, _ = await _client(transport).ask(ELINK, batch, Permit(clock=time.monotonic))
        except RequestFailed as failure:
            fault = failure.fault
        else:
            fault = Fault.BODY
            assert answer.answered.tolist() == [1, 2]
            assert answer.left_out.tolist() == []
    assert fault is Fault.BODY


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200", b"no HTTP at all\r\n\r\n"])
async def test_a_connection_closed_without_an_answer_is_the_networks_fault(answer: bytes) -> None:
    answering = _serving(_says(answer, close=True))
    async with answering as server, Transport(server.url, 5) as transport:
        failure = await _failure(transport.post("elink.fcgi", FORM, _ignore_sent))
    assert failure.fault is Fault.NETWORK


async def test_nobody_listening_is_the_networks_fault() -> None:
    async with _serving(_says(b"")) as server:
        url = server.url
    async with Transport(url, 5) as transport:
        failure = await _failure(transport.post("elink.fcgi", FORM, _ignore_sent))
    assert failure.fault is Fault.NETWORK
    assert "no connection" in failure.reason


async def _silence(writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


async def _drip(writer: asyncio.StreamWriter) -> None:
    """Send a byte at a time: each wait is short, all of them together are long."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("respond", [_silence, _drip])
async def test_an_answer_that_takes_too_long_is_given_up(
    respond: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> None:
    async with _serving(respond) as server, Transport(server.url, 0.2) as transport:
        failure = await _failure(transport.post("elink.fcgi", FORM, _ignore_sent))
    assert failure.fault is Fault.TIMEOUT


@pytest.mark.parametrize(
    "answer",
    [_whole(b"x" * 100_000), _whole(gzip.compress(b"x" * 100_000), "Content-Encoding: gzip")],
    ids=["plain", "bomb"],
)
async def test_an_oversized_answer_is_abandoned(
    monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    monkeypatch.setattr(transport_module, "MAX_BODY", 10_000)
    async with _serving(_says(answer)) as server, Transport(server.url, 5) as transport:
        failure = await _failure(transport.post("elink.fcgi", FORM, _ignore_sent))
    assert failure.fault is Fault.TOO_LARGE


async def test_on_sent_is_called_once_and_before_the_answer() -> None:
    sent: list[int] = []

    async def respond(writer: asyncio.StreamWriter) -> None:
        assert len(sent) == 1
        writer.write(_whole(ANSWER))

    async with _serving(respond) as server, Transport(server.url, 5) as transport:
        reply = await transport.post("elink.fcgi", FORM, lambda: sent.append(1))
    assert reply.body == ANSWER
    assert sent == [1]


async def test_on_sent_is_not_called_without_a_connection() -> None:
    sent: list[int] = []
    async with _serving(_says(b"")) as server:
        url = server.url
    async with Transport(url, 5) as transport:
        await _failure(transport.post("elink.fcgi", FORM, lambda: sent.append(1)))
    assert sent == []
