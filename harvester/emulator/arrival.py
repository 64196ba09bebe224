"""Time at which a request reached this machine, before this process read it.

A busy process reads several requests at once. If it counted them at that time, it would reject
requests that were sent within the rate limit.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

_LAST_DATA_RECV = 52
"""Offset of tcpi_last_data_recv in Linux' `struct tcp_info` (linux/tcp.h), in milliseconds."""


def age_of_data(transport: asyncio.BaseTransport | None) -> float:
    """Return the seconds since a connection last received data; 0 if the system does not know."""
    connection = None if transport is None else transport.get_extra_info("socket")
    if sys.platform != "linux" or connection is None:
        return 0.0
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECV + 4)
    (milliseconds,) = struct.unpack_from("I", info, _LAST_DATA_RECV)
    return float(milliseconds) / 1000
