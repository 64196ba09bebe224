"""The harvests that one export reads, as one stream of rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from harvester import events
from harvester.errors import BadInput, FolderError, FolderInUse
from harvester.export.repeated import find_repeated, without
from harvester.job.cmds import CMDS
from harvester.model.row_schemas import ROUND
from harvester.store.folder import is_locked
from harvester.store.reader import HarvestReader
from harvester.store.unfinished import check_complete, folders_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from harvester.export.repeated import Rows

_STEPS = 100
"""Events of progress per pass over the rows."""


@dataclass(eq=False)
class Harvests:
    """One or more harvests whose rows have the same columns.

    Attributes:
        readers: the harvests, in the order in which they were named.
        emit: receives events of progress.
        row_count: rows that `links()` yielded when they were last read to the end.
    """

    readers: Sequence[HarvestReader]
    emit: Callable[[events.Event], None]
    row_count: int = field(default=0, init=False)

    @property
    def first(self) -> HarvestReader:
        """The first harvest."""
        return self.readers[0]

    @property
    def schema(self) -> pa.Schema:
        """Schema of the rows of `links()`; the round of a link, only where all have it."""
        if all(ROUND.name in one.schema.names for one in self.readers):
            return self.first.schema
        return _without_round(self.first)

    @property
    def names(self) -> str:
        """The folders, for messages."""
        return ", ".join(str(one.folder) for one in self.readers)

    @property
    def link_count(self) -> int:
        """Rows of all harvests; `links()` yields fewer if two harvests share UIDs."""
        return sum(one.link_count for one in self.readers)

    @property
    def is_graph(self) -> bool:
        """True if each row leads from one record to another."""
        return CMDS[self.first.cmd].leads_to_records and self.first.kind == "links"

    def links(self, *columns: str) -> Iterator[pa.Table]:
        """Yield the rows of links of all harvests, each UID's answer once.

        Rows that name no UID (neighbor_history, `--targets-only`) are all yielded.

        Args:
            columns: names of columns; all of `schema` without any.
        """
        done = told = yielded = 0
        self.emit(events.ReadProgress(0, self.link_count))
        chosen = columns or tuple(self.schema.names)
        for reader, repeated in zip(self.readers, self._repeated, strict=True):
            needed = {name for rows in repeated for name in rows}
            for table in reader.links(*chosen, *sorted(needed.difference(chosen))):
                done += table.num_rows
                rows = without(table, repeated).select(chosen)
                yielded += rows.num_rows
                yield rows
                if done - told >= self.link_count / _STEPS:
                    told = done
                    self.emit(events.ReadProgress(done, self.link_count))
        self.row_count = yielded

    def uids(self, *columns: str) -> Iterator[pa.Table]:
        """Yield the rows of UIDs with their outcomes, once per UID of each job.

        Args:
            columns: names of columns, `from_uid` among them; all without any.
        """
        for reader, repeated in zip(self.readers, self._repeated, strict=True):
            whole = [rows for rows in repeated if rows.keys() == {"from_uid"}]
            for table in reader.uids(*columns):
                yield without(table, whole)

    @cached_property
    def _repeated(self) -> list[list[Rows]]:
        if "from_uid" not in self.first.schema.names:
            return [[] for _ in self.readers]
        return find_repeated(self.readers)


def open_harvests(
    folders: Sequence[Path], emit: Callable[[events.Event], None], *, partial: bool = False
) -> Harvests:
    """Open the harvests in some folders; the hops of a chain count as harvests.

    Args:
        folders: folders of harvests or of chains.
        emit: receives warnings and progress.
        partial: accept unfinished harvests.

    Raises:
        BadInput: a folder holds no finished harvest of links, or two have different columns.
        FolderInUse: a harvest is running.
        FolderError: a folder is damaged.
    """
    readers = [
        _open(one, emit, partial=partial)
        for folder in folders
        for one in folders_of(folder, partial=partial)
    ]
    first = readers[0]
    for other in readers[1:]:
        if _without_round(other) != _without_round(first):
            raise BadInput(
                f"{first.folder} and {other.folder} hold rows of different kinds "
                f"({_kind(first)}; {_kind(other)}). Export them one by one."
            )
    return Harvests(readers, emit)


def _without_round(reader: HarvestReader) -> pa.Schema:
    """Return the schema of its links as of one without rounds."""
    place = reader.schema.get_field_index(ROUND.name)
    return reader.schema if place < 0 else reader.schema.remove(place)


def _open(folder: Path, emit: Callable[[events.Event], None], *, partial: bool) -> HarvestReader:
    if is_locked(folder):
        raise FolderInUse(f"A harvest is running in {folder}. Export it once it has ended.")
    reader = HarvestReader.open(folder)
    reader.check_links()
    if reader.identity is None and not partial:
        raise BadInput(f"The harvest in {folder} has committed nothing yet. Finish it first.")
    try:
        reader.schema  # noqa: B018 - an older folder may lack what makes it
    except KeyError as error:
        raise FolderError(f"{folder} was harvested with an unknown cmd.") from error
    check_complete(reader, lambda text: emit(events.Warned(text)), partial=partial)
    return reader


def _kind(reader: HarvestReader) -> str:
    also = ", targets only" if reader.kind == "targets" else ""
    return f"cmd {reader.cmd}, idtype {reader.idtype}{also}"
