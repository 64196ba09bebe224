"""Parse the kept responses of a harvest again, without any request."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harvester.errors import BadInput, RequestFailed
from harvester.eutils.elink.commands import Elink, schema_of
from harvester.model import uids
from harvester.model.batch import Batch
from harvester.model.delivery import AnsweredUids
from harvester.store.commit import build_commit
from harvester.store.compaction import merge_small_parts
from harvester.store.counted import counted
from harvester.store.folder import disk_errors
from harvester.store.ledger import Ledger
from harvester.store.manifest import write_manifest
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled, fold
from harvester.store.unanswered import write_unanswered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harvester import events
    from harvester.job.model import Job
    from harvester.model.answer import Answer
    from harvester.store.state_reader import Part

_ROWS, _ANSWERS = 4 << 20, 1000
"""Rows, and answers, at which a part is written."""


def reparse(job: Job, emit: events.Listener = lambda _: None) -> int:
    """Rebuild the links and outcomes of a harvest from its kept responses.

    Args:
        job: job kept in the folder, with absolute paths.
        emit: receives the progress.

    Returns:
        Rows of links written.

    Raises:
        BadInput: no responses were kept, or the harvest has several passes or was refreshed.
        FolderError: the folder is in use or damaged.
    """
    folder, link = Path(job.output.path), job.link
    if not job.output.keep_raw:
        raise BadInput(f"{folder} has no kept responses; they are kept with --keep-raw.")
    if job.limits.passes > 1:
        raise BadInput(f"{folder} has several passes, which `reparse` cannot merge.")
    if link.repeat > 1:
        raise BadInput(f"{folder} has rounds (repeat), which `reparse` cannot repeat.")
    sink = make_sink(job.output.format, job.output.codec)
    with (
        disk_errors(folder),
        Ledger(folder, sink, link.dbfrom, schema_of(link), link.idtype) as ledger,
    ):
        if ledger.state.refresh() is not None or ledger.state.get("refreshed"):
            raise BadInput(f"{folder} was refreshed (--refresh), which `reparse` cannot repeat.")
        question = Elink(link, ledger.input.identifiers)
        return rewrite(ledger, _pieces(_answers(question, ledger, emit)))


def rewrite(ledger: Ledger, pieces: Iterable[Sequence[Answer]]) -> int:
    """Replace all links and outcomes by those of some answers, in one transaction.

    UIDs without an answer keep their outcomes.

    Args:
        ledger: folder of the harvest.
        pieces: answers, those of a part together.

    Returns:
        Rows of links written.
    """
    old = ledger.state.parts("links", "uids")
    new: list[Part] = []
    settled: list[Settled] = []
    ledger.reset_targets()
    for answers in pieces:
        deliveries = [AnsweredUids(one.answered, one.counts, one.rows) for one in answers]
        commit = build_commit(deliveries, ledger.dbfrom, ledger.input.identifiers)
        new += ledger.write(commit)
        settled = fold([*settled, *commit.settled])
    answered = uids.union(one.uids for one in settled)
    left = [replace(one, uids=one.uids - answered) for one in ledger.state.unanswered()]
    settled += [one for one in left if one.uids]
    ledger.state.replace_all(old_parts=old, new_parts=new, settled=settled)
    ledger.parts.delete(old)
    merge_small_parts(ledger)
    write_unanswered(ledger)
    write_manifest(ledger)
    return sum(part.rows for part in new if part.kind == "links")


def _answers(question: Elink, ledger: Ledger, emit: events.Listener) -> Iterator[Answer]:
    """Yield the result of each kept response: for a UID, the first answer with links, if any."""
    linked = uids.as_set()
    for answer in _read(question, ledger, emit):
        linked |= uids.as_set(answer.answered[answer.counts > 0])
    taken = uids.as_set()
    for answer in _read(question, ledger, emit):
        empty = answer.counts == 0
        known = uids.as_array(linked if empty.any() else uids.as_set())
        mine = ~(empty & np.isin(answer.answered, known))
        mine &= ~np.isin(answer.answered, uids.as_array(taken & uids.as_set(answer.answered)))
        chosen = answer.answered[mine]
        if len(chosen):
            taken |= uids.as_set(chosen)
            yield answer.only(chosen)


def _read(question: Elink, ledger: Ledger, emit: events.Listener) -> Iterator[Answer]:
    kept = sum(part.rows for part in ledger.state.parts("raw"))
    for table in counted(ledger.read_raw(), kept, emit, "response"):
        for row in table.to_batches(max_chunksize=1):
            (one,) = row.to_pylist()
            batch = Batch(np.array(one["asked"], np.int64), one["retmode"])
            try:
                yield question.read(one["body"], batch)
            except RequestFailed:
                continue  # it was no whole answer during the harvest, either


def _pieces(answers: Iterator[Answer]) -> Iterator[list[Answer]]:
    """Yield lists of answers, each of about one part."""
    held: list[Answer] = []
    for answer in answers:
        held.append(answer)
        if sum(len(one.rows) for one in held) >= _ROWS or len(held) >= _ANSWERS:
            yield held
            held = []
    if held:
        yield held
