"""`harvester export` as a command: signals, kills, standard output, chains, and other cmds."""

from __future__ import annotations

import csv
import io
import json
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import networkx as nx
import openpyxl
import pytest
from support.finished_harvests import make_summaries, pubmed_harvest, true_links
from support.harness import expected_links, harvester, running, wait_until, write_uids
from support.small_disks import assert_one_sentence, small_disk

from harvester.api.export import export
from harvester.cli.commands.export import _interrupted
from harvester.emulator.utilities.linkout import addresses
from harvester.errors import Interrupted

if TYPE_CHECKING:
    from support.servers import Servers

    from harvester.emulator import Emulator

SLOW = {"harvester.export.text.ROWS": 1, "harvester.export.destination._BUFFER": 16}
"""Each row is written by itself, so that an export can be interrupted."""

MANY = range(30_000_001, 30_000_501)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pubmed_harvest(tmp_path_factory.mktemp("harvest") / "out", MANY)


def _rows(text: str) -> Counter[tuple[int, str, int]]:
    rows = csv.DictReader(io.StringIO(text))
    return Counter((int(r["from_uid"]), r["linkname"], int(r["to_uid"])) for r in rows)


def _truth() -> Counter[tuple[int, str, int]]:
    return Counter(
        (r["from_uid"], r["linkname"], r["to_uid"]) for r in true_links(MANY).to_pylist()
    )


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_export_leaves_nothing_under_its_name(
    out: Path, tmp_path: Path, signum: int
) -> None:
    to = tmp_path / "links.csv"
    aside = tmp_path / ".links.csv.tmp" / "links.csv"
    words = ("export", out, "--to", "csv", to)
    with running(*words, err=tmp_path / "err", patches=SLOW) as process:
        wait_until(lambda: aside.exists() and aside.stat().st_size > 100, "rows are written")
        process.signal(signum)
        ended = process.ended()
    assert not to.exists()
    if signum != signal.SIGKILL:
        assert ended.code == 128 + signum
        assert f"Interrupted; {to} was not written." in ended.err
        assert not aside.parent.exists()
    again = harvester(*words)
    assert again.code == 0, again.err
    assert _rows(to.read_text()) == _truth()
    assert {path.name for path in tmp_path.iterdir()} == {"err", "links.csv"}


@pytest.mark.parametrize("error", [TypeError, RuntimeError, ValueError])
def test_a_signal_that_a_library_makes_an_error_of_is_an_interrupt(
    tmp_path: Path, error: type[Exception]
) -> None:
    def work(*, signalled: bool) -> None:
        with _interrupted(tmp_path / "links.csv"):
            if signalled:
                with suppress(Interrupted):
                    signal.raise_signal(signal.SIGTERM)
            raise error("of a library")

    with pytest.raises(Interrupted) as caught:
        work(signalled=True)
    assert caught.value.signum == signal.SIGTERM
    with pytest.raises(error):
        work(signalled=False)


def test_a_killed_export_leaves_no_folder_under_its_name(out: Path, tmp_path: Path) -> None:
    to, aside = tmp_path / "graph", tmp_path / ".graph.tmp" / "graph"
    with running("export", out, "--to", "kgx", to, err=tmp_path / "err", patches=SLOW) as process:
        wait_until((aside / "graph_edges.tsv").exists, "edges are written")
        process.kill()
    assert not to.exists()
    assert harvester("export", out, "--to", "kgx", to).code == 0
    assert len((to / "graph_edges.tsv").read_text().splitlines()) == 1 + _truth().total()


def test_standard_output_has_the_rows_alone(out: Path) -> None:
    done = harvester("export", out, "--to", "csv", "-")
    assert done.code == 0
    assert _rows(done.out) == _truth()
    assert "links" in done.err


@pytest.mark.parametrize(
    ("form", "words"), [("csv", ("--wide",)), ("tsv", ("--titles",)), ("adjacency", ())]
)
def test_standard_output_takes_what_needs_temporary_files(
    out: Path, tmp_path: Path, form: str, words: tuple[str, ...]
) -> None:
    if "--titles" in words:
        out = pubmed_harvest(tmp_path / "out", MANY)
        make_summaries(out, "pubmed", {MANY[0]: {"title": "A title"}}, side="from")
    to = tmp_path / "table"
    assert harvester("export", out, "--to", form, to, *words).code == 0
    done = harvester("export", out, "--to", form, "-", *words)
    assert (done.code, done.out) == (0, to.read_text())


