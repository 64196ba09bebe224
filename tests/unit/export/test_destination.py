"""An export is written as a whole or not at all, and refused before any work if it cannot be."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from support.finished_harvests import PMIDS, make_harvest, pubmed_harvest, true_links
from support.harness import LINKS

from harvester.api.export import export
from harvester.errors import BadInput, FolderError, FolderInUse, HarvestError
from harvester.export.destination import companion
from harvester.store import durable
from harvester.store.reader import HarvestReader


def _refused(*args: object, **options: bool) -> str:
    with pytest.raises(BadInput) as caught:
        export(*args, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_what_exists_is_kept_unless_overwrite_is_given(tmp_path: Path) -> None:
    out, to = pubmed_harvest(tmp_path / "out"), tmp_path / "links.csv"
    to.write_text("mine")
    assert "add --overwrite" in _refused(out, "csv", to)
    assert to.read_text() == "mine"
    export(out, "csv", to, overwrite=True)
    assert to.read_text().startswith("dbfrom,")


@pytest.mark.parametrize("form", ["csv", "edgelist", "duckdb"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_folder_is_no_name_of_a_file(tmp_path: Path, form: str, overwrite: bool) -> None:
    out, folder = pubmed_harvest(tmp_path / "out"), tmp_path / "exports"
    folder.mkdir()
    assert _refused(out, form, folder, overwrite=overwrite) == f"{folder} is a folder. Name a file."


@pytest.mark.parametrize(
    ("form", "name", "said"),
    [
        ("csv", "links.parquet", "has the suffix of parquet, not of csv. Add --to parquet"),
        ("parquet", "links.csv", "has the suffix of csv"),
        ("tsv", "links.csv.gz", "has the suffix of csv"),
        ("parquet", "links.parquet.gz", "not written as .gz"),
        ("csw", "links.csv", "did you mean 'csv'"),
        ("csv", "no/such/links.csv", "does not exist"),
        ("csv", "out", "is the harvest itself"),
        ("csv", "links.csv.bz2", "compressed as .gz only"),
        ("ntriples", "links.zst", "compressed as .gz only"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path: Path, form: str, name: str, said: str) -> None:
    out = pubmed_harvest(tmp_path / "out")
    assert said in _refused(out, form, tmp_path / name)
    assert list(tmp_path.iterdir()) == [out]


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.parametrize(
    "name",
    ["state.sqlite", "job.toml", "manifest.json", "links/x", "links/part-00000.parquet", "uids"],
)
@pytest.mark.parametrize("through", ["out", "a link", "another harvest", "a hop"])
def test_no_file_of_a_harvest_is_replaced(tmp_path: Path, name: str, through: str) -> None:
    out = pubmed_harvest(tmp_path / ("hop-1" if through == "a hop" else "out"))
    (tmp_path / "a link").symlink_to(out)
    pubmed_harvest(tmp_path / "another harvest")
    folder = {"out": out, "a hop": out}.get(through, tmp_path / through)
    before = _content(tmp_path)
    assert f"among the files of {folder.resolve()}" in _refused(
        tmp_path if through == "a hop" else out,
        "parquet" if name.endswith("parquet") else "csv",
        folder / name,
        overwrite=True,
    )
    assert _content(tmp_path) == before


def test_other_names_in_the_folder_of_a_harvest_are_free(tmp_path: Path) -> None:
    out = pubmed_harvest(tmp_path / "out")
    (out / "tables").mkdir()
    for to in (out / "links.csv", out / "tables" / "links.csv"):
        export(out, "csv", to)
        assert len(to.read_text().splitlines()) == 1 + true_links().num_rows


def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    out, pipe = pubmed_harvest(tmp_path / "out"), tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "Use - to write to standard output" in _refused(out, "csv", pipe, overwrite=True)
    assert pipe.is_fifo()


def test_only_text_goes_to_standard_output(tmp_path: Path) -> None:
    out = pubmed_harvest(tmp_path / "out")
    for form in ("parquet", "edgelist", "neo4j"):
        assert "cannot be written to standard output" in _refused(out, form, Path("-"))


def test_what_a_killed_export_left_is_removed(tmp_path: Path) -> None:
    out, to = pubmed_harvest(tmp_path / "out"), tmp_path / "links.csv"
    left = tmp_path / ".links.csv.tmp"
    (left / "scratch").mkdir(parents=True)
    (left / "links.csv").write_text("half")
    export(out, "csv", to)
    assert {path.name for path in tmp_path.iterdir()} == {"out", "links.csv"}
    assert len(to.read_text().splitlines()) == 1 + true_links().num_rows


def test_a_second_file_that_exists_is_kept_too(tmp_path: Path) -> None:
    out, nodes = pubmed_harvest(tmp_path / "out"), tmp_path / "links.nodes.tsv"
    nodes.write_text("mine")
    assert str(nodes) in _refused(out, "edgelist", tmp_path / "links.edgelist")
    assert nodes.read_text() == "mine"
    export(out, "edgelist", tmp_path / "links.edgelist", overwrite=True)
    assert nodes.read_text().startswith("node\t")


def test_a_kill_between_two_files_leaves_no_edges_without_their_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, to = pubmed_harvest(tmp_path / "out"), tmp_path / "links.edgelist"
    fewer = make_harvest(tmp_path / "fewer", true_links().slice(0, 5), PMIDS[:5])
    export(fewer, "edgelist", to)

    def publish(aside: Path, final: Path) -> None:
        if final == to:
            raise KeyboardInterrupt
        durable_publish(aside, final)

    durable_publish = durable.publish
    monkeypatch.setattr(durable, "publish", publish)
    with pytest.raises(KeyboardInterrupt):
        export(out, "edgelist", to, overwrite=True)
    assert not to.exists()
    monkeypatch.undo()
    export(out, "edgelist", to, overwrite=True)
    assert len(to.read_text().splitlines()) == true_links().num_rows


def test_a_name_that_no_file_can_have_is_refused_in_one_sentence(tmp_path: Path) -> None:
    out = pubmed_harvest(tmp_path / "out")
    for letters in (251, 245):  # too long; too long with that of the folder beside it
        with pytest.raises(HarvestError, match=r"could not be written \(File name too long\)"):
            export(out, "csv", tmp_path / f"{'x' * letters}.csv.gz")
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("form", ["csv", "duckdb", "npz"])
def test_damage_is_named_whatever_reads_it(tmp_path: Path, form: str) -> None:
    out = pubmed_harvest(tmp_path / "out")
    last = max((out / "links").iterdir())
    last.write_bytes(last.read_bytes()[:-20])
    with pytest.raises(FolderError, match=f"{last.name} is damaged"):
        export(out, form, tmp_path / "links")
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize(("form", "package"), [("xlsx", "xlsxwriter"), ("duckdb", "duckdb")])
def test_a_missing_package_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, package: str
) -> None:
    out = pubmed_harvest(tmp_path / "out")
    monkeypatch.setitem(sys.modules, package, None)
    said = _refused(out, form, tmp_path / "links")
    assert package in said
    assert "pip install 'elink-harvester[export]'" in said
    assert list(tmp_path.iterdir()) == [out]


def test_two_exports_to_one_name_at_a_time_are_refused(tmp_path: Path) -> None:
    out, to = pubmed_harvest(tmp_path / "out"), tmp_path / "links.csv"
    aside = tmp_path / ".links.csv.tmp"
    aside.mkdir()
    with FileLock(aside / ".lock"), pytest.raises(FolderInUse, match="Another export"):
        export(out, "csv", to)


def test_an_unfinished_harvest_needs_partial(tmp_path: Path) -> None:
    out = pubmed_harvest(tmp_path / "out", ended=False)
    to = tmp_path / "links.csv"
    assert "add --partial" in _refused(out, "csv", to)
    export(out, "csv", to, partial=True)
    assert len(to.read_text().splitlines()) == 1 + true_links().num_rows


def test_a_running_harvest_is_refused(tmp_path: Path) -> None:
    out = pubmed_harvest(tmp_path / "out")
    with FileLock(out / ".lock"), pytest.raises(FolderInUse, match="A harvest is running"):
        export(out, "csv", tmp_path / "links.csv")


def test_no_harvest_is_refused(tmp_path: Path) -> None:
    assert "holds no harvest" in _refused(tmp_path / "none", "csv", tmp_path / "links.csv")


def test_harvests_of_different_rows_are_refused(tmp_path: Path) -> None:
    one = pubmed_harvest(tmp_path / "one")
    schema = (
        LINKS.empty_table()
        .select(["dbfrom", "from_uid"])
        .append_column("has_linkout", LINKS.empty_table()["from_uid"].cast("bool"))
    )
    two = make_harvest(tmp_path / "two", schema, [1], cmd="lcheck")
    assert "Export them one by one" in _refused([one, two], "csv", tmp_path / "links.csv")


def test_uids_that_two_harvests_share_are_written_once(tmp_path: Path) -> None:
    one = pubmed_harvest(tmp_path / "one", PMIDS[:25])
    two = pubmed_harvest(tmp_path / "two", PMIDS[15:])
    to = tmp_path / "links.csv"
    assert export([one, two], "csv", to) == true_links().num_rows
    assert len(to.read_text().splitlines()) == 1 + true_links().num_rows


def test_shared_uids_make_no_hash_table_per_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Arrow's is_in would make one of all UIDs for each table that is read."""
    one = pubmed_harvest(tmp_path / "one", PMIDS[:25])
    two = pubmed_harvest(tmp_path / "two", PMIDS[15:])
    monkeypatch.delattr(pyarrow.compute, "is_in")
    assert export([one, two], "csv", tmp_path / "links.csv") == true_links().num_rows


