"""Counts of rows of links by linkname and by linked database."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harvester.model import lazy_compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

COLUMNS = ("linkname", "dbto")
"""Columns whose values are counted, where the rows have them."""


@dataclass(slots=True)
class NameCounts:
    """Rows of links by linkname and by linked database; nulls are not counted."""

    linknames: Counter[str] = field(default_factory=Counter)
    databases: Counter[str] = field(default_factory=Counter)

    @classmethod
    def sum(cls, many: Iterable[NameCounts]) -> NameCounts:
        """Return the sum of some counts."""
        found = cls()
        for one in many:
            found.linknames.update(one.linknames)
            found.databases.update(one.databases)
        return found

    def add(self, table: pa.Table) -> None:
        """Count the rows of a table."""
        for name, counts in zip(COLUMNS, (self.linknames, self.databases), strict=True):
            if name in table.column_names:
                counted = pc.value_counts(table[name])
                values, numbers = (counted.field(place).to_pylist() for place in (0, 1))
                counts.update({v: n for v, n in zip(values, numbers, strict=True) if v is not None})
