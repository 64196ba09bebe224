"""The real engine with a simulated server, on simulated time."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, cast

import numpy as np

from benchmarks.simulated_client import BYTES, RATE, SECONDS, TIMEOUT
from benchmarks.simulated_server import Ending, SimulatedServer, Tally
from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter
from harvester.client.reply import Reply
from harvester.errors import Fault, HarvestError, RequestFailed
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

    from benchmarks.simulated_server import Slow
    from harvester.client.transport import OnSent, Transport
    from harvester.model.batch import Batch

ENOUGH = 100_000_000  # UIDs: more than any server answers in half an hour


class _Counted:
    """A question that sends the number of UIDs only; no UID of its answer has links."""

    path = "elink.fcgi"
    schema = NEIGHBOR_LINKS
    max_batch = None

    def body(self, batch: Batch) -> bytes:
        return str(len(batch)).encode()

    def read(self, body: bytes, batch: Batch) -> Answer:  # noqa: ARG002
        none = RunLengthRows.from_table(NEIGHBOR_LINKS.empty_table())
        counts = np.zeros(len(batch), np.int64)
        return Answer(none, batch.uids, counts, {}, batch.uids[:0], 0)


class _SimulatedTransport:
    """Replaces the network; a request to EInfo, which has no UID, counts as one UID."""

    base_url = "http://simulated/"

    def __init__(self, slow: Slow, timeout: float, seed: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._timeout, self._status = timeout, slow.status
        self._server = SimulatedServer(slow, self._now, self._at, random.Random(seed))
        self._server.start()
        self.tally = Tally(self._server)

    async def post(self, path: str, form: bytes, on_sent: OnSent) -> Reply:  # noqa: ARG002
        on_sent()
        self.tally.requests += 1
        number = form.partition(b"&")[0]
        count, sent_at = int(number) if number.isdigit() else 1, self._now()
        ending: asyncio.Future[Ending] = self._loop.create_future()

        def reply(how: Ending) -> None:
            if not ending.done():
                ending.set_result(how)

        work = self._server.send(count, reply)
        try:
            async with asyncio.timeout(self._timeout):
                how = await ending
        except TimeoutError as error:
            self.tally.time_out(sent_at)
            raise RequestFailed(Fault.TIMEOUT, "no answer in time") from error
        finally:
            work.wanted = ending.done() and not ending.cancelled()
        match how:
            case Ending.ANSWERED:
                self.tally.answered.append((self._now(), count))
                return Reply(200, {}, b"{" + b" " * (BYTES * count) + b"}")
            case Ending.REFUSED:
                self.tally.refusals += 1
                return Reply(self._status, {}, b"busy")
            case Ending.FAILED:
                return Reply(500, {}, b"failed")
            case Ending.RESET:
                raise RequestFailed(Fault.NETWORK, "the server closed the connection")

    def _now(self) -> float:
        return self._loop.time() - self._begun

    def _at(self, when: float, call: Callable[[], None]) -> object:
        return self._loop.call_at(self._begun + when, call)


def harvest_with_engine(
    slow: Slow, seconds: float = SECONDS, timeout: float = TIMEOUT, seed: int = 1
) -> Tally:
    """Harvest from a server with the real engine, on simulated time."""
    with asyncio.Runner(loop_factory=FakeTimeLoop) as runner:
        return runner.run(_harvest(slow, seconds, timeout, seed))


async def _harvest(slow: Slow, seconds: float, timeout: float, seed: int) -> Tally:
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pmc"},
            "output": {"path": "-"},
            "limits": {"rate": RATE, "timeout": timeout, "confirm_empty": 0},
            "server": {"base_url": _SimulatedTransport.base_url},
        }
    )
    transport = _SimulatedTransport(slow, timeout, seed)
    client = Client(cast("Transport", transport), Limiter(RATE), Identity(job.contact, None))
    todo = uids.as_set(range(1, ENOUGH))
    engine = make_engine(job, client, _Counted(), todo, deliver=lambda _: None, emit=lambda _: None)
    asyncio.get_running_loop().call_later(seconds, lambda: engine.halt(HarvestError("enough")))
    await drive(engine)
    return transport.tally
