"""Distinct `to_uid`s of an earlier harvest as input UIDs (`--from-run`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import BadInput, nearest, printable
from harvester.job.cmds import CMDS
from harvester.job.databases import answer_name
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.sources.distinct import Distinct
from harvester.store.identity import server_name
from harvester.store.reader import HarvestReader
from harvester.store.unfinished import check_complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harvester.model.identifiers import Listed
    from harvester.sources.distinct import Block


def read_run(
    folder: Path,
    dbfrom: str,
    warn: Callable[[str], None] = lambda _: None,
    *,
    partial: bool = False,
    base_url: str | None = None,
) -> Iterator[Block]:
    """Yield the UIDs of one database that an earlier harvest's links lead to, each once.

    Args:
        folder: folder of that harvest; it is not changed.
        dbfrom: database of the UIDs; links to others are left out.
        warn: called with a sentence if links are missing, or are of another server.
        partial: accept an unfinished harvest.
        base_url: server that will receive the UIDs.

    Yields:
        Blocks, each ascending, in the order of the committed parts.

    Raises:
        BadInput: The folder holds no harvest or an unfinished one, or its links do not lead to
            that database.
        FolderError: The folder is damaged.
    """
    run = HarvestReader.open(folder)
    run.check_links()
    if not CMDS[run.cmd].leads_to_records:
        raise BadInput(
            f"{folder} was harvested with --cmd {run.cmd}, whose links have no to_uid; "
            "those of --cmd neighbor have."
        )
    check_complete(run, warn, partial=partial)
    server = (run.identity or {}).get("server", {}).get("base_url", base_url)
    if base_url and server_name(server) != server_name(base_url):
        warn(
            f"The links in {folder} are from {server}, and the UIDs in them are asked for at "
            f"{base_url}: they may be other records there."
        )
    yield from _distinct(run.links("dbto", "to_uid"), folder, dbfrom)


def targets(links: pa.Table, db: str) -> Listed:
    """Return the distinct records of a database that some links lead to."""
    in_db = pc.is_in(links["dbto"].cast(pa.string()), pa.array([answer_name(db), db]))
    column = pc.unique(links["to_uid"].filter(in_db))
    if not pa.types.is_integer(column.type):
        return list(column.to_pylist())
    return uids.as_set(np.sort(column.to_numpy(zero_copy_only=False)))


def _distinct(tables: Iterator[pa.Table], folder: Path, dbfrom: str) -> Iterator[Block]:
    """Yield the targets in one database, each when it first appears.

    Raises:
        BadInput: There are links, but none leads to it.
    """
    db, others = answer_name(dbfrom), set[str]()
    known = Distinct()
    for table in tables:
        others.update(pc.unique(table["dbto"]).to_pylist())
        found = targets(table, dbfrom)
        block = known.add(found if isinstance(found, list) else uids.as_array(found))
        if len(block) > 0:
            yield block
    if not known and others:
        named = ", ".join(sorted(printable(one) for one in others))
        raise BadInput(
            f"No link in {folder} leads to {db}{nearest(db, others)}: its links lead to {named}."
        )
