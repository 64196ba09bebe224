"""Loss of power: any unsynced data may be lost; the harvest is completed exactly."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from support.child_process import committed
from support.disk_model import Disk, Drawn, nothing, whole
from support.fork_server import ForkServer
from support.harness import assert_polite
from support.kill_schedule import run_all, spread
from support.manifests import assert_absent_or_exact, assert_exact_manifest
from support.recording import notes, recorder
from support.short_runs import FORMS, KINDS, ShortRun

from harvester.errors import FolderError
from harvester.store.state_reader import FILE, StateReader

if TYPE_CHECKING:
    from pathlib import Path

    from support.disk_model import Fate
    from support.recording import Note
    from support.servers import Servers

PLACE = "night/out"
"""Path of the harvest; the folder above it does not exist and has to be made."""


@dataclass(frozen=True)
class Loss:
    """A point of a run at which power is lost.

    Attributes:
        after: number of calls before the loss.
        step: step of the next call.
        seed: seed of the fate of unsynced data; 0: all of it is lost, -1: nothing is lost, as
            if the process had been killed.
        kept: what was committed by then, as `committed` returns it; None for nothing.
        coming: what the next commit adds.
        ended: whether everything was committed, so that the harvest may count as complete.
    """

    after: int
    step: str
    seed: int
    kept: list[Any] | None = None
    coming: list[Any] | None = None
    ended: bool = False

    def __str__(self) -> str:
        return f"power lost after call {self.after}, before {self.step}, seed {self.seed}"

    @property
    def fate(self) -> Fate:
        """What happens to unsynced data."""
        return {0: nothing, -1: whole}.get(self.seed) or Drawn(self.seed)


@dataclass(frozen=True)
class Recorded:
    """An uninterrupted run, call by call.

    Attributes:
        before: the disk before the run.
        notes: the calls that changed it.
        kept: what was committed before the run.
    """

    before: Disk
    notes: list[Note]
    kept: list[Any] | None

    def losses(self, count: int) -> list[Loss]:
        """Return `count` points of all kinds, and some more after the end."""
        chooser, found = random.Random(count), list[Loss]()
        marks = [place for place, note in enumerate(self.notes) if note.kind == "mark"]
        after_all = replace(self.notes[-1], kind="", path="")
        for after, note in enumerate([*self.notes, after_all]):
            past = [place for place in marks if place < after]
            kept = self._told(past[-1]) if past else self.kept
            coming = self._told(marks[len(past)]) if len(past) < len(marks) else kept
            loss = Loss(after, note.step, 0, kept, coming, ended=past == marks)
            seeds = [0, *(chooser.randrange(1, 1 << 30) for _ in range(2))]
            found += [replace(loss, seed=seed) for seed in seeds if note.kind != "mark"]
        chosen = spread(found, count, lambda loss: (loss.step, loss.seed == 0))
        ends = [replace(found[-1], seed=seed) for seed in range(-1, count // 10)]
        return sorted([*chosen, *ends], key=lambda loss: loss.after)

    def _told(self, place: int) -> list[Any]:
        told: list[Any] = json.loads(self.notes[place].to)
        return told

    def rebuild(self, losses: list[Loss], base: Path) -> list[Path]:
        """Write the disk as found after each loss, in order of time; return the folders."""
        disk, done, found = deepcopy(self.before), 0, []
        for number, loss in enumerate(losses):
            disk.apply(self.notes[done : loss.after])
            done = loss.after
            found.append(base / str(number))
            disk.write(found[-1], loss.fate, loss.seed)
        return found


def recorded(short_run: ShortRun, base: Path, recorder_library: Path) -> Recorded:
    """Record a run; check that the record accounts for every byte on the disk."""
    home = (base / "recorded").resolve()
    home.mkdir()
    out, log = home / PLACE, base / "notes"
    with ForkServer(LD_PRELOAD=str(recorder_library)) as fork_server:
        short_run.prepare(fork_server, out)
        kept, before = read(out), Disk(home)
        ended = fork_server.run(
            short_run.command(out), root=str(home), record=str(log), **short_run.often
        )
    assert ended.code == short_run.code, ended.output
    made = Recorded(before, notes(log, before.files), kept)
    (end,) = made.rebuild([Loss(len(made.notes), "", -1)], base / "end")
    assert contents(end) == contents(home), "the record is not whole"
    return made


def contents(folder: Path) -> dict[Path, bytes]:
    """Return all files below a folder."""
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def read(out: Path) -> list[Any] | None:
    """Return what is committed; None if there is no state yet."""
    if not (out / "job.toml").exists():
        return None
    try:
        with StateReader(out / FILE) as state:
            found: list[Any] = json.loads(json.dumps(committed(state)))
            return found
    except FolderError as error:
        if "stopped before its first commit" in str(error):
            return None
        raise


def all_recover(
    servers: Servers, base: Path, recorder_library: Path, short_run: ShortRun, count: int
) -> None:
    """Lose power at `count` points of a run, and some more after its end.

    What was committed is there, perhaps also the next commit; the command then completes it with
    the same result as without the loss.
    """
    run = recorded(short_run, base, recorder_library)
    losses = run.losses(count)
    folders = run.rebuild(losses, base / "losses")

    def recover(loss: Loss, number: int, fork_server: ForkServer) -> int:
        out = folders[number] / PLACE
        assert read(out) in (loss.kept, loss.coming)
        assert_absent_or_exact(out)
        if loss.ended:
            short_run.assert_complete(out)
        resumes = number % 2 == 1 and short_run.can_resume(out)
        ended = fork_server.run(short_run.command(out, resumes=resumes))
        assert_polite(ended.output)
        assert ended.code == short_run.code, ended.output
        short_run.assert_complete(out)
        assert_exact_manifest(out)
        return 1

    assert run_all(servers, losses, recover) == len(losses)


@pytest.fixture(scope="session")
def recorder_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The compiled recorder."""
    return recorder(tmp_path_factory.mktemp("recorder"))


@pytest.mark.parametrize("form", FORMS)
def test_power_is_lost_at_some_moments(
    servers: Servers, tmp_path: Path, recorder_library: Path, form: str
) -> None:
    """Points of every kind, spread over the run."""
    all_recover(servers, tmp_path, recorder_library, ShortRun(servers, tmp_path, form, "first"), 16)


@pytest.mark.torture
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_power_is_lost_at_many_moments(
    servers: Servers, tmp_path: Path, recorder_library: Path, kind: str, form: str
) -> None:
    """The same for all kinds of runs."""
    all_recover(servers, tmp_path, recorder_library, ShortRun(servers, tmp_path, form, kind), 150)
