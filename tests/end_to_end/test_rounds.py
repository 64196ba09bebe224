"""Hops with `repeat`: the levels of a breadth-first search, each UID requested once."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.fork_server import KillPoint
from support.harness import (
    LINKS,
    assert_polite,
    assert_same,
    expected_links,
    status,
    status_command,
    write_uids,
)
from support.kill_schedule import spread
from support.scenarios import Scenario
from support.schemas import assert_follows
from support.timing import ALWAYS, IMPATIENT

from harvester.emulator.graph.base import Family, Graph, Links
from harvester.emulator.utilities.ids import accession
from harvester.errors import FolderError
from harvester.store.reader import HarvestReader

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from support.servers import Servers

    from harvester.emulator import Emulator

NAME = "pubmed_pubmed_refs"
FOLLOW = ("--dbfrom=pubmed", "--db=pubmed", f"--linkname={NAME}")
ROUNDS = pa.schema([*LINKS, ("round", pa.int16())])
ROOTS = (1, 2, 3)
RECORDS = 400


class Sparse(Graph):
    """Random references among few records, with cycles, dead ends and unreachable records.

    Args:
        seed: of the links.
    """

    def __init__(self, seed: int) -> None:
        chooser = random.Random(seed)
        self.targets = {
            uid: chooser.sample(range(1, RECORDS + 1), chooser.choice([0, 0, 1, 2, 3]))
            for uid in range(1, RECORDS + 1)
        }
        self.targets[1] = [1, 5, 6, 7]

    def databases(self) -> Collection[str]:
        """Return none."""
        return ()

    def families(self, dbfrom: str, dbs: Collection[str] | None = None) -> Sequence[Family]:
        """Return the references, and the structures of each, which are not followed."""
        found = [Family("pubmed", "pubmed", NAME), Family("pubmed", "pmc", "pubmed_pmc")]
        return [one for one in found if one.dbfrom == dbfrom and (dbs is None or one.dbto in dbs)]

    def batch(self, family: Family, uids: NDArray[np.uint64]) -> Links:
        """Return the links of UIDs in one family."""
        lists = [self._links(family, uid) for uid in uids.tolist()]
        counts = np.array([len(one) for one in lists], np.int64)
        return Links(counts, np.array([to for one in lists for to in one], np.int64))

    def _links(self, family: Family, uid: int) -> list[int]:
        return self.targets.get(uid, []) if family.dbto == "pubmed" else [uid * 1000]

    def records(self, db: str) -> Sequence[int]:
        """Return the UIDs, descending."""
        del db
        return range(RECORDS, 0, -1)


def levels(targets: Mapping[int, Iterable[int]], roots: Iterable[int], most: int) -> list[set[int]]:
    """Return the levels of a breadth-first search, computed by a plain loop."""
    found, seen = [set(roots)], set(roots)
    while len(found) < most:
        following = {to for uid in found[-1] for to in targets.get(uid, ())} - seen
        if not following:
            break
        seen |= following
        found.append(following)
    return found


def truth(server: Emulator, expected: Sequence[set[int]]) -> pa.Table:
    """Return the expected rows of links with their rounds."""
    tables = []
    for number, members in enumerate(expected, 1):
        table = expected_links(server.graph, "pubmed", members, ("pubmed",), (NAME,))
        tables.append(table.append_column("round", pa.array([number] * len(table), pa.int16())))
    return pa.concat_tables(tables)


def rows(out: Path) -> pa.Table:
    """Return all rows of links; assert that columns and types are as documented."""
    tables = [ROUNDS.empty_table()]
    for path in sorted((out / "links").iterdir()):
        if path.suffix == ".parquet":
            table = pq.ParquetFile(path).read()
            assert table.schema.field("round").type == pa.int16()
            assert table.column_names == ROUNDS.names
            tables.append(table.cast(ROUNDS))
        else:
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            assert all(list(line) == ROUNDS.names for line in lines)
            tables.append(pa.Table.from_pylist(lines, ROUNDS))
    return pa.concat_tables(tables)


def assert_searched(
    out: Path, server: Emulator, roots: Iterable[int] = ROOTS, most: int = 99
) -> list[set[int]]:
    """Assert that the folder equals the search, level by level; return the levels."""
    graph = server.graph
    assert isinstance(graph, Sparse)
    expected = levels(graph.targets, roots, most)
    assert_same(rows(out), truth(server, expected))
    said = status(out)
    assert [one["uids"] for one in said["rounds"]] == list(map(len, expected))
    assert [one["done"] for one in said["rounds"]] == list(map(len, expected))
    counts = Counter(rows(out)["round"].to_pylist())
    assert [one["links"] for one in said["rounds"]] == [
        counts[number] for number in range(1, len(expected) + 1)
    ]
    assert said["uids"]["total"] == said["uids"]["done"] == sum(map(len, expected))
    assert said["state"] == "complete"
    assert HarvestReader.open(out).complete
    manifest = json.loads((out / "manifest.json").read_text())
    assert_follows("manifest", manifest)
    assert [(one["round"], one["uids"]) for one in manifest["rounds"]] == list(
        enumerate(map(len, expected), 1)
    )
    return expected


def words(folder: Path, server: Emulator, *options: object) -> list[object]:
    return [
        "run", "--ids", folder / "ids", *FOLLOW, "--base-url", server.base_url, "--rate=400",
        "--batch-size=7", "--max-attempts=2", "-o", folder / "out", *options,
    ]  # fmt: skip


def run(servers: Servers, folder: Path, server: Emulator, *options: object, code: int = 0) -> str:
    finished = servers.harvester(*words(folder, server, *options), patches=IMPATIENT | ALWAYS)
    assert finished.code == code, finished.err
    return finished.err


def asked(server: Emulator) -> int:
    return sum(entry.ids for entry in server.log if entry.utility == "elink")


def a_search(servers: Servers, folder: Path, seed: int, form: str) -> None:
    """Search until a round finds nothing new; each UID is requested once, a second run sends
    nothing.
    """
    server, out = servers.start(graph=Sparse(seed)), folder / "out"
    write_uids(folder / "ids", ROOTS)
    run(servers, folder, server, "--repeat=99", f"--format={form}")
    expected = assert_searched(out, server)
    assert len(expected) > 3
    assert asked(server) == sum(map(len, expected))
    before = asked(server)
    run(servers, folder, server, "--repeat=99", f"--format={form}")
    assert servers.harvester("resume", out).code == 0
    assert servers.harvester("verify", out, "--resample=20%").code == 0
    assert asked(server) - before <= RECORDS // 4
    assert "rounds" in status_command(out)
    shutil.copytree(out, folder / "handed", ignore=shutil.ignore_patterns("state.sqlite*", ".lock"))
    assert servers.harvester("verify", folder / "handed").code == 0


def more_rounds(servers: Servers, folder: Path) -> None:
    """N rounds are run; a larger N continues, a smaller one is refused."""
    server, out = servers.start(graph=Sparse(5)), folder / "out"
    write_uids(folder / "ids", ROOTS)
    total = 0
    for most in (2, 3, 6):
        run(servers, folder, server, f"--repeat={most}")
        total = sum(map(len, assert_searched(out, server, most=most)))
        assert asked(server) == total
    said = run(servers, folder, server, "--repeat=3", code=2)
    assert "rounds already" in said
    assert "repeat" in run(servers, folder, server, code=2)
    assert asked(server) == total
    assert_searched(out, server, most=6)


def a_hop_of_a_chain(servers: Servers, folder: Path, form: str) -> None:
    """As the first hop, and as a later one whose input arrives while it waits."""
    server, out = servers.start(graph=Sparse(6)), folder / "out"
    write_uids(folder / "ids", ROOTS)
    job = folder / "job.toml"
    job.write_text(
        f"[source]\nids = [{json.dumps(str(folder / 'ids'))}]\n"
        f"[output]\npath = {json.dumps(str(out))}\nformat = '{form}'\n"
        f"[server]\nbase_url = '{server.base_url}'\n[limits]\nrate = 400\nbatch_size = 7\n"
        f'[[hop]]\ndbfrom = "pubmed"\ndb = "pubmed"\nlinkname = "{NAME}"\n'
        f'[[hop]]\ndb = "pubmed"\nlinkname = "{NAME}"\nrepeat = 3\n'
        '[[hop]]\ndb = "pmc"\n'
    )
    for command in (["run", job], ["resume", out], ["run", job]):
        finished = servers.harvester(*command, patches=ALWAYS)
        assert finished.code == 0, finished.err
        graph = server.graph
        assert isinstance(graph, Sparse)
        first = {to for uid in ROOTS for to in graph.targets[uid]}
        expected = assert_searched(out / "hop-2", server, first, 3)
        reached = {to for members in expected for uid in members for to in graph.targets[uid]}
        assert status(out / "hop-3")["uids"]["linked"] == len(reached)
    total = len(ROOTS) + sum(map(len, expected)) + len(reached)
    assert asked(server) == total
    exported = servers.harvester("export", out, "--to=parquet", folder / "all.parquet")
    assert exported.code == 0, exported.err
    whole = pq.read_table(folder / "all.parquet")
    assert whole.num_rows == sum(status(out / f"hop-{hop}")["links"] for hop in (1, 2, 3))
    assert "round" not in whole.column_names  # only one of the hops has rounds


def of_accessions(servers: Servers, folder: Path) -> None:
    """The same with accessions as input and output."""
    server, out = servers.start(), folder / "out"
    texts = [accession("protein", uid) for uid in (1, 2, 3)]
    (folder / "ids").write_text("\n".join(texts))
    finished = servers.harvester(
        "run", "--ids", folder / "ids", "--dbfrom=protein", "--db=protein", "--idtype=acc",
        "--base-url", server.base_url, "--repeat=2", "--rate=400", "-o", out,
    )  # fmt: skip
    assert finished.code == 0, finished.err
    found = HarvestReader.open(out)
    table = pa.concat_tables(found.links())
    pairs = list(zip(*(table[k].to_pylist() for k in ("from_uid", "to_uid", "round")), strict=True))
    targets: dict[str, set[str]] = {}
    for uid in (1, 2, 3):
        for one in server.graph.links("protein", uid, "protein"):
            new = {accession("protein", to) for to in one.to_uids.tolist()}
            targets.setdefault(accession("protein", uid), set()).update(new)
    expected = set.union(*targets.values()) - set(texts)
    assert {one for one, _, number in pairs if number == 1} == {*targets}
    assert [one.uids for one in found.rounds] == [3, len(expected)]
    assert {one for one, _, number in pairs if number == 2} <= expected
    assert asked(server) == 3 + len(expected)


def without_an_answer(servers: Servers, folder: Path) -> None:
    """Records behind an unanswered UID are found once it is retried."""
    graph, out = Sparse(7), folder / "out"
    hidden = sorted(levels(graph.targets, ROOTS, 2)[1])[:2]
    sick = servers.start(graph=graph, faults=(f"short@{','.join(map(str, hidden))}",))
    write_uids(folder / "ids", ROOTS)
    run(servers, folder, sick, "--repeat=99", code=3)
    cut = {uid: tos for uid, tos in graph.targets.items() if uid not in hidden}
    before = levels(cut, ROOTS, 99)
    assert [one["uids"] for one in status(out)["rounds"]] == list(map(len, before))
    servers.stop(sick)
    server = servers.start(graph=graph, port=sick.port)
    run(servers, folder, server, "--repeat=99", "--retry-failed")
    reached = set[int]().union(*levels(graph.targets, ROOTS, 99))
    found = rows(out)
    assert_same(
        found.select(LINKS.names).cast(LINKS),
        expected_links(graph, "pubmed", reached, ("pubmed",), (NAME,)),
    )
    assert asked(server) == len(reached - set[int]().union(*before) | {*hidden})
    assert HarvestReader.open(out).complete


def a_longer_list(servers: Servers, folder: Path) -> None:
    """New input UIDs are searched from too; nothing is requested twice."""
    graph, out = Sparse(8), folder / "out"
    server = servers.start(graph=graph)
    write_uids(folder / "ids", ROOTS)
    run(servers, folder, server, "--repeat=99")
    first = set[int]().union(*levels(graph.targets, ROOTS, 99))
    new = next(uid for uid in range(1, RECORDS) if uid not in first and graph.targets[uid])
    write_uids(folder / "ids", [*ROOTS, new])
    said = run(servers, folder, server, "--repeat=99")
    assert "no longer in the input" not in said
    reached = first | set[int]().union(*levels(graph.targets, [new], 99))
    assert_same(
        rows(out).select(LINKS.names).cast(LINKS),
        expected_links(graph, "pubmed", reached, ("pubmed",), (NAME,)),
    )
    assert asked(server) == len(reached)


def killed_at_each_step(servers: Servers, folder: Path, form: str, count: int) -> None:
    """After a kill before, in or after any step, the same search completes; never too early."""
    server = servers.start(graph=Sparse(9))
    write_uids(folder / "ids", ROOTS)
    patches: dict[str, Any] = IMPATIENT | ALWAYS | {"harvester.store.compaction.MERGED_BYTES": 8000}
    with servers.fork_server() as fork_server:

        def command(root: Path) -> list[object]:
            line = words(folder, server, "--repeat=99", f"--format={form}")
            return [root / "out" if one == folder / "out" else one for one in line]

        root = folder / "0"
        whole = fork_server.run(command(root), root=str(root), patches=patches)
        assert whole.code == 0, whole.output
        assert_searched(root / "out", server)
        taken = Counter[str]()
        points = []
        for kind in whole.steps:
            taken[kind] += 1
            ways = ("before", "after", "torn") if kind.startswith("write ") else ("before", "after")
            points += [KillPoint(kind, taken[kind], when) for when in ways]
        reached = 0
        chosen = spread(points, count, lambda one: (one.kind, one.when))
        chooser = random.Random(1)
        chosen[count // 2 :] = chooser.sample(points, len(chosen) - count // 2)
        for number, point in enumerate(chosen, 1):
            root = folder / str(number)
            ended = fork_server.run(command(root), point, root=str(root), patches=patches)
            assert ended.killed or ended.code == 0, (str(point), ended.output)
            reached += ended.killed
            out = root / "out"
            begun = (out / "job.toml").is_file() and (out / "state.sqlite").is_file()
            if begun and is_complete(out):
                kept = pa.concat_tables(HarvestReader.open(out).links())
                assert_same(kept.cast(ROUNDS), rows(folder / "0" / "out"))
            resumes = number % 2 == 1 and begun
            finished = fork_server.run(
                ["resume", out] if resumes else command(root), patches=patches
            )
            assert_polite(finished.output)
            assert finished.code == 0, (str(point), finished.output)
            assert_searched(out, server)
        assert reached > count // 2


def is_complete(out: Path) -> bool:
    """Return whether a folder says that nothing is left; false while it has no state."""
    try:
        return HarvestReader.open(out).complete
    except FolderError as error:
        return "before its first commit" not in str(error)


def refused(servers: Servers, folder: Path) -> None:
    """Refused with one message and exit code 2, before any request."""
    server = servers.start(graph=Sparse(1))
    write_uids(folder / "ids", ROOTS)
    for options, word in (
        (("--repeat=0",), "repeat"),
        (("--repeat=2", "--db=pmc"), "one database"),
        (("--repeat=2", "--db=all"), "one database"),
        (("--repeat=2", "--cmd=ncheck"), "repeat"),
        (("--repeat=2", "--targets-only"), "targets_only"),
        (("--repeat=2", "--passes=2"), "passes"),
        (("--repeat=2", "--shard=1/2"), "shard"),
        (("--repeat=2", "--refresh=1"), "Rounds"),
        (("--repeat=2", "-o", "-"), "folder"),
    ):
        line = words(folder, server, *options)
        if "--cmd=ncheck" in options or "--db=all" in options:
            line.remove(f"--linkname={NAME}")
        finished = servers.harvester(*line)
        assert finished.code == 2, finished.err
        assert word in finished.err
    assert not server.log.entries
    assert not (folder / "out").exists()


SCENARIOS = [
    *(Scenario(a_search, seed, form) for seed, form in ((2, "parquet"), (3, "jsonl"))),
    Scenario(more_rounds),
    Scenario(a_hop_of_a_chain, "parquet"),
    Scenario(of_accessions),
    Scenario(without_an_answer),
    Scenario(a_longer_list),
    Scenario(refused),
    Scenario(killed_at_each_step, "parquet", 24),
    Scenario(killed_at_each_step, "jsonl", 10),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_targets_are_followed(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)


@pytest.mark.torture
def test_killed_at_very_many_steps(servers: Servers, tmp_path: Path) -> None:
    killed_at_each_step(servers, tmp_path, "parquet", 150)
