"""Leases on the workers of a Dask cluster.

Dask may run a task twice, or again after a worker is lost. That is harmless: see `runs.leases`.
"""

from __future__ import annotations

import asyncio
import importlib.util
import ipaddress
import logging
import secrets
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harvester.errors import BadInput, HarvestError, printable
from harvester.runs.lease_worker import run_lease

try:
    import dask
    import distributed
except ImportError as error:
    raise BadInput(
        "The runner dask needs the package distributed: pip install 'elink-harvester[dask]'."
    ) from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from typing import TypeAlias

    from harvester.job.model import Job
    from harvester.runs.leases import Lease, LeaseEnd

    RunAsync: TypeAlias = Callable[[Coroutine[Any, Any, LeaseEnd]], LeaseEnd]

_DASK: Any = distributed  # it has hardly any types

_LOST: Any = (_DASK.client.FutureCancelledError, _DASK.comm.CommClosedError, RuntimeError)

WORKERS = 2
"""Number of workers of a cluster started by this program."""

_CONNECT_SECONDS = 30
_SETTINGS = {
    "distributed.scheduler.allowed-failures": 1000,  # another worker continues the lease
    "distributed.scheduler.worker-ttl": "60s",
    "distributed.admin.tick.limit": "1h",
}


@asynccontextmanager
async def dask_pool(job: Job, run: RunAsync) -> AsyncIterator[DaskPool]:
    """Connect to the scheduler of a job, or start a cluster on this machine.

    Args:
        job: the job.
        run: runs a coroutine to its end in a new event loop; a function that can be pickled.

    Raises:
        BadInput: the job cannot be run in leases, the workers would not share one rate limit, or
            one of them has not got this package.
        HarvestError: the scheduler cannot be reached.
    """
    check(job)
    async with AsyncExitStack() as stack:
        stack.enter_context(dask.config.set(_SETTINGS))
        stack.enter_context(_without_logs())
        address: Any = job.run.scheduler
        if address is None:
            address = await stack.enter_async_context(
                _DASK.LocalCluster(
                    n_workers=job.run.workers or WORKERS,
                    threads_per_worker=1,
                    dashboard_address=None,
                    asynchronous=True,
                    silence_logs="CRITICAL",
                )
            )
        try:
            client = await stack.enter_async_context(
                _DASK.Client(
                    address, asynchronous=True, timeout=_CONNECT_SECONDS, set_as_default=False
                )
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise HarvestError(
                f"The Dask scheduler {job.run.scheduler} cannot be reached: "
                f"{printable(str(error))}. Start it, then resume."
            ) from error
        await check_workers(client)
        yield DaskPool(client, run, f"harvester-stop-{secrets.token_hex(8)}")


@contextmanager
def _without_logs() -> Iterator[None]:
    """Context in which Dask logs nothing: one error message reports a lost scheduler."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def check(job: Job) -> None:
    """Check that a job can be run in leases.

    Raises:
        BadInput: it cannot; names the reason.
    """
    if any(link.repeat > 1 for link in (job.link, *job.hop)):
        raise BadInput("A hop with repeat runs in one process; leave out --runner dask.")
    if job.run.scheduler is None or job.limits.limiter is not None:
        return
    host = urlsplit(job.run.scheduler).hostname or ""
    try:
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    if not here:
        raise BadInput(
            "Workers on several machines need one rate limit: add --limiter redis://HOST:PORT/DB."
        )


async def check_workers(client: Any) -> None:
    """Check that this package is installed where the workers run; those that join later may not be.

    A worker without it cannot read a lease: it ends, and Dask tries the next one for ever.

    Raises:
        BadInput: a worker has not got it.
    """
    found = await client.run(importlib.util.find_spec, "harvester", on_error="return")
    for address, spec in found.items():
        if spec is None or isinstance(spec, ImportError):  # not those of a worker that was lost
            raise BadInput(
                f"The Dask worker {printable(address)} has no elink-harvester: install the same "
                "version there, with its extra dask."
            )


@dataclass(frozen=True, slots=True)
class DaskPool:
    """The workers of a cluster.

    Attributes:
        client: connected to the scheduler.
        run_async: runs a coroutine in a worker.
        stop_name: name of the event that ends all leases.
    """

    client: Any
    run_async: RunAsync
    stop_name: str
    _known: list[int] = field(default_factory=lambda: [1])

    @property
    def workers(self) -> int:
        """Current number of workers; without any, the last number."""
        if number := len(self.client.scheduler_info(n_workers=-1)["workers"]):
            self._known[0] = number
        return self._known[0]

    async def run(self, lease: Lease) -> LeaseEnd:
        """Run a lease on some worker; run it again if the worker or the scheduler is lost."""
        while True:
            key = f"lease-{secrets.token_hex(8)}"
            try:
                future = self.client.submit(
                    _task, lease, self.stop_name, self.run_async, key=key, pure=False
                )
                end: LeaseEnd = await future
            except (_DASK.KilledWorker, *_LOST) as error:
                if self.client.status != "running":
                    raise HarvestError(
                        "The Dask scheduler was lost. Start it again, then resume; all that was "
                        "committed is kept."
                    ) from error
                await asyncio.sleep(1.0)
                continue
            return end

    async def stop(self) -> None:
        """End all leases gently."""
        with suppress(OSError, TimeoutError, ValueError, RuntimeError):  # the scheduler is lost
            await _DASK.Event(self.stop_name, client=self.client).set()


def _task(lease: Lease, stop_name: str, run: RunAsync) -> LeaseEnd:
    """Run a lease; called in a worker."""
    event = _DASK.Event(stop_name, client=_DASK.get_worker()._get_client())  # noqa: SLF001 - as Dask's docs do

    def stopped() -> bool:
        try:
            return bool(event.is_set())
        except (OSError, TimeoutError):
            return False

    return run(run_lease(lease, stopped))
