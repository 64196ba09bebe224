"""Links as tables: from `Linked`, from the result of a harvest, and from its folder."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from harvester import Eutils, Harvest, Job, Linked, harvest, read
from harvester.errors import BadInput, FolderError
from harvester.testing import ScriptedTransport, elink_answer

if TYPE_CHECKING:
    from pathlib import Path

    from harvester import Result

GENES = {1: {"pubmed_gene": [11, 12]}, 2: {"pubmed_gene": [11]}, 3: {}}
PAIRS = [(1, 11), (1, 12), (2, 11)]


def _script() -> ScriptedTransport:
    return ScriptedTransport(lambda _: elink_answer("pubmed", GENES))


async def _linked(**more: Any) -> Linked:
    with _script().installed():
        async with Eutils(base_url="http://scripted/") as e:
            return await e.elink("pubmed", [1, 2, 3], db="gene", **more)


async def _result(out: Path) -> Result:
    job = Job(
        link={"dbfrom": "pubmed", "db": "gene"},
        output={"path": out},
        server={"base_url": "http://scripted/"},
    )
    with _script().installed():
        return await harvest(job, ids=[1, 2, 3])


@pytest.mark.parametrize("kind", ["linked", "result", "folder"])
async def test_tables_are_the_same_of_everything(kind: str, tmp_path: Path) -> None:
    found: Linked | Result | Harvest = (
        await _linked() if kind == "linked" else await _result(tmp_path / "out")
    )
    if kind == "folder":
        found = read(tmp_path / "out")
    names = ["dbfrom", "from_uid", "dbto", "linkname", "to_uid", "score", "rank"]
    assert found.links().column_names == names
    frame, polars = found.to_pandas(), found.to_polars()
    assert list(zip(frame["from_uid"], frame["to_uid"], strict=True)) == PAIRS
    assert polars.select("from_uid", "to_uid").rows() == PAIRS
    assert set(frame["linkname"]) == set(polars["linkname"].cast(str)) == {"pubmed_gene"}
    outcomes = found.uids().select(["from_uid", "outcome"]).sort_by("from_uid").to_pylist()
    assert [tuple(one.values()) for one in outcomes] == [(1, "linked"), (2, "linked"), (3, "empty")]


async def test_a_harvest_is_opened_for_reading(tmp_path: Path) -> None:
    await _result(tmp_path / "out")
    found = read(str(tmp_path / "out"))
    assert (found.complete, found.total, found.link_count) == (True, 3, 3)
    assert found.by_uid() == {1: [11, 12], 2: [11], 3: []}
    assert found.unanswered == {}
    assert found.links("to_uid").column_names == ["to_uid"]
    assert sum(table.num_rows for table in found.batches("to_uid")) == 3
    assert repr(found) == f"Harvest('{tmp_path}/out': 3 links, 2 linked, 1 empty)"


async def test_a_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    await _result(tmp_path / "out")
    with pytest.raises(BadInput, match=r"^There is no column 'to_uids' \(did you mean 'to_uid'"):
        read(tmp_path / "out").links("to_uids")


def test_a_folder_without_a_harvest_is_refused(tmp_path: Path) -> None:
    with pytest.raises((BadInput, FolderError), match="holds no harvest"):
        read(tmp_path)


@pytest.mark.parametrize("place", ["http://example.org/out", "s3://", "~nobody-of-that-name/out"])
def test_a_place_that_holds_no_harvests_is_refused(place: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(place)
    assert place in str(refused.value)


async def test_a_misspelt_linkname_is_an_error() -> None:
    linked = await _linked()
    assert linked.by_uid("pubmed_gene") == {1: [11, 12], 2: [11], 3: []}
    for wrong in ("pubmed_gne", "pubmed_pmc"):
        with pytest.raises(BadInput, match=f"^No links called '{wrong}' were requested"):
            linked.by_uid(wrong)
    with pytest.raises(BadInput, match=r"did you mean 'pubmed_gene'"):
        linked.by_uid("pubmed_gne")


async def test_a_linkname_without_links_is_no_error() -> None:
    """It was requested, or is well known between these databases."""
    asked = await _linked(linkname="pubmed_gene_rif")
    assert asked.by_uid("pubmed_gene_rif") == {1: [], 2: [], 3: []}
    assert (await _linked()).by_uid("pubmed_gene_rif") == {1: [], 2: [], 3: []}
    with pytest.raises(BadInput, match=r"^No links called 'pubmed_gene' were requested"):
        asked.by_uid("pubmed_gene")


async def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    linked = await _linked()
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(BadInput, match=r"^polars is not installed: pip install polars$"):
        linked.to_polars()
