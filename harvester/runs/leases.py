"""A pass in leases: shares of its UIDs that workers request, each into its own folder.

Only the driver writes the harvest. It adopts the parts of a lease together with the outcomes of
its UIDs, in one commit, and only if none of them has an outcome yet. So a lease may be run any
number of times, by any worker: a second run costs requests and never adds a row.
If a worker dies, its lease is continued in the same folder; the lock of the folder prevents two
workers from running it at once.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from harvester import errors, events
from harvester.errors import FolderError, FolderInUse, HarvestError, Interrupted
from harvester.job.groups import Run, Source
from harvester.model import uids
from harvester.model.place import local, shown, url_of
from harvester.model.rows import RunLengthRows
from harvester.runs.renumber import Renumbering
from harvester.store.commit import Commit
from harvester.store.folder import LEASES, is_locked
from harvester.store.reader import HarvestReader
from harvester.store.remote.fetch import discard, fetch
from harvester.store.state_reader import FILE, fold

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

    from harvester.engine.off_peak import Hours
    from harvester.engine.stop import Stop
    from harvester.job.model import Job
    from harvester.model.uids import UidSet
    from harvester.store.committer import Committer
    from harvester.store.ledger import Ledger
    from harvester.store.state_reader import Part

LEASE_UIDS = 20_000
"""Maximum UIDs per lease: half a minute for one of three workers at 10 requests per second."""

LEASES_PER_WORKER = 4
"""Minimum leases per worker, so that none waits long for the last one."""

_LEAST_UIDS = 200
_AGAIN_SECONDS = 2.0
_LOCKED_SECONDS = 20.0

_STOP_SECONDS = 14.0
"""Seconds in which leases must end: requests in flight are awaited for 10 s."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A share of the UIDs.

    Attributes:
        job: the job with its folder; the same on every machine.
        place: the folder, or its URL.
        members: the UIDs, as `uids.dump` writes them; of accessions, their texts.
    """

    job: Job
    place: str
    members: bytes | list[str]


@dataclass(frozen=True, slots=True)
class LeaseEnd:
    """The end of a lease; its answers are in its folder.

    Attributes:
        place: the folder, or its URL.
        requests: counts of its requests, by the names of `status`.
        error: class, sentence and signal of the error that ended it early; None without one.
    """

    place: str
    requests: dict[str, int]
    error: tuple[str, str, int] | None = None


class Pool(Protocol):
    """Workers that run leases."""

    @property
    def workers(self) -> int:
        """Number of leases that run at once."""

    def run(self, lease: Lease) -> Coroutine[Any, Any, LeaseEnd]:
        """Run a lease in a worker, repeatedly if needed, and return its end."""

    async def stop(self) -> None:
        """Make all workers end their leases gently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedPass:
    """Requests the UIDs of a pass in leases.

    Attributes:
        job: the whole job.
        pool: runs the leases.
        ledger: the harvest.
        committer: its thread writes the harvest.
        emit: receives the events.
    """

    job: Job
    pool: Pool
    ledger: Ledger
    committer: Committer
    emit: events.Listener

    async def run(self, todo: UidSet, hours: Hours, stop: Stop) -> HarvestError | None:
        """Request UIDs that have no outcome in the pass; return why that ended early, if it did.

        Args:
            todo: the UIDs.
            hours: when to send.
            stop: ends all leases when asked to.
        """
        await self._adopt_leftovers(_LOCKED_SECONDS)
        number = self.committer.pass_number
        todo = todo - self.ledger.state.done(number)
        waiting = list(self._leases(todo, hours))[::-1]
        running: dict[asyncio.Future[LeaseEnd], Lease] = {}
        halt = _LeaseStop(self.pool)
        try:
            with stop.of(halt):
                while running or (waiting and halt.why is None):
                    while waiting and len(running) < 2 * self.pool.workers and halt.why is None:
                        lease = waiting.pop()
                        running[asyncio.ensure_future(self.pool.run(lease))] = lease
                    done, _ = await asyncio.wait(
                        running, timeout=halt.seconds_left, return_when=asyncio.FIRST_COMPLETED
                    )
                    for future in done:
                        lease = running.pop(future)
                        if await self._ended(future, number, halt):
                            await asyncio.sleep(_AGAIN_SECONDS)
                            waiting.append(lease)
                    if halt.seconds_left == 0.0:
                        break
        finally:
            for future in running:
                future.cancel()
        await self._adopt_leftovers(0.0 if halt.why else _LOCKED_SECONDS)
        return halt.why

    async def _ended(self, future: asyncio.Future[LeaseEnd], number: int, halt: _LeaseStop) -> bool:
        """Adopt the result of a lease; return whether to run it again."""
        try:
            end = future.result()
        except HarvestError as error:
            halt.halt(error)
            return False
        self.emit(events.LeaseEnded(**end.requests))
        if end.error is not None and end.error[0] == FolderInUse.__name__:
            return True
        await self._adopt(local(end.place), number)
        if end.error is not None:
            halt.halt(_error(*end.error))
        return False

    async def _adopt(self, folder: Path, number: int) -> None:
        begun = time.monotonic()
        wanted = self.committer.committed is not None
        found = await self.committer.in_thread(
            partial(adopt, self.ledger, folder, number, handed_on=wanted)
        )
        await self.committer.in_thread(partial(discard, folder))
        if found is None:
            return
        outcomes, links, table = found
        self.emit(events.UidsSettled(outcomes, links))
        self.emit(events.PartCommitted(links, sum(outcomes.values()), time.monotonic() - begun))
        if self.committer.committed is not None:
            for one in table:
                self.committer.committed(one)
        await self.committer.report()

    async def _adopt_leftovers(self, seconds: float) -> None:
        """Adopt the folders of leases of an earlier driver, or of leases run twice.

        Args:
            seconds: how long to wait for a worker that still has the folder.
        """
        root = self.ledger.folder / LEASES
        if url_of(root) is not None:
            await self.committer.in_thread(partial(fetch, root))
        until = time.monotonic() + seconds
        for folder in sorted(root.glob("*")) if root.is_dir() else ():
            while is_locked(folder) and time.monotonic() < until:
                await asyncio.sleep(0.5)
            if not is_locked(folder):
                await self._adopt(folder, self.committer.pass_number)

    def _leases(self, todo: UidSet, hours: Hours) -> Iterator[Lease]:
        """Yield the leases of some UIDs."""
        ledger = self.ledger
        members = uids.as_array(todo)
        count = max(
            -(-len(members) // LEASE_UIDS),
            min(LEASES_PER_WORKER * self.pool.workers, len(members) // _LEAST_UIDS),
            1,
        )
        token = secrets.token_hex(4)
        job = _lease_job(self.job, hours)
        of_texts = self.job.link.idtype == "acc"
        for index, some in enumerate(np.array_split(members, count)):
            if len(some):
                folder = ledger.folder / LEASES / f"{token}-{index:05}"
                texts = ledger.input.identifiers.column(some).to_pylist() if of_texts else None
                yield Lease(job, shown(folder), texts or uids.dump(uids.as_set(some)))


class _LeaseStop:
    """Lets `Stop` end leases in the way it ends engines."""

    def __init__(self, pool: Pool) -> None:
        self.why: HarvestError | None = None
        self._pool = pool
        self._until = 0.0
        self._stopping: asyncio.Task[None] | None = None

    def halt(self, why: HarvestError) -> None:
        """End all leases."""
        if self.why is None:
            self.why = why
            self._until = time.monotonic() + _STOP_SECONDS
            self._stopping = asyncio.ensure_future(self._pool.stop())

    @property
    def seconds_left(self) -> float | None:
        """Seconds to wait for the end of leases; None for as long as it takes."""
        return None if self.why is None else max(self._until - time.monotonic(), 0.0)


def _lease_job(job: Job, hours: Hours) -> Job:
    """Return the job of every lease: one pass, at any hour or in the off-peak hours."""
    limits = job.limits.model_copy(
        update={"passes": 1, "window": "off-peak" if hours.bound else "always"}
    )
    output = job.output.model_copy(update={"records": None})
    update = {"limits": limits, "output": output, "source": Source(), "hop": [], "run": Run()}
    return job.model_copy(update=update)


def adopt(
    ledger: Ledger, folder: Path, number: int, *, handed_on: bool = False
) -> tuple[dict[str, int], int, list[Any]] | None:
    """Add the rows and outcomes in the folder of a lease to the harvest, in one commit.

    Args:
        ledger: the harvest.
        folder: of the lease.
        number: of the pass.
        handed_on: whether the links are needed.

    Returns:
        Outcomes, number of links, and the links if they are needed; None without anything new.

    Raises:
        FolderError: a file is not as it was committed.
    """
    fetch(folder)
    if not (folder / FILE).is_file():
        return None
    try:
        found = HarvestReader.open(folder)
    except FolderError:
        return None  # its worker was killed before it recorded anything
    renumber = Renumbering(found, ledger)
    settled = [replace(one, uids=renumber(uids.as_array(one.uids))) for one in found.settled]
    members: UidSet = uids.union(one.uids for one in settled)
    if not members or members & ledger.state.done(number) or members - ledger.input.wanted:
        return None
    parts: list[Part] = []
    if ledger.targets_only:
        for table in found.links():
            parts += ledger.write(Commit(links=RunLengthRows.from_table(table)))
    for part in found.parts:
        if part.kind == "links" and not ledger.targets_only:
            kind = "links" if number == 1 else "again"
            parts.append(ledger.parts.adopt(folder, replace(part, kind=kind)))
        elif part.kind == "raw" and renumber.changes:
            parts.append(ledger.parts.write("raw", renumber.raw()))
        elif part.kind == "raw" or (part.kind == "uids" and number == 1):
            parts.append(ledger.parts.adopt(folder, part))
    ledger.record(parts, fold(settled), number)
    outcomes = {outcome: count for outcome, count in found.outcomes.items() if count}
    return outcomes, found.link_count, list(found.links()) if handed_on else []


def _error(name: str, text: str, signum: int) -> HarvestError:
    """Return the error that a lease ended with."""
    kind = getattr(errors, name, HarvestError)
    if kind is Interrupted:
        return Interrupted(signum, text)
    made = kind(text) if issubclass(kind, HarvestError) else HarvestError(text)
    assert isinstance(made, HarvestError)
    return made
