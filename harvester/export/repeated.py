"""Rows that several harvests have: each is exported from one of them."""

from __future__ import annotations

import itertools
from functools import cache, reduce
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from harvester.job.cmds import CMDS
from harvester.job.databases import answer_name
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.model.identifiers import identifiers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harvester.model.identifiers import Identifiers
    from harvester.model.uids import UidSet
    from harvester.store.reader import HarvestReader

Rows: TypeAlias = "Mapping[str, pa.Array]"
"""Rows that another harvest has, too: column → its values in them."""


def find_repeated(readers: Sequence[HarvestReader]) -> list[list[Rows]]:
    """Return for each harvest the rows that another one has.

    Of harvests that asked the same, the first that answered a UID has its rows, else the first
    that asked for it. Of harvests that asked for some of the same links, the first that answered a
    UID has these.

    Args:
        readers: harvests whose rows have a column from_uid, of one idtype.
    """
    numbers = identifiers_of(readers[0].idtype)

    @cache
    def done(place: int) -> UidSet:
        return numbers.number_all(readers[place].listed(readers[place].done))

    @cache
    def answered(place: int) -> UidSet:
        return numbers.number_all(readers[place].listed(readers[place].answered))

    found: list[list[Rows]] = [[] for _ in readers]
    for places in _alike(readers):
        taken, repeated = uids.as_set(), {place: done(place) for place in places}
        for members in (answered, done):
            for place in places:
                repeated[place] = repeated[place] - (members(place) - taken)
                taken |= members(place)
        for place, both in repeated.items():
            found[place] += _rows(numbers, both, {})
    for first, second in itertools.combinations(range(len(readers)), 2):
        if _overlap(readers[first], readers[second]):
            both = answered(first) & done(second)
            found[second] += _rows(numbers, both, readers[first].link)
    return found


def _rows(numbers: Identifiers, members: UidSet, link: Mapping[str, Any]) -> list[Rows]:
    """Return what a question gives of some UIDs; nothing of none."""
    if not members:
        return []
    rows = {"from_uid": numbers.column(uids.as_array(members))}
    if (dbs := link.get("db", ["all"])) != ["all"]:
        rows["dbto"] = pa.array(map(answer_name, dbs), pa.string())
    if names := link.get("linkname"):
        rows["linkname"] = pa.array(names, pa.string())
    return [rows]


def without(table: pa.Table, repeated: Sequence[Rows]) -> pa.Table:
    """Return the rows of a table that are not among others."""
    for rows in repeated:
        masks = (_is_in(table[name], values) for name, values in rows.items())
        table = table.filter(pc.invert(reduce(pc.and_, masks)))
    return table


def _is_in(column: pa.ChunkedArray, values: pa.Array) -> pa.Array | pa.ChunkedArray:
    """Return which cells are among some values, of which UIDs are sorted.

    Arrow makes a hash table of all values in each call: 7 s for 20 million UIDs.
    """
    if not pa.types.is_integer(values.type):
        return pc.is_in(column, value_set=values)
    known, asked = values.to_numpy(), column.to_numpy()
    places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return pa.array(known[places] == asked)


def _alike(readers: Sequence[HarvestReader]) -> Iterator[list[int]]:
    """Yield the places of the harvests that asked the same, where there are several."""
    left = list(range(len(readers)))
    while left:
        group = [place for place in left if readers[place].link == readers[left[0]].link]
        left = [place for place in left if place not in group]
        if len(group) > 1:
            yield group


def _overlap(first: HarvestReader, second: HarvestReader) -> bool:
    """Return whether two questions differ only in what links of the same UIDs they ask for."""
    if first.link == second.link or not CMDS[first.cmd].leads_to_records:
        return False
    free = {"db": None, "linkname": None, "retmode": None}
    return {**first.link, **free} == {**second.link, **free}
