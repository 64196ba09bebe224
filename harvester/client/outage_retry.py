"""Questions that outlast an outage: asked again, ever more seldom, until the server is back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from harvester import events
from harvester.client.backoff import FIRST_SECONDS, LONGEST_SECONDS
from harvester.client.client import ATTEMPTS
from harvester.errors import Fault, RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.client.client import Client
    from harvester.eutils.identity import Fields

T = TypeVar("T")

_UNSETTLED = frozenset({Fault.NETWORK, Fault.TIMEOUT, Fault.SERVER})


class Patient:
    """A client whose single questions wait while no utility answers at all.

    Args:
        client: asks.
        emit: told of the wait.
    """

    def __init__(self, client: Client, emit: events.Listener) -> None:
        self._client = client
        self._emit = emit

    async def call(
        self, path: str, fields: Fields, read: Callable[[bytes], T], attempts: int = ATTEMPTS
    ) -> T:
        """As `Client.call`; a failure is the question's where EInfo answers meanwhile."""
        delay, waited = FIRST_SECONDS, False
        while True:
            try:
                answer = await self._client.call(path, fields, read, attempts)
            except RequestFailed as failure:
                if failure.fault not in _UNSETTLED or await self._is_well():
                    raise
                until = datetime.now(UTC) + timedelta(seconds=delay)
                self._emit(events.Waiting("outage", until, failure.reason, delay))
                await asyncio.sleep(delay)
                delay, waited = min(2 * delay, LONGEST_SECONDS), True
            else:
                if waited:
                    self._emit(events.Resumed())
                return answer

    async def _is_well(self) -> bool:
        try:
            await self._client.ping()
        except RequestFailed:
            return False
        return True
