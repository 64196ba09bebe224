"""Sources whose UIDs arrive while the harvest runs: a search, or another harvest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from harvester import events
from harvester.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harvester.client.client import CanCall
    from harvester.model.identifiers import Listed


@runtime_checkable
class Feed(Protocol):
    """Source that is read while the harvest runs."""

    async def start(self, client: CanCall, emit: events.Listener) -> None:
        """Begin reading; may send a first request, and sets `expected`.

        Raises:
            HarvestError: The source cannot be read.
        """

    @property
    def expected(self) -> int:
        """Approximate number of UIDs that will arrive."""

    def blocks(self) -> AsyncIterator[Listed]:
        """Yield UIDs in blocks; a UID may be repeated.

        Raises:
            HarvestError: The source failed before its end.
        """


async def start_feed(
    feed: Feed, client: CanCall, emit: events.Listener, *, strict: bool = False
) -> list[str]:
    """Begin to read a feed, and return the warnings about it.

    Raises:
        BadInput: there are warnings, and the job is strict.
        HarvestError: the source cannot be read.
    """
    warnings: list[str] = []

    def collect(event: events.Event) -> None:
        if isinstance(event, events.Warned):
            warnings.append(event.text)

    await feed.start(client, events.to_all([emit, collect]))
    if strict and warnings:
        raise BadInput("NCBI does not take the query as written, and --strict is given.")
    return warnings


class HopFeed:
    """Feed that another harvest fills with `hand` and closes with `end`.

    Args:
        expected: approximate number of UIDs that will arrive.
    """

    def __init__(self, expected: int = 0) -> None:
        self.expected = expected
        self._queue: asyncio.Queue[Listed | None] = asyncio.Queue()

    async def start(self, client: CanCall, emit: events.Listener) -> None:
        """Do nothing: the other harvest has begun."""

    def hand(self, listed: Listed) -> None:
        """Add a block of UIDs."""
        self._queue.put_nowait(listed)

    def end(self) -> None:
        """Close the feed: `blocks` ends after the blocks added so far."""
        self._queue.put_nowait(None)

    async def blocks(self) -> AsyncIterator[Listed]:
        """Yield the blocks that were added, until `end`."""
        while (listed := await self._queue.get()) is not None:
            yield listed
