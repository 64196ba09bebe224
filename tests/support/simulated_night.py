"""A harvest by the real engine on simulated time: its requests and its duration."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter
from harvester.client.reply import Reply
from harvester.errors import Fault, RequestFailed
from harvester.eutils.identity import Identity
from harvester.job.model import Job
from harvester.model import uids
from harvester.model.answer import Answer
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import NEIGHBOR_LINKS
from harvester.runs.drive import drive, make_engine
from harvester.testing import FakeTimeLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.client.transport import Transport
    from harvester.engine.off_peak import Hours
    from harvester.model.batch import Batch

LATENCIES = (0.8, 13.0)
"""Seconds per response: the public probe of March 2026 (as in benchmarks/night.py)."""


@dataclass
class SimulatedNight:
    """The requests and the duration.

    Attributes:
        sent_at: when each request was sent, in seconds since the start.
        seconds: until the last response.
    """

    sent_at: list[float] = field(default_factory=list)
    seconds: float = 0.0


class _Sizes:
    """A question that sends the number of UIDs only; no UID of its answer has links."""

    path = "elink.fcgi"
    schema = NEIGHBOR_LINKS
    max_batch = None

    def body(self, batch: Batch) -> bytes:
        return str(len(batch)).encode()

    def read(self, body: bytes, batch: Batch) -> Answer:
        none = RunLengthRows.from_table(NEIGHBOR_LINKS.empty_table())
        return Answer(none, batch.uids, np.zeros(len(batch), np.int64), {}, batch.uids[:0], 0)


class _Server:
    base_url = "http://simulated/"

    def __init__(self, found: SimulatedNight, bytes_per_uid: int, faults: float, seed: int) -> None:
        self._found, self._bytes, self._faults = found, bytes_per_uid, faults
        self._random = random.Random(100 + seed)
        self._begun = asyncio.get_running_loop().time()

    def now(self) -> float:
        return asyncio.get_running_loop().time() - self._begun

    async def post(self, path: str, form: bytes, on_sent: Callable[[], None]) -> Reply:
        on_sent()
        self._found.sent_at.append(self.now())
        low, high = map(math.log, LATENCIES)
        await asyncio.sleep(math.exp(self._random.uniform(low, high)))
        self._found.seconds = self.now()
        if self._random.random() < self._faults:
            raise RequestFailed(Fault.NETWORK, "the server closed the connection")
        number = form.partition(b"&")[0]
        count = int(number) if number.isdigit() else 1
        return Reply(200, {}, b"{" + b" " * (self._bytes * count) + b"}")


def simulated_night(
    count: int,
    rate: float,
    *,
    bytes_per_uid: int = 100,
    faults: float = 0.0,
    seed: int = 0,
    hours: Callable[[], Hours] | None = None,
    **limits: Any,
) -> SimulatedNight:
    """Harvest some UIDs with the engine on simulated time.

    Args:
        count: number of UIDs.
        rate: requests per second.
        bytes_per_uid: size of the responses.
        faults: share of the requests that fail.
        seed: of the latencies.
        hours: makes the hours to send in, inside the running loop.
        limits: of the job.
    """
    found = SimulatedNight()

    async def harvest() -> None:
        server = _Server(found, bytes_per_uid, faults, seed)
        job = Job.model_validate(
            {
                "link": {"dbfrom": "pubmed", "db": "pmc"},
                "output": {"path": "-"},
                "limits": {"rate": rate, **limits},
                "server": {"base_url": server.base_url},
            }
        )
        client = Client(cast("Transport", server), Limiter(rate), Identity(job.contact, None))
        engine = make_engine(
            job,
            client,
            _Sizes(),
            uids.as_set(range(1, count + 1)),
            deliver=lambda _: None,
            emit=lambda _: None,
            hours=hours() if hours else None,
        )
        assert await drive(engine) is None

    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        runner.run(harvest())
    return found
