"""Open the source of a job: read UIDs from disk or memory, or prepare a search.

Only `open_source` decides which.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harvester import events
from harvester.client.search_counts import suggestion
from harvester.errors import BadInput
from harvester.model import uids
from harvester.sources.compressed import display_name
from harvester.sources.earlier_run import read_run
from harvester.sources.files import read_accessions, read_uids
from harvester.sources.memory import read_memory, read_memory_accessions
from harvester.sources.search import Search
from harvester.sources.shards import share
from harvester.store.folder import REJECTED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from harvester.client.client import CanCall
    from harvester.job.groups import SourceKind
    from harvester.job.model import Job
    from harvester.model.identifiers import Listed
    from harvester.model.uids import UidSet
    from harvester.sources.rejected import Reject, Rejected, Warn


@dataclass(frozen=True, slots=True)
class _Request:
    """What a source is opened for; see `open_source`."""

    job: Job
    warn: Warn
    reject: Reject
    partial: bool


def open_source(
    job: Job,
    warn: Warn = lambda _: None,
    reject: Reject = lambda _: None,
    *,
    partial: bool = False,
    by_rank: bool = False,
) -> Listed | SearchFeed:
    """Open the source of a job, without any request.

    Args:
        job: with absolute paths; names its source in `job.source`.
        warn: called with a sentence about an unfinished harvest given with `--from-run`, and
            about entries of a list that were left out.
        reject: called with each entry that `source.skip_bad` leaves out.
        partial: accept an unfinished harvest.
        by_rank: how shares are cut; see `share`.

    Returns:
        The distinct UIDs of lists or of an earlier harvest (accessions as texts); or, for a query
        or a set on the History server, a feed to be started with `await feed.start(client, emit)`.

    Raises:
        BadInput: The job names no source, the source cannot be read, holds nothing, or holds
            something that is not a UID.
        FolderError: The earlier harvest is damaged.
    """
    if job.source.kind is None:
        raise BadInput(
            "There are no input UIDs: give a list with --ids FILE (- for stdin), "
            "or a search with --query TERM; from Python, UIDs with ids=[...]."
        )
    if job.source.kind == "search":
        return SearchFeed(job, by_rank=by_rank)
    listed = _SOURCES[job.source.kind](_Request(job, warn, reject, partial))
    return share(listed, *job.source.share, by_rank=by_rank)


class SearchFeed:
    """Records that the job's search finds, as they arrive.

    Args:
        job: names the query, or the set on the History server, and the share of it.
        by_rank: how shares are cut; see `share`.

    Attributes:
        expected: number of records in the share; 0 before `start`.
    """

    def __init__(self, job: Job, *, by_rank: bool = False) -> None:
        self.expected = 0
        self._by_rank = by_rank
        self._job = job
        self._search: Search | None = None

    async def start(self, client: CanCall, emit: events.Listener) -> None:
        """Send the first request, which counts the records.

        Args:
            client: sends this request and the later ones.
            emit: receives warnings.

        Raises:
            BadInput: The search finds nothing, or is wrong.
            HarvestError: The server does not answer it.
        """
        source, link = self._job.source, self._job.link
        self._search = Search(
            client,
            link.dbfrom,
            source.query,
            webenv=source.webenv,
            query_key=source.query_key,
            accessions=link.idtype == "acc",
            warn=lambda text: emit(events.Warned(text)),
            suggest=partial(suggestion, client),
        )
        _, count = source.share
        self.expected = -(-await self._search.count() // count)

    async def blocks(self) -> AsyncIterator[Listed]:
        """Yield UIDs in sets, accessions in lists; of a share by rank once all are known.

        Raises:
            HarvestError: The search failed before its end.
            RuntimeError: `start` was not called.
        """
        if self._search is None:
            raise RuntimeError("the feed was not started")
        share_of = self._job.source.share
        if not self._by_rank:
            async for block in self._search.blocks():
                listed = block if isinstance(block, list) else uids.as_set(np.sort(block))
                if mine := share(listed, *share_of):
                    yield mine
            return
        texts, found = set[str](), uids.as_set()
        async for block in self._search.blocks():
            if isinstance(block, list):
                texts.update(block)
            else:
                found |= uids.as_set(np.sort(block))
        yield share(sorted(texts) if texts else found, *share_of, by_rank=True)


def _open_run(request: _Request) -> Listed:
    job = request.job
    run = job.source.run or ""
    texts, found = list[str](), uids.as_set()
    blocks = read_run(
        Path(run).expanduser(),
        job.link.dbfrom,
        request.warn,
        partial=request.partial,
        base_url=job.server.base_url,
    )
    for block in blocks:
        if isinstance(block, list):
            texts += block
        else:
            found |= uids.as_set(block)
    if (texts or found) and bool(texts) != (job.link.idtype == "acc"):
        has, remedy = ("accessions", "add") if texts else ("UIDs", "leave out")
        raise BadInput(f"The links in {run} lead to {has}: {remedy} --idtype acc.")
    of_accessions = job.link.idtype == "acc"
    return texts if of_accessions else found


def _open_lists(request: _Request) -> Listed:
    job, source, count = request.job, request.job.source, 0

    def leave_out(entry: Rejected) -> None:
        nonlocal count
        count += 1
        request.reject(entry)

    read = _accessions if job.link.idtype == "acc" else _uids
    listed: Listed = read(job, request.warn, leave_out if source.skip_bad else None)
    if not listed:
        names = "ids" if source.kind == "uids" else ", ".join(map(display_name, source.ids))
        raise BadInput(f"There is no UID in {names}.")
    if count:
        request.warn(f"{count:,} entries of the input are not UIDs and were left out ({REJECTED}).")
    return listed


def _uids(job: Job, warn: Warn, reject: Reject | None) -> UidSet:
    if job.source.uids is not None:
        return read_memory(job.source.uids.values, job.link.dbfrom, reject, warn)
    found = uids.as_set()
    for name in job.source.ids:
        for block in read_uids(name, job.source.ids_column, job.link.dbfrom, reject, warn):
            found |= uids.as_set(np.sort(block))
    return found


def _accessions(job: Job, warn: Warn, reject: Reject | None) -> list[str]:
    if job.source.uids is not None:
        return read_memory_accessions(job.source.uids.values, reject, warn)
    found: set[str] = set()
    for name in job.source.ids:
        for block in read_accessions(name, job.source.ids_column, reject, warn):
            found.update(block)
    return sorted(found)


_SOURCES: Mapping[SourceKind, Callable[[_Request], Listed]] = {
    "ids": _open_lists,
    "uids": _open_lists,
    "run": _open_run,
}
"""Kind of source → function that reads its UIDs. A search is read while the harvest runs."""
