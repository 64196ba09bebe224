"""Links as they come, with nothing written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harvester import events
from harvester.client.check_names import check_names
from harvester.client.connect import connected
from harvester.engine.batch_size import requests_for
from harvester.engine.off_peak import Hours
from harvester.errors import BadInput
from harvester.eutils.elink.commands import Elink
from harvester.job import load as jobfile
from harvester.job.permission import check_permitted
from harvester.model import uids
from harvester.model.delivery import AnsweredUids
from harvester.model.distinct_targets import Targets
from harvester.model.identifiers import identifiers_of
from harvester.runs.drive import drive, make_engine
from harvester.sources.from_job import read_source, search

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    import pyarrow as pa

    from harvester.engine.engine import Engine
    from harvester.job.model import Job
    from harvester.model.delivery import Delivery
    from harvester.sources.feed import Feed

_TABLES_AHEAD = 8  # a slow reader of `stream` slows the asking down at so many


async def stream(
    job: Job, *, listeners: Iterable[events.Listener] = ()
) -> AsyncGenerator[pa.Table, None]:
    """The links of a job as tables, one for each answered batch, with nothing written.

    A slow reader slows the asking down. Failed and missing UIDs give no rows.

    Args:
        job: what to harvest; its output is not looked at.
        listeners: told of every event; they must not block.

    Raises:
        BadInput, Refused, WindowClosed: as for `harvest`.

    Example:
        ```
        async for table in stream(job):
            print(table.num_rows)
        ```
    """
    job = jobfile.resolve(job)
    check_permitted(job.contact, job.server, job.limits)  # before a long list is read
    if job.limits.passes > 1:
        raise BadInput(
            "limits.passes: reading again needs a folder to compare with; "
            "give one (-o DIR), or leave --passes out."
        )
    if job.hop:
        raise BadInput("A chain of hops needs a folder; give one (-o DIR).")
    queue: asyncio.Queue[pa.Table | None] = asyncio.Queue()
    emit = events.to_all(listeners)
    identifiers = identifiers_of(job.link.idtype)
    targets = Targets() if job.link.targets_only else None

    def deliver(delivery: Delivery) -> None:
        if isinstance(delivery, AnsweredUids):
            links = delivery.rows.to_table()
            links = links if targets is None else targets.unseen(links)
            if links.num_rows:
                queue.put_nowait(links)

    async def pass_on(feed: Feed, engine: Engine) -> None:
        known = uids.as_set()
        async for listed in feed.blocks():
            new = identifiers.number_all(listed) - known
            known |= new
            emit(events.InputGrew(len(known)))
            engine.feed(new)

    async def ask() -> None:
        try:
            listed = None if job.source.is_remote else read_source(job, emit)
            async with connected(job.server, job.contact, job.limits) as client:
                for doubt in [*job.link.doubts(), *await check_names(client, job.link)]:
                    emit(events.Warned(doubt))
                feed = await search(job, client, emit) if listed is None else None
                todo = uids.as_set() if listed is None else identifiers.number_all(listed)
                expected = len(todo) if feed is None else feed.expected
                engine = make_engine(
                    job,
                    client,
                    Elink(job.link, identifiers),
                    todo,
                    deliver=deliver,
                    full=lambda: queue.qsize() >= _TABLES_AHEAD,
                    emit=emit,
                    known=uids.as_set(),
                    hours=Hours.of(job, requests_for(expected, job.limits.batch_size)),
                    fed=feed is None,
                )
                ended = await drive(engine, feeding=None if feed is None else pass_on(feed, engine))
            if ended is not None:
                raise ended
        finally:
            queue.put_nowait(None)

    asking = asyncio.create_task(ask())
    try:
        while (table := await queue.get()) is not None:
            yield table
        await asking
    finally:
        asking.cancel()
        await asyncio.wait([asking])
