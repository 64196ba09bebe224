"""Run a client in a process against an emulator with a fault, and judge its result."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.conformance.outcome import DB, DBFROM, KEY, LINKNAME, Outcome
from benchmarks.conformance.rows import LINKED
from benchmarks.conformance.scoring import Ran, Score, score
from harvester.emulator import EmulatorConfig, SeededGraph, TableGraph, background, truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from benchmarks.conformance.rows import Row
    from harvester.emulator import Graph

LIMIT_SECONDS = 90.0
"""Seconds after which a client is stopped. (This program's request timeout is 60 s.)"""

OURS = "outcome.json"
"""File that `ask` writes; all other files in the folder are the client's."""

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class ClientResult:
    """The worst result of a client's runs of one row.

    Attributes:
        score: the verdict.
        leaked: where the API key was seen: `terminal`, `file`.
        met: whether any request met the fault.
        lines: what it wrote to stderr, numbers left out.
    """

    score: Score
    leaked: frozenset[str]
    met: bool
    lines: frozenset[str]


@dataclass(frozen=True)
class ComparedClient:
    """A client, and the interpreter of its environment."""

    name: str
    python: str

    def version(self) -> str | None:
        """Return the client's version, or None if it is not installed."""
        code = f"from benchmarks.conformance.clients.{self.name} import version; print(version())"
        ran = subprocess.run(
            [self.python, "-W", "ignore", "-c", code],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.stdout.strip() if ran.returncode == 0 else None

    def run(self, row: Row, usual: Iterable[str] = ()) -> ClientResult:
        """Run each fault of a row, once per seed.

        Args:
            row: faults to be met, one at a time.
            usual: lines that the client writes to stderr when all is well.
        """
        each = [
            self._once(row, fault, seed, frozenset(usual))
            for fault in row.faults or [""]
            for seed in row.seeds
        ]
        worst = max(each, key=lambda result: (result.score.verdict, result.score.harm))
        leaked = frozenset[str]().union(*(result.leaked for result in each))
        return replace(worst, leaked=leaked, met=all(result.met for result in each))

    def _once(self, row: Row, fault: str, seed: int, usual: frozenset[str]) -> ClientResult:
        faults = (row.spec(fault),) if fault else ()
        config = EmulatorConfig(
            rate=None,
            seed=seed,
            graph=graph(),
            faults=faults,
            api_keys=row.api_keys,
            outage=row.outage,
        )
        with tempfile.TemporaryDirectory() as scratch, background(config) as server:
            home = Path(scratch)
            ran, lines = self._run(server.base_url, row.uids, home, usual)
            name = fault.partition(":")[0]
            met = not fault or any(entry.fault == name for entry in server.log)
            judged = score(links(server.graph, row.uids), ran)
            return ClientResult(judged, leaks(home), met, lines)

    def _run(
        self, url: str, uids: Sequence[str], home: Path, usual: frozenset[str]
    ) -> tuple[Ran, frozenset[str]]:
        """Run the client in an empty folder, which is also its home."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        env |= {"PYTHONPATH": str(ROOT), "HOME": str(home), "NCBI_API_KEY": KEY}
        command = [self.python, "-m", "benchmarks.conformance.ask", self.name, url, OURS]
        with (home / "stdout").open("wb") as out, (home / "stderr").open("wb") as err:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                cwd=home,
                env=env,
                start_new_session=True,
            )
            try:
                process.communicate(" ".join(uids).encode(), timeout=LIMIT_SECONDS)
                stopped = False
            except subprocess.TimeoutExpired:
                stopped = True
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        text = (home / "stderr").read_text(errors="replace").replace(str(home), "")
        lines = frozenset(re.sub(r"\d[\d,.:]*", "#", line).strip() for line in text.split("\n"))
        said = bool(lines - usual - {""})
        if stopped:
            return Ran(stopped=True, said=said), lines
        told = json.loads((home / OURS).read_text())
        if "raised" in told:
            return Ran(raised=told["raised"], exit=process.returncode, said=said), lines
        return Ran(Outcome(**told), said=said), lines


@cache
def graph() -> Graph:
    """Return a graph with related articles of some UIDs; all others have none."""
    uids = [int(uid) for uid in LINKED]
    return TableGraph(truth(SeededGraph(1), DBFROM, uids, {DB}, {LINKNAME}))


def links(graph: Graph, uids: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """Return the linked UIDs of each UID."""
    table = truth(graph, DBFROM, [int(uid) for uid in uids], {DB}, {LINKNAME})
    found: dict[str, set[str]] = {uid: set() for uid in uids}
    for row in table.select(["from_uid", "to_uid"]).to_pylist():
        found[str(row["from_uid"])].add(str(row["to_uid"]))
    return {uid: frozenset(to) for uid, to in found.items()}


def leaks(home: Path) -> frozenset[str]:
    """Return where a client wrote the API key: terminal or file."""
    return frozenset(
        "terminal" if path.name in ("stdout", "stderr") and path.parent == home else "file"
        for path in home.rglob("*")
        if path.is_file() and path.name != OURS and KEY.encode() in path.read_bytes()
    )


def compared_clients(python: str, names: Iterable[str]) -> list[ComparedClient]:
    """Return all clients: this program here, the others with another interpreter."""
    theirs = str(Path(python).absolute())  # not resolved: the link identifies the environment
    return [
        ComparedClient(name, sys.executable if name == "harvester" else theirs) for name in names
    ]
