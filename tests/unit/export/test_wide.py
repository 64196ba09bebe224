"""One row per UID, and fields of summaries, compared with the graph and the summaries."""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.finished_harvests import (
    PMIDS,
    make_harvest,
    make_summaries,
    pubmed_harvest,
    true_links,
)
from support.harness import LINKS

from harvester.api.export import export
from harvester.errors import BadInput
from harvester.export import sorting

if TYPE_CHECKING:
    from pathlib import Path


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def _lists(links: pa.Table) -> dict[tuple[int, str], list[int]]:
    """Return (UID, linkname) → linked UIDs by rank."""
    found: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for row in links.to_pylist():
        found[row["from_uid"], row["linkname"]].append((row["rank"], row["to_uid"]))
    return {key: [uid for _, uid in sorted(values)] for key, values in found.items()}


def _expected(links: pa.Table, uids: list[int], failed: list[int]) -> list[dict[str, str]]:
    lists = _lists(links)
    linknames = sorted(set(links["linkname"].to_pylist()))
    froms = set(links["from_uid"].to_pylist())
    return [
        {
            "from_uid": str(uid),
            "outcome": "failed" if uid in failed else "linked" if uid in froms else "empty",
        }
        | {name: ";".join(map(str, lists.get((uid, name), []))) for name in linknames}
        for uid in sorted(uids)
    ]


@pytest.mark.parametrize("run", [1 << 19, 50])
def test_every_uid_has_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: int) -> None:
    monkeypatch.setattr(sorting, "RUN", run)
    monkeypatch.setattr(sorting, "HEADS", run)
    monkeypatch.setattr(sorting, "_LEAST", 8)
    failed = PMIDS[3:5]
    out, to = pubmed_harvest(tmp_path / "out", failed=failed), tmp_path / "wide.csv"
    export(out, "csv", to, wide=True)
    links = true_links([uid for uid in PMIDS if uid not in failed])
    assert _read(to) == _expected(links, PMIDS, failed)


def test_several_harvests_of_the_same_uids_are_joined(tmp_path: Path) -> None:
    genes, articles = true_links(db=["gene"]), true_links(db=["pmc"])
    one = make_harvest(tmp_path / "genes", genes, PMIDS[:30], db=["gene"])
    two = make_harvest(tmp_path / "pmc", articles, PMIDS[10:], db=["pmc"])
    to = tmp_path / "wide.csv"
    export([one, two], "csv", to, wide=True)
    first, second = set(PMIDS[:30]), set(PMIDS[10:])
    kept = [
        row["from_uid"] in (first if row["dbto"] == "gene" else second)
        for row in true_links().to_pylist()
    ]
    assert _read(to) == _expected(true_links().filter(pa.array(kept)), PMIDS, [])


def test_links_that_two_harvests_share_are_joined_once(tmp_path: Path) -> None:
    one = pubmed_harvest(tmp_path / "one")
    two = make_harvest(tmp_path / "pmc", true_links(db=["pmc"]), PMIDS, db=["pmc"])
    to = tmp_path / "wide.csv"
    export([one, two], "csv", to, wide=True)
    assert _read(to) == _expected(true_links(), PMIDS, [])


def test_a_linkname_from_others_breaks_no_header(tmp_path: Path) -> None:
    name = '=a,"b"\n\x1b[31m'
    rows = [row | {"linkname": name} for row in true_links().to_pylist()]
    out = make_harvest(tmp_path / "out", pa.Table.from_pylist(rows, LINKS), PMIDS)
    for form in ("csv", "xlsx"):
        export(out, form, tmp_path / f"wide.{form}", wide=True)
    with (tmp_path / "wide.csv").open(newline="") as file:
        header, *table = csv.reader(file)
    assert header == ["from_uid", "outcome", '\'=a,"b" [31m']
    assert {len(row) for row in table} == {3}
    sheet = openpyxl.load_workbook(tmp_path / "wide.xlsx")["wide"]
    assert next(sheet.values) == ("from_uid", "outcome", '=a,"b" [31m')


def test_an_unlinked_linkname_that_was_asked_for_is_a_column(tmp_path: Path) -> None:
    out = make_harvest(
        tmp_path / "out", LINKS.empty_table(), [5, 4], db=["pmc"], linkname=["pubmed_pmc"]
    )
    export(out, "csv", tmp_path / "wide.csv", wide=True)
    assert _read(tmp_path / "wide.csv") == [
        {"from_uid": "4", "outcome": "empty", "pubmed_pmc": ""},
        {"from_uid": "5", "outcome": "empty", "pubmed_pmc": ""},
    ]


