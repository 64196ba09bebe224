"""Exports of one harvest: seconds and peak memory per format, and whether they hold its links.

Writes a harvest of generated links through the store, 100 for each of its UIDs, then runs
`harvester export` for each format in a process of its own. What was written is read by others
(DuckDB, numpy), and its number of links and two checksums over the pairs of UIDs are put to those
of the generator.

    python -m benchmarks.exports [LINKS] [FOLDER] [FORMAT...]

LINKS is 10,000,000 by default. FOLDER keeps the harvest for a further call; without one a
temporary folder is used.
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
    "csv": "links.csv", "tsv": "links.tsv", "parquet": "links.parquet", "duckdb": "links.duckdb",
    "neo4j": "neo4j", "kgx": "kgx", "ntriples": "links.nt", "graphml": "links.graphml",
    "edgelist": "links.edgelist", "adjacency": "links.adjlist", "npz": "links.npz",
}  # fmt: skip


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
        links, products, differences = json.loads(sums.read_text())
        expected = Sums(links, products, differences)
        for form in forms:
            to = base / FORMATS[form]
            seconds, peak = _run("export", str(out), "--to", form, str(to), "--overwrite", "-q")
            size = sum(p.stat().st_size for p in [to, *to.rglob("*")] if p.is_file())
            read = READERS.get(form)
            note = f"{size / 1e9:.2f} GB in {seconds:.0f} s"
            if read is not None:
                found = _apart(read, to)
                assert found == expected, (form, found, expected)
                note += "; links and checksums agree"
            yield Row(f"{form}, {links:,} links", 1e9 * seconds / links, "ns per link", note=note)
            yield Row(f"{form}, peak memory", peak / 2**20, "MiB")
            shutil.rmtree(to) if to.is_dir() else to.unlink()
            to.with_suffix(".nodes.tsv").unlink(missing_ok=True)


def _apart(function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a process of its own: the peak of a child includes that of its parent."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _run(*words: str) -> tuple[float, int]:
    """Run the command; return seconds, and the peak of its resident memory in bytes."""
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "harvester", *words])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return time.monotonic() - begun, usage.ru_maxrss * 1024


# --- the harvest --------------------------------------------------------------------------------


def _generate(folder: Path, count: int) -> list[int]:
    """Write a harvest of `count` UIDs; return the fields of `Sums`."""
    random = np.random.default_rng(7)
    froms = np.sort(random.choice(HIGHEST["pubmed"], count, replace=False)).astype(np.int64) + 1
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": ["pubmed", "pmc", "gene"]},
            "output": {"path": str(folder)},
            "server": {"base_url": "http://localhost:8080/"},
        }
    )
    links = products = differences = 0
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
            both = np.repeat(some, EACH).astype(np.uint64), tos.astype(np.uint64)
            links += len(tos)
            products += int((both[0] * both[1]).sum())
            differences += int((both[0] ^ both[1]).sum())
    return [links, products % 2**64, differences % 2**64]


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


def _of_parquet(path: Path) -> Sums:
    return _summed(f"SELECT from_uid, to_uid FROM '{path}'")


def _of_duckdb(path: Path) -> Sums:
    return _summed("SELECT source_uid, target_uid FROM edges", str(path))


READERS: dict[str, Callable[[Path], Sums]] = {
    "csv": _of_csv,
    "tsv": _of_csv,
    "parquet": _of_parquet,
    "duckdb": _of_duckdb,
    "neo4j": _of_neo4j,
    "kgx": _of_kgx,
    "npz": _of_npz,
}

if __name__ == "__main__":
    main()
