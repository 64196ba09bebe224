"""Links are counted exactly, for any number of slots and readings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harvester.model.row_schemas import link_schema
from harvester.store import exact_counts, link_counts
from harvester.store.link_counts import Target, count_families, top_targets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.store.reader import HarvestReader

FAMILIES = [("pmc", "pubmed_pmc"), ("pubmed", "pubmed_pubmed"), ("pubmed", "pubmed_pubmed_refs")]
links_of_families = st.lists(
    st.tuples(st.sampled_from(FAMILIES), st.integers(1, 40).map(lambda n: n * n)), max_size=400
)


class Harvest:
    """Rows of links in tables of seven, as a reader of a harvest yields them."""

    def __init__(self, links: list[tuple[tuple[str, str], Any]], idtype: str = "uid") -> None:
        self.schema = link_schema("neighbor", idtype=idtype)
        self._rows = [
            {"dbfrom": "pubmed", "from_uid": None, "dbto": dbto, "linkname": name, "to_uid": to}
            for (dbto, name), to in links
        ]

    def links(self, *columns: str) -> Iterator[pa.Table]:
        for begin in range(0, len(self._rows), 7):
            yield pa.Table.from_pylist(self._rows[begin : begin + 7], self.schema).select(columns)


def read(harvest: Harvest) -> HarvestReader:
    return cast("HarvestReader", harvest)


@pytest.fixture(
    params=[(2, 1, 2), (4, 3, 5), (23, 1 << 12, 1 << 21)], ids=["tiny", "small", "as is"]
)
def sizes(request: pytest.FixtureRequest) -> Iterator[None]:
    bits, first, targets = request.param
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(link_counts, "_MOST_BITS", bits)
        patch.setattr(link_counts, "_OTHER_BITS", min(bits, 21))
        patch.setattr(link_counts, "_FIRST_SLOTS", first)
        patch.setattr(link_counts, "_MOST_TARGETS", targets)
        patch.setattr(exact_counts, "_HELD", 11)
        patch.setattr(exact_counts, "_BLOCK", 3)
        patch.setattr(exact_counts, "_MOST_LINKS", 9)
        yield


def check(found: list[Target], links: Counter[int | str], most: int) -> None:
    """Assert the counts of the first targets; any of several equal ones may be returned."""
    counts = sorted(links.values(), reverse=True)[:most]
    assert [one.inputs for one in found] == counts
    assert all(links[one.uid] == one.inputs for one in found)
    assert len({one.uid for one in found}) == len(found)
    assert found == sorted(found, key=lambda one: (-one.inputs, one.uid))


@pytest.mark.usefixtures("sizes")
@given(links=links_of_families, most=st.integers(1, 12))
@settings(max_examples=60)
def test_the_first_targets_are_those_of_a_full_count(
    links: list[tuple[tuple[str, str], int]], most: int
) -> None:
    harvest = read(Harvest(links))
    families = count_families(harvest)
    assert families == Counter(family for family, _ in links)
    found = top_targets(harvest, families, most)
    assert found.keys() == families.keys()
    for family, targets in found.items():
        check(targets, Counter(to for one, to in links if one == family), most)


@pytest.mark.usefixtures("sizes")
@given(links=st.lists(st.integers(1, 50).map(lambda n: f"NM_{n}.1"), max_size=200))
@settings(max_examples=30)
def test_accessions_are_counted_like_uids(links: list[str]) -> None:
    family = ("nuccore", "gene_nuccore")
    harvest = read(Harvest([(family, to) for to in links], "acc"))
    found = top_targets(harvest, count_families(harvest), 5)
    assert found.keys() == ({family} if links else set())
    if links:
        check(found[family], Counter(links), 5)


@pytest.mark.usefixtures("sizes")
@pytest.mark.parametrize("least", [1, 20])
def test_many_targets_with_nearly_equal_numbers_are_told_apart(least: int) -> None:
    """They need further readings: the slots of the first reading have no clear maximum."""
    links = [to for to in range(1, 60) for _ in range(least + to * 7 % 13)]
    harvest = read(Harvest([(FAMILIES[1], to) for to in links]))
    found = top_targets(harvest, count_families(harvest), 10)
    check(found[FAMILIES[1]], Counter(links), 10)


@pytest.mark.usefixtures("sizes")
def test_only_the_families_asked_for_are_counted() -> None:
    links = [(family, 7) for family in FAMILIES]
    found = top_targets(read(Harvest(links)), Counter({FAMILIES[1]: 1}), 5)
    assert found == {FAMILIES[1]: [Target(7, 1)]}


def test_a_name_that_is_null_is_counted_as_empty() -> None:
    harvest = read(Harvest([(("pmc", cast("str", None)), 1), (FAMILIES[0], 2)]))
    assert count_families(harvest) == {("pmc", ""): 1, FAMILIES[0]: 1}
