"""The shared state of one rate limit in Redis.

The starts of requests are counted by GCRA (throttled-py), in Lua and on the clock of Redis. A call
with cost N reserves the next N evenly spaced starts. Beside that count lie the pause and the lower
rate after a 429, and the processes that take part. Every time in Redis is a time to live, or comes
from the clock of Redis, so the clocks of the machines may differ.

Needs the extra `redis`: import this module only if a job needs it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    RedisError,
    ResponseError,
)
from throttled.asyncio import Quota, Rate, RedisStore, Throttled
from throttled.exceptions import BaseThrottledError

from harvester.client.pacing.slowed import FORGET_SECONDS, Slowed
from harvester.errors import BadInput, HarvestError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis.asyncio import Redis
    from throttled.asyncio import BaseStore

TIMEOUT_SECONDS = 2.0
"""Seconds for one exchange with Redis, and for making a connection to it."""

USER_SECONDS = 15.0
"""Seconds without a call after which a process is no longer counted as a user."""

_LIFE_SECONDS = 86_400
"""Seconds without a call after which Redis forgets the mark by which a lost count is noticed."""

_PERIOD = timedelta(seconds=10**6)
"""Period of the count, in seconds. The count is a whole number; a long period permits any rate."""

_AHEAD_SECONDS = 3600.0
"""Seconds ahead for which starts are reserved at most."""

_PAUSE = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
    redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
"""
"""Sets a pause, unless there is a longer one."""


class CounterAway(HarvestError):
    """Redis did not answer, or its answer is unusable; the text says why."""


@dataclass(frozen=True, slots=True)
class Shared:
    """State in Redis, as of one moment.

    Attributes:
        life: changes when Redis is restarted or emptied and may have lost the count.
        uptime: whole seconds since it started.
        users: number of processes that share the limit.
        pause: seconds for which no process may send; 0 for none.
        slowed: the state after a 429, and its age in seconds; None if there was none.
    """

    life: str
    uptime: int
    users: int
    pause: float
    slowed: tuple[Slowed, float] | None


class RedisCounter:
    """One count of requests for one server and API key.

    Args:
        url: `redis://HOST:PORT/DB`.
        password: of Redis, if it requires one.
        server: host of the server whose limit is shared.
        api_key: whose limit is shared; the names in Redis hold only a hash of both.
    """

    def __init__(self, url: str, password: str | None, server: str, api_key: str | None) -> None:
        identity = "\0".join((server, api_key or ""))
        self._name = hashlib.sha256(identity.encode()).hexdigest()[:32]
        self._url = url
        self._me = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        options: dict[str, Any] = {
            "password": password,
            "decode_responses": True,
            "socket_timeout": TIMEOUT_SECONDS,
            "socket_connect_timeout": TIMEOUT_SECONDS,
            # A repeated call would reserve twice; the limiter itself decides when to try again.
            "retry": Retry(NoBackoff(), 0),
        }
        self._store = RedisStore(server=url, options={"CONNECTION_POOL_KWARGS": options})
        # The store has neither a way to close its connections nor one to send other commands.
        self._redis = cast("Redis", self._store._backend.get_client())  # noqa: SLF001
        self._counts: dict[float, Throttled] = {}

    def __repr__(self) -> str:
        """Return a short text for logs and tests, without the password."""
        return f"RedisCounter({self._url!r}, {self._name})"

    async def reserve(self, starts: int, rate: float) -> float:
        """Reserve the next evenly spaced starts.

        Args:
            starts: how many.
            rate: starts per second.

        Returns:
            Seconds from now, on the clock of Redis, until the first of them.

        Raises:
            CounterAway: Redis did not answer.
        """
        with _explained():
            if rate not in self._counts:
                self._counts = {rate: gcra(rate, self._store)}
            result = await self._counts[rate].limit(self._name, cost=starts)
        if result.limited:
            raise CounterAway(f"all starts of the next {_AHEAD_SECONDS / 60:.0f} min are reserved")
        return max(result.state.reset_after - starts / rate, 0.0)

    async def look(self) -> Shared:
        """Return the shared state, and register this process as a user.

        Raises:
            CounterAway: Redis did not answer.
        """
        with _explained():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(self._key("life"), secrets.token_hex(8), nx=True)
                pipe.get(self._key("life"))
                pipe.expire(self._key("life"), _LIFE_SECONDS)
                pipe.time()
                pipe.info("server")
                pipe.pttl(self._key("pause"))
                pipe.get(self._key("slowed"))
                pipe.pttl(self._key("slowed"))
                _, life, _, now, info, pause, slowed, left = await pipe.execute()
            async with self._redis.pipeline(transaction=True) as pipe:
                at = now[0] + now[1] / 1e6
                pipe.zadd(self._key("users"), {self._me: at})
                pipe.zremrangebyscore(self._key("users"), "-inf", at - USER_SECONDS)
                pipe.expire(self._key("users"), round(2 * USER_SECONDS))
                pipe.zcard(self._key("users"))
                users = (await pipe.execute())[-1]
        return Shared(
            life=f"{info['run_id']} {life}",
            uptime=int(info["uptime_in_seconds"]),
            users=users,
            pause=max(pause, 0) / 1000,
            slowed=None if slowed is None else _slowed(slowed, max(left, 0) / 1000),
        )

    async def refuse(self, pause: float, slowed: Slowed) -> None:
        """Tell all processes about a 429.

        Args:
            pause: seconds for which no process may send.
            slowed: the rate from then on.

        Raises:
            CounterAway: Redis did not answer.
        """
        with _explained():
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.eval(_PAUSE, 1, self._key("pause"), str(max(round(1000 * pause), 1)))
                life = round(1000 * FORGET_SECONDS)
                pipe.set(self._key("slowed"), f"{slowed.rate!r} {slowed.ceiling!r}", px=life)
                await pipe.execute()

    async def close(self) -> None:
        """Unregister this process, and close the connections."""
        with suppress(RedisError, OSError):  # it forgets this process by itself
            await self._redis.zrem(self._key("users"), self._me)
        await self._redis.aclose(close_connection_pool=True)

    def _key(self, kind: str) -> str:
        return f"harvester:{self._name}:{kind}"


def gcra(rate: float, store: BaseStore) -> Throttled:
    """Return throttled-py's count of starts.

    Args:
        rate: starts per second; all processes with a store share one count, whatever their rates.
        store: where the count is kept.
    """
    limit = max(round(rate * _PERIOD.total_seconds()), 1)
    quota = Quota(Rate(_PERIOD, limit), burst=max(round(rate * _AHEAD_SECONDS), 1000))
    return Throttled(using="gcra", quota=quota, store=store, key_prefix="harvester")


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors of the libraries into our own.

    Raises:
        BadInput: Redis refuses this program permanently.
        CounterAway: it may answer later.
    """
    try:
        yield
    except (BusyLoadingError, TimeoutError) as error:
        raise CounterAway("no answer in time") from error
    except (AuthenticationError, ResponseError, InvalidResponse) as error:
        remedy = (
            " Its password is read from the environment variable HARVESTER_REDIS_PASSWORD."
            if isinstance(error, AuthenticationError)
            else ""
        )
        raise BadInput(
            f"Redis refuses the shared rate limit of {{field}}: {printable(str(error))}.{remedy}",
            field="limits.limiter",
        ) from error
    except (RedisError, BaseThrottledError, OSError) as error:
        raise CounterAway(printable(str(error)).rstrip(".")) from error


def _slowed(text: str, left: float) -> tuple[Slowed, float]:
    rate, ceiling = (float(number) for number in text.split())
    return Slowed(rate, ceiling), FORGET_SECONDS - left
