"""Operations that read a whole harvest: the manifest, and `top`.

A harvest of 300 million links of 3 million UIDs is generated (1 GB); a tenth of the links are there
under a second linkname. Costs grow in proportion to the links, memory does not.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.large_harvest import make
from benchmarks.measure import Row
from harvester.model.schemas import NEIGHBOR_LINKS
from harvester.store.contents import read_contents
from harvester.store.ledger import Ledger
from harvester.store.ranking import rank_targets
from harvester.store.reader import HarvestReader
from harvester.store.sinks import make_sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LINKS = 300_000_000


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="harvester-") as folder:
        out = make(Path(folder) / "out", LINKS, two=True)
        yield _measured("manifest.json: SHA-256 and counts", _contents, out)
        yield _measured("the first 50 targets", _top, out)
        yield _measured("the first 50 targets of one linkname", _top, out, "pubmed_pubmed")


def _contents(out: Path) -> None:
    with Ledger(out, make_sink("parquet", "zstd"), "pubmed", NEIGHBOR_LINKS) as ledger:
        read_contents(ledger)


def _top(out: Path, linkname: str | None = None) -> None:
    rank_targets([HarvestReader.open(out)], 50, linkname=linkname)


def _measured(what: str, work: Callable[..., None], *args: object) -> Row:
    """Return the cost of some work in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        wall, cpu, peak = pool.submit(_cost, work, *args).result()
    return Row(what, cpu, "s of CPU", note=f"{wall:.1f} s of wall time, {peak:.0f} MiB at most")


def _cost(work: Callable[..., None], *args: object) -> tuple[float, float, float]:
    """Return seconds, CPU seconds, and MiB of memory at most."""
    begun, cpu = time.perf_counter(), time.process_time()
    work(*args)
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return time.perf_counter() - begun, time.process_time() - cpu, peak
