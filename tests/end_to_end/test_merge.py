"""`harvester merge`: the shards of a job become one harvest, equal to an unsharded one."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from support.fork_server import KillPoint
from support.harness import (
    assert_exact,
    assert_polite,
    digests,
    expected_links,
    running,
    status,
    wait_until,
    write_uids,
)
from support.kill_schedule import spread
from support.scenarios import Scenario
from support.timing import ALWAYS, IMPATIENT

from harvester.emulator.utilities.ids import accession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 301)
COUNT = 3
PUBMED = ("--dbfrom=pubmed", "--db=pmc")


def harvest(
    servers: Servers, server: Emulator, folder: Path, *options: object, code: int = 0
) -> Path:
    """Run into a folder; its list is `ids` beside it."""
    words = [
        "run", "--ids", folder.parent / "ids", "--base-url", server.base_url, "--rate=400",
        "--batch-size=10", "--max-attempts=2", "-o", folder, *options,
    ]  # fmt: skip
    finished = servers.harvester(*words, patches=IMPATIENT | ALWAYS)
    assert finished.code == code, finished.err
    return folder


def shards_of(
    servers: Servers, server: Emulator, folder: Path, *options: object, code: int = 0
) -> list[Path]:
    """Return the folders of all shards of a job."""
    return [
        harvest(servers, server, folder / f"s{n}", *options, f"--shard={n}/{COUNT}", code=code)
        for n in range(1, COUNT + 1)
    ]


def contents(folder: Path, kind: str) -> list[str]:
    """Return all rows of a folder of Parquet or JSON lines, as sorted texts."""
    found: list[str] = []
    for path in sorted((folder / kind).iterdir()):
        if path.suffix == ".parquet":
            found += map(repr, pq.ParquetFile(path).read().to_pylist())
        else:
            found += [repr(json.loads(line)) for line in path.read_text().splitlines()]
    return sorted(found)


def exact(servers: Servers, folder: Path, form: str) -> None:
    """The result has each link of the graph once, and every later command accepts it."""
    server, out = servers.start(), folder / "out"
    ids = write_uids(folder / "ids", UIDS)
    shards = shards_of(servers, server, folder, *PUBMED, f"--format={form}")
    before = [digests(shard) for shard in shards]
    asked = len(server.log)
    merged = servers.harvester("merge", out, *reversed(shards))
    assert merged.code == 0, merged.err
    truth = expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    assert_exact(out, "pubmed", UIDS, truth)
    assert f"{truth.num_rows:,} links of 300 UIDs" in merged.err
    said = status(out)
    assert said["state"] == "complete"
    assert said["job"]["shard"] == "1/1"
    assert said["requests"]["sent"] == sum(entry.utility == "elink" for entry in server.log)
    kept = digests(out)
    for words in (
        ["merge", out, *shards],
        ["verify", out],
        ["resume", out, "--retry-failed"],
        ["run", "--ids", ids, *PUBMED, f"--format={form}", "--base-url", server.base_url,
         "-o", out],
    ):  # fmt: skip
        finished = servers.harvester(*words)
        assert finished.code == 0, finished.err
        assert digests(out) == kept
    assert len(server.log) == asked
    assert [digests(shard) for shard in shards] == before
    more = [*UIDS, 40_000_000]
    write_uids(ids, more)
    harvest(servers, server, out, *PUBMED, f"--format={form}")
    assert sum(entry.ids for entry in server.log) == len(more)
    assert_exact(out, "pubmed", more, expected_links(server.graph, "pubmed", more, ("pmc",)))


def like_one(servers: Servers, folder: Path, *options: str) -> None:
    """The rows equal those of one harvest of the whole list."""
    server = servers.start(llinkslib=True)
    write_uids(folder / "ids", UIDS)
    if "--idtype=acc" in options:
        (folder / "ids").write_text("\n".join(accession("protein", uid) for uid in UIDS))
    shards = shards_of(servers, server, folder, *options)
    whole = harvest(servers, server, folder / "whole", *options)
    out = folder / "out"
    merged = servers.harvester("merge", out, *shards)
    assert merged.code == 0, merged.err
    for kind in ("links",) if "--targets-only" in options else ("links", "uids"):
        assert contents(out, kind) == contents(whole, kind)
    assert status(out)["uids"] == status(whole)["uids"]
    if "--keep-raw" in options:
        assert servers.harvester("reparse", out).code == 0
        assert contents(out, "links") == contents(whole, "links")
        assert contents(out, "uids") == contents(whole, "uids")
    if "--passes=2" in options:
        counted = [
            sum(one["counts"]["both"] for one in agreement.values())
            for agreement in (_agreement(out), _agreement(whole))
        ]
        assert counted[0] == counted[1] > 0
    asked = len(server.log)
    assert servers.harvester("resume", out).code == 0
    assert len(server.log) == asked


def _agreement(folder: Path) -> dict[str, Any]:
    from harvester.store.reader import HarvestReader

    return dict(HarvestReader.open(folder).agreement["2"])


def unanswered(servers: Servers, folder: Path) -> None:
    """Missing UIDs stay missing, with exit code 3, and can be retried."""
    lost = (7, 11, 250)
    sick = servers.start(faults=(f"short@{','.join(map(str, lost))}",))
    write_uids(folder / "ids", UIDS)
    shards = [
        harvest(
            servers, sick, folder / f"s{n}", *PUBMED, f"--shard={n}/{COUNT}",
            code=3 if holds else 0,
        )
        for n, holds in enumerate(_holds(lost), 1)
    ]  # fmt: skip
    out = folder / "out"
    merged = servers.harvester("merge", out, *shards)
    assert merged.code == 3, merged.err
    assert (out / "unanswered.txt").read_text() == "7\n11\n250\n"
    assert status(out)["state"] == "complete_with_failures"
    assert status(out)["uids"]["missing"] == len(lost)
    assert len(contents(out, "uids")) == len(UIDS)
    servers.stop(sick)
    server = servers.start(port=sick.port)
    finished = servers.harvester("resume", out, "--retry-failed")
    assert finished.code == 0, finished.err
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))


def _holds(members: Sequence[int]) -> list[bool]:
    """Return whether a shard holds some UIDs, by SplitMix64 as folder.md states it."""
    found = {_splitmix64(uid) % COUNT for uid in members}
    return [index in found for index in range(COUNT)]


def _splitmix64(state: int) -> int:
    mask = 2**64 - 1
    mix = (state + 0x9E3779B97F4A7C15) & mask
    mix = ((mix ^ mix >> 30) * 0xBF58476D1CE4E5B9) & mask
    mix = ((mix ^ mix >> 27) * 0x94D049BB133111EB) & mask
    return mix ^ mix >> 31


def files_as_they_are(servers: Servers, folder: Path) -> None:
    """A file of the usual size is linked or copied, not rewritten."""
    server, out = servers.start(), folder / "out"
    write_uids(folder / "ids", UIDS)
    shards = shards_of(servers, server, folder, *PUBMED)
    merged = servers.harvester(
        "merge", out, *shards, patches={"harvester.store.compaction.MERGED_BYTES": 1000}
    )
    assert merged.code == 0, merged.err
    files = {path.stat().st_ino for path in (out / "links").iterdir()}
    assert files == {p.stat().st_ino for shard in shards for p in (shard / "links").iterdir()}
    for shard in shards:
        shutil.rmtree(shard)
    assert servers.harvester("verify", out).code == 0
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))


def refused(servers: Servers, folder: Path) -> None:
    """Each wrong shard is named with the reason; nothing is written."""
    server, other, out = servers.start(), servers.start(), folder / "out"
    write_uids(folder / "ids", UIDS)
    one, two, three = shards_of(servers, server, folder, *PUBMED)
    linkname = harvest(
        servers, server, folder / "gene", "--dbfrom=pubmed", "--db=gene", "--shard=3/3"
    )
    elsewhere = harvest(servers, other, folder / "elsewhere", *PUBMED, "--shard=3/3")
    whole = harvest(servers, server, folder / "whole", *PUBMED)
    of_four = harvest(servers, server, folder / "four", *PUBMED, "--shard=3/4")
    both = harvest(servers, server, folder / "both", *PUBMED, "--shard=2/3")
    harvest(servers, server, both, *PUBMED, "--shard=3/3")
    damaged = folder / "damaged"
    shutil.copytree(three, damaged)
    part = next((damaged / "links").iterdir())
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 1
    part.write_bytes(data)
    for shards, code, words in (
        ([one, two], 2, ["3/3 is missing"]),
        ([one], 2, ["2/3 is missing", "3/3 is missing"]),
        ([one, two, three, three], 2, ["s3 is given 2 times"]),
        ([one, two, three, folder / "none"], 2, ["none holds no harvest"]),
        ([one, two, linkname], 2, ["gene is of another job", "link.db"]),
        ([one, two, elsewhere], 2, ["elsewhere is of another job", "server.base_url"]),
        ([one, two, of_four], 2, ["four is of another job", "number of shards"]),
        ([one, whole, two], 2, ["whole is of another job", "number of shards is 1"]),
        ([one, two, both], 2, ["both holds", "not of its shard"]),
        ([one, two, damaged], 1, [str(part), "checksum", "from a backup"]),
        ([one, linkname, folder / "none"], 2, ["gene is of", "none holds no harvest"]),
    ):
        finished = servers.harvester("merge", out, *shards)
        assert finished.code == code, finished.err
        for word in words:
            assert word in finished.err, finished.err
        assert "s1 is of another job" not in finished.err
        assert not out.exists()
    copy = folder / "copy"
    shutil.copytree(three, copy)
    finished = servers.harvester("merge", out, one, two, three, copy)
    assert finished.code == 2
    assert "s3 and" in finished.err
    assert "overlap: each is the shard 3/3" in finished.err
    for target in (one, folder):
        before = sorted(path.name for path in target.iterdir())
        assert servers.harvester("merge", target, one, two, three).code == 2
        assert sorted(path.name for path in target.iterdir()) == before
    assert not list(folder.glob(".*"))


def of_two_lists(servers: Servers, folder: Path) -> None:
    """Lists with other names are named; a copy of the list in another folder is not."""
    server = servers.start()
    for name in ("here", "there"):
        (folder / name).mkdir()
        write_uids(folder / name / "ids", UIDS)
    more = write_uids(folder / "more", range(1001, 1100))
    one, two = (
        harvest(servers, server, folder / name / f"s{n}", *PUBMED, f"--shard={n}/2")
        for n, name in enumerate(("here", "there"), 1)
    )
    longer = harvest(
        servers, server, folder / "here" / "longer", *PUBMED, "--shard=2/2", "--ids", more
    )
    merged = servers.harvester("merge", folder / "out", one, two)
    assert (merged.code, "is a shard of" in merged.err) == (0, False), merged.err
    merged = servers.harvester("merge", folder / "both", one, longer)
    assert merged.code == 0, merged.err
    assert f"{one} is a shard of ids, {longer} one of ids, more." in merged.err


def unfinished(servers: Servers, folder: Path) -> None:
    """A stopped or running shard is named with the command that completes it."""
    server, out = servers.start(latency=(0.05,)), folder / "out"
    write_uids(folder / "ids", UIDS)
    one, two, three = shards_of(servers, server, folder, *PUBMED)
    write_uids(folder / "ids", [*UIDS, *range(1001, 1100)])
    words = [
        "run", "--ids", folder / "ids", *PUBMED, "--base-url", server.base_url, "--shard=3/3",
        "--rate=20", "--batch-size=1", "-o", three,
    ]  # fmt: skip
    asked = len(server.log)
    with running(*words, err=folder / "err", patches=ALWAYS) as command:
        wait_until(lambda: len(server.log) > asked, "it asks")
        finished = servers.harvester("merge", out, one, two, three)
        assert finished.code == 5, finished.err
        assert f"{three} is in use" in finished.err
        command.kill()
    finished = servers.harvester("merge", out, one, two, three)
    assert finished.code == 2, finished.err
    assert f"{three} is unfinished" in finished.err
    assert f"harvester resume {three}" in finished.err
    assert not out.exists()


def killed_at_each_step(servers: Servers, folder: Path, form: str) -> None:
    """OUT is absent or whole after a kill, the same command completes it, no other file is left."""
    server = servers.start()
    write_uids(folder / "ids", UIDS)
    shards = shards_of(servers, server, folder, *PUBMED, f"--format={form}")
    before = [digests(shard) for shard in shards]
    truth = expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    with servers.fork_server() as fork_server:
        root = folder / "0"
        whole = fork_server.run(["merge", root / "out", *shards], root=str(root))
        assert whole.code == 0, whole.output
        taken: dict[str, int] = {}
        points = []
        for kind in whole.steps:
            taken[kind] = taken.get(kind, 0) + 1
            ways = ("before", "after", "torn") if kind.startswith("write ") else ("before", "after")
            points += [KillPoint(kind, taken[kind], when) for when in ways]
        chosen = spread(points, 24, lambda point: (point.kind, point.when))
        assert any("rename" in point.kind for point in points)
        for number, point in enumerate(chosen, 1):
            root = folder / str(number)
            words = ["merge", root / "out", *shards]
            killed = fork_server.run(words, point, root=str(root))
            assert killed.killed, (str(point), killed.output)
            if (root / "out").exists():
                assert_exact(root / "out", "pubmed", UIDS, truth)
            finished = fork_server.run(words)
            assert_polite(finished.output)
            assert finished.code == 0, (str(point), finished.output)
            assert_exact(root / "out", "pubmed", UIDS, truth)
            assert [path.name for path in root.iterdir()] == ["out"], str(point)
    assert [digests(shard) for shard in shards] == before


SCENARIOS = [
    Scenario(exact, "parquet"),
    Scenario(exact, "jsonl"),
    Scenario(like_one, "--dbfrom=pubmed", "--cmd=acheck"),
    Scenario(like_one, "--dbfrom=pubmed", "--cmd=llinks", "--format=jsonl"),
    Scenario(like_one, "--dbfrom=pubmed", "--cmd=ncheck"),
    Scenario(like_one, "--dbfrom=pubmed", "--db=gene,pmc", "--keep-raw"),
    Scenario(like_one, "--dbfrom=protein", "--db=nuccore", "--idtype=acc", "--keep-raw"),
    Scenario(like_one, "--dbfrom=pubmed", "--db=pmc", "--passes=2"),
    Scenario(like_one, "--dbfrom=pubmed", "--db=pmc", "--targets-only"),
    Scenario(unanswered),
    Scenario(files_as_they_are),
    Scenario(refused),
    Scenario(of_two_lists),
    Scenario(unfinished),
    Scenario(killed_at_each_step, "parquet"),
    Scenario(killed_at_each_step, "jsonl"),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_shards_become_one_harvest(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
