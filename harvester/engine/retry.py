"""Retry rules for failed and partial answers. Pure: batch and failure in, batches out.

The rules, in the order in which they apply to a UID:

- a request failed: retry the batch after a pause; from the third try on in halves, so that one
  bad UID does not affect the others; a single UID without attempts left has failed,
- an ERROR inside a LinkSet: the same for that UID,
- left out of an answer: retry in smaller and smaller batches, finally alone; then it is missing,
- no links: retry `confirm_empty` times.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harvester.client.backoff import backoff
from harvester.errors import Fault, RequestFailed, printable
from harvester.model.batch import other_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harvester.model.batch import Batch, Retmode
    from harvester.model.uids import UidArray

WHOLE_TRIES = 2
"""Tries of a batch before it is halved."""

_SHRINK = 4
"""Factor by which a batch of UIDs that were left out shrinks at each retry."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A batch to be retried after `delay` seconds."""

    batch: Batch
    delay: float


def after_failure(
    batch: Batch,
    failure: RequestFailed,
    max_attempts: int,
    roll: Callable[[], float] = random.random,
) -> list[Retry]:
    """Return the batches to retry after a failed request; none if a single UID has failed."""
    tries = batch.tries + 1
    alone = len(batch) == 1
    if alone and tries >= max_attempts:
        return []
    again = replace(batch, tries=tries, excused=0, retmode=_other_form(batch, failure))
    if alone or (tries < WHOLE_TRIES and failure.fault is not Fault.TOO_LARGE):
        pieces = [again]
    else:
        pieces = _pieces(again, batch.uids, (len(batch) + 1) // 2)
    pause = failure.retry_after or 0.0
    return [Retry(piece, pause + backoff(tries, roll)) for piece in pieces]


def after_excuse(
    batch: Batch, failure: RequestFailed, roll: Callable[[], float] = random.random
) -> list[Retry]:
    """Return the batch to send again after a failure that is not charged to its UIDs."""
    again = replace(batch, excused=batch.excused + 1)
    return [Retry(again, (failure.retry_after or 0.0) + backoff(again.excused, roll))]


def broken_part(batch: Batch, broken: Mapping[int, str]) -> tuple[Batch, RequestFailed] | None:
    """Return the UIDs whose LinkSets hold an ERROR as a failed batch."""
    if not broken:
        return None
    uids = np.array(sorted(broken), np.int64)
    text = broken[int(uids[0])]
    reason = printable(f"ERROR in its LinkSet: {text}")
    (part,) = _pieces(batch, uids, len(uids))
    return part, RequestFailed(Fault.LINKSET, reason)


def after_left_out(
    batch: Batch, left_out: UidArray, max_attempts: int, roll: Callable[[], float] = random.random
) -> list[Retry]:
    """Return the batches to retry for UIDs left out; none if a single UID is missing."""
    times = batch.left_out + 1
    if len(batch) == 1 and times >= max_attempts:
        return []
    size = 1 if times >= max_attempts - 1 else max(1, len(batch) // _SHRINK)
    again = replace(batch, left_out=times, excused=0)
    return [Retry(piece, backoff(times, roll)) for piece in _pieces(again, left_out, size)]


def after_empty(batch: Batch, empty: UidArray, confirm_empty: int) -> list[Retry]:
    """Return the batch to confirm that UIDs have no links; none if that is confirmed."""
    if batch.confirmed >= confirm_empty or not len(empty):
        return []
    again = replace(batch, uids=empty, confirmed=batch.confirmed + 1)
    return [Retry(again, backoff(again.confirmed))]


def _pieces(batch: Batch, uids: UidArray, size: int) -> list[Batch]:
    """Return the UIDs in batches of `size`; a UID that is newly alone has all its attempts."""
    pieces = [
        replace(batch, uids=uids[start : start + size]) for start in range(0, len(uids), size)
    ]
    newly_alone = len(batch) > 1
    return [replace(p, tries=0) if newly_alone and len(p) == 1 else p for p in pieces]


def _other_form(batch: Batch, failure: RequestFailed) -> Retmode:
    """Return the form for the next request: an unreadable response is retried in the other form."""
    return other_form(batch.retmode) if failure.unreadable else batch.retmode
