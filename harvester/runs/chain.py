"""A chain of harvests: each in its own folder; the targets of one are the input of the next."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harvester import events
from harvester.client.check_names import check_names
from harvester.errors import HarvestError
from harvester.job import load
from harvester.job.groups import Source
from harvester.runs.drive import single_errors
from harvester.sources.earlier_run import targets
from harvester.sources.feed import HopFeed
from harvester.store import durable
from harvester.store.folder import JOB, hop_folder, remove_manifest
from harvester.store.manifest import write_chain_manifest
from harvester.store.remote.fetch import publish_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from harvester.job.model import Job
    from harvester.model.identifiers import Listed
    from harvester.runs.run import Result, Runner
    from harvester.sources.feed import Feed
    from harvester.store.ledger import Ledger


@dataclass(slots=True)
class Hop:
    """One harvest of a chain.

    Attributes:
        runner: runs it.
        job: its job.
        source: its input UIDs, or a feed of them; None if its folder holds all.
        next_feed: takes the targets of its links; None for the last hop.
        next_db: the database of those targets.
        result: its result, once it has ended.
        error: why it ended early, if it did.
    """

    runner: Runner
    job: Job
    source: Listed | Feed | None
    next_feed: HopFeed | None = None
    next_db: str = ""
    result: Result | None = None
    error: HarvestError | None = field(default=None)

    async def run(self) -> None:
        """Run the harvest; if it ends early, end the whole chain gently."""
        try:
            self.result = await self.runner.run(
                self.job, self.source, opened=self._hand_on_all, committed=self._hand_on
            )
        except HarvestError as error:
            self.error = error
            self.runner.stop.ask(error)
            return
        if self.next_feed is not None:
            self.next_feed.end()

    def _hand_on(self, links: pa.Table) -> None:
        if self.next_feed is not None:
            self.next_feed.hand(targets(links, self.next_db))

    def _hand_on_all(self, ledger: Ledger) -> None:
        """Pass on the targets that earlier runs committed."""
        if self.next_feed is not None:
            for links in ledger.read_links():
                self._hand_on(links)


async def run_chain(
    runner: Runner,
    job: Job,
    source: Listed | Feed | None,
    opened: Callable[[Path], None] = lambda _: None,
) -> Result:
    """Run all hops of a job at the same time; each requests what the one before has found so far.

    Args:
        runner: runs each hop.
        job: a prepared job with hops.
        source: source of the first hop.
        opened: receives the folder before the first request.

    Raises:
        HarvestError: a hop ended early, and so all did.
    """
    jobs = hop_jobs(job)
    for one in jobs:
        await check_names(runner.client, one.link)
    folder = Path(job.output.path)
    durable.make_folder(folder)
    remove_manifest(folder)
    durable.write_text(folder / JOB, load.dump(job))
    publish_texts(folder)
    opened(folder)
    as_one = _AsOne(len(jobs), runner.listeners)
    hops: list[Hop] = []
    for number, one in enumerate(jobs):
        feed = hops[-1].next_feed if hops else source
        mine = replace(runner, listeners=[partial(as_one, number)])
        hop = Hop(runner=mine, job=one, source=feed)
        if number + 1 < len(jobs):
            hop.next_feed, hop.next_db = HopFeed(), jobs[number + 1].link.dbfrom
        hops.append(hop)
    async with single_errors(), asyncio.TaskGroup() as tasks:
        for hop in hops:
            tasks.create_task(hop.run())
    for hop in hops:
        if hop.error is not None:
            raise runner.stop.reason or hop.error
    await asyncio.to_thread(write_chain_manifest, folder)
    await asyncio.to_thread(publish_texts, folder)
    results = tuple(hop.result for hop in hops if hop.result is not None)
    return replace(results[-1], hops=results)


def hop_jobs(job: Job) -> list[Job]:
    """Return the job of each hop; of a job without hops, the job itself."""
    if not job.hop:
        return [job]
    folder = Path(job.output.path)
    jobs = []
    for number, link in enumerate([job.link, *job.hop], 1):
        path = str(hop_folder(folder, number))
        source = job.source if number == 1 else Source(run=str(hop_folder(folder, number - 1)))
        output = job.output.model_copy(update={"path": path, "records": None})
        update = {"link": link, "hop": [], "source": source, "output": output}
        jobs.append(job.model_copy(update=update))
    return jobs


class _AsOne:
    """Combines the events of several harvests into those of one.

    Args:
        count: number of harvests.
        listeners: receive the events.
    """

    def __init__(self, count: int, listeners: events.Listeners) -> None:
        self._tallies = [events.Tally(lambda: 0.0) for _ in range(count)]
        self._open = count
        self._codes: list[int] = []
        self._emit = events.to_all(listeners)

    def __call__(self, number: int, event: events.Event) -> None:
        self._tallies[number](event)
        match event:
            case events.RunStarted():
                outcomes = sum((t.outcomes for t in self._tallies), Counter[str]())
                event = replace(
                    event,
                    total=sum(tally.total for tally in self._tallies),
                    done=outcomes.total(),
                    outcomes=dict(outcomes),
                    links=sum(tally.links for tally in self._tallies),
                )
            case events.InputGrew():
                event = events.InputGrew(sum(tally.total for tally in self._tallies))
            case events.RunEnded():
                self._open -= 1
                self._codes.append(event.exit_code)
                if self._open:
                    return
                event = replace(
                    event,
                    outcomes=dict(sum((t.outcomes for t in self._tallies), Counter[str]())),
                    links=sum(tally.links for tally in self._tallies),
                    exit_code=max(self._codes),
                    folder=str(Path(event.folder).parent),
                )
        self._emit(event)
