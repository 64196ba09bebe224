"""Single requests that outlast an outage of the whole server."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, TypeVar

from harvester.client.backoff import outage_delays, outage_event
from harvester.client.client import ATTEMPTS
from harvester.errors import Fault, RequestFailed, not_answering
from harvester.events import Resumed

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.client.client import Client
    from harvester.eutils.identity import Fields
    from harvester.events import Listener

T = TypeVar("T")

_OUTAGE_FAULTS = frozenset({Fault.NETWORK, Fault.TIMEOUT, Fault.SERVER})
"""Failures that may be an outage; the others concern the request."""

_PATIENCE_SECONDS = 600.0
"""Seconds for which a utility that has answered before may fail while EInfo answers."""


class OutageRetry:
    """A client whose calls wait while no utility of the server answers.

    They also wait, for ten minutes, while a utility fails that has answered before.

    Args:
        client: sends the requests.
        emit: receives `Waiting` and `Resumed`.
        give_up_after: seconds without an answer after which a call fails; None for never.
    """

    def __init__(self, client: Client, emit: Listener, give_up_after: float | None = None) -> None:
        self._client = client
        self._emit = emit
        self._give_up_after = math.inf if give_up_after is None else give_up_after
        self._answered: set[str] = set()

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"OutageRetry({self._client!r})"

    async def call(
        self, path: str, fields: Fields, read: Callable[[bytes], T], attempts: int = ATTEMPTS
    ) -> T:
        """Send a request as `Client.call` does, repeatedly during an outage.

        If EInfo answers, the failure concerns the request alone, and is raised: at once, or, where
        this utility has answered before, after ten minutes.

        Raises:
            GaveUp: no utility answered for `give_up_after`.
            Refused, RequestFailed: as for `Client.call`.
        """
        loop = asyncio.get_running_loop()
        began, waited = loop.time(), 0.0
        for delay in outage_delays():
            try:
                answer = await self._client.call(path, fields, read, attempts)
            except RequestFailed as failure:
                if failure.fault not in _OUTAGE_FAULTS:
                    raise
                patient = path in self._answered and waited < _PATIENCE_SECONDS
                is_up = await self._is_up()
                if is_up and not patient:
                    raise
                if not is_up and loop.time() + delay - began > self._give_up_after:
                    raise not_answering(self._client.base_url, failure.reason) from failure
                self._emit(outage_event(delay, failure.reason))
                await asyncio.sleep(delay)
                waited += delay
            else:
                self._answered.add(path)
                if waited:
                    self._emit(Resumed())
                return answer
        raise AssertionError("outage_delays has no end")

    async def _is_up(self) -> bool:
        try:
            await self._client.ping()
        except RequestFailed:
            return False
        return True
