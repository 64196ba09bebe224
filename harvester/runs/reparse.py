"""The links of a harvest made again from the answers that were kept, without asking anybody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harvester.errors import BadInput, RequestFailed
from harvester.eutils.elink.commands import Elink, schema_of
from harvester.model import uids
from harvester.model.batch import Batch
from harvester.store.folder import disk_errors
from harvester.store.ledger import Ledger
from harvester.store.sinks import make_sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.job.model import Job
    from harvester.model.answer import Answer

_ROWS, _ANSWERS = 4 << 20, 1000
"""Of a part written: about so many links, of so many answers at most."""


def reparse(job: Job) -> int:
    """Read all kept answers again and put what they say in place of the links of a folder.

    Args:
        job: as kept in the folder, with absolute paths.

    Returns:
        Links written.

    Raises:
        BadInput: no answers were kept, or of several passes.
        FolderError: the folder is in use or damaged.
    """
    folder, link = Path(job.output.path), job.link
    if not job.output.keep_raw:
        raise BadInput(f"{folder} keeps no answers: harvest with --keep-raw to parse them again.")
    if job.limits.passes > 1:
        raise BadInput(f"{folder} holds several passes, which only a harvest can unite.")
    sink = make_sink(job.output.format, job.output.codec)
    with (
        disk_errors(folder),
        Ledger(folder, sink, link.dbfrom, schema_of(link), link.idtype) as ledger,
    ):
        question = Elink(link, ledger.input.identifiers)
        return ledger.rewrite(_pieces(_answers(question, ledger)))


def _answers(question: Elink, ledger: Ledger) -> Iterator[Answer]:
    """What each kept answer settled: of a UID answered again, the first answer with links."""
    linked = uids.as_set()
    for answer in _read(question, ledger):
        linked |= uids.as_set(answer.answered[answer.counts > 0])
    taken = uids.as_set()
    for answer in _read(question, ledger):
        empty = answer.counts == 0
        known = uids.as_array(linked if empty.any() else uids.as_set())
        mine = ~(empty & np.isin(answer.answered, known))
        mine &= ~np.isin(answer.answered, uids.as_array(taken & uids.as_set(answer.answered)))
        chosen = answer.answered[mine]
        if len(chosen):
            taken |= uids.as_set(chosen)
            yield answer.only(chosen)


def _read(question: Elink, ledger: Ledger) -> Iterator[Answer]:
    for table in ledger.read_raw():
        for row in table.to_batches(max_chunksize=1):
            (one,) = row.to_pylist()
            batch = Batch(np.array(one["asked"], np.int64), one["retmode"])
            try:
                yield question.read(one["body"], batch)
            except RequestFailed:
                continue  # it was no answer then, either


def _pieces(answers: Iterator[Answer]) -> Iterator[list[Answer]]:
    """Answers that together make a part each."""
    held: list[Answer] = []
    for answer in answers:
        held.append(answer)
        if sum(len(one.rows) for one in held) >= _ROWS or len(held) >= _ANSWERS:
            yield held
            held = []
    if held:
        yield held
