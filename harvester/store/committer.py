"""Gathers what is answered and commits it every few seconds, in one thread beside the loop."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa

from harvester.events import PartCommitted
from harvester.model import uids
from harvester.model.outcomes import Outcome
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import RAW, answered_rows
from harvester.store.state import Settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.events import Listener
    from harvester.model.delivery import Delivery, Raw
    from harvester.model.uids import UidArray
    from harvester.store.ledger import Ledger

T = TypeVar("T")

COMMIT_SECONDS = 8.0
"""How often answers become permanent; with the time a commit takes, well under 15 s."""

FIRST_COMMIT_SECONDS = 1.0
"""How soon at the start; then ever more seldom. Who is stopped after seconds, again and again,
comes to an end all the same."""

PART_BYTES = 8 << 20
"""Answers in memory that are committed without waiting for the time; as a table they are five
times as large."""

FULL_BYTES = 4 * PART_BYTES
"""Answers in memory at which asking pauses: the disk is slower than the server."""

TICK_SECONDS = 1.0


class Committer:
    """Between the engine and the ledger.

    Args:
        ledger: where everything goes.
        dbfrom: for the rows of `uids`.
        emit: told of each commit.
        progress: the text other processes read as `status`, fresh at each call.
        committed: told, in the loop's thread, of the links of each commit.

    Attributes:
        sweep: in which everything is asked for.
    """

    def __init__(
        self,
        ledger: Ledger,
        dbfrom: str,
        emit: Listener,
        progress: Callable[[], str],
        committed: Callable[[pa.Table], None] | None = None,
    ) -> None:
        self._ledger = ledger
        self._dbfrom = dbfrom
        self._emit = emit
        self._progress = progress
        self._committed = committed
        self.sweep = 1
        self._pending: list[Delivery] = []
        self._bytes = 0
        self._wake = asyncio.Event()
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")

    def add(self, delivery: Delivery) -> None:
        """Take what was answered; it is permanent some seconds later."""
        self._pending.append(delivery)
        self._bytes += delivery.rows.nbytes if delivery.rows is not None else 0
        self._bytes += sum(len(raw.body) for raw in delivery.raw)
        if self._bytes >= PART_BYTES:
            self._wake.set()

    @property
    def full(self) -> bool:
        """Whether the engine should wait for the disk."""
        return self._bytes >= FULL_BYTES

    async def run(self) -> None:
        """Commit and report until told to stop, and then once more.

        Raises:
            OSError: the disk is full, or the folder is gone.
        """
        self._stopping = False
        loop = asyncio.get_running_loop()
        pause = min(FIRST_COMMIT_SECONDS, COMMIT_SECONDS)
        due = loop.time() + pause
        while not self._stopping:
            with suppress(TimeoutError):
                # Timers come a little early: what is due in no time is not put off by a tick.
                async with asyncio.timeout(min(TICK_SECONDS, max(due - loop.time(), 0.0))):
                    await self._wake.wait()
            if self._wake.is_set() or loop.time() >= due:
                await self.commit()
                pause = min(2 * pause, COMMIT_SECONDS)
                due = loop.time() + pause
            await self.report()
        await self.commit()

    def stop(self) -> None:
        """Nothing more will be delivered: `run` commits what there is and ends."""
        self._stopping = True
        self._wake.set()

    async def commit(self) -> None:
        """Make all that was delivered permanent."""
        pending, self._pending, self._bytes = self._pending, [], 0
        self._wake.clear()
        if pending:
            begun = asyncio.get_running_loop().time()
            links, rows = await self.in_thread(lambda: self._write(pending))
            count = 0 if links is None else len(links)
            self._emit(PartCommitted(count, rows, asyncio.get_running_loop().time() - begun))
            if self._committed is not None and links is not None:
                self._committed(links.to_table())

    async def report(self) -> None:
        """Let other processes see how far we are."""
        text = self._progress()
        await self.in_thread(lambda: self._ledger.state.put(progress=text))

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run blocking work of the ledger, one at a time, in the order it was asked for."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        return await asyncio.shield(future)

    def close(self) -> None:
        """Wait for the thread's last work."""
        self._thread.shutdown(wait=True)

    def _write(self, pending: list[Delivery]) -> tuple[RunLengthRows | None, int]:
        found = [one.rows for one in pending if one.rows is not None and len(one.rows)]
        links = RunLengthRows.concat(found) if found else None
        answered = np.concatenate([d.answered for d in pending])
        counts = np.concatenate([d.counts for d in pending])
        reasons: dict[tuple[str, str | None], list[UidArray]] = defaultdict(list)
        for delivery in pending:
            if len(delivery.unanswered):
                reasons[delivery.outcome, delivery.reason].append(delivery.unanswered)
        settled = [
            Settled(outcome, uids.as_set(answered[mask]))
            for outcome, mask in ((Outcome.LINKED, counts > 0), (Outcome.EMPTY, counts == 0))
            if mask.any()
        ]
        settled += [
            Settled(outcome, uids.as_set(np.concatenate(asked)), reason)
            for (outcome, reason), asked in reasons.items()
        ]
        column = self._ledger.input.identifiers.column(answered)
        rows = answered_rows(self._dbfrom, column, counts)
        raw = self._raw_rows([raw for delivery in pending for raw in delivery.raw])
        self._ledger.commit(links, rows, settled, self.sweep, raw)
        return links, sum(len(s.uids) for s in settled)

    def _raw_rows(self, answers: list[Raw]) -> pa.Table | None:
        if not answers:
            return None
        columns = {
            "sweep": [self.sweep] * len(answers),
            "retmode": [raw.retmode for raw in answers],
            "asked": [raw.asked for raw in answers],
            "body": [raw.body for raw in answers],
        }
        return pa.table(columns, schema=RAW)
