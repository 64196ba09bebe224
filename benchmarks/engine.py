"""The engine alone: CPU per request if nothing is sent or parsed, and CPU while waiting.

Measures cutting batches, rate limiting, tasks, outcomes and events, in this process, with a
question that is answered at once. Then the program itself against a server that takes 13 s: the
share of a core that 130 waiting requests use.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import uvloop

from benchmarks.answers import FEW, FIRST
from benchmarks.contestants import Ours
from benchmarks.measure import Row
from benchmarks.server import answered, serving
from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter
from harvester.client.reply import Reply
from harvester.engine.off_peak import Hours
from harvester.eutils.identity import Identity
from harvester.job.model import Job
from harvester.model import uids
from harvester.model.answer import Answer
from harvester.model.delivery import AnsweredUids
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import NEIGHBOR_LINKS
from harvester.runs.drive import drive, make_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.client.transport import OnSent, Transport
    from harvester.model.batch import Batch
    from harvester.model.delivery import Delivery

REQUESTS, BATCH = 5_000, 200
LATENCY, RATE = 13.0, 10
LOOKED_AT = 12.0  # seconds, after as many that the first answers take


def rows() -> Iterator[Row]:
    taken = min(uvloop.run(engine_alone(REQUESTS)) for _ in range(3))
    yield Row("a request, nothing sent, nothing parsed", taken * 1e6, "µs of CPU")
    yield Row(f"{LATENCY:g} s per response, {RATE} requests per second", _waiting(), "% of a core")


class _Nowhere:
    """Transport that answers at once."""

    base_url = "http://nowhere/"

    async def post(self, path: str, form: bytes, on_sent: OnSent) -> Reply:  # noqa: ARG002
        on_sent()
        return Reply(200, {}, b"{}")


class _Empty:
    """Question in which no UID has links."""

    path = ""
    max_batch = None
    schema = NEIGHBOR_LINKS

    def body(self, batch: Batch) -> bytes:  # noqa: ARG002
        return b""

    def read(self, body: bytes, batch: Batch) -> Answer:  # noqa: ARG002
        none = RunLengthRows.from_table(NEIGHBOR_LINKS.empty_table())
        counts = np.zeros(len(batch), np.int64)
        return Answer(none, batch.uids, counts, {}, batch.uids[:0], 0)


async def engine_alone(requests: int) -> float:
    """Return the CPU seconds per request."""
    settled = 0

    def deliver(delivery: Delivery) -> None:
        nonlocal settled
        assert isinstance(delivery, AnsweredUids)
        settled += len(delivery.uids)

    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pmc"},
            "output": {"path": "-"},
            "limits": {"rate": 10_000, "batch_size": BATCH, "concurrency": 100},
        }
    )
    client = Client(cast("Transport", _Nowhere()), Limiter(10_000), Identity(job.contact, None))
    engine = make_engine(
        job,
        client,
        _Empty(),
        uids.as_set(np.arange(FIRST, FIRST + requests * BATCH)),
        deliver=deliver,
        emit=lambda _: None,
        known=uids.as_set(),
        hours=Hours(bound=False),
    )
    begun = time.process_time()
    assert await drive(engine) is None
    taken = time.process_time() - begun
    assert settled == requests * BATCH
    return taken / requests


def _waiting() -> float:
    """Return the percentage of a core in the steady state."""
    with tempfile.TemporaryDirectory() as scratch, serving(FEW, LATENCY) as url:
        home = Path(scratch)
        command = Ours(rate=RATE).command(url, "pmc", home, 100_000)
        with subprocess.Popen(command, cwd=home, env=os.environ | {"HOME": scratch}) as process:
            time.sleep(LATENCY + 3.0)
            before, begun = _cpu(process.pid), time.monotonic()
            first = len(answered(url))
            time.sleep(LOOKED_AT)
            taken = _cpu(process.pid) - before
            assert len(answered(url)) - first > 0.9 * RATE * LOOKED_AT
            share = taken / (time.monotonic() - begun)
            process.kill()
    return 100 * share


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a running process, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
