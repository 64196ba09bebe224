"""Fields of the summaries fetched for the records of some harvests.

Their texts go to temporary files that are mapped into memory, so that only a number per summary
stays in memory.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import orjson
import pyarrow as pa

from harvester import events
from harvester.errors import BadInput, nearest, printable
from harvester.job.databases import answer_name
from harvester.model import lazy_compute as pc
from harvester.model.docsum import COMMON, field_text
from harvester.store.reader import HarvestReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from harvester.export.harvests import Harvests

NodeFields: TypeAlias = "Callable[[pa.DictionaryArray, pa.Array], list[pa.Array]]"
"""Returns one column of texts per field, for databases and UIDs of records."""

_SUMMARY = "summary"
_LOOKED_AT = 200
"""Summaries per folder whose members are known by name in the message for an unknown field."""


class Summaries:
    """The fields of summaries, by database and UID.

    Args:
        harvests: whose records were got.
        columns: names of the fields.
        scratch: folder for temporary files.

    Raises:
        BadInput: no summaries were got, or none has such a field.
        FolderError: the folder of the summaries is damaged.
    """

    def __init__(self, harvests: Harvests, columns: Sequence[str], scratch: Path) -> None:
        self._columns = columns
        self._sides: dict[str, set[str]] = defaultdict(set)
        self._known: dict[str, set[str]] = defaultdict(set)
        uids: dict[str, list[Any]] = defaultdict(list)
        rows: dict[str, list[NDArray[np.int64]]] = defaultdict(list)
        members: set[str] = set()
        count = 0
        folders = _folders(harvests)
        with ExitStack() as files:
            texts = [_Texts(scratch / f"field-{n}", files) for n in range(len(columns))]
            for reader in folders:
                db = answer_name(reader.dbfrom)
                self._sides[reader.holds.get("side", "to")].add(db)
                if not reader.complete:
                    text = f"Not all summaries in {reader.folder} were got; some cells stay empty."
                    harvests.emit(events.Warned(text))
                for table in reader.links("uid", "record"):
                    uids[db].append(table["uid"].combine_chunks())
                    rows[db].append(np.arange(count, count + len(table)))
                    records = table["record"].to_pylist()
                    for number, text in enumerate(records):
                        record = orjson.loads(text)
                        if number < _LOOKED_AT:
                            members.update(record)
                        for name, kept in zip(columns, texts, strict=True):
                            if kept.add(field_text(record, name)):
                                self._known[db].add(name)
                    count += len(records)
        self._texts = {name: one.finish() for name, one in zip(columns, texts, strict=True)}
        self._places = {db: _Places(uids[db], rows[db]) for db in uids}
        missing = set(columns).difference(*self._known.values())
        if missing and count:
            name = min(missing)
            hint = nearest(name, {*COMMON, *members} - {name.lower()})
            raise BadInput(f"No summary in {harvests.names} has a field '{printable(name)}'{hint}.")

    def names(self, side: str, db: str | None = None) -> list[str]:
        """Return the fields that the records on a side of the links have.

        Args:
            side: `from` or `to`.
            db: a database; all of that side without one.
        """
        dbs = self._sides[side]
        if db is not None:
            dbs = dbs & {answer_name(db)}
        known = set().union(*(self._known[one] for one in dbs))
        return [name for name in self._columns if name in known]

    def rows(self, db: pa.Array, uids: pa.Array) -> pa.Array:
        """Return the place of the summary of each record, null where there is none.

        Args:
            db: their databases, as a dictionary.
            uids: their UIDs.
        """
        found = np.full(len(uids), -1, np.int64)
        codes = db.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        for code, name in enumerate(db.dictionary.to_pylist()):
            places = self._places.get(answer_name(name)) if name is not None else None
            at = np.flatnonzero(codes == code)
            if places is not None and len(at):
                found[at] = places.of(uids.take(pa.array(at)))
        return pa.array(found, mask=found < 0)

    def fields(self, rows: pa.Array, names: Sequence[str]) -> list[pa.Array]:
        """Return one column of texts per name, for places that `rows` returned; no text is null."""
        columns = (self._texts[name].take(rows).cast(pa.string()) for name in names)
        return [pc.if_else(pc.equal(one, ""), None, one) for one in columns]


def check_names(names: Sequence[str]) -> None:
    """Check that no two columns have one name; many readers take `Title` and `title` for one.

    Raises:
        BadInput: two have, of which one is a field of summaries.
    """
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise BadInput(
                f"Two columns would have the name {printable(name)}. Leave one of them out of "
                "--columns."
            )
        seen.add(name.lower())


def _folders(harvests: Harvests) -> list[HarvestReader]:
    """Return the summaries that were got for some harvests.

    Raises:
        BadInput: there are none.
    """
    opened = (
        HarvestReader.open(folder)
        for reader in harvests.readers
        for folder in reader.record_folders()
    )
    found = [one for one in opened if one.kind == "records" and one.holds.get("form") == _SUMMARY]
    if not found:
        folder = harvests.first.folder
        raise BadInput(
            f"There are no summaries of the records in {harvests.names}. Get them first: "
            f"harvester records {folder} (of the linked records), or harvester records {folder} "
            "--side from (of the input)."
        )
    return found


class _Texts:
    """Texts of one field, written to a file one after the other."""

    def __init__(self, path: Path, files: ExitStack) -> None:
        self._path = path
        self._file = files.enter_context(path.open("wb", buffering=1 << 20))
        offsets = path.with_suffix(".offsets").open("wb", buffering=1 << 20)
        self._offsets = files.enter_context(offsets)
        self._end = self._count = 0
        self._offsets.write((0).to_bytes(8, "little"))

    def add(self, text: str | None) -> bool:
        """Write a text; return whether there is one."""
        data = (text or "").encode("utf-8", "replace")
        self._file.write(data)
        self._end += len(data)
        self._count += 1
        self._offsets.write(self._end.to_bytes(8, "little"))
        return text is not None

    def finish(self) -> pa.Array:
        """Return all texts, once the files are closed, as an array whose memory is the file."""
        offsets = pa.memory_map(str(self._path.with_suffix(".offsets"))).read_buffer()
        data = pa.memory_map(str(self._path)).read_buffer() if self._end else pa.py_buffer(b"")
        return pa.LargeStringArray.from_buffers(self._count, offsets, data)


class _Places:
    """Places of the summaries of one database."""

    def __init__(self, uids: list[Any], rows: list[NDArray[np.int64]]) -> None:
        column = pa.concat_arrays(uids)
        order = pc.sort_indices(column)
        self._sorted = column.take(order)
        self._rows = np.concatenate(rows)[order.to_numpy()]
        self._numbers = self._sorted.to_numpy() if pa.types.is_integer(self._sorted.type) else None

    def of(self, uids: pa.Array) -> NDArray[np.int64]:
        """Return the place of each UID, -1 where there is none."""
        if self._numbers is None:
            at = pc.index_in(uids, value_set=self._sorted)
            at = at.fill_null(-1).to_numpy(zero_copy_only=False)
            return np.where(at < 0, -1, self._rows[at])
        if not len(self._numbers):
            return np.full(len(uids), -1, np.int64)
        wanted = uids.fill_null(-1).to_numpy(zero_copy_only=False)
        at = np.minimum(np.searchsorted(self._numbers, wanted), len(self._numbers) - 1)
        return np.where(self._numbers[at] == wanted, self._rows[at], -1)


def with_fields(
    tables: Iterable[pa.Table], summaries: Summaries, schema: pa.Schema
) -> Iterator[pa.Table]:
    """Yield rows of links with the fields of the records at their ends.

    Args:
        tables: the rows.
        summaries: the fields.
        schema: of the result, see `schema_with_fields`.
    """
    ends = [
        (db, uid, names)
        for side, db, uid in ENDS
        if uid in schema.names and (names := summaries.names(side))
    ]
    for table in tables:
        whole = table.unify_dictionaries().combine_chunks()
        for batch in whole.to_batches(max_chunksize=1 << 16):
            columns = list(batch.columns)
            for db, uid, names in ends:
                columns += summaries.fields(summaries.rows(batch[db], batch[uid]), names)
            yield pa.Table.from_arrays(columns, schema=schema)


def node_fields(harvests: Harvests, columns: Sequence[str], scratch: Path) -> NodeFields:
    """Return a function that returns one column of texts per field, for records.

    Args:
        harvests: whose summaries were got.
        columns: names of the fields; without any, no summary is needed.
        scratch: folder for temporary files.

    Raises:
        BadInput: no summaries were got, or none has such a field.
    """
    if not columns:
        return lambda _, __: []
    summaries = Summaries(harvests, columns, scratch)

    def fields(db: pa.DictionaryArray, uids: pa.Array) -> list[pa.Array]:
        return summaries.fields(summaries.rows(db, uids), columns)

    return fields


ENDS = (("from", "dbfrom", "from_uid"), ("to", "dbto", "to_uid"))
"""Side, and the columns of its database and UID."""


def schema_with_fields(schema: pa.Schema, summaries: Summaries) -> pa.Schema:
    """Return a schema with a column `from_FIELD` or `to_FIELD` for each field of each side."""
    for side, _, uid in ENDS:
        if uid in schema.names:
            for name in summaries.names(side):
                schema = schema.append(pa.field(f"{side}_{name}", pa.string()))
    return schema
