"""Exports of one harvest: seconds and peak memory per format, and whether they hold its links.

Writes a harvest of generated links through the store, 100 for each of its UIDs, then runs
`harvester export` for each format in a process of its own. What was written is read by others
(DuckDB, numpy), and its number of links and two checksums over the pairs of UIDs are put to those
of the generator.

    python -m benchmarks.exports [LINKS] [FOLDER] [FORMAT...]

LINKS is 10,000,000 by default. FOLDER keeps the harvest for a further call; without one a
temporary folder is used. xlsx is measured if its sheet can hold LINKS.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from pyarrow import csv

from benchmarks.measure import Row
from harvester.job import load
from harvester.job.model import Job
from harvester.model import uids as sets
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import NEIGHBOR_LINKS, answered_rows
from harvester.store.commit import Commit
from harvester.store.ledger import Ledger
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

LINKS = 10_000_000
LISTS = {
    ("pubmed", "pubmed_pubmed"): 60,
    ("pubmed", "pubmed_pubmed_refs"): 20,
    ("pubmed", "pubmed_pubmed_citedin"): 15,
    ("pmc", "pubmed_pmc"): 3,
    ("gene", "pubmed_gene"): 2,
}
"""Database and linkname → links of each UID."""

EACH = sum(LISTS.values())
HIGHEST = {"pubmed": 40_000_000, "pmc": 12_000_000, "gene": 140_000_000}
COMMIT = 20_000
"""UIDs per commit."""

FORMATS = {
    "csv": "links.csv", "tsv": "links.tsv", "wide": "wide.csv", "xlsx": "links.xlsx",
    "parquet": "links.parquet", "duckdb": "links.duckdb", "neo4j": "neo4j", "kgx": "kgx",
    "ntriples": "links.nt", "graphml": "links.graphml", "edgelist": "links.edgelist",
    "adjacency": "links.adjlist", "npz": "links.npz",
}  # fmt: skip
"""Name → what is written. `wide` is csv with --wide."""

SHEET = 1_048_575
"""Links that a sheet of Excel holds."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What identifies a set of pairs of UIDs.

    Attributes:
        links: their number.
        products: sum of the products of the two UIDs, modulo 2^64.
        differences: sum of their exclusive ors, modulo 2^64.
    """

    links: int
    products: int
    differences: int


def main() -> None:
    words = [word for word in sys.argv[1:] if not word.replace("_", "").isdigit()]
    numbers = [int(word) for word in sys.argv[1:] if word.replace("_", "").isdigit()]
    forms = [word for word in words if word in FORMATS] or list(FORMATS)
    kept = next((Path(word) for word in words if word not in FORMATS), None)
    for row in _rows(numbers[0] if numbers else LINKS, kept, forms):
        print(row, flush=True)


def rows() -> Iterator[Row]:
    """Yield the figures of all formats."""
    yield from _rows(LINKS, None, list(FORMATS))


def _rows(links: int, kept: Path | None, forms: list[str]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as temporary:
        base = kept or Path(temporary)
        out, sums = base / "out", base / "sums.json"
        if not sums.exists():
            shutil.rmtree(out, ignore_errors=True)
            base.mkdir(parents=True, exist_ok=True)
            sums.write_text(json.dumps(_apart(_generate, out, links // EACH)))
        whole, distinct = (Sums(*numbers) for numbers in json.loads(sums.read_text()))
        for form in forms:
            if form == "xlsx" and whole.links > SHEET:
                continue
            to = base / FORMATS[form]
            words = ("csv", "--wide") if form == "wide" else (form,)
            taken = _run("export", str(out), str(to), "--to", *words, "--overwrite", "-q")
            companion = to.with_suffix(".nodes.tsv")
            size = sum(p.stat().st_size for p in [to, companion, *to.rglob("*")] if p.is_file())
            expected = distinct if form == "adjacency" else whole
            found = _apart(READERS[form], to)
            assert found == expected, (form, found, expected)
            note = (
                f"{size:,} bytes in {taken.seconds:.0f} s, {taken.cpu:.0f} s of CPU; "
                "links and checksums agree"
            )
            each = 1e9 * taken.cpu / whole.links
            yield Row(f"{form}, {whole.links:,} links", each, "ns of CPU per link", note=note)
            yield Row(f"{form}, peak memory", taken.peak / 2**20, "MiB")
            shutil.rmtree(to) if to.is_dir() else to.unlink()
            companion.unlink(missing_ok=True)


def _apart(function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a process of its own: the peak of a child includes that of its parent."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


@dataclass(frozen=True, slots=True)
class Taken:
    """What a command took: seconds, seconds of CPU, and the peak of its memory in bytes."""

    seconds: float
    cpu: float
    peak: int


def _run(*words: str) -> Taken:
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "harvester", *words])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    seconds = time.monotonic() - begun
    return Taken(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


# --- the harvest --------------------------------------------------------------------------------


def _generate(folder: Path, count: int) -> list[list[int]]:
    """Write a harvest of `count` UIDs; return the `Sums` of its links, and of distinct pairs."""
    random = np.random.default_rng(7)
    froms = np.sort(random.choice(HIGHEST["pubmed"], count, replace=False)).astype(np.int64) + 1
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": ["pubmed", "pmc", "gene"]},
            "output": {"path": str(folder)},
            "server": {"base_url": "http://localhost:8080/"},
        }
    )
    whole, distinct = np.zeros(3, np.uint64), np.zeros(3, np.uint64)
    with Ledger(folder, make_sink("parquet", "zstd"), "pubmed") as ledger:
        ledger.adopt(job.identity(), load.dump(job))
        ledger.input.add(sets.as_set(froms))
        ledger.input.end()
        for at in range(0, count, COMMIT):
            some = froms[at : at + COMMIT]
            rows, tos = _lists(some, random)
            counts = np.full(len(some), EACH, np.int64)
            ledger.commit(
                Commit(
                    rows,
                    answered_rows("pubmed", pa.array(some), counts),
                    [Settled("linked", sets.as_set(some))],
                )
            )
            pairs = np.repeat(some, EACH).astype(np.uint64), tos.astype(np.uint64)
            whole += _sums_of(*pairs)
            distinct += _sums_of(*(one[_first_of_pairs(tos)] for one in pairs))
    return [whole.tolist(), distinct.tolist()]


def _sums_of(froms: Any, tos: Any) -> Any:
    return np.array([len(tos), (froms * tos).sum(), (froms ^ tos).sum()], np.uint64)


def _first_of_pairs(tos: Any) -> Any:
    """Return whether each link of `_lists` is the first between its two records."""
    lists = tos.reshape(-1, EACH)
    first = np.ones(lists.shape, bool)
    names, at = list(LISTS), 0
    for db in dict.fromkeys(db for db, _ in names):
        width = sum(length for (other, _), length in LISTS.items() if other == db)
        some = lists[:, at : at + width]
        order = np.argsort(some, axis=1, kind="stable")
        ascending = np.take_along_axis(some, order, 1)
        new = np.ones(some.shape, bool)
        new[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
        np.put_along_axis(first[:, at : at + width], order, new, 1)
        at += width
    return first.ravel()


def _lists(froms: Any, random: np.random.Generator) -> tuple[RunLengthRows, Any]:
    """Return the rows of some UIDs, and the UIDs they lead to."""
    dbs, linknames = zip(*LISTS, strict=True)
    repeats, lists = len(froms), np.arange(len(LISTS), dtype=np.int32)
    codes = pa.array(np.tile(lists, repeats))
    lengths = np.tile(np.array(list(LISTS.values()), np.int64), repeats)
    highest = np.repeat([HIGHEST[db] for db in dbs], list(LISTS.values()))
    tos = (random.random((repeats, EACH)) * highest).astype(np.int64).ravel() + 1
    per_list = pa.table(
        {
            "dbfrom": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(len(lengths), np.int32)), ["pubmed"]
            ),
            "from_uid": np.repeat(froms, len(LISTS)),
            "dbto": pa.DictionaryArray.from_arrays(codes, list(dbs)),
            "linkname": pa.DictionaryArray.from_arrays(codes, list(linknames)),
        }
    )
    return RunLengthRows(NEIGHBOR_LINKS, per_list, pa.table({"to_uid": tos}), lengths), tos


# --- what others read ---------------------------------------------------------------------------

_SUMS = """
SELECT count(*), sum(a::HUGEINT * b) % 18446744073709551616,
       sum(xor(a, b)::HUGEINT) % 18446744073709551616
