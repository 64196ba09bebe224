"""Runs ended before and after every step that touches the disk, and then completed."""

from __future__ import annotations

import random
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.fork_server import KillPoint
from support.harness import assert_polite
from support.kill_schedule import run_all, spread
from support.manifests import assert_absent_or_exact, assert_exact_manifest
from support.short_runs import FORMS, KINDS, ShortRun, uninterrupted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from support.fork_server import ForkServer
    from support.servers import Servers

    from .conftest import KillCount

KILL = (signal.SIGKILL,)
SIGNALS = (
    (signal.SIGTERM,),
    (signal.SIGINT,),
    (signal.SIGTERM, signal.SIGTERM),
    (signal.SIGINT, signal.SIGINT),
)


def kill_points(steps: Iterable[str], signals: tuple[int, ...] = KILL) -> list[KillPoint]:
    """Return the points before and after each step, and for a kill in the middle of a write."""
    taken: Counter[str] = Counter()
    found = []
    for kind in steps:
        taken[kind] += 1
        torn = kind.startswith("write ") and signals == KILL
        ways = ("before", "after", "torn") if torn else ("before", "after")
        found += [KillPoint(kind, taken[kind], when, signals) for when in ways]
    return found


def sample(found: Sequence[KillPoint], count: int) -> list[KillPoint]:
    """Return `count` kill points: of each kind in turn, spread over the run."""
    return spread(found, count, lambda kill_point: (kill_point.kind, kill_point.when))


def exit_codes(short_run: ShortRun, kill_point: KillPoint) -> set[int]:
    """Return the exit codes a run may have that reached a kill point.

    A signal may also arrive when all is done, or before it is handled.
    """
    first = kill_point.signals[0]
    return {-first} if kill_point.signals == KILL else {128 + first, -first, short_run.code}


def kill_then_finish(
    short_run: ShortRun,
    fork_server: ForkServer,
    out: Path,
    points: Sequence[KillPoint],
    *,
    resumes: bool,
) -> int:
    """Kill a run at each point in turn, then let the command complete it.

    Returns:
        The number of points that were reached: the number of steps varies with time, and a run
        that completes another has fewer.
    """
    short_run.prepare(fork_server, out)
    reached = 0
    for kill_point in points:
        ended = fork_server.run(
            short_run.command(out), kill_point, root=str(out), **short_run.often
        )
        came = ended.steps.count(kill_point.kind) >= kill_point.nth
        assert ended.code in (exit_codes(short_run, kill_point) if came else {short_run.code}), (
            ended.output
        )
        assert_polite(ended.output)
        assert_absent_or_exact(out)
        reached += came
    finish(short_run, fork_server, out, resumes=resumes)
    return reached


def finish(short_run: ShortRun, fork_server: ForkServer, out: Path, *, resumes: bool) -> None:
    """Complete a run by the command or `resume`; assert exact results."""
    words = short_run.command(out, resumes=resumes and short_run.can_resume(out))
    finished = fork_server.run(words)
    assert_polite(finished.output)
    assert finished.code == short_run.code, finished.output
    short_run.assert_complete(out)
    assert_exact_manifest(out)


def steps_of(servers: Servers, short_run: ShortRun, base: Path) -> list[str]:
    """Return the steps of an uninterrupted run."""
    with servers.fork_server() as fork_server:
        return uninterrupted(short_run, fork_server, base / "uninterrupted").steps


def all_finish(
    servers: Servers, short_run: ShortRun, cases: Sequence[Sequence[KillPoint]], base: Path
) -> int:
    """Kill and complete a run per case, each in its own folder; every other one by `resume`.

    Returns:
        How many moments were reached.
    """

    def one(points: Sequence[KillPoint], number: int, fork_server: ForkServer) -> int:
        return kill_then_finish(
            short_run, fork_server, base / str(number), points, resumes=number % 2 == 1
        )

    return run_all(servers, cases, one)


def at_any_byte(servers: Servers, short_run: ShortRun, count: int) -> int:
    """End a run in the middle of a write, by limits of the file size.

    Returns:
        How many were: a run whose files all stay below that size has none of this.
    """
    chooser = random.Random(count)
    sizes = [round(2 ** chooser.uniform(6, 18)) for _ in range(count)]

    def one(most_bytes: int, number: int, fork_server: ForkServer) -> int:
        out = short_run.base / str(number)
        short_run.prepare(fork_server, out)
        ended = fork_server.run(short_run.command(out), most_bytes=most_bytes, **short_run.often)
        assert ended.code in (-signal.SIGXFSZ, short_run.code), ended.output
        assert_absent_or_exact(out)
        finish(short_run, fork_server, out, resumes=number % 2 == 1)
        return ended.killed

    killed = run_all(servers, sizes, one)
    assert killed >= count // 2
    return killed


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("kind", "count"), [("first", 10), ("retry", 4), ("sweeps", 4)])
def test_killed_at_some_moments(
    servers: Servers, tmp_path: Path, kill_count: KillCount, form: str, kind: str, count: int
) -> None:
    """Kill points of every kind, spread over the run."""
    short_run = ShortRun(servers, tmp_path, form, kind)
    steps = steps_of(servers, short_run, tmp_path)
    called = {step.split(" ")[0] for step in steps}
    assert {"open", "write", "fsync", "replace", "unlink", "sqlite"} <= called
    chosen = [[one] for one in sample(kill_points(steps), count)]
    reached = all_finish(servers, short_run, chosen, tmp_path)
    assert reached >= len(chosen) / 2
    kill_count["at a step"] += reached


