"""Other ELink clients at the same work: their CPU, and their use of the permitted rate.

Every client runs in its own process, against a cheap server in another, and must return the
existing links; a client that does not is reported. Measured:

- CPU seconds, user and system, of a client's process and its children, minus those of a run of one
  UID: per million links at 150 links per UID (related articles), and UIDs per CPU-second at 0.3
  (full texts). Responses are immediate here. This program sends eight requests at a time, the
  others as often as they permit themselves, since waiting costs no CPU.
- UIDs per second of full texts at NCBI's latencies and 10 permitted requests per second. The others
  send one request after the other: a few are timed, from the first request to the last response,
  without imports. This program sends requests while it waits: its rate is measured at the server,
  from the end of the first 20 % of the responses to the begin of the last, without start and tail.

Not measured: NCBI itself, faults, and output: the others return Python lists; this program writes
Parquet and commits, which its figures include.

`make .venv-conformance/run` creates the environment of the others; HARVESTER_PEERS_PYTHON names
another interpreter. `python -m benchmarks.peers` prints figures as JSON lines, for
`benchmarks.plot`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.answers import FEW, LINKS, Answers
from benchmarks.contestants import (
    BATCH,
    RATE,
    ROOT,
    Contestant,
    Ours,
    Peer,
    Work,
    expected,
    steady_rate,
)
from benchmarks.measure import Row
from benchmarks.server import serving

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LATENCIES = (0.8, 6.8, 13.0)
"""Seconds per response of NCBI: good day, median, bad day."""

PERMITTED = RATE * BATCH
"""UIDs per second permitted with an API key, at this batch size."""

REPEATS = 3
"""Runs per CPU measurement; the cheapest counts."""

FEW_REQUESTS = 3
"""Timed requests of clients that send one after the other."""

STEADY_REQUESTS = 300
"""Requests of this program: half a minute, of which 60 % count."""

MANY, SCARCE = (LINKS, "pubmed"), (FEW, "pmc")
"""Links per UID, and the target database."""

CPU_MANY, CPU_SCARCE, PACE = "CPU, related articles", "CPU, full texts", "pace"
UNITS = {
    CPU_MANY: "CPU-s per million links",
    CPU_SCARCE: "UIDs per CPU-second",
    PACE: "UIDs per second",
}

MISSING = "the other clients are not there; `make .venv-conformance/run` installs them"


@dataclass(frozen=True, slots=True)
class Entry:
    """A client, and the amount of work at which its CPU is measurable."""

    client: Contestant
    many: int
    scarce: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One result.

    Attributes:
        client: and its version.
        measure: a key of `UNITS`.
        latency: seconds for an answer, of a pace.
        value: None where the client could not do it.
        note: why not, or a remark.
        on_many: a pace on related articles, of a client that cannot do full texts.
    """

    client: str
    version: str
    measure: str
    latency: float | None
    value: float | None
    note: str
    on_many: bool = False

    def row(self) -> Row:
        after = ", related articles" if self.on_many else ""
        after += "" if self.latency is None else f" at {self.latency:g} s per response"
        what = f"{f'{self.client} {self.version}'.strip()}: {self.measure}{after}"
        value = math.nan if self.value is None else self.value
        return Row(what, value, UNITS[self.measure], note=self.note)


def entries(python: str) -> list[Entry]:
    """Return all clients: this program, and the others with their interpreter."""
    requests = (
        (Peer("Biopython", "biopython", python), 10, 50),
        (Peer("EDirect", "edirect", python), 5, 10),
        (Peer("entrezpy", "entrezpy", python), 10, 10),
        (Peer("eutils", "eutils", python), 10, 50),
        (Peer("metapub, one UID per call", "metapub", python, batch=1), 100, 100),
    )
    others = [Entry(one, many * one.batch, few * one.batch) for one, many, few in requests]
    return [Entry(Ours(10_000, ("--concurrency", "8")), 40_000, 400_000), *others]


