"""adjacency: one line per UID, itself first, then each record that it links to once.

networkx reads it with `read_adjlist`. Records are written as `DB:UID`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.export.sorting import sort_rows, whole_groups
from harvester.export.text import batches, texts, write_lines
from harvester.model import lazy_compute as pc
from harvester.model.schemas import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests

_COLUMNS = ("from_uid", "dbfrom", "dbto", "to_uid")


def write(harvests: Harvests, to: Destination, options: Options) -> None:  # noqa: ARG001
    """Write the lines, sorted by UID."""
    expected = harvests.link_count + sum(one.total for one in harvests.readers)
    rows = sort_rows(_with_inputs(harvests), "from_uid", to.scratch, expected)
    with to.stream() as stream:
        for table in whole_groups(rows, "from_uid"):
            columns = _lines(table.unify_dictionaries().combine_chunks().to_batches()[0])
            for batch in batches([pa.table(columns, ["source", "targets"])]):
                write_lines(stream, [batch["source"], batch["targets"]], "")


def _with_inputs(harvests: Harvests) -> Iterator[pa.Table]:
    """Yield the links, and a row without a target for each input UID."""
    yield from harvests.links(*_COLUMNS)
    schema = pa.schema([harvests.schema.field(name) for name in _COLUMNS])
    for uids in harvests.uids("from_uid", "dbfrom"):
        nothing = [pa.nulls(len(uids), NAME), pa.nulls(len(uids), schema.field("to_uid").type)]
        yield pa.Table.from_arrays([*uids.columns, *nothing], schema=schema)


def _lines(batch: pa.RecordBatch) -> list[pa.Array]:
    """Return the sources, and after each its targets with a blank before each."""
    sources = pc.binary_join_element_wise(texts(batch["dbfrom"]), texts(batch["from_uid"]), ":")
    targets = pc.binary_join_element_wise(
        " ", texts(batch["dbto"]), ":", texts(batch["to_uid"]), ""
    )
    codes = sources.dictionary_encode()
    group = codes.indices.to_numpy()
    code = targets.dictionary_encode().indices.fill_null(-1).to_numpy()
    order = np.lexsort((np.arange(len(group)), code, group))
    first = np.ones(len(order), bool)
    first[1:] = (group[order][1:] != group[order][:-1]) | (code[order][1:] != code[order][:-1])
    kept = np.sort(order[first & (code[order] >= 0)])
    kept = kept[np.argsort(group[kept], kind="stable")]
    offsets = np.searchsorted(group[kept], np.arange(len(codes.dictionary) + 1))
    lists = pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32)), targets.take(pa.array(kept))
    )
    return [codes.dictionary, pc.binary_join(lists, "")]
