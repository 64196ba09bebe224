"""Clients, each in its own process: this program, and those of another environment."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from benchmarks.answers import FIRST, Answers
from benchmarks.measure import cpu_of
from benchmarks.server import answered

HARVESTER = (sys.executable, "-m", "harvester")
ROOT = Path(__file__).parents[1]
LIMIT_SECONDS = 600.0
DBFROM, BATCH, RATE = "pubmed", 200, 10


@dataclass(frozen=True, slots=True)
class Work:
    """The result of a client's run.

    Attributes:
        version: of the client.
        cpu: seconds, of its process and that process's children, start-up included.
        links: number of links returned.
        seconds: from the first question to the last answer, start-up excluded.
        merged: whether the pairs were lost.
        trouble: the exception that ended the client.
    """

    version: str
    cpu: float
    links: int
    seconds: float
    merged: bool = False
    trouble: str = ""


class Contestant(Protocol):
    """Interface of a client.

    Attributes:
        name: as it is printed.
        batch: UIDs per request.
    """

    @property
    def name(self) -> str: ...

    @property
    def batch(self) -> int: ...

    def work(self, url: str, db: str, uids: int) -> Work:
        """Request the links of `uids` UIDs."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another client: a module of `benchmarks.clients`, run by an interpreter with that client."""

    name: str
    module: str
    python: str
    batch: int = BATCH

    def work(self, url: str, db: str, uids: int) -> Work:
        with tempfile.TemporaryDirectory() as scratch:
            home = Path(scratch)
            command = [self.python, "-W", "ignore", "-m", "benchmarks.clients", self.module, url]
            command += [db, str(_listed(home, uids)), str(home / "told.json")]
            code, cpu = cpu_of(command, home, _env(home), LIMIT_SECONDS)
            if not (home / "told.json").exists():
                said = (home / "stderr").read_text(errors="replace").strip().splitlines()
                why = said[-1] if said else f"exit {code}"
                return Work("", cpu, 0, float("nan"), trouble=why)
            told = json.loads((home / "told.json").read_text())
        links = told["pairs"] + told["merged"]
        merged = bool(told["merged"])
        return Work(told["version"], cpu, links, told["seconds"], merged, told["raised"])


@dataclass(frozen=True, slots=True)
class Ours:
    """`harvester run`.

    Attributes:
        rate: requests per second.
        options: others of the command.
    """

    rate: float = RATE
    options: tuple[str, ...] = ()
    name: str = "harvester"
    batch: int = BATCH

    def work(self, url: str, db: str, uids: int) -> Work:
        with tempfile.TemporaryDirectory() as scratch:
            home = Path(scratch)
            command = self.command(url, db, home, uids)
            code, cpu = cpu_of(command, home, _env(home), LIMIT_SECONDS)
            trouble = f"exit {code}" if code else ""
            cpu_of([*HARVESTER, "status", "--json", "out"], home, _env(home), LIMIT_SECONDS)
            told = json.loads((home / "stdout").read_text())
        return Work(version("elink-harvester"), cpu, told["links"], float("nan"), trouble=trouble)

    def command(self, url: str, db: str, home: Path, uids: int) -> list[str]:
        """Return the command to run in a folder."""
        command = [*HARVESTER, "run", "--ids", str(_listed(home, uids)), "--dbfrom", DBFROM]
        command += ["--db", db, "--linkname", f"{DBFROM}_{db}", "--base-url", url]
        command += ["--rate", str(self.rate), "--batch-size", str(BATCH), *self.options]
        return [*command, "-o", "out", "-q"]


def expected(answers: Answers, uids: int, *, merged: bool) -> int:
    """Return the number of existing links; if merged, of distinct links per request."""
    asked = range(FIRST, FIRST + uids)
    if not merged:
        return answers.total(asked)
    return sum(len(answers.union(asked[at : at + BATCH])) for at in range(0, uids, BATCH))


def steady_rate(url: str, requests: int) -> float:
    """Return the requests per second between the first and the last 20 % of the responses."""
    times = answered(url)
    assert len(times) == requests, f"{len(times)} answers to {requests} batches"
    begin, end = requests // 5, requests * 4 // 5
    return (end - begin) / (times[end] - times[begin])


def _listed(home: Path, uids: int) -> Path:
    """Write a file of UIDs."""
    path = home / "uids.txt"
    path.write_text("\n".join(map(str, range(FIRST, FIRST + uids))))
    return path


def _env(home: Path) -> dict[str, str]:
    """Return an environment with its own home folder: no caches or rate limits of other runs."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    return env | {"PYTHONPATH": str(ROOT), "HOME": str(home), "NCBI_API_KEY": "a-key-of-benchmarks"}
