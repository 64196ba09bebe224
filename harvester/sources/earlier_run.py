"""Distinct `to_uid`s of an earlier harvest, as the input UIDs of the next (`--from-run`)."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import BadInput, FolderError, nearest, printable
from harvester.job.cmds import CMDS
from harvester.job.databases import answer_name
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.model.schemas import NEIGHBOR_LINKS, TARGETS, with_ids
from harvester.sources.distinct import Distinct
from harvester.store.folder import JOB, hop_folders
from harvester.store.parts import Parts
from harvester.store.sinks import make_sink
from harvester.store.state import FILE, peek

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harvester.model.identifiers import Listed
    from harvester.sources.distinct import Block
    from harvester.store.sinks import Sink
    from harvester.store.state import Part


def read_run(
    folder: Path, dbfrom: str, warn: Callable[[str], None] = lambda _: None
) -> Iterator[Block]:
    """Yield the UIDs of one database that an earlier harvest's links lead to, each once.

    Args:
        folder: folder of that harvest; it is not changed.
        dbfrom: database of the UIDs; links to others are left out.
        warn: called with a sentence if the harvest is unfinished.

    Yields:
        Blocks, each ascending, in the order of the committed parts.

    Raises:
        BadInput: The folder holds no harvest, or its links do not lead to that database.
        FolderError: The folder is damaged.
    """
    if not (folder / FILE).is_file():
        hops = hop_folders(folder)
        hint = f" It is a chain: name a hop, like {hops[-1]}." if hops else ""
        raise BadInput(f"{folder} holds no harvest (--from-run): it has no {FILE}.{hint}")
    cmd, schema = _job(folder)
    with peek(folder) as state:
        parts = state.parts("links")
        wanted, done = state.wanted(), state.done()
    if cmd not in CMDS or not CMDS[cmd].leads_to_records:
        raise BadInput(
            f"{folder} was harvested with --cmd {cmd}, whose links have no to_uid; "
            "those of --cmd neighbor have."
        )
    if wanted is None or len(done) < len(wanted):
        of = "an unknown number" if wanted is None else str(len(wanted))
        warn(
            f"The harvest in {folder} is unfinished: only the links of {len(done)} UIDs of {of} "
            "are used."
        )
    yield from _distinct(_tables(folder, parts, schema), folder, dbfrom)


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
        BadInput: There are none.
    """
    db, others = answer_name(dbfrom), set[str]()
    known = Distinct()
    for table in tables:
        others.update(pc.unique(table["dbto"]).to_pylist())
        found = targets(table, dbfrom)
        block = known.add(found if isinstance(found, list) else uids.as_array(found))
        if len(block) > 0:
            yield block
    if not known:
        named = ", ".join(sorted(printable(one) for one in others)) or "no database at all"
        raise BadInput(
            f"No link in {folder} leads to {db}{nearest(db, others)}: its links lead to {named}."
        )


def _tables(folder: Path, parts: list[Part], schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of committed parts of links.

    Raises:
        FolderError: A part is missing or damaged.
    """
    for part in parts:
        try:
            for table in Parts(folder, _sink_of(part)).read([part], schema):
                yield table.select(["dbto", "to_uid"])
        except (pa.ArrowException, OSError, KeyError) as error:
            raise FolderError(
                f"{folder / part.name} is damaged. Run `harvester verify {folder}` and restore "
                "the file from a backup."
            ) from error


def _sink_of(part: Part) -> Sink:
    """Return the sink that reads a part, by the suffix of its name."""
    if part.name.endswith(".parquet"):
        return make_sink("parquet", "none")
    codec = {"gz": "gzip", "zst": "zstd"}.get(part.name.rpartition(".")[2], "none")
    return make_sink("jsonl", codec)  # type: ignore[arg-type]


def _job(folder: Path) -> tuple[str, pa.Schema]:
    """Return the cmd of a harvest, and the schema of its links if they have a `to_uid`.

    Raises:
        FolderError: The job file is missing or damaged.
    """
    path = folder / JOB
    try:
        link = tomllib.loads(path.read_text(encoding="utf-8"))["link"]
        schema = TARGETS if link.get("targets_only") else NEIGHBOR_LINKS
        accessions = link.get("idtype") == "acc"
        return str(link.get("cmd", "neighbor")), (
            with_ids(schema, pa.string()) if accessions else schema
        )
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise FolderError(
            f"{path} is missing or damaged; restore the file from a backup."
        ) from error
