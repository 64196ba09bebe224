"""A whole harvest over a socket, against a cheap server in another process.

Measures the CPU seconds of the program's process, user and system, minus those of a harvest of one
UID: requests, parsing, matching, writing and committing; not NCBI's own time. The floor is the
minimum of these steps in a row, measured in the same run (see `floors`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import floors
from benchmarks.answers import FEW, FIRST, LINKS, Answers
from benchmarks.contestants import Ours
from benchmarks.measure import Row
from benchmarks.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = (
    ("related articles, JSON to Parquet", ()),
    ("related articles, JSON to JSON lines", ("--format", "jsonl")),
    ("related articles, XML to Parquet", ("--retmode", "xml")),
    ("related articles with scores, JSON to Parquet", ("--cmd", "neighbor_score")),
)
RATE, IN_FLIGHT = 10_000, 8  # a rate that never waits
UIDS = 40_000
UIDS_OF_FEW = 400_000
REPEATS = 5


def rows() -> Iterator[Row]:
    with serving(LINKS) as url:
        links = Answers(LINKS).total(range(FIRST, FIRST + UIDS))
        for name, options in MANY:
            cpu = least_cpu(url, "pubmed", UIDS, links, options)
            yield Row(name, links / cpu, "links per CPU-second")
            if not options:
                least = floors.in_a_row(url)
                yield Row("the same", cpu / links * 1e9, "ns per link", least)
    with serving(FEW) as url:
        links = Answers(FEW).total(range(FIRST, FIRST + UIDS_OF_FEW))
        cpu = least_cpu(url, "pmc", UIDS_OF_FEW, links, ())
        yield Row("full texts, JSON to Parquet", UIDS_OF_FEW / cpu, "UIDs per CPU-second")


def least_cpu(url: str, db: str, uids: int, links: int, options: tuple[str, ...]) -> float:
    """Return the CPU seconds of the cheapest of some harvests; anything above is other work."""
    ours = Ours(rate=RATE, options=("--concurrency", str(IN_FLIGHT), *options))
    start = min(ours.work(url, db, 1).cpu for _ in range(REPEATS))
    works = [ours.work(url, db, uids) for _ in range(REPEATS)]
    assert all(work.links == links for work in works)
    return min(work.cpu for work in works) - start
