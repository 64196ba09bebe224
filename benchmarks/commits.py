"""From answers in memory to a part and a record on disk: large and small commits.

Measures making the rows, encoding, syncing and the transaction, in CPU and in wall time; not the
requests. The floor of the large commit is encoding its rows alone.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from benchmarks.answers import FIRST, LINKS, UIDS, Answers
from benchmarks.measure import Row, nanoseconds
from harvester.eutils.elink.commands import Elink
from harvester.job.link import Link
from harvester.model import uids
from harvester.model.batch import Batch
from harvester.model.outcomes import Outcome
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import answered_rows
from harvester.store.commit import Commit
from harvester.store.ledger import Ledger
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANSWERS = 35
"""Answers of a large commit: about a million links."""

_TIMES = 9


def rows() -> Iterator[Row]:
    links = RunLengthRows.concat([_answer(number) for number in range(_ANSWERS)])
    floor = nanoseconds(
        lambda: make_sink("parquet", "zstd").write(links.to_tables(), _Memory()), len(links)
    )
    for name, found, count in (
        (f"a commit of {len(links):,} links", links, _ANSWERS * UIDS),
        ("a commit of 200 UIDs without links", None, UIDS),
    ):
        cpu, wall = _commits(found, count)
        if found is None:
            yield Row(name, cpu * 1e3, "ms of CPU", note=f"{wall * 1e3:.1f} ms of wall time")
        else:
            yield Row(name, cpu / len(found) * 1e9, "ns per link", floor)


def _answer(number: int) -> RunLengthRows:
    first = FIRST + number * UIDS
    batch = Batch(np.arange(first, first + UIDS), "json")
    link = Link(dbfrom="pubmed", db=["pubmed"])
    question = Elink(link)
    return question.read(Answers(LINKS)(batch.uids.tolist()), batch).rows


def _commits(links: RunLengthRows | None, count: int) -> tuple[float, float]:
    """Return the median CPU and wall seconds of one commit."""
    cpu, wall = [], []
    with tempfile.TemporaryDirectory() as scratch:
        sink = make_sink("parquet", "zstd")
        with Ledger(Path(scratch) / "out", sink, "pubmed") as ledger:
            for number in range(_TIMES):
                members = np.arange(count) + FIRST + number * count
                counts = np.full(count, LINKS if links is not None else 0)
                table = answered_rows("pubmed", pa.array(members), counts)
                outcome = Outcome.LINKED if links is not None else Outcome.EMPTY
                begun = time.process_time(), time.monotonic()
                settled = [Settled(outcome, uids.as_set(members))]
                ledger.commit(Commit(links, table, settled))
                cpu.append(time.process_time() - begun[0])
                wall.append(time.monotonic() - begun[1])
            assert sum(ledger.state.outcomes().values()) == count * _TIMES
    return statistics.median(cpu), statistics.median(wall)


class _Memory(io.BytesIO):
    """Buffer that keeps its bytes when the writer closes it."""

    def close(self) -> None:
        pass