FROM ({}) AS pairs(a, b)
"""


def _summed(pairs: str, path: str = ":memory:") -> Sums:
    with duckdb.connect(path, read_only=path != ":memory:") as database:
        database.execute("SET enable_progress_bar = false")
        database.execute("SET memory_limit = '2GB'")
        row = database.execute(_SUMS.format(pairs)).fetchone()
    assert row is not None
    return Sums(*map(int, row))


def _of_npz(path: Path) -> Sums:
    with np.load(path) as arrays:
        uids = arrays["node_uid"].astype(np.uint64)
        indptr, indices = arrays["indptr"], arrays["indices"]
    products = differences = 0
    step = 1 << 16
    for at in range(0, len(uids), step):
        rows = indptr[at : at + step + 1]
        froms = np.repeat(uids[at : at + step], np.diff(rows))
        tos = uids[indices[rows[0] : rows[-1]]]
        products += int((froms * tos).sum())
        differences += int((froms ^ tos).sum())
    return Sums(len(indices), products % 2**64, differences % 2**64)


def _of_kgx(path: Path) -> Sums:
    return _summed(
        "SELECT split_part(subject, ':', 2)::BIGINT, split_part(object, ':', 2)::BIGINT FROM "
        f"read_csv('{path}/*_edges.tsv', delim='\t', header=true, quote='')"
    )


def _of_neo4j(path: Path) -> Sums:
    names = ", ".join(f"'{one}'" for one in sorted(path.glob("links-*-*.csv"))
                      if "header" not in one.name)  # fmt: skip
    columns = "{'a': 'BIGINT', 'b': 'BIGINT', 't': 'VARCHAR', 's': 'BIGINT', 'r': 'INT'}"
    return _summed(f"SELECT a, b FROM read_csv([{names}], header=false, columns={columns})")


def _of_csv(path: Path) -> Sums:
    return _summed(f"SELECT from_uid, to_uid FROM read_csv('{path}')")


def _of_wide(path: Path) -> Sums:
    linknames = [linkname for _, linkname in LISTS]
    lists = "UNION ALL".join(
        f" SELECT from_uid, unnest(string_split({name}, ';'))::BIGINT FROM wide "
        for name in linknames
    )
    types = ", ".join(f"'{name}': 'VARCHAR'" for name in linknames)
    return _summed(f"WITH wide AS (FROM read_csv('{path}', types={{{types}}})) {lists}")


def _of_xlsx(path: Path) -> Sums:
    import openpyxl  # noqa: PLC0415

    rows = openpyxl.load_workbook(path, read_only=True).active.iter_rows(values_only=True)
    names = next(rows)
    at = names.index("from_uid"), names.index("to_uid")
    pairs = np.array([[row[one] for one in at] for row in rows], np.uint64).T
    return Sums(*_sums_of(*pairs).tolist())


def _lines(path: Path) -> str:
    return (
        f"read_csv('{path}', columns={{'line': 'VARCHAR'}}, header=false, delim='\x01', quote='',"
        " escape='', auto_detect=false)"
    )


def _of_ntriples(path: Path) -> Sums:
    number = "regexp_extract(line, '[:/](?:PMC)?([0-9]+)> {}', 1)::BIGINT"
    return _summed(f"SELECT {number.format('<')}, {number.format('[.]$')} FROM {_lines(path)}")


def _of_graphml(path: Path) -> Sums:
    number = "regexp_extract(line, ' {}=\"[a-z]+:([0-9]+)\"', 1)::BIGINT"
    return _summed(
        f"SELECT {number.format('source')}, {number.format('target')} FROM {_lines(path)} "
        "WHERE starts_with(line, '<edge ')"
    )


def _of_adjacency(path: Path) -> Sums:
    return _summed(
        "SELECT split_part(names[1], ':', 2)::BIGINT, "
        "split_part(unnest(names[2:]), ':', 2)::BIGINT "
        f"FROM (SELECT string_split(line, ' ') AS names FROM {_lines(path)})"
    )


def _of_edgelist(path: Path) -> Sums:
    uids = csv.read_csv(
        path.with_suffix(".nodes.tsv"),
        parse_options=csv.ParseOptions(delimiter="\t"),
        convert_options=csv.ConvertOptions(include_columns=["uid"]),
    )["uid"].to_numpy().astype(np.uint64)  # fmt: skip
    sums = np.zeros(3, np.uint64)
    with csv.open_csv(
        path,
        read_options=csv.ReadOptions(column_names=["from", "to"]),
        parse_options=csv.ParseOptions(delimiter=" "),
    ) as batches:
        for batch in batches:
            sums += _sums_of(*(uids[column.to_numpy()] for column in batch.columns))
    return Sums(*sums.tolist())


def _of_parquet(path: Path) -> Sums:
    return _summed(f"SELECT from_uid, to_uid FROM '{path}'")


def _of_duckdb(path: Path) -> Sums:
    return _summed("SELECT source_uid, target_uid FROM edges", str(path))


READERS: dict[str, Callable[[Path], Sums]] = {
    "csv": _of_csv,
    "tsv": _of_csv,
    "wide": _of_wide,
    "xlsx": _of_xlsx,
    "parquet": _of_parquet,
    "duckdb": _of_duckdb,
    "neo4j": _of_neo4j,
    "kgx": _of_kgx,
    "ntriples": _of_ntriples,
    "graphml": _of_graphml,
    "edgelist": _of_edgelist,
    "adjacency": _of_adjacency,
    "npz": _of_npz,
}

if __name__ == "__main__":
    main()
