"""A whole harvest over a socket, against a cheap server in another process.

Measures the CPU seconds of the harvesting process alone, start-up excluded: asking, decoding,
reconciling, writing and committing. Does not measure NCBI's own time. The floor is the sum of
what cannot be left out: fetching such bodies with aiohttp, parsing their numbers all at once, and
writing the columns.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.answers import FEW, FIRST, LINKS, Answers
from benchmarks.measure import Row
from benchmarks.server import serving
from harvester import Job, Result, run

if TYPE_CHECKING:
    from collections.abc import Iterator

RELATED = {"db": "pubmed", "linkname": "pubmed_pubmed"}
MANY = (
    ("related articles, JSON to Parquet", RELATED, "parquet"),
    ("related articles, JSON to JSON lines", RELATED, "jsonl"),
    ("related articles, XML to Parquet", RELATED | {"retmode": "xml"}, "parquet"),
    (
        "related articles with scores, JSON to Parquet",
        RELATED | {"cmd": "neighbor_score"},
        "parquet",
    ),
)
UIDS = 20_000
UIDS_OF_FEW = 100_000
REPEATS = 3


def harvest_once(url: str, link: dict[str, Any], form: str, uids: int) -> tuple[Result, float]:
    """The result and the CPU seconds of one harvest."""
    with tempfile.TemporaryDirectory() as scratch:
        ids = Path(scratch) / "ids.txt"
        ids.write_text("\n".join(map(str, range(FIRST, FIRST + uids))))
        job = Job.model_validate(
            {
                "link": {"dbfrom": "pubmed", **link},
                "source": {"ids": str(ids)},
                "output": {"path": f"{scratch}/out", "format": form},
                "limits": {"rate": 1000, "batch_size": 200, "concurrency": 8},
                "server": {"base_url": url},
            }
        )
        begun = time.process_time()
        result = run(job)
        return result, time.process_time() - begun


def best_of(url: str, link: dict[str, Any], form: str, uids: int) -> tuple[Result, float]:
    """The cheapest of some harvests: what is more was other work on the machine."""
    harvests = [harvest_once(url, link, form, uids) for _ in range(REPEATS)]
    return min(harvests, key=lambda one: one[1])


def rows() -> Iterator[Row]:
    with serving(LINKS) as url:
        harvest_once(url, RELATED, "parquet", 200)  # imports
        for name, link, form in MANY:
            result, cpu = best_of(url, link, form, UIDS)
            assert result.state == "complete"
            assert result.links == Answers(LINKS).total(range(FIRST, FIRST + UIDS))
            yield Row(name, result.links / cpu, "links a CPU-second")
    few = {"db": "pmc", "linkname": "pubmed_pmc"}
    with serving(FEW) as url:
        result, cpu = best_of(url, few, "parquet", UIDS_OF_FEW)
        assert result.links == Answers(FEW).total(range(FIRST, FIRST + UIDS_OF_FEW))
        yield Row("full texts, JSON to Parquet", UIDS_OF_FEW / cpu, "UIDs a CPU-second")
