"""Fail if a hot path became 20 % slower: `python -m benchmarks.guard`.

Each cost is measured as a ratio to a calibration loop that runs alternately with it, so that the
machine and its load matter little. The expected ratios are in `results/guard.json`; `--write`
replaces them. The paths are those of a response within this process.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import uvloop

from benchmarks.answers import FEW, FIRST, LINKS, UIDS, Answers
from benchmarks.engine import engine_alone
from harvester.cli.process import keep_memory
from harvester.eutils.elink.commands import Elink
from harvester.job.link import Link
from harvester.model.batch import Batch
from harvester.model.rows import RunLengthRows
from harvester.sources.text import read_lines
from harvester.store.sinks import make_sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harvester.job.cmds import Cmd
    from harvester.model.batch import Retmode
    from harvester.store.sinks import Sink

KNOWN = Path(__file__).with_name("results") / "guard.json"
GROWTH = 1.2
KINDS: tuple[tuple[Cmd, Retmode, float], ...] = (
    ("neighbor", "json", LINKS),
    ("neighbor", "json", FEW),
    ("neighbor", "xml", LINKS),
    ("neighbor_score", "json", LINKS),
    ("neighbor_score", "xml", LINKS),
)

LISTED = 200_000
TURNS = 40
"""Of each cost with the calibrating loop: the least of both counts, which is what they take when
nothing else is done."""


def main() -> None:
    keep_memory()
    found = {name: round(ratio(work), 3) for name, work in costs()}
    if sys.argv[1:] == ["--write"]:
        KNOWN.write_text(json.dumps(found, indent=1) + "\n")
        return
    known: dict[str, float] = json.loads(KNOWN.read_text())
    grown = [name for name in found if found[name] > known.get(name, 0.0) * GROWTH]
    for name, value in found.items():
        change = value / known[name] - 1 if name in known else float("nan")
        print(f"{name:<48} {value:8.3f} x the loop  {change:+6.0%}")
    if grown or set(found) != set(known):
        raise SystemExit(f"Grown by more than a fifth, or unknown: {', '.join(grown) or known}")


def ratio(work: Callable[[], object]) -> float:
    """Return the cost of some work in runs of the calibration loop."""
    taken, loops = [], []
    work()
    for _ in range(TURNS):
        loops.append(_seconds(calibrate))
        taken.append(_seconds(work))
    return min(taken) / min(loops)


def calibrate() -> None:
    """Run the calibration loop: objects, numbers and bytes."""
    total = 0
    for number in range(50_000):
        total += number * number % 7
    np.sort(np.arange(200_000)[::-1] % 9973)
    bytes(500_000).translate(None, b"0123456789")


def costs() -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield names, and work of some milliseconds."""
    for cmd, retmode, links in KINDS:
        answers, batch = Answers(links), Batch(np.arange(FIRST, FIRST + UIDS), retmode)
        body = answers(batch.uids.tolist(), xml=retmode == "xml", scores="score" in cmd)
        link = Link(dbfrom="pubmed", db=[answers.db], cmd=cmd, retmode=retmode)
        question = Elink(link)
        rows = RunLengthRows.concat([question.read(body, batch).rows] * 3)
        assert len(rows) == 3 * answers.total(range(FIRST, FIRST + UIDS))
        yield (
            f"read {cmd} {retmode}, {links} links per UID",
            partial(_read, question, body, batch, 1 if links >= 1 else 20),
        )
        if retmode == "json" and links >= 1:
            yield f"write {cmd} as Parquet", partial(_write, rows, make_sink("parquet", "zstd"))
            yield f"write {cmd} as JSON lines", partial(_write, rows, make_sink("jsonl", "none"))
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\n".join(b"%d" % uid for uid in range(FIRST, FIRST + LISTED)))
        file.flush()
        yield "load UIDs from text", partial(_load, file.name)
    yield "the engine", lambda: uvloop.run(engine_alone(500))


def _read(question: Elink, body: bytes, batch: Batch, times: int) -> None:
    for _ in range(times):
        question.read(body, batch)


def _write(rows: RunLengthRows, sink: Sink) -> None:
    sink.write(rows.to_tables(), _Nowhere())


def _load(name: str) -> None:
    assert sum(map(len, read_lines(name, "pubmed"))) == LISTED


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


class _Nowhere(io.BytesIO):
    """Stream that discards its bytes."""

    def write(self, data: Any) -> int:
        return memoryview(data).nbytes

    def close(self) -> None:
        pass


if __name__ == "__main__":
    main()
