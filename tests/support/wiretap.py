"""A proxy that records the bytes a client sends."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl

_SET_COOKIE = b"domain=.nih.gov;", b"comment=nothing;"
"""NCBI's cookie is for its own domain; here it is made one that a client would have to send back
to this very server, if it kept cookies."""


@dataclass(frozen=True)
class Request:
    """One request as received.

    Attributes:
        arrived: monotonic seconds at its first byte.
        idle: seconds since the last byte of the answer before it on the same connection; None for
            the first request.
    """

    arrived: float
    idle: float | None
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields of the body, in order."""
        return parse_qsl(self.body.decode("ascii"), keep_blank_values=True)

    def values(self, name: str) -> list[str]:
        """Return all values of one field of the body."""
        return [value for key, value in self.form if key == name]


@dataclass
class Connection:
    """One connection: bytes of the client, and the times of its bytes and of answers."""

    sent: bytearray = field(default_factory=bytearray)
    stretches: list[tuple[int, float]] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)

    def requests(self) -> list[Request]:
        """The bytes as requests; all must be complete."""
        found: list[Request] = []
        data, start = bytes(self.sent), 0
        while start < len(data):
            head, separator, _ = data[start:].partition(b"\r\n\r\n")
            assert separator, "a request was cut within its headers"
            first, *lines = head.decode("latin-1").split("\r\n")
            method, target, _ = first.split(" ")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            body_at = start + len(head) + len(separator)
            end = body_at + int(headers.get("content-length", "0"))
            arrived = self._time_of(start)
            earlier = [at for at in self.answered if at <= arrived]
            idle = arrived - earlier[-1] if found and earlier else None
            found.append(Request(arrived, idle, method, target, headers, data[body_at:end]))
            start = end
        return found

    def _time_of(self, place: int) -> float:
        at = bisect_right(self.stretches, (place, float("inf"))) - 1
        return self.stretches[at][1]


class Wiretap:
    """A proxy before a server on this machine, running within `async with`.

    Args:
        port: of the server.
        hide: bytes of requests that the server gets as `&x=xxx…&` of the same length.

    Attributes:
        connections: all connections so far.
        cookies: number of cookies sent to the client.
    """

    def __init__(self, port: int, hide: bytes = b"") -> None:
        self._port = port
        self._hide = hide
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections: list[Connection] = []
        self.cookies = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def base_url(self) -> str:
        """The proxy's address, by name: cookies are not kept for bare IP addresses."""
        assert self._server is not None
        return f"http://localhost:{self._server.sockets[0].getsockname()[1]}/entrez/eutils/"

    @property
    def requests(self) -> list[Request]:
        """All requests in order of arrival."""
        found = [request for one in self.connections for request in one.requests()]
        return sorted(found, key=lambda request: request.arrived)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        connection = Connection()
        self.connections.append(connection)
        upstream, downstream = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._questions(reader, downstream, connection))
                tasks.create_task(self._answers(upstream, writer, connection))
        except* OSError:
            pass  # one side has closed: close the other
        finally:
            self._tasks.discard(task)
            writer.close()
            downstream.close()

    async def _questions(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection
    ) -> None:
        while data := await reader.read(1 << 16):
            connection.stretches.append((len(connection.sent), time.monotonic()))
            connection.sent += data
            if self._hide:
                data = data.replace(self._hide, b"&x=%b&" % (b"x" * (len(self._hide) - 4)))
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: Connection
    ) -> None:
        while data := await reader.read(1 << 16):
            connection.answered.append(time.monotonic())
            self.cookies += data.count(_SET_COOKIE[0])
            writer.write(data.replace(*_SET_COOKIE))
            await writer.drain()
        writer.close()
