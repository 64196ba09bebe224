"""Open a client: session, rate limit and identity."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harvester.client.backoff import limiter_event
from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter
from harvester.client.pacing.shared_window import shared_window
from harvester.client.transport import Transport
from harvester.errors import not_answering
from harvester.eutils.identity import Identity
from harvester.events import Resumed
from harvester.job.environment import api_key, redis_password
from harvester.job.permission import check_permitted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from harvester.client.pacing.redis_limiter import RedisLimiter
    from harvester.events import Event, Listener
    from harvester.job.groups import Contact, Limits, Server

_LOOK_SECONDS = 0.1
"""Seconds between checks whether Redis answers, before the first request."""


def _ignore(_: Event) -> None:
    """Ignore an event."""


@asynccontextmanager
async def connected(
    server: Server,
    contact: Contact,
    limits: Limits,
    environ: Mapping[str, str] = os.environ,
    emit: Listener = _ignore,
) -> AsyncIterator[Client]:
    """Yield a client with an open session and the limiter that all its requests pass.

    Args:
        server: the server.
        contact: tool and email.
        limits: requests per second and seconds per request.
        environ: holds the API key, and the password of Redis.
        emit: receives the wait for a Redis that does not answer at the start.

    Raises:
        BadInput: the API key is malformed, NCBI does not permit this (see `check_permitted`), or
            Redis refuses this program.
        GaveUp: Redis did not answer for as long as the job allows.
    """
    check_permitted(contact, server, limits, environ)
    key = api_key(environ)
    host, rate = urlsplit(server.base_url).netloc, limits.permitted(with_key=key is not None)
    async with AsyncExitStack() as stack:
        limiter: Limiter | RedisLimiter
        if limits.limiter is None:
            limiter = Limiter(
                rate, shared_window(host, key, rate, time.monotonic()), time.monotonic
            )
        else:
            limiter = _redis_limiter(limits.limiter, redis_password(environ), host, key, rate)
            stack.push_async_callback(limiter.close)
            await limiter.open()
            await _until_seen(limiter, emit, limits.give_up_after)
        transport = await stack.enter_async_context(Transport(server.base_url, limits.timeout))
        yield Client(transport, limiter, Identity(contact, key))


def _redis_limiter(
    url: str, password: str | None, host: str, key: str | None, rate: float
) -> RedisLimiter:
    """Return the limiter that processes on any machines share."""
    from harvester.client.pacing.redis_counter import RedisCounter  # noqa: PLC0415 - of an extra
    from harvester.client.pacing.redis_limiter import RedisLimiter  # noqa: PLC0415

    return RedisLimiter(rate, RedisCounter(url, password, host, key), time.monotonic)


async def _until_seen(limiter: RedisLimiter, emit: Listener, give_up_after: float | None) -> None:
    """Wait until Redis answers.

    Raises:
        GaveUp: it did not for as long as the job allows.
    """
    announced = False
    while limiter.away:
        if give_up_after is not None and limiter.away_seconds > give_up_after:
            raise not_answering("The shared rate limit", limiter.away)
        if not announced:
            emit(limiter_event(limiter.away))
            announced = True
        await asyncio.sleep(_LOOK_SECONDS)
    if announced:
        emit(Resumed())