@pytest.mark.parametrize(
    "words", [("export", "--to", "csv", "-"), ("export", "--to", "adjacency", "-"), ("status",)]
)
def test_standard_output_on_a_full_disk_ends_in_one_sentence(
    out: Path, words: tuple[str, ...]
) -> None:
    command, *others = words
    with Path("/dev/full").open("wb") as full:
        done = harvester(command, out, *others, stdout=full)
    assert done.code == 1
    assert done.err.startswith("harvester: Standard output could not be written (No space left")
    assert len(done.err.splitlines()) == 1


def test_log_json_is_json(out: Path, tmp_path: Path) -> None:
    done = harvester("export", out, "--to", "csv", tmp_path / "a.csv", "--log-json")
    *_, progress, note = [json.loads(line) for line in done.err.splitlines()]
    assert progress["done"] == progress["total"] == _truth().total()
    assert note["event"] == "Note"
    refused = harvester("export", out, "--to", "csv", tmp_path / "a.csv", "--log-json")
    assert refused.code == 2
    assert "--overwrite" in json.loads(refused.err)["message"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("OUT",), "Give the format with --to: csv, tsv, "),
        (("OUT", "--to", "csv"), "then what to write"),
        (("OUT", "a.csv", "--to", "CSV"), "did you mean 'csv'?"),
        (("OUT", "a.csv", "--to", "csv", "--columns", "title"), "harvester records"),
        (("OUT", "a.csv", "--to", "csv", "--columns", ","), "columns ',' names no field"),
        (("OUT", "a.npz", "--to", "npz", "--wide"), "--wide is for csv"),
        (("a.csv", "OUT", "--to", "csv"), "holds a harvest"),
    ],
)
def test_wrong_words_are_refused(
    out: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = harvester("export", *(out if word == "OUT" else word for word in words), cwd=tmp_path)
    assert done.code == 2
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


def _harvest(server: Emulator, folder: Path, *words: object) -> Path:
    ids = write_uids(folder / "ids", range(1, 21))
    done = harvester(
        "run", "--ids", ids, "--base-url", server.base_url, "--rate=100", "-o", folder / "out",
        "-q", *words,
    )  # fmt: skip
    assert done.code == 0, done.err
    return folder / "out"


def test_a_chain_is_one_graph_and_a_hop_is_one(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(seed=3)
    job = tmp_path / "job.toml"
    job.write_text(
        '[[hop]]\ndbfrom = "gene"\ndb = "protein"\nlinkname = "gene_protein"\n'
        '[[hop]]\ndb = "structure"\n'
    )
    out = _harvest(server, tmp_path, job)
    first = expected_links(server.graph, "gene", range(1, 21), ["protein"], ["gene_protein"])
    proteins = sorted(set(first["to_uid"].to_pylist()))
    second = expected_links(server.graph, "protein", proteins, ["structure"])
    for folder, tables in ((out, [first, second]), (out / "hop-2", [second])):
        to = tmp_path / f"{folder.name}.graphml"
        done = harvester("export", folder, "--to", "graphml", to)
        assert done.code == 0, done.err
        graph = nx.read_graphml(to, force_multigraph=True)
        assert Counter((a, b, d["linkname"]) for a, b, d in graph.edges(data=True)) == Counter(
            (f"{r['dbfrom']}:{r['from_uid']}", f"{r['dbto']}:{r['to_uid']}", r["linkname"])
            for table in tables
            for r in table.to_pylist()
        )
    refused = harvester("export", out, "--to", "csv", tmp_path / "a.csv", "--wide")
    assert refused.code == 2
    assert "gene and protein" in refused.err


def _read(path: Path, form: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and rows of a table."""
    if form == "xlsx":
        header, *rows = openpyxl.load_workbook(path)["links"].values
        return [str(name) for name in header], list(rows)
    delimiter = "\t" if form == "tsv" else ","
    sources = {"duckdb": "links", "parquet": f"'{path}'"}
    text = f"read_csv('{path}', header=true, all_varchar=true, delim='{delimiter}')"
    with duckdb.connect(str(path) if form == "duckdb" else ":memory:") as database:
        found = database.sql(f"FROM {sources.get(form, text)}")
        return found.columns, found.fetchall()


@pytest.mark.parametrize("cmd", ["llinks", "acheck", "ncheck", "neighbor_history"])
def test_rows_of_other_cmds_fit_into_tables(servers: Servers, tmp_path: Path, cmd: str) -> None:
    server = servers.start(seed=3)
    out = _harvest(server, tmp_path, "--dbfrom=pubmed", f"--cmd={cmd}")
    with duckdb.connect() as database:
        parts = database.sql(f"FROM '{out}/links/*.parquet'")
        columns, count = parts.columns, len(parts.fetchall())
    assert count > 0
    for form in ("csv", "tsv", "parquet", "duckdb", "xlsx"):
        to = tmp_path / f"a.{form}"
        assert export(out, form, to) == count
        names, rows = _read(to, form)
        assert (names, len(rows)) == (columns, count)
        if cmd == "llinks":
            urls = Counter(row[names.index("url")] for row in rows)
            truth = (one.url for uid in range(1, 21) for one in addresses("pubmed", uid))
            assert urls == Counter(truth)
    twice = 2 if cmd == "neighbor_history" else 1  # its rows name no single UID
    assert export([out, out], "csv", tmp_path / "twice.csv") == twice * count


def test_rounds_keep_their_column_and_are_one_graph(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(seed=3)
    words = ("--dbfrom=pubmed", "--db=pubmed", "--linkname=pubmed_pubmed_refs", "--repeat=2")
    out = _harvest(server, tmp_path, *words)
    assert harvester("export", out, "--to", "parquet", tmp_path / "a.parquet").code == 0
    uids, expected = list(range(1, 21)), Counter[tuple[int, int, int]]()
    known = set(uids)
    for number in (1, 2):
        links = expected_links(server.graph, "pubmed", uids, ["pubmed"], ["pubmed_pubmed_refs"])
        for row in links.to_pylist():
            expected[row["from_uid"], row["to_uid"], number] += 1
        uids = sorted(set(links["to_uid"].to_pylist()) - known)
        known.update(uids)
    rows = duckdb.from_parquet(str(tmp_path / "a.parquet"))
    assert Counter(rows.select("from_uid, to_uid, round").fetchall()) == expected
    assert harvester("export", out, "--to", "graphml", tmp_path / "a.graphml").code == 0
    graph = nx.read_graphml(tmp_path / "a.graphml", force_multigraph=True)
    named = Counter((f"pubmed:{a}", f"pubmed:{b}", number) for a, b, number in expected.elements())
    assert Counter((a, b, data["round"]) for a, b, data in graph.edges(data=True)) == named
    assert export(out, "duckdb", tmp_path / "a.duckdb") == expected.total()
    with duckdb.connect(str(tmp_path / "a.duckdb"), read_only=True) as database:
        edges = database.execute("SELECT source, target, round FROM edges").fetchall()
    assert Counter(edges) == named
    export(out, "neo4j", tmp_path / "neo")
    header = (tmp_path / "neo" / "links-pubmed-pubmed-header.csv").read_text()
    assert header == ":START_ID(pubmed),:END_ID(pubmed),:TYPE,score:long,rank:int,round:int\n"
    lines = (tmp_path / "neo" / "links-pubmed-pubmed.csv").read_text().splitlines()
    rows_of = (line.split(",") for line in lines)
    assert Counter((int(r[0]), int(r[1]), int(r[5])) for r in rows_of) == expected
    assert set(graph.nodes) == {f"pubmed:{uid}" for uid in known}


@pytest.mark.parametrize("form", ["csv", "parquet", "duckdb", "xlsx", "neo4j", "npz", "edgelist"])
def test_a_full_disk_ends_in_one_sentence_and_leaves_nothing(
    out: Path, tmp_path: Path, form: str
) -> None:
    with small_disk(tmp_path / "disk", 48) as disk:
        done = harvester("export", out, "--to", form, disk.path / "links")
        assert_one_sentence(done, str(disk.path / "links"), "Nothing was written")
        assert list(disk.path.iterdir()) == []