def cpu(entry: Entry, measure: str, url: str) -> Figure:
    """Return the CPU cost of a client's work without start-up."""
    (links, db), uids = (MANY, entry.many) if measure == CPU_MANY else (SCARCE, entry.scarce)
    client = entry.client
    work = client.work(url, db, uids)
    if work.trouble:
        return _unable(client, work, measure)
    runs = [work, *(client.work(url, db, uids) for _ in range(REPEATS - 1))]
    starts = [client.work(url, db, 1) for _ in range(REPEATS)]
    spent = min(run.cpu for run in runs) - min(start.cpu for start in starts)
    note = _note(work, Answers(links), uids)
    value = spent / (work.links - starts[0].links) * 1e6 if measure == CPU_MANY else uids / spent
    return Figure(client.name, work.version, measure, None, value, note)


def pace(entry: Entry, latency: float) -> Figure:
    """Return the UIDs per second of a client."""
    if isinstance(entry.client, Ours):
        return _steady_pace(Ours(), latency)
    return _pace_in_turn(entry.client, latency)


def _steady_pace(ours: Ours, latency: float) -> Figure:
    links, db = SCARCE
    uids = STEADY_REQUESTS * ours.batch
    with serving(links, latency) as url:
        work = ours.work(url, db, uids)
        value = steady_rate(url, STEADY_REQUESTS) * ours.batch
    note = _note(work, Answers(links), uids)
    return Figure(ours.name, work.version, PACE, latency, value, note)


def _pace_in_turn(
    client: Contestant, latency: float, workload: tuple[float, str] = SCARCE
) -> Figure:
    """Return the rate of a client that sends one request after the other."""
    links, db = workload
    uids = FEW_REQUESTS * client.batch
    with serving(links, latency) as url:
        work = client.work(url, db, uids)
    if work.trouble and workload == SCARCE:
        return _pace_in_turn(client, latency, MANY)
    if work.trouble:
        return _unable(client, work, PACE, latency)
    note = _note(work, Answers(links), uids)
    value = uids / work.seconds
    return Figure(client.name, work.version, PACE, latency, value, note, workload == MANY)


def _unable(client: Contestant, work: Work, measure: str, latency: float | None = None) -> Figure:
    return Figure(client.name, work.version, measure, latency, None, f"cannot: {work.trouble}")


def _note(work: Work, answers: Answers, uids: int) -> str:
    """Return a note on the returned links."""
    there = expected(answers, uids, merged=work.merged)
    short = f"brings {work.links} links of {there}" if work.links != there else ""
    merged = "links of a batch merged, pairs lost" if work.merged else ""
    return "; ".join(filter(None, [work.trouble, short, merged]))


def figures(clients: Iterable[Entry], latencies: Iterable[float] = LATENCIES) -> Iterator[Figure]:
    """Yield all figures as they are measured."""
    clients = list(clients)
    for measure, (links, _) in ((CPU_MANY, MANY), (CPU_SCARCE, SCARCE)):
        with serving(links) as url:
            for entry in clients:
                yield cpu(entry, measure, url)
    for latency in latencies:
        # They wait so long that the start of another client does not matter.
        with ThreadPoolExecutor(1 if latency < 5 else len(clients)) as pool:
            yield from pool.map(partial(pace, latency=latency), clients)


def rows() -> Iterator[Row]:
    python = interpreter()
    if python is None:
        print(f"skipped: {MISSING}")
        return
    for figure in figures(entries(python)):
        yield figure.row()


def interpreter() -> str | None:
    """Return the other clients' interpreter, or None."""
    usual = str(ROOT / ".venv-conformance" / "bin" / "python")
    python = Path(os.environ.get("HARVESTER_PEERS_PYTHON") or usual)
    # Not resolved: the link identifies the environment.
    return str(python.absolute()) if os.access(python, os.X_OK) else None


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--client", action="append", help="only clients whose name begins so")
    parser.add_argument("--latency", action="append", type=float, help="instead of NCBI's")
    options = parser.parse_args()
    python = interpreter()
    if python is None:
        sys.exit(MISSING)
    names = tuple(options.client or [""])
    chosen = [entry for entry in entries(python) if entry.client.name.startswith(names)]
    for figure in figures(chosen, options.latency or LATENCIES):
        print(json.dumps(asdict(figure)), flush=True)


if __name__ == "__main__":
    main()
