"""neo4j: files for `neo4j-admin database import`, and the command that imports them.

Each database is an ID group of its own, because UIDs of two databases may be equal: PMID 7157 is
not gene 7157. The nodes of both ends are written, since a link to an unknown node is an error.
"""

from __future__ import annotations

import re
import shlex
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from harvester.export.delimited import cells
from harvester.export.nodes import Nodes, edge_properties
from harvester.export.summaries import check_names, node_fields
from harvester.export.text import batches, clean, quoted, texts, write_lines
from harvester.job.databases import answer_name
from harvester.model import lazy_compute as pc
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests
    from harvester.export.summaries import NodeFields

COMMAND = "import.sh"

_COMMAND = """\
#!/bin/sh
# Import the links of {names} into a new Neo4j database (default: neo4j).
# Usage: NEO4J_ADMIN=/path/to/neo4j-admin sh {command} [DATABASE] [OPTION...]
# Options of neo4j-admin that help: --dry-run, --report-file=FILE, --bad-tolerance=N,
# --skip-bad-relationships, --skip-duplicate-nodes, --overwrite-destination
set -e
cd "$(dirname "$0")"
database=${{1:-neo4j}}
[ $# -eq 0 ] || shift
"${{NEO4J_ADMIN:-neo4j-admin}}" database import full \\
  --id-type={kind} \\
{files}  "$@" "$database"
"""


def write(harvests: Harvests, to: Destination, options: Options) -> None:
    """Write the folder."""
    fields = node_fields(harvests, options.columns, to.scratch)
    nodes, folder = Nodes(harvests), to.folder()
    properties = [_group(name) for name in options.columns]
    check_names(properties)
    files = [
        f"--nodes={header},{data}"
        for header, data in _write_nodes(nodes, folder, properties, fields)
    ]
    files += [f"--relationships={header},{data}" for header, data in _write_links(harvests, folder)]
    is_text = pa.types.is_string(harvests.first.identifiers.type)
    command = _COMMAND.format(
        names=clean(harvests.names),
        command=COMMAND,
        kind="string" if is_text else "integer",
        files="".join(f"  {shlex.quote(one)} \\\n" for one in files),
    )
    (folder / COMMAND).write_text(command, encoding="utf-8")


def _write_nodes(
    nodes: Nodes, folder: Path, properties: Sequence[str], fields: NodeFields
) -> Iterator[tuple[str, str]]:
    """Write the nodes of each database; yield the names of header and data."""
    for db in nodes.dbs:
        group = _group(db)
        header, data = f"nodes-{group}-header.csv", f"nodes-{group}.csv"
        names = ",".join([f"uid:ID({group})", ":LABEL", *properties])
        (folder / header).write_text(f"{names}\n", encoding="utf-8")
        with (folder / data).open("wb", buffering=1 << 20) as stream:
            for uids in nodes.of(db):
                added = fields(constant(db, len(uids)), uids)
                columns = [cells(uids, ","), group, *(quoted(texts(one), ",") for one in added)]
                write_lines(stream, columns, ",")
        yield header, data


def _write_links(harvests: Harvests, folder: Path) -> list[tuple[str, str]]:
    """Write the links between each two databases; return the names of headers and data."""
    files: dict[tuple[str, str], IO[bytes]] = {}
    properties = edge_properties(harvests.schema)
    header = ",".join(f"{name}:{kind}" for name, kind in properties.items())
    names: list[tuple[str, str]] = []
    with ExitStack() as opened:
        for batch in batches(harvests.links()):
            for pair, rows in _by_pair(batch):
                if pair not in files:
                    stem = "links-{}-{}".format(*pair)
                    names.append((f"{stem}-header.csv", f"{stem}.csv"))
                    text = ":START_ID({}),:END_ID({}),:TYPE,{}\n".format(*pair, header)
                    (folder / names[-1][0]).write_text(text, encoding="utf-8")
                    stream = (folder / names[-1][1]).open("wb", buffering=1 << 18)
                    files[pair] = opened.enter_context(stream)
                columns = ("from_uid", "to_uid", "linkname", *properties)
                write_lines(files[pair], [cells(rows[name], ",") for name in columns], ",")
    return names


def _by_pair(batch: pa.RecordBatch) -> Iterator[tuple[tuple[str, str], pa.RecordBatch]]:
    """Yield the rows between each two databases."""
    for dbfrom in pc.unique(batch["dbfrom"]).to_pylist():
        same = batch.filter(pc.equal(batch["dbfrom"], dbfrom))
        for dbto in pc.unique(same["dbto"]).to_pylist():
            rows = same.filter(pc.equal(same["dbto"], dbto))
            yield (_group(dbfrom), _group(dbto)), rows


def _group(db: str) -> str:
    """Return the name of a database as ID group, label and part of file names."""
    return re.sub(r"\W", "_", answer_name(db))
