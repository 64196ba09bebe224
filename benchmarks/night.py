"""All of PubMed harvested on a simulated clock: a night in a minute.

Clock, latencies and server are simulated in this process, and 1 % of the requests fail. Everything
else is the program itself: reading the list, cutting batches, rate limit, retries, parsing,
committing. Measures the hours at NCBI's rate, requests, the used share of the rate, CPU (without
the server), memory above the imports, and bytes on disk. Does not measure the network, nor how NCBI
handles large batches: the simulated server accepts all of them.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from benchmarks.answers import FEW, LINKS, Answers
from benchmarks.measure import Row
from harvester.cli.process import keep_memory
from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter
from harvester.client.reply import Reply
from harvester.engine.stop import Stop
from harvester.errors import Fault, RequestFailed
from harvester.eutils.identity import Identity
from harvester.job import load
from harvester.job.model import Job
from harvester.runs.run import Runner
from harvester.sources.from_job import open_source
from harvester.testing import FakeTimeLoop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.client.transport import OnSent, Transport

PUBMED = 38_000_000
LARGEST = 41_500_000
"""The highest PMID; about one number in twelve has no record."""

RATE = 10.0
LATENCIES = (0.8, 13.0)
"""Seconds per response: drawn log-uniformly between NCBI's good and bad days."""

FAULTS = 0.01

SAFE = "200"
"""UIDs per request that users report as safe; `auto` finds that this server accepts more."""

NIGHTS = (
    ("pmc", FEW, 1, SAFE),
    ("pmc", FEW, 1, "auto"),
    ("pubmed", LINKS, 10, SAFE),
    ("pubmed", LINKS, 10, "auto"),
)
"""Target database, links per UID, one of how many UIDs is harvested, UIDs per request."""


@dataclass(frozen=True, slots=True)
class Night:
    """Cost of a harvest of all of PubMed.

    Attributes:
        links: harvested.
        hours: of simulated time.
        requests: sent.
        share: of the permitted rate, from the first request to the last answer.
        cpu_hours: of this process, the server's part left out.
        mebibytes: of memory at most, above that after the imports.
        gigabytes: on disk.
    """

    links: int
    hours: float
    requests: int
    share: float
    cpu_hours: float
    mebibytes: float
    gigabytes: float


class Server:
    """Transport that answers after a simulated latency and sometimes fails.

    Args:
        answers: what it knows.

    Attributes:
        cpu: seconds that its answers took to make.
        requests: received.
        last: when the last of them was answered.
    """

    base_url = "http://simulated/"

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._random = random.Random(1)
        self.cpu = 0.0
        self.requests = 0
        self.last = 0.0

    async def post(self, path: str, form: bytes, on_sent: OnSent) -> Reply:  # noqa: ARG002
        on_sent()
        self.requests += 1
        low, high = map(math.log, LATENCIES)
        fault = self._random.random() < FAULTS
        await asyncio.sleep(math.exp(self._random.uniform(low, high)))
        begun = time.thread_time()
        fields = (field.partition(b"=") for field in form.split(b"&"))
        body = self._answers([int(value) for name, _, value in fields if name == b"id"])
        self.cpu += time.thread_time() - begun
        self.last = asyncio.get_running_loop().time()
        return self._faulty(body) if fault else Reply(200, {}, body)

    def _faulty(self, body: bytes) -> Reply:
        match self._random.randrange(4):
            case 0:
                return Reply(502, {}, b"<html>Bad Gateway</html>")
            case 1:
                return Reply(200, {}, body[: len(body) // 2])
            case 2:
                return Reply(200, {}, b"<!DOCTYPE html><html>Down for maintenance</html>")
            case _:
                raise RequestFailed(Fault.NETWORK, "the server closed the connection")


def night(db: str, links: float, one_of: int, size: str) -> Night:
    """Harvest in this process, and measure its memory."""
    server = Server(Answers(links))
    with tempfile.TemporaryDirectory() as scratch:
        ids, out = Path(scratch) / "pmids.txt", Path(scratch) / "out"
        _write_list(ids, one_of)
        keep_memory()
        idle = _memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        job = Job.model_validate(
            {
                "link": {"dbfrom": "pubmed", "db": db, "linkname": f"pubmed_{db}"},
                "source": {"ids": str(ids)},
                "output": {"path": str(out)},
                "limits": {
                    "rate": RATE,
                    "batch_size": size if size == "auto" else int(size),
                    "window": "always",  # by this machine's clock, which is not simulated
                },
            }
        )
        cpu = time.process_time()
        with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
            links_found, seconds = runner.run(_harvest(job, server))
        cpu = time.process_time() - cpu - server.cpu
        stored = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    share = server.requests / (seconds * RATE)
    memory = _memory("VmHWM") - idle
    return Night(
        links_found * one_of,
        seconds * one_of / 3600,
        server.requests * one_of,
        share,
        cpu * one_of / 3600,
        memory,
        stored * one_of / 1e9,
    )


async def _harvest(job: Job, server: Server) -> tuple[int, float]:
    """Return the links, and the seconds from the start to the last response."""
    job = load.absolute(job)
    limiter = Limiter(RATE)
    client = Client(cast("Transport", server), limiter, Identity(job.contact, None))
    begun = asyncio.get_running_loop().time()
    listed = open_source(job)
    result = await Runner(client=client, listeners=[], stop=Stop()).run(job, listed)
    assert result.state == "complete"
    assert sum(result.outcomes.values()) == result.total
    return result.link_count, server.last - begun


def _write_list(path: Path, one_of: int) -> None:
    """Write a list of PMIDs drawn from all numbers up to the highest."""
    rng = np.random.default_rng(0)
    pmids = np.arange(1, LARGEST // one_of + 1)
    pmids = pmids[rng.random(len(pmids)) < PUBMED / LARGEST]
    options = pacsv.WriteOptions(include_header=False)
    pacsv.write_csv(pa.table({"pmid": pmids}), path, options)


def _memory(name: str) -> float:
    """Return a memory figure of this process from /proc, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def measure(db: str, links: float, one_of: int, size: str) -> Night:
    """Run `night` in its own process, to measure its memory."""
    command = [sys.executable, "-m", "benchmarks.night", db, str(links), str(one_of), size]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return Night(**json.loads(done.stdout))


def rows() -> Iterator[Row]:
    for db, links, one_of, size in NIGHTS:
        found = measure(db, links, one_of, size)
        note = f"{100 // one_of} % of PubMed, times {one_of}" if one_of > 1 else "all of PubMed"
        name = f"pubmed to {db}, {size} UIDs per request"
        yield Row(f"{name}: links", found.links, "", note=note)
        yield Row(f"{name}: time", found.hours, "hours")
        yield Row(f"{name}: requests", found.requests, "")
        yield Row(f"{name}: share of the permitted rate", 100 * found.share, "%")
        yield Row(f"{name}: CPU", found.cpu_hours, "hours")
        yield Row(f"{name}: memory above the imports", found.mebibytes, "MiB")
        yield Row(f"{name}: on disk", found.gigabytes, "GB")


def main() -> None:
    db, links, one_of, size = sys.argv[1:]
    print(json.dumps(asdict(night(db, float(links), int(one_of), size))))


if __name__ == "__main__":
    main()
