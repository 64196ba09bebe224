"""Ended before and after every step that touches the disk, and taken up by the plain command."""

from __future__ import annotations

import random
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.fork_server import Moment
from support.harness import assert_polite
from support.kill_schedule import lead, spread
from support.short_runs import FORMS, KINDS, Patient, healthy

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from support.fork_server import Nursery
    from support.servers import Servers

    from .conftest import Deaths

KILL = (signal.SIGKILL,)
SIGNALS = (
    (signal.SIGTERM,),
    (signal.SIGINT,),
    (signal.SIGTERM, signal.SIGTERM),
    (signal.SIGINT, signal.SIGINT),
)


def moments(steps: Iterable[str], signals: tuple[int, ...] = KILL) -> list[Moment]:
    """Before and after each step; to be killed, a write also half done."""
    taken: Counter[str] = Counter()
    found = []
    for kind in steps:
        taken[kind] += 1
        torn = kind.startswith("write ") and signals == KILL
        ways = ("before", "after", "torn") if torn else ("before", "after")
        found += [Moment(kind, taken[kind], when, signals) for when in ways]
    return found


def sample(found: Sequence[Moment], count: int) -> list[Moment]:
    """So many moments: of each kind in turn, spread over the run."""
    return spread(found, count, lambda moment: (moment.kind, moment.when))


def ends(patient: Patient, moment: Moment) -> set[int]:
    """How a run may end that came to a moment: at once, or as the command does when asked to.

    A signal may also come so late that all is done, or before anybody heeds it.
    """
    first = moment.signals[0]
    return {-first} if moment.signals == KILL else {128 + first, -first, patient.code}


def survive(
    patient: Patient, nursery: Nursery, out: Path, deaths: Sequence[Moment], *, resumes: bool
) -> int:
    """End a run at each moment in turn, then let the command as it is bring it to its end.

    Returns:
        How many of the moments were reached: the clock has a say in how many steps there are, and
        a run that takes up another has fewer.
    """
    patient.prepare(nursery, out)
    reached = 0
    for moment in deaths:
        life = nursery.raise_one(patient.command(out), moment, root=str(out), **patient.often)
        came = life.steps.count(moment.kind) >= moment.nth
        assert life.code in (ends(patient, moment) if came else {patient.code}), life.said
        assert_polite(life.said)
        reached += came
    finish(patient, nursery, out, resumes=resumes)
    return reached


def finish(patient: Patient, nursery: Nursery, out: Path, *, resumes: bool) -> None:
    """Let the command, or `resume`, bring a run to its end; then all is as it has to be."""
    words = patient.command(out, resumes=resumes and patient.can_resume(out))
    finished = nursery.raise_one(words)
    assert_polite(finished.said)
    assert finished.code == patient.code, finished.said
    patient.assert_well(out)


def steps_of(servers: Servers, patient: Patient, base: Path) -> list[str]:
    """The steps of a run that nothing befalls."""
    with servers.nursery() as nursery:
        return healthy(patient, nursery, base / "healthy").steps


def all_survive(
    servers: Servers, patient: Patient, lives: Sequence[Sequence[Moment]], base: Path
) -> int:
    """Each in a folder of its own; every other one is taken up by `resume`.

    Returns:
        How many moments were reached.
    """

    def one(deaths: Sequence[Moment], number: int, nursery: Nursery) -> int:
        return survive(patient, nursery, base / str(number), deaths, resumes=number % 2 == 1)

    return lead(servers, lives, one)


def at_any_byte(servers: Servers, patient: Patient, count: int) -> int:
    """Ended by the system in the midst of a write, when a file would grow past some size.

    Returns:
        How many were: a run whose files all stay below that size has none of this.
    """
    chooser = random.Random(count)
    sizes = [round(2 ** chooser.uniform(6, 18)) for _ in range(count)]

    def one(most_bytes: int, number: int, nursery: Nursery) -> int:
        out = patient.base / str(number)
        patient.prepare(nursery, out)
        life = nursery.raise_one(patient.command(out), most_bytes=most_bytes, **patient.often)
        assert life.code in (-signal.SIGXFSZ, patient.code), life.said
        finish(patient, nursery, out, resumes=number % 2 == 1)
        return life.killed

    killed = lead(servers, sizes, one)
    assert killed >= count // 2
    return killed


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "count"), [("first", 10), ("retry", 4), ("sweeps", 4)])
def test_killed_at_some_moments(
    servers: Servers, tmp_path: Path, deaths: Deaths, form: str, kind: str, count: int
) -> None:
    """Moments of every kind, spread over the run."""
    patient = Patient(servers, tmp_path, form, kind)
    steps = steps_of(servers, patient, tmp_path)
    called = {step.split(" ")[0] for step in steps}
    assert {"open", "write", "fsync", "replace", "unlink", "sqlite"} <= called
    chosen = [[one] for one in sample(moments(steps), count)]
    reached = all_survive(servers, patient, chosen, tmp_path)
    assert reached >= len(chosen) / 2
    deaths["at a step"] += reached


