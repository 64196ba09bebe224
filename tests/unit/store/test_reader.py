"""A harvest opened for reading: its facts, its rows, and refusals."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from support.link_rows import links_of, links_table, outcomes_of, uids_table
from support.privileges import without_root

from harvester.errors import BadInput, FolderError
from harvester.job import load
from harvester.job.model import Job
from harvester.model import uids
from harvester.model.row_schemas import SUMMARIES, link_schema
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import RAW, TARGETS
from harvester.store.commit import Commit
from harvester.store.compaction import merge_small_parts
from harvester.store.ledger import Ledger
from harvester.store.reader import HarvestReader
from harvester.store.sinks import FORMATS, make_sink, sink_of
from harvester.store.state_reader import Settled
from harvester.store.unanswered import write_unanswered

CODECS = [(form, codec) for form, found in FORMATS.items() for codec in found.suffixes]
each_codec = pytest.mark.parametrize("codec", CODECS, ids=["-".join(one) for one in CODECS])


def _commit(book: Ledger, *members: int) -> None:
    """Commit two links of each UID, and a kept response."""
    response = [{"sweep": 1, "retmode": "json", "asked": list(members), "body": b"{}"}]
    book.commit(
        Commit(
            RunLengthRows.from_table(links_table(links_of(*members))),
            uids_table(outcomes_of(*members)),
            [Settled("linked", uids.as_set(members))],
            raw=pa.Table.from_pylist(response, RAW),
        )
    )


def _harvest(folder: Path, codec: tuple[str, str] = ("parquet", "zstd")) -> Ledger:
    """Write three commits, of the UIDs 1 to 6, of which 6 failed; UID 7 is not done."""
    job = Job.model_validate({"link": {"dbfrom": "pubmed"}, "output": {"path": folder}})
    book = Ledger(folder, make_sink(*codec), "pubmed")  # type: ignore[arg-type]
    book.adopt(job.identity(), load.dump(job))
    book.input.add(uids.as_set(range(1, 8)))
    book.input.end()
    _commit(book, 1, 2, 3)
    _commit(book, 4, 5)
    book.commit(Commit(None, None, [Settled("failed", uids.as_set([6]), "HTTP 500")]))
    write_unanswered(book)
    return book


@each_codec
def test_rows_and_facts_are_those_committed(tmp_path: Path, codec: tuple[str, str]) -> None:
    with _harvest(tmp_path / "out", codec):
        pass
    found = HarvestReader.open(tmp_path / "out")
    links = [row for table in found.links() for row in table.to_pylist()]
    assert links == [dict(row) for row in links_of(1, 2, 3, 4, 5)]
    outcomes = {row["from_uid"]: row for table in found.uids() for row in table.to_pylist()}
    assert {uid: row["outcome"] for uid, row in outcomes.items()} == (
        dict.fromkeys(range(1, 6), "linked") | {6: "failed"}
    )
    assert [row["asked"] for table in found.raw() for row in table.to_pylist()] == [
        [1, 2, 3],
        [4, 5],
    ]
    assert (found.kind, found.dbfrom, found.cmd, found.idtype) == (
        "links", "pubmed", "neighbor", "uid",
    )  # fmt: skip
    assert found.outcomes == {"linked": 5, "failed": 1}
    assert (found.total, found.link_count) == (7, 10)
    assert list(found.wanted) == [1, 2, 3, 4, 5, 6, 7]
    assert list(found.done) == [1, 2, 3, 4, 5, 6]
    assert list(found.answered) == [1, 2, 3, 4, 5]
    assert [(one.outcome, list(one.uids), one.reason) for one in found.unanswered] == [
        ("failed", [6], "HTTP 500")
    ]
    assert found.source_ended
    assert not found.complete
    assert found.damage() == {}
    assert (
        repr(found) == f"HarvestReader('{tmp_path / 'out'}', links of pubmed, 6 of 7 UIDs, 10 rows)"
    )


def _other(folder: Path, link: dict[str, object], rows: pa.Table, kind: str = "links") -> Ledger:
    """Write a harvest of one commit, with rows other than links."""
    job = Job.model_validate({"link": {"dbfrom": "pubmed"} | link, "output": {"path": folder}})
    sink, idtype = make_sink("parquet", "zstd"), str(link.get("idtype", "uid"))
    book = Ledger(folder, sink, "pubmed", rows.schema, idtype, kind)
    holds = {"kind": kind} | ({"form": "summary", "side": "to"} if kind == "records" else {})
    book.adopt(job.identity(holds), load.dump(job))
    wanted = book.input.add(["NM_2.1", "NM_1.1"] if idtype == "acc" else uids.as_set([1, 2]))
    book.input.end()
    book.commit(Commit(RunLengthRows.from_table(rows), None, [Settled("linked", wanted)]))
    return book


def test_targets_and_records_are_told_apart_from_links(tmp_path: Path) -> None:
    target = {"dbfrom": "pubmed", "dbto": "pmc", "linkname": "pubmed_pmc", "to_uid": 7}
    record = {"db": "pubmed", "uid": 1, "record": "{}"}
    with _other(tmp_path / "out", {"targets_only": True}, pa.Table.from_pylist([target], TARGETS)):
        pass
    summaries = pa.Table.from_pylist([record], SUMMARIES)
    folder = tmp_path / "out" / "records" / "pubmed-summary"
    with _other(folder, {}, summaries, "records"):
        pass
    found = HarvestReader.open(tmp_path / "out")
    assert (found.kind, found.schema, found.complete) == ("targets", TARGETS, True)
    assert [row for table in found.links() for row in table.to_pylist()] == [target]
    assert found.record_folders() == [folder]
    records = HarvestReader.open(folder)
    assert (records.kind, records.schema) == ("records", SUMMARIES)
    assert [row for table in records.links("record") for row in table.to_pylist()] == [
        {"record": "{}"}
    ]


def test_accessions_are_read_as_they_were_written(tmp_path: Path) -> None:
    schema = link_schema("neighbor", idtype="acc")
    row = links_of(1)[0] | {"from_uid": "NM_2.1", "to_uid": "NP_5.1"}
    with _other(tmp_path / "out", {"idtype": "acc"}, pa.Table.from_pylist([row], schema)):
        pass
    found = HarvestReader.open(tmp_path / "out")
    assert [row for table in found.links() for row in table.to_pylist()] == [row]
    assert found.texts(found.wanted) == ["NM_2.1", "NM_1.1"]
    assert found.part_schema(found.parts[0]) == schema


@each_codec
def test_only_the_columns_asked_for_are_read(tmp_path: Path, codec: tuple[str, str]) -> None:
    with _harvest(tmp_path / "out", codec):
        pass
    tables = list(HarvestReader.open(tmp_path / "out").links("to_uid", "dbto"))
    assert {tuple(table.column_names) for table in tables} == {("to_uid", "dbto")}
    truth = [(row["to_uid"], row["dbto"]) for row in links_of(1, 2, 3, 4, 5)]
    rows = [row for table in tables for row in table.to_pylist()]
    assert [(row["to_uid"], row["dbto"]) for row in rows] == truth


def test_a_suffix_names_one_format_and_one_compression() -> None:
    for form, codec in CODECS:
        sink = make_sink(form, codec)  # type: ignore[arg-type]
        again = sink_of(f"links/part-00000{sink.suffix}")
        assert type(again) is type(sink)
        assert again.suffix == sink.suffix
    with pytest.raises(ValueError, match="suffix of no output format"):
        sink_of("links/part-00000.csv")


def test_a_running_harvest_is_read_as_of_its_last_commit(tmp_path: Path) -> None:
    with _harvest(tmp_path / "out") as book:
        before = HarvestReader.open(tmp_path / "out")
        _commit(book, 7)
        after = HarvestReader.open(tmp_path / "out")
        assert sum(map(len, before.links())) == before.link_count == 10
        assert sum(map(len, after.links())) == after.link_count == 12
        assert after.complete
        merge_small_parts(book)
        with pytest.raises(FolderError, match=r"^A running harvest has replaced .*part-00000"):
            list(before.links())


def test_a_damaged_or_missing_part_is_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with _harvest(out):
        pass
    found = HarvestReader.open(out)
    path = out / found.parts[0].name
    whole = path.read_bytes()
    for data in (b"", whole[:-1], whole[: len(whole) // 2], b"PAR1" * 100):
        path.write_bytes(data)
        with pytest.raises(FolderError) as caught:
            list(found.links())
        assert str(caught.value) == (
            f"{path} is damaged. Run `harvester verify {out}` and restore the file from a backup."
        )
        assert list(found.damage()) == [found.parts[0]]
    path.unlink()
    with pytest.raises(FolderError, match=f"^{path} is missing"):
        list(found.links())


def test_reading_leaves_no_file_behind(tmp_path: Path) -> None:
    """Not even the files that SQLite makes for readers, of this version or an earlier one."""
    out = tmp_path / "out"
    with _harvest(out):
        pass
    before = {path: path.is_file() and path.read_bytes() for path in out.rglob("*")}
    assert not {path.name for path in before} & {"state.sqlite-wal", "state.sqlite-shm"}
    for left in (False, True):
        if left:
            (out / "state.sqlite-wal").touch()
        found = HarvestReader.open(out)
        assert sum(table.num_rows for table in found.links()) == found.link_count
        assert {path: path.is_file() and path.read_bytes() for path in out.rglob("*")} == before


@each_codec
def test_a_part_of_another_size_is_named(tmp_path: Path, codec: tuple[str, str]) -> None:
    """Also if its content can be read: JSON lines may end anywhere and be continued."""
    with _harvest(tmp_path / "out", codec):
        pass
    found = HarvestReader.open(tmp_path / "out")
    path = tmp_path / "out" / found.parts[0].name
    whole, line = path.read_bytes(), {"zstd": b"", "gzip": gzip.compress(b"{}\n")}
    more = line.get(codec[1], b"") or b"{}\n"
    for data in (whole + more, whole[: whole.rfind(b"{")], b""):
        path.write_bytes(data)
        with pytest.raises(FolderError, match=f"^{path} is damaged"):
            list(found.links())


@pytest.mark.parametrize("codec", ["none", "gzip", "zstd"])
def test_a_flipped_bit_in_parquet_never_makes_another_row(tmp_path: Path, codec: str) -> None:
    with _harvest(tmp_path / "out", ("parquet", codec)):
        pass
    found = HarvestReader.open(tmp_path / "out")
    path, rows = tmp_path / "out" / found.parts[0].name, list(found.links())
    whole = path.read_bytes()
    data = whole.rfind(b"pubmed_pmc", 0, len(whole) // 2) if codec == "none" else 60
    damaged = 0
    for place in range(data, data + 40):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            read = list(found.links())
        except FolderError:
            damaged += 1
        else:
            assert read == rows
    assert damaged


def test_folders_without_one_harvest_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, why in (
        (".", "it has no state.sqlite."),
        ("nowhere", "there is no such folder."),
        ("file", "it is a file."),
    ):
        with pytest.raises(BadInput) as caught:
            HarvestReader.open(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name} holds no harvest: {why}"
    with _harvest(tmp_path / "below"), pytest.raises(BadInput) as caught:
        HarvestReader.open(tmp_path)
    assert str(caught.value).endswith(f" There is one below it: {tmp_path / 'below'}.")
    with _harvest(tmp_path / "hop-1"), pytest.raises(BadInput, match="It is a chain: name a hop"):
        HarvestReader.open(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[link",
        "[link]",
        "link = 5",
        "[link]\ndbfrom = 5",
        '[link]\ndbfrom = "a"\ndb = [5]',
        '[link]\ndbfrom = "a"\ncmd = "dance"',
        '[link]\ndbfrom = "a"\ncmd = ["neighbor"]',
    ],
)
def test_a_damaged_job_is_named(tmp_path: Path, text: str) -> None:
    with _harvest(tmp_path / "out"):
        pass
    job = tmp_path / "out" / "job.toml"
    job.write_text(text)
    with pytest.raises(FolderError, match=f"^{job} is damaged"):
        HarvestReader.open(tmp_path / "out")
    job.unlink()
    with pytest.raises(FolderError, match=f"^{job} is missing"):
        HarvestReader.open(tmp_path / "out")


@pytest.mark.parametrize("state", ["closed", "killed"])
def test_a_folder_that_may_only_be_read_is_read(state: str) -> None:
    """Where SQLite must not write beside the state, a recovered copy of it is read."""
    with TemporaryDirectory() as name:
        made, out = Path(name) / "made", Path(name) / "out"
        with _harvest(made):
            assert (made / "state.sqlite-wal").stat().st_size
            if state == "killed":
                shutil.copytree(made, out)
        if state == "closed":
            shutil.copytree(made, out)
        (out / "state.sqlite-shm").unlink(missing_ok=True)
        assert _counts(made) == (6, 10)  # whatever is imported late is imported here
        paths = [Path(name), out, *out.rglob("*")]
        try:
            for path in paths:
                path.chmod(0o555 if path.is_dir() else 0o444)
            with without_root():
                assert not os.access(out, os.W_OK, effective_ids=True)
                assert _counts(out) == (6, 10)
            assert not (out / "state.sqlite-shm").exists(), "nothing is written"
        finally:
            for path in paths:
                path.chmod(0o755)


def _counts(folder: Path) -> tuple[int, int]:
    found = HarvestReader.open(folder)
    return len(found.done), sum(map(len, found.links()))
