"""Open a client: session, rate limit and identity, for all who send requests."""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter
from harvester.client.pacing.shared_window import shared_window
from harvester.client.transport import Transport
from harvester.eutils.identity import Identity
from harvester.job.environment import api_key
from harvester.job.permission import check_permitted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from harvester.job.groups import Contact, Limits, Server


@asynccontextmanager
async def connected(
    server: Server, contact: Contact, limits: Limits, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[Client]:
    """Yield a client with an open session and the limiter that all its requests pass.

    Args:
        server: which server to ask.
        contact: who asks.
        limits: requests per second and seconds per request.
        environ: holds the API key.

    Raises:
        BadInput: the API key is malformed, or NCBI does not permit this (see `check_permitted`).
    """
    check_permitted(contact, server, limits, environ)
    key = api_key(environ)
    rate = limits.permitted(with_key=key is not None)
    shared = shared_window(urlsplit(server.base_url).netloc, key, rate, time.monotonic())
    limiter = Limiter(rate, shared, time.monotonic)
    async with Transport(server.base_url, limits.timeout) as transport:
        yield Client(transport, limiter, Identity(contact, key))
