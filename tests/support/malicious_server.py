"""A server whose responses a test chooses; an emulator answers the other requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True)
class Request:
    """A request as received.

    Attributes:
        number: of the request, from 1.
        utility: the last part of the path.
        form: its fields.
        body: the bytes received.
    """

    number: int
    utility: str
    form: list[tuple[str, str]]
    body: bytes

    @property
    def uids(self) -> set[int]:
        """The requested UIDs."""
        return {int(value) for name, value in self.form if name == "id"}

    def value(self, name: str) -> str:
        """Return a field, or an empty text."""
        return dict(self.form).get(name, "")


Bytes = bytes | Iterable[bytes]
"""A whole HTTP response, perhaps without an end."""

_STAYING = (b"connection:", b"keep-alive:")

Respond = Callable[[Request], Bytes | None]
"""The response to a request; None leaves it to the emulator."""


def response(
    body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json"
) -> bytes:
    """Return a whole HTTP response."""
    lines = [
        f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers,
        "", "",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + body


class MaliciousServer:
    """A server on this machine, running within `async with`.

    Args:
        port: of the emulator behind it; 0 for none.
        respond: what it answers.
        tls: for https.

    Attributes:
        requests: all requests so far.
        given: bytes sent in responses of the test.
    """

    def __init__(self, port: int, respond: Respond, tls: ssl.SSLContext | None = None) -> None:
        self._port = port
        self._respond = respond
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: list[Request] = []
        self.given = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def base_url(self) -> str:
        """Its address."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"http{'s' if self._tls else ''}://127.0.0.1:{port}/entrez/eutils/"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while not writer.is_closing():
                    await self._answer(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        body = await reader.readexactly(length)
        utility = head.split()[1].decode().rpartition("/")[2]
        form = parse_qsl(body.decode("ascii"), keep_blank_values=True)
        request = Request(len(self.requests) + 1, utility, form, body)
        self.requests.append(request)
        answer = self._respond(request)
        if answer is None:
            await self._pass_on(head, body, writer)
            return
        for data in [answer] if isinstance(answer, bytes) else answer:
            writer.write(data)
            self.given += len(data)
            await writer.drain()

    async def _pass_on(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        """What the emulator answers, over a connection that both sides close after it."""
        reader, upstream = await asyncio.open_connection("127.0.0.1", self._port)
        upstream.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
        with closing(upstream):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
            kept = [line for line in lines if not line.lower().startswith(_STAYING)]
            writer.write(b"\r\n".join([first, b"Connection: close", *kept]))
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.close()
