"""Expected result of a harvest, computed from the graph and not from any answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harvester.emulator.graph.base import Graph

SCHEMA = pa.schema(
    [
        ("dbfrom", pa.string()),
        ("from_uid", pa.int64()),
        ("dbto", pa.string()),
        ("linkname", pa.string()),
        ("to_uid", pa.int64()),
        ("score", pa.int64()),
        ("rank", pa.int32()),
    ]
)


def truth(
    graph: Graph,
    dbfrom: str,
    uids: Sequence[int],
    db: Collection[str] | None = None,
    linkname: Collection[str] | None = None,
    *,
    scores: bool = False,
) -> pa.Table:
    """Return every link of `uids`, by family, then in the order of `uids`, then by rank.

    Args:
        graph: the served graph.
        dbfrom: database of the UIDs.
        uids: the requested UIDs, each once; up to 2**63 - 1.
        db: databases linked to; None is all.
        linkname: only these families; None is all.
        scores: include the scores of `cmd=neighbor_score`; otherwise the column is null.

    Returns:
        A table of `SCHEMA`.
    """
    sources = np.array(uids, np.int64)
    parts = [SCHEMA.empty_table()]
    for family in graph.families(dbfrom, db):
        if linkname is not None and family.linkname not in linkname:
            continue
        links = graph.batch(family, sources.astype(np.uint64))
        rows = len(links.to_uids)
        starts = np.cumsum(links.counts) - links.counts
        rank = np.arange(rows) - np.repeat(starts, links.counts)
        known = scores and links.scores is not None
        columns = [
            pa.repeat(pa.scalar(family.dbfrom), rows),
            pa.array(np.repeat(sources, links.counts)),
            pa.repeat(pa.scalar(family.dbto), rows),
            pa.repeat(pa.scalar(family.linkname), rows),
            pa.array(links.to_uids),
            pa.array(links.scores) if known else pa.nulls(rows, pa.int64()),
            pa.array(rank.astype(np.int32)),
        ]
        parts.append(pa.table(columns, schema=SCHEMA))
    return pa.concat_tables(parts)
