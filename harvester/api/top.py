"""The targets that most inputs of a harvest link to, and their titles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester import events
from harvester.api.folder import harvests_in, job_in
from harvester.errors import BadInput
from harvester.store.ranking import Ranked
from harvester.store.reader import HarvestReader
from harvester.store.unfinished import check_complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

__all__ = ["MOST_TITLES", "Ranked", "link_readers", "titles", "top"]

MOST_TITLES = 2000
"""Maximum titles per call: 10 requests of ESummary."""


def top(
    folder: Path,
    most: int = 50,
    *,
    dbto: str | None = None,
    linkname: str | None = None,
    warn: Callable[[str], None] = lambda _: None,
    listeners: Iterable[events.Listener] = (),
) -> list[Ranked]:
    """Return the targets that most inputs of a harvest link to; sends no request.

    An input that links to a target by several linknames counts once. Of a chain, all hops are
    ranked together, and the inputs of each hop count apart.

    Args:
        folder: folder of a harvest or of a chain.
        most: number of targets to return.
        dbto: only targets in this database.
        linkname: only links of this name.
        warn: receives a sentence about links that are not known.
        listeners: called with the progress.

    Returns:
        Targets by descending number of distinct inputs, then by UID.

    Raises:
        BadInput: the folder holds no links of single UIDs, or none to `dbto` or of `linkname`.
        FolderError: it is damaged.

    Example:
        ```
        for target in top(Path("pmc-links"), 10):
            print(target.db, target.uid, target.inputs)
        ```
    """
    from harvester.store.ranking import rank_targets  # noqa: PLC0415 - needs numpy

    if most < 1:
        raise BadInput(f"{most} is no number of targets; give 1 or more.")
    readers, emit = link_readers(folder, warn), events.to_all(list(listeners))
    return rank_targets(readers, most, dbto=dbto, linkname=linkname, emit=emit)


def link_readers(folder: Path, warn: Callable[[str], None]) -> list[HarvestReader]:
    """Return the harvests in a folder, whose rows lead from one record to another.

    Args:
        folder: folder of a harvest or of a chain.
        warn: receives a sentence about links that are not known.

    Raises:
        BadInput: the folder holds no links of single UIDs.
        FolderError: it is damaged.
    """
    readers = [HarvestReader.open(path) for path in harvests_in(folder).values()]
    for one in readers:
        one.check_links()
        if not {"from_uid", "to_uid"} <= set(one.schema.names):
            what = "targets_only" if one.kind == "targets" else f"cmd {one.cmd}"
            raise BadInput(
                f"{one.folder} was harvested with {what}: its rows do not lead from one record to "
                "another."
            )
        if one.schema.field("to_uid") != readers[0].schema.field("to_uid"):
            raise BadInput(f"{folder} has hops with UIDs and hops with accessions: name one hop.")
        check_complete(one, warn, partial=True)
    return readers


async def titles(folder: Path, targets: Sequence[Ranked]) -> list[str | None]:
    """Return the titles of some targets, from ESummary of the harvest's server.

    Args:
        folder: folder of the harvest; its job names server and contact.
        targets: at most `MOST_TITLES`.

    Returns:
        A title for each target; None where ESummary has none.

    Raises:
        BadInput: there are too many, or NCBI would be asked without an email address.
        HarvestError: the server gives no answer.
    """
    from harvester.api.eutils import Eutils  # noqa: PLC0415
    from harvester.model.docsum import field_text  # noqa: PLC0415

    if len(targets) > MOST_TITLES:
        raise BadInput(
            f"{len(targets):,} titles are too many ({MOST_TITLES:,} at most): `harvester records` "
            "gets the summaries of all linked records."
        )
    job = job_in(folder, chain=True)
    # Of a harvest with accessions, UIDs of other databases are texts as well.
    found: dict[tuple[str, str], str | None] = {}
    async with Eutils(
        job.contact.email,
        base_url=job.server.base_url,
        rate=job.limits.rate,
        rate_granted=job.limits.rate_granted,
        tool=job.contact.tool,
    ) as eutils:
        for db in dict.fromkeys(one.db for one in targets):
            uids = [one.uid for one in targets if one.db == db]
            for uid, record in (await eutils.esummary(db, uids)).items():
                found[db, str(uid)] = field_text(record, "title")
    return [found.get((one.db, str(one.uid))) for one in targets]
