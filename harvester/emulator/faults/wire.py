"""Faults of the connection, by name: how an answer is sent, or not sent."""

from __future__ import annotations

import asyncio
import socket
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from random import Random


@dataclass(frozen=True, slots=True)
class Wire:
    """Answer to send, and its connection.

    Attributes:
        request: the request.
        status: status of the answer.
        headers: headers of the answer, without those about its length.
        body: uncompressed body.
        random: random numbers of this fault.
        hang_seconds: seconds that `hang` waits at most.
        drip_seconds: seconds between two bytes of `drip`.
    """

    request: web.BaseRequest
    status: int
    headers: dict[str, str]
    body: bytes
    random: Random
    hang_seconds: float
    drip_seconds: float

    async def start(self, length: int, **more: str) -> web.StreamResponse:
        """Send status and headers, promising `length` bytes."""
        response = web.StreamResponse(status=self.status, headers=self.headers | more)
        response.content_length = length
        if self.headers.get("Connection") == "close":
            response.force_close()
        await response.prepare(self.request)
        return response


async def reset(wire: Wire) -> web.StreamResponse:
    """Reset the connection before the first byte."""
    abort(wire.request.transport)
    return web.Response()


def abort(transport: asyncio.BaseTransport | None) -> None:
    """Close a connection by a TCP reset."""
    if not isinstance(transport, asyncio.Transport):
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        # A linger time of 0 turns the close into a reset.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def hang(wire: Wire) -> web.StreamResponse:
    """Send nothing until the client hangs up or the time is over."""
    await asyncio.sleep(wire.hang_seconds)
    return await reset(wire)


async def _drip(wire: Wire) -> web.StreamResponse:
    """Send one byte at a time."""
    response = await wire.start(len(wire.body))
    for place in range(len(wire.body)):
        await response.write(wire.body[place : place + 1])
        await asyncio.sleep(wire.drip_seconds)
    return response


async def _cut_close(wire: Wire) -> web.StreamResponse:
    """Send part of the body, then close the connection before the Content-Length is reached."""
    response = await wire.start(len(wire.body))
    await response.write(wire.body[: wire.random.randrange(len(wire.body) or 1)])
    if wire.request.transport is not None:
        wire.request.transport.close()
    return response


async def _cut_reset(wire: Wire) -> web.StreamResponse:
    """Send part of the body, then reset the connection."""
    response = await wire.start(len(wire.body))
    await response.write(wire.body[: wire.random.randrange(len(wire.body) or 1)])
    abort(wire.request.transport)
    return response


async def _gzip_cut(wire: Wire) -> web.StreamResponse:
    """Send a truncated gzip stream with its right Content-Length."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    packed = packer.compress(wire.body) + packer.flush()
    if "gzip" not in wire.request.headers.get("Accept-Encoding", ""):
        return await _cut_close(wire)
    part = packed[: wire.random.randrange(10, len(packed))]
    response = await wire.start(len(part), **{"Content-Encoding": "gzip"})
    await response.write(part)
    return response


WIRE: dict[str, Callable[[Wire], Awaitable[web.StreamResponse]]] = {
    "reset": reset,
    "hang": hang,
    "drip": _drip,
    "cut-close": _cut_close,
    "cut-reset": _cut_reset,
    "gzip-cut": _gzip_cut,
}

SILENT = ("reset", "hang")
"""Faults that send nothing of the answer."""