@pytest.mark.parametrize("idtype", ["uid", "acc"])
@pytest.mark.parametrize("genes", [{"db": ["gene"]}, {"linkname": ["pubmed_gene"]}])
@pytest.mark.parametrize("few_first", [True, False])
def test_links_that_two_questions_share_are_written_once(
    tmp_path: Path, genes: dict[str, Any], few_first: bool, idtype: str
) -> None:
    """One asked about some UIDs for genes, and one about other UIDs for articles, too."""
    links, uids = true_links(), list[Any](PMIDS)
    if idtype == "acc":
        links, uids = _as_texts(links), [str(uid) for uid in uids]
    rows = links.to_pylist()
    assert {row["linkname"] for row in rows if row["dbto"] == "gene"} > {"pubmed_gene"}
    kept = [
        row["dbto"] == "gene" if "db" in genes else row["linkname"] == "pubmed_gene" for row in rows
    ]
    few = make_harvest(
        tmp_path / "few", links.filter(pa.array(kept)), uids[:30], failed=uids[5:9],
        idtype=idtype, **genes,
    )  # fmt: skip
    many = make_harvest(
        tmp_path / "many", links, uids[15:], failed=uids[20:25], idtype=idtype, db=["gene", "pmc"]
    )
    both = [few, many] if few_first else [many, few]
    by_few, by_many = ({*uids[:30]} - {*uids[5:9]}), ({*uids[15:]} - {*uids[20:25]})
    expected = sorted(
        (row["from_uid"], row["linkname"], row["to_uid"])
        for row, is_gene in zip(rows, kept, strict=True)
        if row["from_uid"] in by_many or (is_gene and row["from_uid"] in by_few)
    )
    assert len(expected) < _rows_in(few) + _rows_in(many)
    assert export(both, "parquet", tmp_path / "links.parquet") == len(expected)
    found = pq.read_table(tmp_path / "links.parquet").to_pylist()
    assert sorted((row["from_uid"], row["linkname"], row["to_uid"]) for row in found) == expected