@pytest.mark.parametrize("signals", SIGNALS[:2], ids=lambda signals: signals[0].name)
def test_asked_to_stop_at_some_moments(
    servers: Servers, tmp_path: Path, signals: tuple[int, ...]
) -> None:
    """Also as the folder is made, while parts are merged, and at the very end."""
    patient = Patient(servers, tmp_path, "parquet", "first")
    found = moments(steps_of(servers, patient, tmp_path), signals)
    chosen = [[one] for one in sample(found, 14)]
    assert all_survive(servers, patient, chosen, tmp_path) >= 2


def test_status_after_a_death_at_the_start(servers: Servers, tmp_path: Path) -> None:
    """While the folder is made `status` answers, or says in a sentence that there is nothing."""
    patient = Patient(servers, tmp_path, "parquet", "first")
    steps = steps_of(servers, patient, tmp_path)
    start = steps[: steps.index("replace .job.toml.tmp") + 1]
    found = sample(moments(kind for kind in start if "elsewhere" not in kind), 40)
    assert len(found) == 40

    def one(moment: Moment, number: int, nursery: Nursery) -> int:
        out = tmp_path / str(number)
        killed = nursery.raise_one(patient.command(out), moment, root=str(out), **patient.often)
        assert killed.code == -signal.SIGKILL
        said = nursery.raise_one(["status", out, "--json"])
        assert said.code in (0, 1, 2), said.said
        assert_polite(said.said)
        return 1

    assert lead(servers, found, one) == len(found)


@pytest.mark.parametrize("form", FORMS)
def test_killed_in_the_midst_of_a_write(
    servers: Servers, tmp_path: Path, deaths: Deaths, form: str
) -> None:
    """Also of those that SQLite makes as it commits."""
    deaths["at a byte"] += at_any_byte(servers, Patient(servers, tmp_path, form, "first"), 4)


@pytest.mark.torture
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_every_kind_of_moment(
    servers: Servers, tmp_path: Path, deaths: Deaths, kind: str, form: str
) -> None:
    """Before, after and in the midst; of what is done often, so many times."""
    patient = Patient(servers, tmp_path, form, kind)
    found = sample(moments(steps_of(servers, patient, tmp_path)), 140)
    reached = all_survive(servers, patient, [[one] for one in found], tmp_path)
    assert reached >= len(found) / 2
    deaths["at a step"] += reached


@pytest.mark.torture
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_byte(
    servers: Servers, tmp_path: Path, deaths: Deaths, kind: str, form: str
) -> None:
    """The same at many more."""
    deaths["at a byte"] += at_any_byte(servers, Patient(servers, tmp_path, form, kind), 40)


@pytest.mark.torture
@pytest.mark.parametrize("form", FORMS)
def test_death_upon_death(servers: Servers, tmp_path: Path, deaths: Deaths, form: str) -> None:
    """Runs that are killed as they take up a killed run, several times in a row."""
    patient = Patient(servers, tmp_path, form, "first")
    found = moments(steps_of(servers, patient, tmp_path))
    chooser = random.Random(1)
    lives = [chooser.sample(found, 5) for _ in range(40)]
    deaths["at a step"] += (reached := all_survive(servers, patient, lives, tmp_path))
    assert reached >= len(lives)


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["first", "sweeps"])
@pytest.mark.parametrize("signals", SIGNALS, ids=lambda signals: "-".join(s.name for s in signals))
def test_asked_to_stop_at_every_kind_of_moment(
    servers: Servers, tmp_path: Path, signals: tuple[int, ...], kind: str
) -> None:
    """Once or twice."""
    patient = Patient(servers, tmp_path, "jsonl", kind)
    found = sample(moments(steps_of(servers, patient, tmp_path), signals), 60)
    reached = all_survive(servers, patient, [[one] for one in found], tmp_path)
    assert reached >= len(found) / 2
