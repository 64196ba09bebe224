"""An engine with a scripted transport on simulated time, and a record of its deliveries."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter
from harvester.engine.off_peak import Hours
from harvester.eutils.elink.commands import Elink
from harvester.eutils.identity import Identity
from harvester.job.model import Job
from harvester.model.delivery import AnsweredUids, UnansweredUids
from harvester.model.outcomes import Outcome
from harvester.model.uids import as_set
from harvester.runs.drive import drive, make_engine
from harvester.testing import ScriptedTransport, elink_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harvester.engine.engine import Engine
    from harvester.errors import HarvestError
    from harvester.events import Event
    from harvester.model.delivery import Delivery
    from harvester.testing import Answer, SentRequest

Script: TypeAlias = "Callable[[SentRequest], Answer]"
"""What the server answers to each request."""


def uids_of(request: SentRequest) -> list[int]:
    """Return the UIDs of a request."""
    return [int(uid) for uid in request.values("id")]


def linked(request: SentRequest) -> bytes:
    """Answer that each UID has one link, to ten times its number."""
    return elink_answer("pubmed", {uid: {"pubmed_pmc": [10 * uid]} for uid in uids_of(request)})


@dataclass
class EngineRun:
    """An engine, and what it did.

    Attributes:
        engine: as `make_engine` builds it.
        transport: records the requests.
        limiter: gives the permits.
        deliveries: all, in order.
        events: all, in order.
        began: the loop's time as it was built.
    """

    engine: Engine
    transport: ScriptedTransport
    limiter: Limiter
    deliveries: list[Delivery]
    events: list[Event]
    began: float

    async def drive(self) -> HarvestError | None:
        """Run the engine to its end, or until the task is cancelled."""
        return await drive(self.engine)

    @property
    def outcomes(self) -> dict[int, Outcome]:
        """UID → outcome. A UID with two outcomes is an error."""
        found: Counter[tuple[int, Outcome]] = Counter()
        for one in self.deliveries:
            match one:
                case AnsweredUids():
                    for uid, links in zip(one.uids.tolist(), one.counts.tolist(), strict=True):
                        found[uid, Outcome.LINKED if links else Outcome.EMPTY] += 1
                case UnansweredUids():
                    for uid in one.uids.tolist():
                        found[uid, one.outcome] += 1
        assert set(found.values()) <= {1}, "a UID was delivered twice"
        outcomes = dict(found.keys())
        assert len(outcomes) == len(found), "a UID has two outcomes"
        return outcomes

    def reasons(self) -> dict[int, str]:
        """Return the reason of each UID without an answer."""
        given_up = (one for one in self.deliveries if isinstance(one, UnansweredUids))
        return {uid: one.reason for one in given_up for uid in one.uids.tolist()}

    def times(self) -> list[float]:
        """Return the time of each request, in seconds since the engine was built."""
        return [request.at - self.began for request in self.transport.requests]


def engine_run(
    script: Script | Iterable[Answer],
    uids: Iterable[int],
    *,
    hours: Hours | None = None,
    pending: Callable[[], int] = lambda: 0,
    fed: bool = True,
    known: Iterable[int] = (),
    **limits: Any,
) -> EngineRun:
    """Build an engine inside the running loop.

    Args:
        script: of the transport.
        uids: to ask for.
        hours: when to ask; always, by default.
        pending: bytes of deliveries that are not on disk yet.
        fed: whether `uids` are all.
        known: UIDs answered in an earlier run.
        limits: of the job; by default 100 requests per second and 1 UID per request.
    """
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pmc"},
            "output": {"path": "-"},
            "limits": {"rate": 100, "batch_size": 1, "timeout": 60, "confirm_empty": 0} | limits,
            "server": {"base_url": "http://scripted/"},
        }
    )
    transport = ScriptedTransport(script)
    deliveries: list[Delivery] = []
    events: list[Event] = []
    limiter, identity = Limiter(job.limits.rate or 3.0), Identity(job.contact, None)
    client = Client(transport, limiter, identity)
    engine = make_engine(
        job,
        client,
        Elink(job.link),
        as_set(list(uids)),
        deliver=deliveries.append,
        pending=pending,
        emit=events.append,
        known=as_set(list(known)),
        hours=hours or Hours(bound=False),
        fed=fed,
    )
    began = asyncio.get_running_loop().time()
    return EngineRun(engine, transport, limiter, deliveries, events, began)
