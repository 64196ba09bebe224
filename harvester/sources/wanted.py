"""The UIDs a job wants, read from all its sources into one set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harvester import uids
from harvester.errors import BadInput
from harvester.sources.compressed import shown
from harvester.sources.lines import read_lines

if TYPE_CHECKING:
    from harvester.job import Job
    from harvester.uids import UidSet


def read_source(job: Job) -> UidSet:
    """The distinct UIDs of a job's source.

    Raises:
        BadInput: there is none, it cannot be read, or something in it is not a UID.
    """
    if not job.source.ids:
        raise BadInput("There are no UIDs to ask for: give a list with --ids FILE (- for stdin).")
    wanted = uids.as_set()
    for name in job.source.ids:
        for block in read_lines(name, job.link.dbfrom):
            wanted |= uids.as_set(np.sort(block))
    if not wanted:
        raise BadInput(f"There is no UID in {', '.join(map(shown, job.source.ids))}.")
    return uids.shard(wanted, *job.source.share)