@pytest.mark.parametrize("signals", SIGNALS[:2], ids=lambda signals: signals[0].name)
def test_asked_to_stop_at_some_moments(
    servers: Servers, tmp_path: Path, signals: tuple[int, ...]
) -> None:
    """Also while the folder is made, while parts are merged, and at the very end."""
    short_run = ShortRun(servers, tmp_path, "parquet", "first")
    found = kill_points(steps_of(servers, short_run, tmp_path), signals)
    chosen = [[one] for one in sample(found, 14)]
    assert all_finish(servers, short_run, chosen, tmp_path) >= 2


def test_status_after_a_kill_at_the_start(servers: Servers, tmp_path: Path) -> None:
    """While the folder is made, `status` answers or says that there is no harvest."""
    short_run = ShortRun(servers, tmp_path, "parquet", "first")
    steps = steps_of(servers, short_run, tmp_path)
    start = steps[: steps.index("replace .job.toml.tmp") + 1]
    found = sample(kill_points(kind for kind in start if "elsewhere" not in kind), 40)
    assert len(found) == 40

    def one(kill_point: KillPoint, number: int, fork_server: ForkServer) -> int:
        out = tmp_path / str(number)
        killed = fork_server.run(
            short_run.command(out), kill_point, root=str(out), **short_run.often
        )
        assert killed.code == -signal.SIGKILL
        said = fork_server.run(["status", out, "--json"])
        assert said.code in (0, 1, 2), said.output
        assert_polite(said.output)
        return 1

    assert run_all(servers, found, one) == len(found)


@pytest.mark.parametrize("form", FORMS)
def test_killed_in_the_midst_of_a_write(
    servers: Servers, tmp_path: Path, kill_count: KillCount, form: str
) -> None:
    """Also in the writes that SQLite makes at a commit."""
    kill_count["at a byte"] += at_any_byte(servers, ShortRun(servers, tmp_path, form, "first"), 4)


@pytest.mark.torture
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_every_kind_of_moment(
    servers: Servers, tmp_path: Path, kill_count: KillCount, kind: str, form: str
) -> None:
    """Before, in and after each kind of step, several times for frequent kinds."""
    short_run = ShortRun(servers, tmp_path, form, kind)
    found = sample(kill_points(steps_of(servers, short_run, tmp_path)), 140)
    reached = all_finish(servers, short_run, [[one] for one in found], tmp_path)
    assert reached >= len(found) / 2
    kill_count["at a step"] += reached


@pytest.mark.torture
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_byte(
    servers: Servers, tmp_path: Path, kill_count: KillCount, kind: str, form: str
) -> None:
    """The same at many more file sizes."""
    kill_count["at a byte"] += at_any_byte(servers, ShortRun(servers, tmp_path, form, kind), 40)


@pytest.mark.torture
@pytest.mark.parametrize("form", FORMS)
def test_killed_five_times_in_a_row(
    servers: Servers, tmp_path: Path, kill_count: KillCount, form: str
) -> None:
    """Runs that continue a killed run are killed too, several times in a row."""
    short_run = ShortRun(servers, tmp_path, form, "first")
    found = kill_points(steps_of(servers, short_run, tmp_path))
    chooser = random.Random(1)
    cases = [chooser.sample(found, 5) for _ in range(40)]
    kill_count["at a step"] += (reached := all_finish(servers, short_run, cases, tmp_path))
    assert reached >= len(cases)


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["first", "sweeps"])
@pytest.mark.parametrize("signals", SIGNALS, ids=lambda signals: "-".join(s.name for s in signals))
def test_asked_to_stop_at_every_kind_of_moment(
    servers: Servers, tmp_path: Path, signals: tuple[int, ...], kind: str
) -> None:
    """By one or two signals."""
    short_run = ShortRun(servers, tmp_path, "jsonl", kind)
    found = sample(kill_points(steps_of(servers, short_run, tmp_path), signals), 60)
    reached = all_finish(servers, short_run, [[one] for one in found], tmp_path)
    assert reached >= len(found) / 2
