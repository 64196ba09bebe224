"""Probe of a job: a few ELink requests for UIDs spread over the input, to measure a plan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harvester.errors import RequestFailed
from harvester.model.batch import Batch
from harvester.runs.plan_estimates import Expected
from harvester.wording import count

if TYPE_CHECKING:
    from harvester.client.client import Client
    from harvester.eutils.question import Question
    from harvester.model.batch import Retmode
    from harvester.model.uids import UidArray, UidSet

REQUESTS = 5
"""Maximum ELink requests of a probe; failed ones count too."""

BATCH = 100
"""UIDs per request of a probe."""


@dataclass(slots=True)
class _Measured:
    """Sums over the answered requests of a probe.

    Attributes:
        counts: links per UID; for a merged answer, per answer.
        bytes: of the responses.
        uids: number of UIDs requested.
        requests: number of answered requests.
    """

    counts: list[int]
    bytes: int = 0
    uids: int = 0
    requests: int = 0


async def probe(
    client: Client, question: Question, uids: UidSet, retmode: Retmode
) -> Expected | None:
    """Return links, sizes and latency measured with a sample of the UIDs.

    Args:
        client: sends the requests, within its rate limit.
        question: what to ask.
        uids: the input.
        retmode: form of the responses.

    Returns:
        What was measured; None if no request was answered.
    """
    measured, failures = _Measured([]), list[str]()
    for batch in sample(uids):
        permit = await client.permit()
        try:
            answer, body = await client.ask(question, Batch(batch, retmode), permit)
        except RequestFailed as failure:
            failures.append(failure.reason.rstrip("."))
            continue
        measured.requests += 1
        measured.bytes += len(body)
        measured.uids += len(batch)
        counts = answer.counts.tolist()
        # A merged answer has rows, and no counts of single UIDs.
        measured.counts += counts if any(counts) or not len(answer.rows) else [len(answer.rows)]
    if not measured.uids:
        return None
    return _expected(measured, failures)


def sample(uids: UidSet) -> list[UidArray]:
    """Return the batches of a probe: UIDs at equal distances, each batch over the whole range."""
    size = min(len(uids), REQUESTS * BATCH)
    places = np.unique(np.linspace(0, len(uids) - 1, size).round().astype(np.int64))
    chosen = np.array([uids[int(place)] for place in places], np.int64)
    batches = min(REQUESTS, math.ceil(len(chosen) / BATCH))
    return [chosen[first::batches] for first in range(batches)]


def _expected(measured: _Measured, failures: list[str]) -> Expected:
    counts = np.array(measured.counts, np.float64)
    mean = float(counts.sum()) / measured.uids
    error = float(counts.std()) / math.sqrt(len(counts)) if len(counts) > 1 else 0.0
    linked = np.count_nonzero(counts) / measured.uids
    asked = f"{measured.uids:,} UIDs in {count(measured.requests, 'ELink request')}"
    why = [
        f"{asked}: {mean:.3g} links per UID "
        f"(standard error {error:.2g}), {100 * linked:.0f} % of the UIDs have links"
    ]
    if failures:
        why.append(f"{count(len(failures), 'further request')} failed ({failures[-1]})")
    return Expected(mean, "probe", tuple(why), measured.bytes / measured.uids)
