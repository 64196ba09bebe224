"""Build the engine of a job and run it in one group of tasks."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

from harvester.engine.batch_trials import MOST, MOST_MERGED
from harvester.engine.engine import Engine
from harvester.engine.flow import MOST_IN_FLIGHT, Flow
from harvester.engine.frontier import Frontier
from harvester.engine.off_peak import Hours
from harvester.engine.results import Results
from harvester.errors import FolderError, HarvestError
from harvester.model.uids import as_set

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from harvester.client.client import Client
    from harvester.eutils.question import Question
    from harvester.events import Listener
    from harvester.job.model import Job
    from harvester.model.delivery import Delivery
    from harvester.model.identifiers import Listed
    from harvester.model.uids import UidSet
    from harvester.sources.feed import Feed
    from harvester.store.committer import Committer


OTHER_FILES = 100
"""Number of open files other than connections: parts, the state, libraries."""


def make_engine(
    job: Job,
    client: Client,
    question: Question,
    todo: UidSet,
    *,
    deliver: Callable[[Delivery], None],
    emit: Listener,
    pending: Callable[[], int] = lambda: 0,
    known: UidSet | None = None,
    hours: Hours | None = None,
    fed: bool = True,
    give_up_after: float | None = None,
) -> Engine:
    """Return an engine that requests `todo`.

    Args:
        job: gives the limits and the retmode.
        client: sends the requests.
        question: makes the request for each batch.
        todo: the UIDs to request.
        deliver: takes settled UIDs.
        emit: receives every event.
        pending: returns the bytes of answers that `deliver` has taken and are not on disk yet.
        known: UIDs answered in earlier runs; none by default.
        hours: when to send; always by default.
        fed: whether `todo` is all; otherwise more UIDs come through `Engine.feed`.
        give_up_after: seconds without an answer after which the run ends; as the job says, by
            default.
    """
    limits = job.limits
    setting, most = limits.batch_size, question.max_batch
    if most is not None and setting != "auto":
        setting = min(setting, most)
    connections = most_connections()
    concurrency: int | Literal["auto"] = limits.concurrency
    if concurrency != "auto" or connections < MOST_IN_FLIGHT:
        concurrency = min(connections, MOST_IN_FLIGHT if concurrency == "auto" else concurrency)
    frontier = Frontier(todo, job.link.retmode, fed=fed)
    return Engine(
        client=client,
        question=question,
        frontier=frontier,
        results=Results(frontier, limits, deliver, emit, keep_raw=job.output.keep_raw),
        flow=Flow(
            client.rate,
            limits.timeout,
            setting,
            concurrency,
            most or (MOST_MERGED if job.link.is_merged else MOST),
        ),
        hours=hours or Hours(),
        pending=pending,
        emit=emit,
        known=as_set() if known is None else known,
        give_up_after=limits.give_up_after if give_up_after is None else give_up_after,
    )


def most_connections() -> int:
    """Return how many connections this process may open, leaving some files for other uses."""
    if sys.platform == "win32":
        return MOST_IN_FLIGHT
    import resource  # noqa: PLC0415 - not on Windows

    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_IN_FLIGHT if files == resource.RLIM_INFINITY else max(1, files - OTHER_FILES)


async def feed_engine(engine: Engine, feed: Feed, number: Callable[[Listed], UidSet]) -> None:
    """Pass the UIDs of a feed to an engine as they arrive.

    Args:
        engine: takes them.
        feed: yields them.
        number: returns the new UIDs of a block, as the engine's numbers.

    Raises:
        HarvestError: the feed failed before its end.
    """
    async for listed in feed.blocks():
        if new := number(listed):
            engine.feed(new)


@asynccontextmanager
async def single_errors() -> AsyncIterator[None]:
    """Context manager. Raise the first error of a group of tasks instead of the group."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        raise error from None


async def drive(
    engine: Engine,
    committer: Committer | None = None,
    feeding: Awaitable[None] | None = None,
) -> HarvestError | None:
    """Run an engine to its end, together with a committer and a feed.

    Returns:
        Why the run ended early, or None; all that was answered is committed.

    Raises:
        OSError: the committer could not write.
        FolderError: another process has taken over the folder.
    """
    ended: HarvestError | None = None
    failed: list[OSError | FolderError] = []

    async def commit() -> None:
        assert committer is not None
        try:
            await committer.run()
        except (OSError, FolderError) as error:
            failed.append(error)
            engine.halt(HarvestError("the disk failed"))

    async def feed(source: Awaitable[None]) -> None:
        try:
            await source
        except HarvestError as error:
            engine.halt(error)
        engine.end_feed()

    async with single_errors(), asyncio.TaskGroup() as tasks:
        if committer is not None:
            tasks.create_task(commit())
        fed = tasks.create_task(feed(feeding)) if feeding is not None else None
        try:
            await engine.run(tasks)
        except HarvestError as error:
            ended = error
        if fed is not None:
            fed.cancel()
        if committer is not None:
            committer.stop()
    if failed:
        raise failed[0]
    return ended
