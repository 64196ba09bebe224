"""A finished harvest of any size, generated part by part, as input of other benchmarks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.job import load
from harvester.job.model import Job
from harvester.model import uids
from harvester.model.outcomes import Outcome
from harvester.model.schemas import NEIGHBOR_LINKS, answered_rows, constant, nulls
from harvester.store.ledger import Ledger
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PART_ROWS = 10_000_000
PER_UID = 100
"""Links of each input UID, as PubMed's related articles have (about 100 to 200)."""

RECORDS = 38_000_000
"""PMIDs from 1."""


def make(folder: Path, links: int, *, form: str = "parquet", two: bool = False) -> Path:
    """Write a harvest of related articles.

    Half of the targets are uniform, half are drawn so that low numbers are frequent: hubs.

    Args:
        folder: of the harvest; it is made.
        links: rows, a multiple of `PER_UID`.
        form: parquet or jsonl.
        two: whether a tenth of the links of each UID has a second linkname.
    """
    job = Job.model_validate(
        {"link": {"dbfrom": "pubmed"}, "output": {"path": folder, "format": form}}
    )
    sink = make_sink(job.output.format, job.output.codec)
    chooser = np.random.default_rng(1)
    with Ledger(folder, sink, "pubmed") as ledger:
        ledger.adopt(job.identity(), load.dump(job))
        ledger.input.add(uids.as_set(np.arange(1, links // PER_UID + 1)))
        ledger.input.end()
        for begin in range(0, links, PART_ROWS):
            rows = min(PART_ROWS, links - begin)
            froms = np.arange(begin // PER_UID, (begin + rows) // PER_UID) + 1
            ledger.state.commit(
                [
                    ledger.parts.write("links", [_links(froms, chooser, two=two)]),
                    ledger.parts.write("uids", [_outcomes(froms)]),
                ],
                [Settled(Outcome.LINKED, uids.as_set(froms))],
            )
        ledger.state.put(progress=json.dumps({"state": "complete"}))
    return folder


def _outcomes(froms: NDArray[np.int64]) -> pa.Table:
    return answered_rows("pubmed", pa.array(froms), np.full(len(froms), PER_UID))


def _links(froms: NDArray[np.int64], chooser: np.random.Generator, *, two: bool) -> pa.Table:
    rows = len(froms) * PER_UID
    skewed = (chooser.random((len(froms), PER_UID // 2)) ** 4 * RECORDS).astype(np.int64)
    uniform = chooser.integers(0, RECORDS, (len(froms), PER_UID - PER_UID // 2))
    targets = np.hstack([skewed, uniform]) + 1
    names = np.zeros((len(froms), PER_UID), np.int32)
    if two:
        tenth = PER_UID // 10
        names[:, -tenth:] = 1
        targets[:, -tenth:] = targets[:, :tenth]
    linknames = pa.DictionaryArray.from_arrays(
        pa.array(names.ravel()), ["pubmed_pubmed", "pubmed_pubmed_five"]
    )
    ranks = np.tile(np.arange(PER_UID, dtype=np.int32), len(froms))
    return pa.Table.from_arrays(
        [
            constant("pubmed", rows), pa.array(np.repeat(froms, PER_UID)),
            constant("pubmed", rows), linknames, pa.array(targets.ravel()),
            nulls(rows, pa.int64()), pa.array(ranks),
        ],
        schema=NEIGHBOR_LINKS,
    )  # fmt: skip
