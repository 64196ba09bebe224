"""UIDs that come while they are asked about: from a search, or from a harvest at work."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harvester.model.identifiers import Listed


class Feed(Protocol):
    """A source that is read while the harvest runs."""

    @property
    def expected(self) -> int:
        """About how many UIDs will come."""

    def blocks(self) -> AsyncIterator[Listed]:
        """The UIDs, some at a time, perhaps again and again.

        Raises:
            HarvestError: there will be no more, and it is not the end.
        """


class Handed:
    """UIDs handed over by whoever has them, until it says that it is done."""

    def __init__(self, expected: int = 0) -> None:
        self.expected = expected
        self._queue: asyncio.Queue[Listed | None] = asyncio.Queue()

    def hand(self, listed: Listed) -> None:
        """Some more."""
        self._queue.put_nowait(listed)

    def end(self) -> None:
        """No more."""
        self._queue.put_nowait(None)

    async def blocks(self) -> AsyncIterator[Listed]:
        """What is handed over."""
        while (listed := await self._queue.get()) is not None:
            yield listed
