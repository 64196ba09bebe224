"""One row per UID: a column per linkname with the linked UIDs joined by `;`."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import BadInput
from harvester.export.sorting import sort_rows, whole_groups
from harvester.export.text import LIST_SEPARATOR
from harvester.model import lazy_compute as pc
from harvester.model.outcomes import Outcome
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harvester.export.harvests import Harvests
    from harvester.export.summaries import Summaries

_OUTCOMES = [Outcome.EMPTY.value, Outcome.LINKED.value, Outcome.MISSING.value, Outcome.FAILED.value]
"""From most to least informative: of several harvests the last counts."""

FIELD_SEPARATOR = " | "
"""Separator of the fields of several records in one cell; titles contain semicolons."""

_COLUMNS = ("from_uid", "dbto", "linkname", "to_uid", "rank")


def wide_table(
    harvests: Harvests, summaries: Summaries | None, scratch: Path
) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """Return the schema and the rows of a wide table, sorted by from_uid.

    Args:
        harvests: harvests of UIDs of one database.
        summaries: fields to add, of the UID and of the linked records.
        scratch: folder for temporary files.

    Raises:
        BadInput: the rows are no links, or the UIDs are of several databases.
    """
    _check(harvests)
    columns = _linknames(harvests, summaries)
    names = summaries.names("from", harvests.first.dbfrom) if summaries else []
    fields = [("from_uid", harvests.first.identifiers.type), ("outcome", pa.string())]
    fields += [(name, pa.string()) for name in names]
    for linkname, added in columns.items():
        fields.append((linkname, pa.string()))
        fields += [(f"{linkname}_{name}", pa.string()) for name in added]
    schema = pa.schema(fields)
    expected = harvests.link_count + sum(one.total for one in harvests.readers)
    rows = sort_rows(_marked(harvests), "from_uid", scratch, expected)
    pivot = _Pivot(harvests, summaries, columns, names, schema)
    return schema, map(pivot.of, whole_groups(rows, "from_uid"))


def _check(harvests: Harvests) -> None:
    if not harvests.is_graph:
        raise BadInput(
            f"{harvests.first.folder} holds no links of single UIDs to records, so --wide has no "
            "columns to make of them. Leave it out."
        )
    dbs = sorted({one.dbfrom for one in harvests.readers})
    if len(dbs) > 1:
        raise BadInput(
            f"--wide makes one row per UID of one database, but {harvests.names} start from "
            f"{' and '.join(dbs)}. Export the hops one by one."
        )


def _linknames(harvests: Harvests, summaries: Summaries | None) -> dict[str, list[str]]:
    """Return the linknames that occur or were requested, each with the fields of its records."""
    dbs = {name: "" for one in harvests.readers for name in one.link.get("linkname") or ()}
    for table in harvests.links("linkname", "dbto"):
        for row in table.group_by(["linkname", "dbto"]).aggregate([]).to_pylist():
            dbs[row["linkname"]] = row["dbto"]
    return {
        name: summaries.names("to", db) if summaries and db else []
        for name, db in sorted(dbs.items())
    }


def _marked(harvests: Harvests) -> Iterator[pa.Table]:
    """Yield the rows of links, and one row per UID with its outcome in place of a rank."""
    yield from harvests.links(*_COLUMNS)
    schema = pa.schema([harvests.schema.field(name) for name in _COLUMNS])
    for uids in harvests.uids("from_uid", "outcome"):
        outcomes = uids["outcome"].cast(pa.string())
        severity = pc.index_in(outcomes, value_set=pa.array(_OUTCOMES))
        columns = [
            uids["from_uid"] if name == "from_uid"
            else severity if name == "rank"
            else pa.nulls(len(uids), schema.field(name).type)
            for name in _COLUMNS
        ]  # fmt: skip
        yield pa.Table.from_arrays(columns, schema=schema)


class _Pivot:
    """Makes one row of all rows of a UID.

    Args:
        harvests: whose rows they are.
        summaries: fields to add.
        columns: linkname → fields of its records.
        names: fields of the UID itself.
        schema: of the result.
    """

    def __init__(
        self,
        harvests: Harvests,
        summaries: Summaries | None,
        columns: Mapping[str, Sequence[str]],
        names: Sequence[str],
        schema: pa.Schema,
    ) -> None:
        self._dbfrom = harvests.first.dbfrom
        self._several = len(harvests.readers) > 1
        self._summaries = summaries
        self._columns = columns
        self._names = names
        self._schema = schema

    def of(self, table: pa.Table) -> pa.Table:
        """Return one row per UID.

        Args:
            table: rows of `_marked`, sorted by from_uid, with all rows of each UID.
        """
        batch = table.unify_dictionaries().combine_chunks().to_batches()[0]
        froms = batch["from_uid"]
        new = np.ones(len(froms), bool)
        new[1:] = pc.not_equal(froms[1:], froms[:-1]).to_numpy(zero_copy_only=False)
        starts, group = np.flatnonzero(new), np.cumsum(new) - 1
        uids = froms.take(pa.array(starts))
        columns = [uids, self._outcomes(batch, group, len(starts))]
        if self._summaries is not None and self._names:
            rows = self._summaries.rows(constant(self._dbfrom, len(uids)), uids)
            columns += self._summaries.fields(rows, self._names)
        numbers = {name: number for number, name in enumerate(self._columns)}
        known = [numbers.get(name, -1) for name in batch["linkname"].dictionary.to_pylist()]
        of_row = np.array([*known, -1])[batch["linkname"].indices.fill_null(-1).to_numpy()]
        order = self._order(batch, group, of_row)
        links, group, of_row = batch.take(pa.array(order)), group[order], of_row[order]
        bounds = np.searchsorted(of_row, np.arange(len(self._columns) + 1)).tolist()
        spans = zip(itertools.pairwise(bounds), self._columns.values(), strict=True)
        for (first, last), names in spans:
            some = links.slice(first, last - first)
            columns += self._joined(some, group[first:last], len(starts), names)
        return pa.Table.from_arrays(columns, schema=self._schema)

    def _outcomes(self, batch: pa.RecordBatch, group: NDArray[np.int64], count: int) -> pa.Array:
        """Return the outcome of each UID; of several the least known."""
        marks = np.flatnonzero(batch["linkname"].is_null().to_numpy(zero_copy_only=False))
        worst = np.full(count, -1)
        severity = batch["rank"].fill_null(-1).to_numpy(zero_copy_only=False)
        np.maximum.at(worst, group[marks], severity[marks])
        return pa.array(_OUTCOMES).take(pa.array(worst, mask=worst < 0))

    def _order(
        self, batch: pa.RecordBatch, group: NDArray[np.int64], of_row: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return the rows of links by linkname, UID and rank, each link once."""
        rank = batch["rank"].fill_null(0).to_numpy(zero_copy_only=False)
        order = np.lexsort((rank, group, of_row))
        order = order[of_row[order] >= 0]
        if not self._several:
            return order
        tos = batch["to_uid"].dictionary_encode().indices.fill_null(-1).to_numpy()
        by_target = order[np.lexsort((tos[order], group[order], of_row[order]))]
        repeated = np.zeros(len(by_target), bool)
        repeated[1:] = np.all(
            [one[by_target][1:] == one[by_target][:-1] for one in (tos, group, of_row)], axis=0
        )
        dropped = np.zeros(len(batch), bool)
        dropped[by_target[repeated]] = True
        return order[~dropped[order]]

    def _joined(
        self, links: pa.RecordBatch, group: NDArray[np.int64], count: int, names: Sequence[str]
    ) -> Iterator[pa.Array]:
        """Yield the column of a linkname, and those of the fields of its records."""
        offsets = np.searchsorted(group, np.arange(count + 1)).astype(np.int32)
        values = [links["to_uid"].cast(pa.string())]
        if self._summaries is not None and names:
            rows = self._summaries.rows(links["dbto"], links["to_uid"])
            values += self._summaries.fields(rows, names)
        some = offsets[1:] > offsets[:-1]
        for number, column in enumerate(values):
            lists = pa.ListArray.from_arrays(pa.array(offsets), column.fill_null(""))
            joined = pc.binary_join(lists, FIELD_SEPARATOR if number else LIST_SEPARATOR)
            yield pc.if_else(pa.array(some), joined, pa.scalar(None, pa.string()))
