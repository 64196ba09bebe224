"""edgelist: two columns of node numbers, and a table of the nodes beside them.

Numbers run from 0 without gaps, as networkit, igraph, graph-tool and SNAP want them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.export.nodes import Nodes
from harvester.export.text import batches, texts, write_lines

if TYPE_CHECKING:
    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests

NODES = ".nodes.tsv"
"""Suffix of the table of nodes."""

_ENDS = ("dbfrom", "from_uid", "dbto", "to_uid")


def write(harvests: Harvests, to: Destination, options: Options) -> None:  # noqa: ARG001
    """Write the edges, and the table of nodes."""
    nodes = Nodes(harvests)
    with to.companion(NODES).open("wb", buffering=1 << 20) as stream:
        stream.write(b"node\tdb\tuid\n")
        first = 0
        for db, uids in nodes.batches():
            numbers = pa.array(range(first, first + len(uids)))
            write_lines(stream, [texts(numbers), texts(db), texts(uids)], "\t")
            first += len(uids)
    with to.stream() as stream:
        for batch in batches(harvests.links(*_ENDS)):
            froms = nodes.numbers(batch["dbfrom"], batch["from_uid"])
            tos = nodes.numbers(batch["dbto"], batch["to_uid"])
            write_lines(stream, [texts(pa.array(froms)), texts(pa.array(tos))], " ")
