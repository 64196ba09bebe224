"""The cost of a commit in an object store, against an S3 server on this machine.

`python -m benchmarks.object_store` prints, for harvests of several sizes, the writes and the wall
time of a commit of 30,000 links, beside the time of the same commit into a folder.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.answers import LINKS, UIDS, Answers
from harvester.eutils.elink.commands import Elink
from harvester.job.link import Link
from harvester.model import uids
from harvester.model.batch import Batch
from harvester.model.outcomes import Outcome
from harvester.model.place import local
from harvester.model.schemas import answered_rows
from harvester.store.commit import Commit
from harvester.store.ledger import Ledger
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled

_TIMES = 9
_SIZES = (10_000, 1_000_000, 38_000_000)


def main() -> None:
    """Measure and print."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.object_store import Proxy, login, s3_server  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name, s3_server() as url, Proxy(url) as proxy:
        os.environ |= login(proxy.url, Path(name) / "cache")
        print("UIDs        into a folder    into the store    writes a commit    state")
        for size in _SIZES:
            folder, _, _ = _commits(Path(name) / f"folder-{size}", size, proxy)
            store, writes, state = _commits(local(f"s3://harvests/bench-{size}"), size, proxy)
            print(
                f"{size:<12,}{folder * 1e3:>9.0f} ms{store * 1e3:>15.0f} ms"
                f"{writes:>15.0f}{state / 1e6:>16.2f} MB"
            )


def _commits(folder: Path, size: int, proxy: object) -> tuple[float, float, int]:
    """Return the median seconds of a commit, its writes to the store, and bytes of the state."""
    drawn = np.flatnonzero(np.random.default_rng(0).random(2 * size) < 0.5)  # as PMIDs lie
    first = 2 * size
    new = np.arange(first, first + _TIMES * UIDS)
    seconds = []
    with Ledger(folder, make_sink("parquet", "zstd"), "pubmed") as ledger:
        ledger.input.add(uids.as_set(np.concatenate([drawn, new])))
        ledger.commit(Commit(settled=[Settled(Outcome.EMPTY, uids.as_set(drawn))]))
        before = proxy.writes  # type: ignore[attr-defined]
        for number in range(_TIMES):
            commit = _commit(first + number * UIDS)
            begun = time.perf_counter()
            ledger.commit(commit)
            seconds.append(time.perf_counter() - begun)
        writes = proxy.writes - before  # type: ignore[attr-defined]
        return statistics.median(seconds), writes / _TIMES, len(ledger.state.serialized())


def _commit(first: int) -> Commit:
    members = np.arange(first, first + UIDS)
    batch = Batch(members, "json")
    question = Elink(Link(dbfrom="pubmed", db=["pubmed"]))
    rows = question.read(Answers(LINKS)(members.tolist()), batch).rows
    table = answered_rows("pubmed", pa.array(members), np.full(UIDS, LINKS))
    return Commit(rows, table, [Settled(Outcome.LINKED, uids.as_set(members))])


if __name__ == "__main__":
    main()
