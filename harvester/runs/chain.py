"""A chain of harvests: each in its own folder, fed by what the one before finds as it comes."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harvester import events
from harvester.client.check_names import check_names
from harvester.errors import BadInput, HarvestError
from harvester.job import load as jobfile
from harvester.job.groups import Source
from harvester.sources.earlier_run import targets
from harvester.sources.feed import Handed
from harvester.store import durable
from harvester.store.folder import JOB, hop_folder

if TYPE_CHECKING:
    import pyarrow as pa

    from harvester.job.model import Job
    from harvester.model.identifiers import Listed
    from harvester.runs.run import Harvesting, Result
    from harvester.store.ledger import Ledger


async def run_hops(harvesting: Harvesting, job: Job, listed: Listed | None) -> Result:
    """Run all hops of a job at once, each on what the one before has found so far.

    Args:
        harvesting: how each is made.
        job: with hops, and with absolute paths.
        listed: the input UIDs of the first, where they could be read beforehand.

    Raises:
        HarvestError: one of them ended before its end, and so all did.
    """
    jobs = hop_jobs(job)
    _see_same(job)
    for one in jobs:
        await check_names(harvesting.client, one.link)
    folder = Path(job.output.path)
    durable.make_folder(folder)
    durable.write_text(folder / JOB, jobfile.dump(job))
    feeds = [Handed() for _ in jobs]
    together = _Together(len(jobs), harvesting.listeners)
    ended: list[HarvestError] = []

    async def make(number: int) -> Result | None:
        feed = feeds[number + 1] if number + 1 < len(jobs) else None
        dbfrom = jobs[number + 1].link.dbfrom if feed else ""

        def committed(links: pa.Table) -> None:
            if feed is not None:
                feed.hand(targets(links, dbfrom))

        def opened(ledger: Ledger) -> None:
            for links in ledger.read_links():
                committed(links)

        mine = replace(harvesting, listeners=[partial(together, number)])
        try:
            result = await mine.make(
                jobs[number],
                listed if number == 0 else None,
                feeds[number] if number else None,
                opened,
                committed,
            )
        except HarvestError as error:
            ended.append(error)
            harvesting.stop.ask(error)
            return None
        if feed is not None:
            feed.end()
        return result

    results = await asyncio.gather(*map(make, range(len(jobs))))
    if ended:
        raise ended[0]
    hops = tuple(result for result in results if result is not None)
    return replace(hops[-1], hops=hops)


def hop_jobs(job: Job) -> list[Job]:
    """The job of each hop."""
    folder = Path(job.output.path)
    jobs = []
    for number, link in enumerate([job.link, *job.hop], 1):
        path = str(hop_folder(folder, number))
        source = job.source if number == 1 else Source(run=str(hop_folder(folder, number - 1)))
        output = job.output.model_copy(update={"path": path, "records": None})
        update = {"link": link, "hop": [], "source": source, "output": output}
        jobs.append(job.model_copy(update=update))
    return jobs


def _see_same(job: Job) -> None:
    """See that the folder holds this chain or none, before anything in it is changed.

    Raises:
        BadInput: it holds another.
    """
    folder = Path(job.output.path)
    if not (folder / JOB).is_file():
        return
    kept = jobfile.load_kept(folder / JOB)
    before, now = ([one.identity() for one in hop_jobs(both)] for both in (kept, job))
    if [one["link"] for one in before] != [one["link"] for one in now]:
        raise BadInput(f"{folder} holds a chain of other hops; give another --out for this one.")
    if before != now:
        raise BadInput(
            f"{folder} holds this chain with another source or output; give another --out."
        )


class _Together:
    """The events of several harvests at once, told as those of one."""

    def __init__(self, count: int, listeners: events.Listeners) -> None:
        self._tallies = [events.Tally(lambda: 0.0) for _ in range(count)]
        self._open = count
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
                if self._open:
                    return
        self._emit(event)
