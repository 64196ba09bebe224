"""The UIDs a job wants: read whole where they lie on disk, searched for where a server has them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harvester import events
from harvester.client.outage_retry import Patient
from harvester.client.search_counts import suggestion
from harvester.errors import BadInput
from harvester.model import uids
from harvester.sources.accessions import read_accessions
from harvester.sources.compressed import shown
from harvester.sources.earlier_run import read_run
from harvester.sources.search import Search
from harvester.sources.tables import kind_of, read_column
from harvester.sources.text import read_lines

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harvester.client.client import Client
    from harvester.job.model import Job
    from harvester.model.identifiers import Listed
    from harvester.model.uids import UidSet


def read_source(job: Job) -> Listed:
    """The distinct UIDs of a job's lists, or of an earlier harvest; accessions as texts.

    Raises:
        BadInput: there is none, it cannot be read, or something in it is not a UID.
    """
    source, link = job.source, job.link
    if source.run is not None:
        return share(_of_run(source.run, job), *source.share)
    if not source.ids:
        raise BadInput(
            "There are no UIDs to ask for: give a list with --ids FILE (- for stdin), "
            "or a search with --query TERM."
        )
    listed: Listed = _accessions(job) if link.idtype == "acc" else _uids(job)
    if not listed:
        raise BadInput(f"There is no UID in {', '.join(map(shown, source.ids))}.")
    return share(listed, *source.share)


def share(listed: Listed, index: int, count: int) -> Listed:
    """The `index`-th (from 1) of `count` equal shares; together they are the whole, once."""
    if isinstance(listed, list):
        return listed[len(listed) * (index - 1) // count : len(listed) * index // count]
    return uids.shard(listed, index, count)


@dataclass(frozen=True, slots=True)
class Found:
    """The records that a search finds, as they come.

    Attributes:
        search: begun, so that its count is known.
        expected: that count.
        share: which of how many equal shares; of a share, all are gathered first.
    """

    search: Search
    expected: int
    share: tuple[int, int]

    async def blocks(self) -> AsyncIterator[Listed]:
        """UIDs in sets, accessions in lists.

        Raises:
            HarvestError: the search came to no end.
        """
        if self.share == (1, 1):
            async for block in self.search.blocks():
                yield block if isinstance(block, list) else uids.as_set(np.sort(block))
            return
        texts, found = set[str](), uids.as_set()
        async for block in self.search.blocks():
            if isinstance(block, list):
                texts.update(block)
            else:
                found |= uids.as_set(np.sort(block))
        yield share(sorted(texts) if texts else found, *self.share)


async def search(job: Job, client: Client, emit: events.Listener) -> Found:
    """Begin a job's search.

    Raises:
        BadInput: it finds nothing, or there is none.
        HarvestError: the server does not answer it.
    """
    source, link = job.source, job.link

    def doubt(text: str) -> None:
        emit(events.Doubt(text))

    begun = Search(
        Patient(client, emit),
        link.dbfrom,
        source.query,
        webenv=source.webenv,
        query_key=source.query_key,
        accessions=link.idtype == "acc",
        doubt=doubt,
        suggest=partial(suggestion, client),
    )
    count = await begun.count()
    return Found(begun, -(-count // source.share[1]), source.share)


def _of_run(run: str, job: Job) -> Listed:
    texts, found = list[str](), uids.as_set()
    for block in read_run(Path(run).expanduser(), job.link.dbfrom):
        if isinstance(block, list):
            texts += block
        else:
            found |= uids.as_set(block)
    if bool(texts) != (job.link.idtype == "acc"):
        has, remedy = ("accessions", "add") if texts else ("UIDs", "leave out")
        raise BadInput(f"The links in {run} lead to {has}: {remedy} --idtype acc.")
    return texts or found


def _uids(job: Job) -> UidSet:
    wanted = uids.as_set()
    for name in job.source.ids:
        blocks = (
            read_column(name, job.source.ids_column, job.link.dbfrom)
            if kind_of(name)
            else read_lines(name, job.link.dbfrom)
        )
        for block in blocks:
            wanted |= uids.as_set(np.sort(block))
    return wanted


def _accessions(job: Job) -> list[str]:
    found: set[str] = set()
    for name in job.source.ids:
        for block in read_accessions(name, job.source.ids_column):
            found.update(block)
    return sorted(found)
