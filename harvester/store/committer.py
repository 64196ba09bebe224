"""Commits deliveries of the engine every few seconds, in a thread beside the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from harvester.events import PartCommitted
from harvester.model.delivery import AnsweredUids, RawResponse
from harvester.store.commit import build_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa

    from harvester.events import Listener
    from harvester.model.delivery import Delivery
    from harvester.store.ledger import Ledger

T = TypeVar("T")

COMMIT_SECONDS = 8.0
"""Seconds between commits. A crash loses the answers of at most this time and one commit."""

FIRST_COMMIT_SECONDS = 1.0
"""Seconds before the first commit; the interval doubles up to `COMMIT_SECONDS`. A run that is
killed every few seconds still makes progress."""

PART_BYTES = 8 << 20
"""Bytes of answers in memory that are committed at once. As a table they take five times as
much."""

TICK_SECONDS = 1.0
"""Seconds between reports of progress."""


class Committer:
    """Buffer between the engine and the ledger.

    Args:
        ledger: the harvest's folder.
        emit: receives an event after each commit.
        progress: returns values of the state, such as the text `progress`, for other processes.
        committed: called, in the event loop's thread, with the links of each commit.

    Attributes:
        pass_number: the pass in which the UIDs are queried.
        committed: as given.
    """

    def __init__(
        self,
        ledger: Ledger,
        emit: Listener,
        progress: Callable[[], Mapping[str, str]],
        committed: Callable[[pa.Table], None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._emit = emit
        self._progress = progress
        self.committed = committed
        self.pass_number = 1
        self._pending: list[Delivery] = []
        self._bytes = 0
        self._bytes_in_commit = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    def add(self, delivery: Delivery) -> None:
        """Take a delivery, to be committed within `COMMIT_SECONDS`."""
        self._pending.append(delivery)
        if isinstance(delivery, AnsweredUids):
            self._bytes += delivery.rows.nbytes
        elif isinstance(delivery, RawResponse):
            self._bytes += len(delivery.body)
        if self._bytes >= PART_BYTES:
            self._wake.set()

    @property
    def pending_bytes(self) -> int:
        """Bytes of deliveries that are not on disk yet."""
        return self._bytes + self._bytes_in_commit

    async def run(self) -> None:
        """Commit and report progress until stopped, then commit once more.

        Raises:
            OSError: the disk is full, or the folder is gone.
        """
        self._stopping = False
        loop = asyncio.get_running_loop()
        pause = min(FIRST_COMMIT_SECONDS, COMMIT_SECONDS)
        due = loop.time() + pause
        while not self._stopping:
            with suppress(TimeoutError):
                # Timers fire slightly early: a remainder of 0 s must not cost a whole tick.
                async with asyncio.timeout(min(TICK_SECONDS, max(due - loop.time(), 0.0))):
                    await self._wake.wait()
            if self._wake.is_set() or loop.time() >= due:
                await self.commit()
                pause = min(2 * pause, COMMIT_SECONDS)
                due = loop.time() + pause
            await self.report()
        await self.commit()

    def stop(self) -> None:
        """Make `run` commit what is pending and return."""
        self._stopping = True
        self._wake.set()

    async def commit(self) -> None:
        """Commit all pending deliveries."""
        pending, self._pending = self._pending, []
        self._bytes_in_commit, self._bytes = self._bytes, 0
        self._wake.clear()
        if pending:
            begun = asyncio.get_running_loop().time()
            written = await self.in_thread(lambda: self._write(pending))
            self._bytes_in_commit = 0
            seconds = asyncio.get_running_loop().time() - begun
            self._emit(PartCommitted(written.links, written.uids, seconds))
            if self.committed is not None and written.table is not None:
                self.committed(written.table)

    async def report(self) -> None:
        """Write the run's progress for other processes to read."""
        values = self._progress()
        await self.in_thread(lambda: self._ledger.state.put(**values))

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work on the ledger in the committer's thread, in the order of the calls."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        return await asyncio.shield(future)

    def close(self) -> None:
        """Wait until the thread is idle, and end it."""
        self._thread.shutdown(wait=True)

    def __repr__(self) -> str:
        """Show the pass and the pending deliveries."""
        pending = f"{len(self._pending)} deliveries, {self._bytes} bytes pending"
        return f"Committer(pass {self.pass_number}: {pending})"

    def _write(self, pending: list[Delivery]) -> _Written:
        ledger = self._ledger
        commit = build_commit(pending, ledger.dbfrom, ledger.input.identifiers, self.pass_number)
        ledger.commit(commit)
        links = commit.links
        return _Written(
            links=0 if links is None else len(links),
            uids=sum(len(one.uids) for one in commit.settled),
            table=None if links is None or self.committed is None else links.to_table(),
        )


@dataclass(frozen=True, slots=True)
class _Written:
    """One commit: rows of links, UIDs with an outcome, and the links where they are needed."""

    links: int
    uids: int
    table: pa.Table | None
