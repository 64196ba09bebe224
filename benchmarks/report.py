"""Time and memory of a report of 300 million links: `python -m benchmarks.report [MILLIONS]`.

The harvest is generated in a temporary folder, below BENCH_DIR if it is set (5 bytes per link). The
command that is measured runs in a process of its own.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from harvester.job import load
from harvester.job.model import Job
from harvester.model import uids
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import NEIGHBOR_LINKS, answered_rows, constant, nulls
from harvester.store.commit import Commit
from harvester.store.ledger import Ledger
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled

INPUT_UIDS = 2_000_000
NEWEST = 41_000_000  # PMIDs of 2026
PART = 4_000_000
"""Links of a part."""


def main() -> None:
    links = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 300_000_000
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as scratch:
        folder = Path(scratch) / "out"
        begun = time.perf_counter()
        generate(folder, links)
        print(f"{links:,} links generated in {time.perf_counter() - begun:.0f} s")
        seconds, mebibytes = measure("report", str(folder))
        print(f"harvester report: {seconds:.1f} s, {mebibytes:.0f} MiB")
        print(f"{(folder / 'report.html').stat().st_size:,} bytes of report.html")


def generate(folder: Path, links: int) -> None:
    """Write a harvest of related articles and references, most of which go to few articles."""
    rng = np.random.default_rng(1)
    job = Job.model_validate(
        {"link": {"dbfrom": "pubmed", "db": ["pubmed"]}, "output": {"path": str(folder)}}
    )
    members = np.sort(rng.choice(NEWEST, INPUT_UIDS, replace=False) + 1)
    with Ledger(folder, make_sink("parquet", "zstd"), "pubmed") as ledger:
        ledger.adopt(job.identity(), load.dump(job))
        ledger.input.add(uids.as_set(members))
        ledger.input.end()
        for some in np.array_split(members, -(-links // PART)):
            counts = rng.poisson(links / INPUT_UIDS, len(some))
            ledger.commit(
                Commit(
                    RunLengthRows.from_table(_rows(rng, some, counts)),
                    answered_rows("pubmed", pa.array(some), counts),
                    [Settled("linked", uids.as_set(some))],
                )
            )


def _rows(rng: np.random.Generator, members: np.ndarray, counts: np.ndarray) -> pa.Table:
    total = int(counts.sum())
    tos = np.where(
        rng.random(total) < 0.8,
        rng.integers(1, NEWEST, total),
        (NEWEST * rng.random(total) ** 6).astype(np.int64) + 1,
    )
    ends = np.cumsum(counts)
    ranks = np.arange(total) - np.repeat(ends - counts, counts)
    names = pa.DictionaryArray.from_arrays(
        pa.array((ranks % 3 == 0).astype(np.int32)), ["pubmed_pubmed", "pubmed_pubmed_refs"]
    )
    columns = [
        constant("pubmed", total), pa.array(np.repeat(members, counts)), constant("pubmed", total),
        names, pa.array(tos), nulls(total, pa.int64()), pa.array(ranks.astype(np.int32)),
    ]  # fmt: skip
    return pa.Table.from_arrays(columns, schema=NEIGHBOR_LINKS)


def measure(*command: str) -> tuple[float, float]:
    """Return the seconds and the peak memory in MiB of a command of harvester."""
    begun = time.perf_counter()
    pid = os.posix_spawn(
        sys.executable, [sys.executable, "-m", "harvester", *command], dict(os.environ)
    )
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, f"harvester {' '.join(command)} failed"
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
