"""`--refresh`: a folder holds the newest answer of each UID, never mixed with an older one."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.fork_server import KillPoint
from support.harness import (
    LINKS,
    assert_exact,
    assert_polite,
    assert_same,
    digests,
    expected_links,
    harvester,
    rows,
    status,
    write_uids,
)
from support.kill_schedule import spread
from support.scenarios import Scenario
from support.timing import ALWAYS, IMPATIENT

from harvester.emulator import SeededGraph
from harvester.emulator.graph.base import Family, Links
from harvester.emulator.utilities.ids import accession
from harvester.model import uids as sets
from harvester.store.state import State
from harvester.store.state_reader import SettledAt

from .test_merge import contents

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from pathlib import Path

    from numpy.typing import NDArray
    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 121)
CHANGED = range(1, 121, 3)
PUBMED = ("--dbfrom=pubmed", "--db=pmc")
DAY = 86_400_000


class Edited(SeededGraph):
    """A graph in which some UIDs have the links of another seed, and some links are hidden.

    Args:
        seed: of the usual links.
        other: seed of the links of `changed`.
        changed: the UIDs.
    """

    def __init__(self, seed: int, other: int = 0, changed: Collection[int] = ()) -> None:
        super().__init__(seed)
        self._other = SeededGraph(other)
        self._changed = np.array(sorted(changed), np.uint64)
        self.hidden: set[tuple[int, int]] = set()
        self.hidden_once: set[tuple[int, int]] = set()

    def batch(self, family: Family, uids: NDArray[np.uint64]) -> Links:
        """Return the links of each UID."""
        counts, tos = [], []
        usual, other = super().batch(family, uids), self._other.batch(family, uids)
        is_other = np.isin(uids, self._changed)
        ends = [np.cumsum(links.counts) for links in (usual, other)]
        for place, uid in enumerate(uids.tolist()):
            source, end = (other, ends[1]) if is_other[place] else (usual, ends[0])
            mine = source.to_uids[end[place] - source.counts[place] : end[place]].tolist()
            kept = [to for to in mine if not self._hides(uid, to)]
            counts.append(len(kept))
            tos += kept
        return Links(np.array(counts, np.int64), np.array(tos, np.int64))

    def _hides(self, uid: int, to: int) -> bool:
        if (uid, to) in self.hidden_once:
            self.hidden_once.remove((uid, to))
            return True
        return (uid, to) in self.hidden


def words(folder: Path, server: Emulator, *options: object) -> list[object]:
    return [
        "run", "--ids", folder / "ids", "--base-url", server.base_url, "--rate=400",
        "--batch-size=10", "--max-attempts=2", "-o", folder / "out", *options,
    ]  # fmt: skip


def run(servers: Servers, folder: Path, server: Emulator, *options: object, code: int = 0) -> str:
    finished = servers.harvester(*words(folder, server, *options), patches=IMPATIENT | ALWAYS)
    assert finished.code == code, finished.err
    return finished.err


def truth(server: Emulator, uids: Iterable[int] = UIDS) -> pa.Table:
    return expected_links(server.graph, "pubmed", uids, ("pmc",))


def by_uid(table: pa.Table) -> dict[int, set[tuple[Any, ...]]]:
    found: dict[int, set[tuple[Any, ...]]] = {}
    for row in table.to_pylist():
        found.setdefault(row["from_uid"], set()).add(tuple(row.values()))
    return found


def replaced(servers: Servers, old: Emulator, graph: SeededGraph, **settings: Any) -> Emulator:
    """Start another server at the address of an earlier one."""
    servers.stop(old)
    return servers.start(graph=graph, port=old.port, **settings)


def newest_answers(servers: Servers, folder: Path, form: str) -> None:
    """All UIDs are requested once, and those that seem to have lost links a second time."""
    server, out = servers.start(graph=SeededGraph(1)), folder / "out"
    write_uids(folder / "ids", UIDS)
    options = (*PUBMED, f"--format={form}")
    run(servers, folder, server, *options)
    old = truth(server)
    server = replaced(servers, server, Edited(1, 2, CHANGED))
    more = [*UIDS, 5_000, 40_000_000]
    write_uids(folder / "ids", more)
    said = run(servers, folder, server, *options, "--refresh=0")
    new = truth(server, more)
    assert_exact(out, "pubmed", more, new)
    before, now = by_uid(old), by_uid(truth(server))
    keys = [
        {uid: {row[1:5] for row in links} for uid, links in side.items()} for side in (before, now)
    ]
    lost = [uid for uid in UIDS if keys[0].get(uid, set()) - keys[1].get(uid, set())]
    assert 0 < len(lost) <= len(CHANGED)
    assert sum(entry.ids for entry in server.log) == len(more) + len(lost)
    sides = [{row for links in side.values() for row in links} for side in keys]
    added, removed = len(sides[1] - sides[0]), len(sides[0] - sides[1])
    assert f"{len(UIDS)} UIDs asked again: {added:,} links added, {removed:,} removed" in said
    assert status(out)["state"] == "complete"
    assert status(out)["refreshing"] is None
    kept, asked = digests(out), len(server.log)
    for again in (["--refresh=1"], []):
        run(servers, folder, server, *options, *again)
        assert digests(out) == kept
    assert len(server.log) == asked
    assert servers.harvester("verify", out).code == 0


def lost_links(servers: Servers, folder: Path) -> None:
    """A link that one of two readings lacks stays; one that both lack is removed."""
    graph, out = Edited(1), folder / "out"
    server = servers.start(graph=graph)
    write_uids(folder / "ids", UIDS)
    run(servers, folder, server, *PUBMED)
    old = truth(server)
    links = [(row["from_uid"], row["to_uid"]) for row in old.to_pylist()]
    alone = [link for link in links if Counter(links)[link] == 1]
    graph.hidden = set(alone[::7])
    once = set(alone[3::7])
    new = truth(server)
    graph.hidden_once = set(once)
    run(servers, folder, server, *PUBMED, "--refresh=0")
    assert not graph.hidden_once
    keys = [set(zip(*(t[k].to_pylist() for k in LINKS.names[1:5]), strict=True)) for t in
            (rows(out, "links"), new)]  # fmt: skip
    assert keys[0] == keys[1]
    assert once <= {(row[0], row[3]) for row in keys[0]}
    assert not graph.hidden & {(row[0], row[3]) for row in keys[0]}
    assert new.num_rows == old.num_rows - len(graph.hidden)


def only_the_old(servers: Servers, folder: Path) -> None:
    """UIDs answered within DAYS are not requested; DAYS may be a fraction."""
    server, out = servers.start(graph=SeededGraph(1)), folder / "out"
    write_uids(folder / "ids", UIDS)
    run(servers, folder, server, *PUBMED)
    now = time.time_ns() // 1_000_000
    ages = {day: range(start, 121, 4) for start, day in ((1, 0.2), (2, 1.5), (3, 40.0), (4, 2.9))}
    with closing(sqlite3.connect(out / "state.sqlite")) as database:
        database.execute("DELETE FROM settled_at")
        database.commit()
    with closing(State(out / "state.sqlite")) as state:
        times = [SettledAt(now - int(day * DAY), sets.as_set(some)) for day, some in ages.items()]
        state.commit([], [], times=times)
    server = replaced(servers, server, SeededGraph(1))
    asked = 0
    for days, older in ((50, ()), (30, (40.0,)), (2.5, (2.9,)), (0.5, (1.5,)), (0.1, (0.2,))):
        run(servers, folder, server, *PUBMED, f"--refresh={days}")
        asked += sum(len(ages[age]) for age in older)
        assert sum(entry.ids for entry in server.log) == asked, days
    assert_exact(out, "pubmed", UIDS, truth(server))


def of_an_earlier_version(servers: Servers, folder: Path) -> None:
    """A folder without times of answers: the end of its last run counts."""
    server, out = servers.start(graph=SeededGraph(1)), folder / "out"
    write_uids(folder / "ids", UIDS)
    run(servers, folder, server, *PUBMED)
    with closing(sqlite3.connect(out / "state.sqlite")) as database:
        database.execute("DROP TABLE settled_at")
        database.commit()
    server = replaced(servers, server, SeededGraph(2))
    run(servers, folder, server, *PUBMED, "--refresh=1")
    assert not server.log.entries
    run(servers, folder, server, *PUBMED, "--refresh=0")
    assert_exact(out, "pubmed", UIDS, truth(server))


def without_an_answer(servers: Servers, folder: Path) -> None:
    """A UID without a new answer keeps its old one whole; the next refresh requests it."""
    gone, never = (7, 11), (20, 21)
    server, out = servers.start(graph=SeededGraph(1), faults=(short(*never),)), folder / "out"
    write_uids(folder / "ids", UIDS)
    run(servers, folder, server, *PUBMED, code=3)
    old = truth(server)
    server = replaced(servers, server, SeededGraph(2), faults=(short(*gone, never[0]),))
    said = run(servers, folder, server, *PUBMED, "--refresh=0", code=3)
    assert "3 UIDs gave no new answer and kept what they had" in said
    new = truth(server)
    mixed = [
        row for side, table in enumerate((old, new)) for row in table.to_pylist()
        if (row["from_uid"] in gone) == (side == 0) and row["from_uid"] != never[0]
    ]  # fmt: skip
    assert_same(rows(out, "links"), pa.Table.from_pylist(mixed, LINKS))
    assert (out / "unanswered.txt").read_text() == "20\n"
    assert status(out)["uids"]["missing"] == 1
    server = replaced(servers, server, SeededGraph(2))
    run(servers, folder, server, *PUBMED, "--refresh=0")
    assert_exact(out, "pubmed", UIDS, truth(server))


def short(*uids: int) -> str:
    """Return the fault that leaves UIDs out of every answer."""
    return f"short@{','.join(map(str, uids))}"


def like_a_new_one(servers: Servers, folder: Path, *options: str) -> None:
    """After a refresh the rows equal those of a new harvest."""
    server = servers.start(graph=SeededGraph(1), llinkslib=True)
    write_uids(folder / "ids", UIDS)
    if "--idtype=acc" in options:
        (folder / "ids").write_text("\n".join(accession("protein", uid) for uid in UIDS))
    run(servers, folder, server, *options)
    before = contents(folder / "out", "links")
    server = replaced(servers, server, SeededGraph(2), llinkslib=True)
    finished = servers.harvester("resume", folder / "out", "--refresh=0")
    assert finished.code == 0, finished.err
    shutil.move(folder / "out", folder / "refreshed")
    run(servers, folder, server, *options)
    for kind in ("links", "uids"):
        assert contents(folder / "refreshed", kind) == contents(folder / "out", kind)
    if not {"--cmd=llinks", "--cmd=ncheck"} & {*options}:  # those do not depend on the seed
        assert contents(folder / "out", "links") != before
    if "--keep-raw" in options:
        assert servers.harvester("reparse", folder / "refreshed").code == 2


def refused(servers: Servers, folder: Path) -> None:
    """Refused with one message and exit code 2, before any request."""
    server = servers.start()
    write_uids(folder / "ids", UIDS)
    (folder / "job.toml").write_text('[[hop]]\ndbfrom="gene"\ndb="protein"\n[[hop]]\ndb="taxonomy"')
    for options, word in (
        ((*PUBMED, "--refresh=-1"), "--refresh"),
        ((*PUBMED, "--refresh=nan"), "number of days"),
        ((*PUBMED, "--refresh=soon"), "--refresh"),
        ((*PUBMED, "--refresh=1", "--targets-only"), "targets_only"),
        (("--dbfrom=pubmed", "--db=pmc", "--cmd=neighbor_history", "--refresh=1"), "sets"),
        ((*PUBMED, "--refresh=1", "-o", "-"), "folder"),
        ((folder / "job.toml", "--refresh=1"), "hop by hop"),
    ):
        finished = harvester(*words(folder, server, *options))
        assert finished.code == 2, finished.err
        assert word in finished.err
    assert not server.log.entries
    assert not (folder / "out").exists()


def killed_at_each_step(servers: Servers, folder: Path, form: str, count: int) -> None:
    """Readers get all old answers or all new ones; the command or `resume` completes."""
    server = servers.start(graph=SeededGraph(1))
    write_uids(folder / "ids", UIDS)
    options = (*PUBMED, f"--format={form}")
    run(servers, folder, server, *options)
    shutil.move(folder / "out", folder / "before")
    old = truth(server)
    server = replaced(servers, server, Edited(1, 2, CHANGED))
    new = truth(server)
    patches = (
        IMPATIENT
        | ALWAYS
        | {
            "harvester.runs.readings.ROWS": 300,
            "harvester.store.compaction.MERGED_BYTES": 8000,
        }
    )
    with servers.fork_server() as fork_server:

        def command(root: Path) -> list[object]:
            line = words(folder, server, *options, "--refresh=0")
            return [root / "out" if one == folder / "out" else one for one in line]

        def prepared(number: int) -> Path:
            root = folder / str(number)
            shutil.copytree(folder / "before", root / "out")
            return root

        root = prepared(0)
        whole = fork_server.run(command(root), root=str(root), patches=patches)
        assert whole.code == 0, whole.output
        assert_exact(root / "out", "pubmed", UIDS, new)
        taken = Counter[str]()
        points = []
        for kind in whole.steps:
            taken[kind] += 1
            ways = ("before", "after", "torn") if kind.startswith("write ") else ("before", "after")
            points += [KillPoint(kind, taken[kind], when) for when in ways]
        reached = 0
        for number, point in enumerate(spread(points, count, lambda one: (one.kind, one.when)), 1):
            root = prepared(number)
            ended = fork_server.run(command(root), point, root=str(root), patches=patches)
            assert ended.killed or ended.code == 0, (str(point), ended.output)
            reached += ended.killed
            assert_old_or_new(root / "out", old, new, str(point))
            then = ["resume", root / "out"] if number % 2 else command(root)
            begun = status(root / "out")["refreshing"] is not None
            finished = fork_server.run(then, patches=patches)
            assert_polite(finished.output)
            assert finished.code == 0, (str(point), finished.output)
            if begun or number % 2 == 0:
                assert_exact(root / "out", "pubmed", UIDS, new)
            else:
                assert_old_or_new(root / "out", old, new, str(point))
            assert not (root / "out" / "sweeps").exists()
        assert reached > count // 2


def assert_old_or_new(out: Path, old: pa.Table, new: pa.Table, what: str) -> None:
    """Assert that the committed rows equal one of two tables."""
    parts = [name for name in status(out)["parts"] if name.startswith("links/")]
    if parts[0].endswith(".parquet"):
        table = pa.concat_tables(pq.ParquetFile(out / name).read().cast(LINKS) for name in parts)
    else:
        copy = out.parent / "links-only"
        (copy / "links").mkdir(parents=True, exist_ok=True)
        for name in parts:
            shutil.copy(out / name, copy / name)
        table = rows(copy, "links")
        shutil.rmtree(copy)
    order = [(name, "ascending") for name in LINKS.names]
    found = table.sort_by(order)
    assert any(found.equals(one.sort_by(order)) for one in (old, new)), what


SCENARIOS = [
    Scenario(newest_answers, "parquet"),
    Scenario(newest_answers, "jsonl"),
    Scenario(lost_links),
    Scenario(only_the_old),
    Scenario(of_an_earlier_version),
    Scenario(without_an_answer),
    Scenario(like_a_new_one, "--dbfrom=pubmed", "--cmd=acheck"),
    Scenario(like_a_new_one, "--dbfrom=pubmed", "--cmd=ncheck", "--format=jsonl"),
    Scenario(like_a_new_one, "--dbfrom=pubmed", "--cmd=llinks"),
    Scenario(
        like_a_new_one, "--dbfrom=pubmed", "--db=pubmed", "--cmd=neighbor_score", "--keep-raw"
    ),
    Scenario(like_a_new_one, "--dbfrom=protein", "--db=nuccore", "--idtype=acc"),
    Scenario(like_a_new_one, "--dbfrom=pubmed", "--db=pmc", "--passes=2"),
    Scenario(refused),
    Scenario(killed_at_each_step, "parquet", 24),
    Scenario(killed_at_each_step, "jsonl", 12),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_folder_is_kept_current(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)


@pytest.mark.torture
def test_killed_at_very_many_steps(servers: Servers, tmp_path: Path) -> None:
    killed_at_each_step(servers, tmp_path, "parquet", 150)
