"""Run a lease of a harvest in a worker."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from harvester import events
from harvester.client.connect import connected
from harvester.engine.stop import Stop
from harvester.errors import HarvestError, Interrupted
from harvester.model import uids
from harvester.model.place import local
from harvester.runs.leases import LeaseEnd
from harvester.runs.run import Runner
from harvester.store.status import COUNTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.model.identifiers import Listed
    from harvester.runs.leases import Lease


async def run_lease(lease: Lease, stopped: Callable[[], bool] = lambda: False) -> LeaseEnd:
    """Run a lease to its end; called in a worker.

    Args:
        lease: what to ask.
        stopped: returns whether the run is to end; it may block, and is called every second.
    """
    tally = events.Tally(time.monotonic)
    error: tuple[str, str, int] | None = None
    try:
        await _run(lease, tally, stopped)
    except HarvestError as failure:
        error = type(failure).__name__, str(failure), getattr(failure, "signum", 0)
    requests = {name: getattr(tally, name) for name in COUNTS}
    return LeaseEnd(lease.place, requests, error)


async def _run(lease: Lease, tally: events.Tally, stopped: Callable[[], bool]) -> None:
    folder = local(lease.place)
    job = lease.job.model_copy(
        update={"output": lease.job.output.model_copy(update={"path": str(folder)})}
    )
    listed: Listed = uids.load(lease.members) if isinstance(lease.members, bytes) else lease.members
    stop = Stop()

    async def watch() -> None:
        while not await asyncio.to_thread(stopped):
            await asyncio.sleep(1.0)
        stop.ask(Interrupted(15))

    watching = asyncio.create_task(watch())
    try:
        async with connected(job.server, job.contact, job.limits, emit=tally) as client:
            runner = Runner(
                client=client, listeners=[tally], stop=stop, resume=True, whole=True, inner=True
            )
            await runner.run(job, listed)
    finally:
        watching.cancel()
