"""The distinct `to_uid`s of an earlier harvest, as the UIDs to ask for next: the second hop."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from harvester.errors import BadInput, FolderError, nearest, printable
from harvester.job.cmds import CMDS
from harvester.job.databases import answer_name
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.model.schemas import NEIGHBOR_LINKS, TARGETS, with_ids
from harvester.store.folder import JOB, hop_folders
from harvester.store.parts import Parts
from harvester.store.sinks import make_sink
from harvester.store.state import FILE, peek

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harvester.model.identifiers import Listed
    from harvester.model.uids import UidArray
    from harvester.store.sinks import Sink
    from harvester.store.state import Part

    Block: TypeAlias = UidArray | list[str]
    """Some UIDs; accessions where the harvest was of those."""


def read_run(
    folder: Path, dbfrom: str, doubt: Callable[[str], None] = lambda _: None
) -> Iterator[Block]:
    """The UIDs of one database that an earlier harvest's links lead to, each once.

    Args:
        folder: of that harvest; it is not changed.
        dbfrom: their database; links to others are left out.
        doubt: told, in a sentence, that the harvest has not ended.

    Returns:
        Blocks, each ascending, as the committed parts are read.

    Raises:
        BadInput: there is no harvest in the folder, or it has no links to that database.
        FolderError: it is damaged.
    """
    if not (folder / FILE).is_file():
        hops = hop_folders(folder)
        hint = f" It is a chain: name a hop, like {hops[-1]}." if hops else ""
        raise BadInput(
            f"{folder} holds no harvest to go on from (--from-run): it has no {FILE}.{hint}"
        )
    cmd, schema = _job(folder)
    with peek(folder) as state:
        parts = state.parts("links")
        wanted, done = state.wanted(), state.done()
    if cmd not in CMDS or not CMDS[cmd].leads_to_records:
        raise BadInput(
            f"{folder} was harvested with --cmd {cmd}, whose answers name no UIDs to go on with; "
            "a harvest with --cmd neighbor does."
        )
    if wanted is None or len(done) < len(wanted):
        of = "of an input not read yet" if wanted is None else f"of {len(wanted)}"
        doubt(
            f"The harvest in {folder} has not ended: it has the links of {len(done)} UIDs {of}, "
            "and only these are taken."
        )
    yield from _distinct(_targets(folder, parts, schema), folder, dbfrom)


def targets(links: pa.Table, db: str) -> Listed:
    """The distinct records of a database that some links lead to."""
    there = pc.is_in(links["dbto"].cast(pa.string()), pa.array([answer_name(db), db]))
    column = pc.unique(links["to_uid"].filter(there))
    if not pa.types.is_integer(column.type):
        return list(column.to_pylist())
    return uids.as_set(np.sort(column.to_numpy(zero_copy_only=False)))


def _distinct(tables: Iterator[pa.Table], folder: Path, dbfrom: str) -> Iterator[Block]:
    """The targets in one database, each when it first appears."""
    db, others = answer_name(dbfrom), set[str]()
    met, accessions = uids.as_set(), set[str]()
    for table in tables:
        others.update(pc.unique(table["dbto"]).to_pylist())
        found = targets(table, dbfrom)
        if isinstance(found, list):
            block: Block = sorted(set(found) - accessions)
            accessions.update(block)
        else:
            block = uids.as_array(found - met)
            met |= found
        if len(block) > 0:
            yield block
    if not met and not accessions:
        named = ", ".join(sorted(printable(one) for one in others)) or "none at all"
        raise BadInput(
            f"No link in {folder} leads to {db}{nearest(db, others)}: its links lead to {named}."
        )


def _targets(folder: Path, parts: list[Part], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of the committed parts of links.

    Raises:
        FolderError: a part is gone or damaged.
    """
    for part in parts:
        try:
            for table in Parts(folder, _sink_of(part)).read([part], schema):
                yield table.select(["dbto", "to_uid"])
        except (pa.ArrowException, OSError, KeyError) as error:
            raise FolderError(
                f"{folder / part.name} cannot be read as what it is: see what harvester verify "
                f"{folder} says, and restore it from a copy."
            ) from error


def _sink_of(part: Part) -> Sink:
    """What reads a part, by its name."""
    if part.name.endswith(".parquet"):
        return make_sink("parquet", "none")
    codec = {"gz": "gzip", "zst": "zstd"}.get(part.name.rpartition(".")[2], "none")
    return make_sink("jsonl", codec)  # type: ignore[arg-type]


def _job(folder: Path) -> tuple[str, pa.Schema]:
    """The cmd of the harvest in a folder, and the schema of its links if they lead to UIDs.

    Raises:
        FolderError: it is damaged.
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
        raise FolderError(f"{path} is missing or damaged; restore it from a copy.") from error
