"""Query a sample of the UIDs of a harvest again, and compare."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester import events
from harvester.client.connect import connected
from harvester.engine.batch_trials import requests_for
from harvester.engine.off_peak import Hours
from harvester.errors import BadInput
from harvester.eutils.elink.commands import COMMANDS, Elink
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.model.delivery import AnsweredUids
from harvester.runs.drive import drive, make_engine
from harvester.store.reader import HarvestReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harvester.job.model import Job
    from harvester.model.delivery import Delivery
    from harvester.model.uids import UidSet


@dataclass(frozen=True, slots=True)
class Resampled:
    """The result of `resample`.

    Attributes:
        uids: number of UIDs queried again.
        answered: number of them that were answered whole.
        links: links of those in the harvest.
        gone: links of the harvest that the new answers lack.
        new: links of the new answers that the harvest lacks.
        differing: UIDs with a link gone or new, ascending.
    """

    uids: int
    answered: int
    links: int
    gone: int
    new: int
    differing: list[int] | list[str]


async def resample(
    job: Job, share: float, *, seed: int | None = None, listeners: Iterable[events.Listener] = ()
) -> Resampled:
    """Query again a random share of the answered UIDs, and compare.

    Args:
        job: job kept in the folder; nothing in the folder is changed.
        share: share of the answered UIDs, above 0 and up to 1; at least one UID is queried.
        seed: seed of the random choice.
        listeners: called with every event.

    Raises:
        BadInput: the rows of the harvest are not links of single UIDs.
        FolderError: the state or a part is damaged.
        HarvestError: the server refuses the requests, or off-peak hours are over.
    """
    folder, key = Path(job.output.path), COMMANDS[job.link.cmd].key
    found = HarvestReader.open(folder)
    found.check_links()
    if not key or job.link.targets_only:
        raise BadInput(
            f"{folder} holds sets, not links of single UIDs, so answers cannot be compared."
        )
    chosen = _chosen(found.answered, share, seed)
    emit = events.to_all(listeners)
    tables: list[pa.Table] = []
    again = uids.as_set()

    def take(delivery: Delivery) -> None:
        if isinstance(delivery, AnsweredUids):
            again.update(uids.as_set(delivery.uids))
            tables.append(delivery.rows.to_table())

    hours = Hours.of(job, requests_for(len(chosen), job.limits.batch_size))
    async with connected(job.server, job.contact, job.limits, emit=emit) as client:
        engine = make_engine(
            job,
            client,
            Elink(job.link, found.identifiers),
            chosen,
            deliver=take,
            emit=emit,
            known=found.answered,
            hours=hours,
        )
        if chosen:
            ended = await drive(engine)
            if ended is not None:
                raise ended
    seen = found.identifiers.column(uids.as_array(again))
    nothing = found.schema.empty_table()
    before = _links([nothing, *(_rows_of(table, seen) for table in found.links())], key)
    now = _links([nothing, *(_rows_of(table, seen) for table in tables)], key)
    gone = before.join(now, list(key), join_type="left anti")
    new = now.join(before, list(key), join_type="left anti")
    differing = pc.unique(pa.concat_tables([gone, new])["from_uid"])
    return Resampled(
        uids=len(chosen),
        answered=len(again),
        links=before.num_rows,
        gone=gone.num_rows,
        new=new.num_rows,
        differing=sorted(differing.to_pylist()),
    )


def _chosen(answered: UidSet, share: float, seed: int | None) -> UidSet:
    """Return a random share of the UIDs, each with equal probability."""
    count = min(max(1, round(len(answered) * share)), len(answered))
    places = np.random.default_rng(seed).choice(len(answered), count, replace=False)
    return uids.as_set(int(answered[int(place)]) for place in places)


def _rows_of(table: pa.Table, seen: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(table["from_uid"], seen))


def _links(tables: list[pa.Table], key: tuple[str, ...]) -> pa.Table:
    """Return the distinct keys of links, with names as plain text so that they compare."""
    table = pa.concat_tables([one.select(list(key)) for one in tables])
    plain = pa.schema(
        [
            field.with_type(pa.string()) if pa.types.is_dictionary(field.type) else field
            for field in table.schema
        ]
    )
    return table.cast(plain).group_by(list(key)).aggregate([])
