"""The neighbourhood of one record in the links of a harvest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester import events
from harvester.api.top import link_readers
from harvester.errors import BadInput, nearest, printable
from harvester.export.graphml import write_graph
from harvester.job.databases import answer_name
from harvester.sources.notation import UidParser, parse_accession
from harvester.store import durable
from harvester.store.folder import result_errors
from harvester.store.neighbours import Neighbour, Neighbourhood, find_neighbourhood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import IO

__all__ = ["Neighbour", "Neighbourhood", "around", "check_free", "write_graphml"]


def around(
    folder: Path,
    record: str,
    hops: int = 1,
    *,
    warn: Callable[[str], None] = lambda _: None,
    listeners: Iterable[events.Listener] = (),
) -> Neighbourhood:
    """Return the links from and to a record, and further ones hop by hop; sends no request.

    Args:
        folder: folder of a harvest, or of a chain, whose hops are looked at together.
        record: database and UID, like `pubmed:20210808`.
        hops: maximum number of links between the record and any other.
        warn: receives a sentence about links that are not known.
        listeners: called with the progress.

    Raises:
        BadInput: the record is written in another way, the folder holds no links of single UIDs,
            none from or to that database, or too many within so many hops.
        FolderError: the folder is damaged.

    Example:
        ```
        found = around(Path("pmc-links"), "pubmed:20210808")
        print(found.links.num_rows, [node.uid for node in found.nodes])
        ```
    """
    if hops < 1:
        raise BadInput(f"{hops} is no number of hops; give 1 or more.")
    db, colon, word = record.partition(":")
    if not (db and colon and word):
        raise BadInput(
            f"'{printable(record)}' names no record: write DB:UID, like pubmed:20210808."
        )
    readers = link_readers(folder, warn)
    name = answer_name(db.strip().lower())
    is_text = pa.types.is_string(readers[0].schema.field("to_uid").type)
    try:
        uid = parse_accession(word) if is_text else UidParser(name)(word)
    except ValueError as error:
        raise BadInput(str(error)) from error
    emit = events.to_all(list(listeners))
    found = find_neighbourhood(readers, name, uid, hops, answer_name, emit)
    if name not in found.databases:
        hint = nearest(name, found.databases) or f"; there are {', '.join(found.databases)}"
        raise BadInput(f"No link in {folder} is from or to the database '{printable(db)}'{hint}.")
    return found


def check_free(path: Path) -> None:
    """Check that a file can be written without replacing another.

    Raises:
        BadInput: something has this name already, or its folder is missing.
    """
    if path.exists():
        raise BadInput(f"{path} exists; give another name, or delete it.")
    if not path.absolute().parent.is_dir():
        raise BadInput(f"{path}: the folder {path.absolute().parent} does not exist.")


def write_graphml(found: Neighbourhood, path: Path) -> None:
    """Write a neighbourhood as GraphML, with the keys of `harvester export --to graphml`.

    Raises:
        BadInput: something has this name already.
        FolderError: it cannot be written.
    """
    check_free(path)
    ids = found.links.schema.field("to_uid").type

    def fill(stream: IO[bytes]) -> None:
        nodes = [
            (pa.array([one.db for one in found.nodes]).dictionary_encode(),
             pa.array([one.uid for one in found.nodes], ids))
        ]  # fmt: skip
        write_graph(stream, nodes, [found.links], found.links.schema)

    with result_errors(path):
        durable.write(path, fill)
