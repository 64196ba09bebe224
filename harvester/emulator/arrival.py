"""When a request reached this machine, which may be well before this process comes to read it.

NCBI's limit is held by servers that are not busy. One that is, and counts by its own clock, sees
requests that came well apart as a crowd, and refuses what was within the limit.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_LAST_DATA_RECV = 52
"""Where Linux' `struct tcp_info` has the milliseconds since data last came (linux/tcp.h)."""


def waited(transport: asyncio.BaseTransport | None) -> float:
    """Seconds for which the last bytes of a connection have been here; 0 where nobody knows."""
    connection = None if transport is None else transport.get_extra_info("socket")
    if sys.platform != "linux" or connection is None:
        return 0.0
    told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECV + 4)
    (milliseconds,) = struct.unpack_from("I", told, _LAST_DATA_RECV)
    return float(milliseconds) / 1000