def _with_summaries(folder: Path) -> Path:
    out, links = pubmed_harvest(folder), true_links()
    genes = {r["to_uid"] for r in links.to_pylist() if r["dbto"] == "gene"}
    make_summaries(
        out, "gene", {u: {"name": f"G{u}", "description": f"gene, {u}"} for u in list(genes)[1:]}
    )
    make_summaries(out, "pubmed", {u: {"title": f"=Article {u}"} for u in PMIDS}, side="from")
    return out


def test_fields_of_summaries_are_columns(tmp_path: Path) -> None:
    out, to = _with_summaries(tmp_path / "out"), tmp_path / "links.parquet"
    export(out, "parquet", to, columns=["symbol", "title"])
    found = pq.read_table(to)
    assert found.column_names == [*LINKS.names, "from_title", "to_symbol", "to_title"]
    genes = {r["to_uid"] for r in true_links().to_pylist() if r["dbto"] == "gene"}
    known = set(list(genes)[1:])
    assert found.num_rows == true_links().num_rows
    for row in found.to_pylist():
        is_known = row["dbto"] == "gene" and row["to_uid"] in known
        assert row["from_title"] == f"=Article {row['from_uid']}"
        assert row["to_symbol"] == (f"G{row['to_uid']}" if is_known else None)
        assert row["to_title"] == (f"gene, {row['to_uid']}" if is_known else None)


def test_wide_has_the_fields_of_the_uid_and_of_each_linkname(tmp_path: Path) -> None:
    out, to = _with_summaries(tmp_path / "out"), tmp_path / "wide.csv"
    export(out, "csv", to, wide=True, columns=["title", "symbol"])
    lists = _lists(true_links())
    genes = {r["to_uid"] for r in true_links().to_pylist() if r["dbto"] == "gene"}
    known = set(list(genes)[1:])
    for row in _read(to):
        uid = int(row["from_uid"])
        assert row["title"] == f"'=Article {uid}"
        for linkname in ("pubmed_gene", "pubmed_gene_rif"):
            linked = lists.get((uid, linkname), [])
            symbols = [f"G{one}" if one in known else "" for one in linked]
            assert row[f"{linkname}_symbol"] == " | ".join(symbols)
        assert "pubmed_pmc" in row
        assert "pubmed_pmc_symbol" not in row


def _refused(*args: object, **options: object) -> str:
    with pytest.raises(BadInput) as caught:
        export(*args, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_names_of_files_and_fields_may_be_texts(tmp_path: Path) -> None:
    out, to = _with_summaries(tmp_path / "out"), tmp_path / "links.csv"
    export([out], "csv", to, columns=["symbol", "title"])
    for folders in (str(out), [str(out)]):
        export(folders, "csv", str(tmp_path / "same.csv"), columns="symbol, title", overwrite=True)
        assert (tmp_path / "same.csv").read_bytes() == to.read_bytes()


def test_fields_that_no_summary_has_are_refused(tmp_path: Path) -> None:
    out, to = _with_summaries(tmp_path / "out"), tmp_path / "links.csv"
    said = _refused(out, "csv", to, columns=["symbal"])
    assert "'symbal' (did you mean 'symbol'?)" in said
    assert _refused(out, "csv", to, columns=["doi"]).endswith("has a field 'doi'.")
    assert not to.exists()


def test_without_summaries_the_command_that_gets_them_is_named(tmp_path: Path) -> None:
    out = pubmed_harvest(tmp_path / "out")
    assert "harvester records" in _refused(out, "csv", tmp_path / "a.csv", columns=["title"])


def test_wide_needs_links_of_uids_of_one_database(tmp_path: Path) -> None:
    one = pubmed_harvest(tmp_path / "one")
    links = true_links([7157], "gene", ["pubmed"])
    two = make_harvest(tmp_path / "two", links, [7157], dbfrom="gene")
    assert "gene and pubmed" in _refused([one, two], "csv", tmp_path / "a.csv", wide=True)
    targets = true_links().select(["dbfrom", "dbto", "linkname", "to_uid"])
    three = make_harvest(tmp_path / "three", targets, PMIDS, targets_only=True)
    assert "Leave it out" in _refused(three, "csv", tmp_path / "a.csv", wide=True)
    assert "not for duckdb" in _refused(one, "duckdb", tmp_path / "a.duckdb", wide=True)