def _rows_in(folder: Path) -> int:
    return HarvestReader.open(folder).link_count


def _as_texts(links: pa.Table) -> pa.Table:
    for name in ("from_uid", "to_uid"):
        place = links.schema.get_field_index(name)
        links = links.set_column(place, name, links[name].cast("string"))
    return links


@pytest.mark.parametrize("failed_first", [True, False])
@pytest.mark.parametrize("idtype", ["uid", "acc"])
def test_of_two_answers_the_whole_one_is_written(
    tmp_path: Path, failed_first: bool, idtype: str
) -> None:
    links, uids = true_links(), list[Any](PMIDS)
    if idtype == "acc":
        links, uids = _as_texts(links), [str(uid) for uid in uids]
    lost = uids[:10]
    whole, part = (
        make_harvest(tmp_path / name, links, uids, failed=failed, idtype=idtype)
        for name, failed in (("whole", uids[20:25]), ("part", lost))
    )
    both, to = [part, whole] if failed_first else [whole, part], tmp_path / "links.duckdb"
    export(both, "duckdb", to)
    with duckdb.connect(str(to), read_only=True) as database:
        pairs = database.execute("SELECT from_uid, to_uid, linkname FROM links").fetchall()
        outcomes = database.execute("SELECT from_uid, outcome FROM uids").fetchall()
    assert sorted(pairs) == sorted(
        (row["from_uid"], row["to_uid"], row["linkname"]) for row in links.to_pylist()
    )
    linked = set(links["from_uid"].to_pylist())
    assert sorted(outcomes) == sorted((u, "linked" if u in linked else "empty") for u in uids)
    assert export(both, "csv", tmp_path / "links.csv") == links.num_rows


def test_companions_are_named_after_the_stem(tmp_path: Path) -> None:
    assert companion(tmp_path / "a.b.txt", ".nodes.tsv") == tmp_path / "a.b.nodes.tsv"
    assert companion(tmp_path / "a.txt.gz", ".nodes.tsv") == tmp_path / "a.nodes.tsv"
    assert companion(tmp_path / "a", ".nodes.tsv") == tmp_path / "a.nodes.tsv"
