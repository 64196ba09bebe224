"""Two readings of the same lists merged: every link once, and the agreement of both."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from harvester.model.schemas import NEIGHBOR_LINKS
from harvester.store.passes.estimate import Agreement
from harvester.store.passes.merge_rows import merge_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

Link = tuple[int, str, int]
"""from_uid, linkname, to_uid; their order in a list is their rank."""

NAMES = {"pubmed_pmc": "pmc", "pubmed_pmc_refs": "pmc", "pubmed_gene": "gene"}

links = st.lists(
    st.tuples(st.integers(1, 4), st.sampled_from(sorted(NAMES)), st.integers(1, 6)), unique=True
)


def _table(rows: Iterable[Link]) -> pa.Table:
    ranks: Counter[tuple[int, str]] = Counter()
    columns: dict[str, list[object]] = {name: [] for name in NEIGHBOR_LINKS.names}
    for from_uid, linkname, to_uid in rows:
        row = ("pubmed", from_uid, NAMES[linkname], linkname, to_uid, to_uid * 10)
        for name, value in zip(columns, (*row, ranks[from_uid, linkname]), strict=True):
            columns[name].append(value)
        ranks[from_uid, linkname] += 1
    arrays = [
        pa.array(columns[field.name], field.type.value_type).dictionary_encode()
        if pa.types.is_dictionary(field.type)
        else pa.array(columns[field.name], field.type)
        for field in NEIGHBOR_LINKS
    ]
    return pa.Table.from_arrays(arrays, schema=NEIGHBOR_LINKS)


@given(first=links, again=links, both=st.sets(st.integers(1, 4)))
def test_each_link_is_there_once_and_all_are_counted(
    first: list[Link], again: list[Link], both: set[int]
) -> None:
    table, agreed = merge_tables(_table(first), _table(again), np.array(sorted(both), np.int64))
    rows = table.select(["from_uid", "linkname", "to_uid"]).to_pylist()
    found = [(row["from_uid"], row["linkname"], row["to_uid"]) for row in rows]
    assert sorted(found) == sorted({*first, *again})
    assert {(row["dbto"], row["linkname"]) for row in table.to_pylist()} <= {
        (dbto, name) for name, dbto in NAMES.items()
    }
    for name in NAMES:
        a, b = (
            {one for one in rows if one[1] == name and one[0] in both} for rows in (first, again)
        )
        squares = sum(
            count**2
            for alone in (a - b, b - a)
            for count in Counter(from_uid for from_uid, _, _ in alone).values()
        )
        truth = Agreement(len(a & b), len(a - b), len(b - a), squares)
        assert agreed.get(name, Agreement()) == truth


@given(first=links, again=links)
def test_of_a_link_in_both_the_row_of_the_longer_list_stays(
    first: list[Link], again: list[Link]
) -> None:
    sizes = [Counter((one[0], one[1]) for one in rows) for rows in (first, again)]
    places: list[dict[Link, int]] = []
    for rows in (first, again):
        seen: dict[tuple[int, str], int] = defaultdict(int)
        ranks: dict[Link, int] = {}
        for one in rows:
            ranks[one] = seen[one[0], one[1]]
            seen[one[0], one[1]] += 1
        places.append(ranks)
    table, _ = merge_tables(_table(first), _table(again), np.empty(0, np.int64))
    for row in table.to_pylist():
        link = (row["from_uid"], row["linkname"], row["to_uid"])
        longer = sizes[1][link[:2]] > sizes[0][link[:2]]
        has_it = places[longer] if link in places[longer] else places[not longer]
        assert row["rank"] == has_it[link]


def test_rows_come_by_uid_and_rank() -> None:
    first = [(2, "pubmed_pmc", 9), (1, "pubmed_pmc", 3), (1, "pubmed_pmc", 1)]
    table, _ = merge_tables(_table(first), _table(reversed(first)), np.array([1, 2]))
    assert table["from_uid"].to_pylist() == [1, 1, 2]
    assert table["to_uid"].to_pylist() == [3, 1, 9]


def test_nothing_and_nothing_is_nothing() -> None:
    table, agreed = merge_tables(_table([]), _table([]), np.array([1]))
    assert table.num_rows == 0
    assert agreed == {}
    assert table.schema == NEIGHBOR_LINKS
