"""The UIDs a job wants: read whole where they lie on disk, searched for where a server has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harvester import uids
from harvester.errors import BadInput
from harvester.sources.compressed import shown
from harvester.sources.earlier import read_run
from harvester.sources.lines import read_lines

if TYPE_CHECKING:
    from harvester.identifiers import Listed
    from harvester.job import Job
    from harvester.uids import UidSet


def read_source(job: Job) -> Listed:
    """The distinct UIDs of a job's source, or its accessions.

    Raises:
        BadInput: there is none, it cannot be read, or something in it is not a UID.
    """
    source = job.source
    if source.run is not None:
        listed = read_run(Path(source.run).expanduser(), job.link.dbfrom)
    elif not source.ids:
        raise BadInput(
            "There are no UIDs to ask for: give a list with --ids FILE (- for stdin), "
            "or --query TERM."
        )
    elif job.link.idtype == "acc":
        listed = sorted(
            {text for name in source.ids for block in _accessions(name, job) for text in block}
        )
    else:
        listed = _uids(job)
    if not listed:
        raise BadInput(f"There is no UID in {', '.join(map(shown, source.ids))}.")
    return share(listed, *source.share)


def share(listed: Listed, index: int, count: int) -> Listed:
    """The `index`-th (from 1) of `count` equal shares."""
    if isinstance(listed, list):
        return listed[len(listed) * (index - 1) // count : len(listed) * index // count]
    return uids.shard(listed, index, count)


def _accessions(name: str, job: Job):
    raise NotImplementedError


def _uids(job: Job) -> UidSet:
    wanted = uids.as_set()
    for name in job.source.ids:
        for block in read_lines(name, job.link.dbfrom):
            wanted |= uids.as_set(np.sort(block))
    return wanted


async def search(job, client, emit):
    raise NotImplementedError
