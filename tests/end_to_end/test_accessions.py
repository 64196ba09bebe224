"""`--idtype acc`: accession.version as input and output, from lists and tables, after a resume."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.harness import expected_links, status
from support.scenarios import Scenario
from support.tables import NAME, TEXT, keyed, outcomes, table
from support.timing import IMPATIENT, OFTEN

from harvester.emulator.utilities.ids import accession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 301)
FAULTS = (
    "500:0.03", "cut:0.03", "short:0.03", "doubled:0.02", "alien:0.02", "id-0:0.02",
    "error-in-linkset:0.02", "reordered:0.05",
)  # fmt: skip
LINKS = [
    ("dbfrom", NAME), ("from_uid", TEXT), ("dbto", NAME), ("linkname", NAME), ("to_uid", TEXT),
    ("score", pa.int64()), ("rank", pa.int32()),
]  # fmt: skip
COLUMNS = [name for name, _ in LINKS]


def acc(db: str, uid: int) -> str:
    """Return a UID as the server writes it: an accession of sequence databases, else the number."""
    return accession(db, uid) if db in ("protein", "nuccore") else str(uid)


def listed(path: Path, uids: Iterable[int]) -> Path:
    """Return the UIDs in random order, some of them twice."""
    texts = [acc("protein", uid) for uid in uids]
    path.write_text("# proteins\n" + "\n".join([*reversed(texts), *texts[:5]]))
    return path


def words(
    folder: Path,
    server: Emulator,
    *options: object,
    uids: Iterable[int] = UIDS,
    db: str = "nuccore,taxonomy",
) -> list[object]:
    return [
        "run", "--ids", listed(folder / "accs", uids), "--idtype=acc", "--dbfrom=protein",
        "--db", db, "--rate=300", "--batch-size=15", "--base-url", server.base_url,
        "-o", folder / "out", *options,
    ]  # fmt: skip


def truth(
    server: Emulator, uids: Iterable[int] = UIDS, dbs: tuple[str, ...] = ("nuccore", "taxonomy")
) -> list[tuple[Any, ...]]:
    """Return the expected rows of links, with accessions in place of numbers."""
    rows = expected_links(server.graph, "protein", uids, dbs).to_pylist()
    for row in rows:
        row["from_uid"] = acc("protein", row["from_uid"])
        row["to_uid"] = acc(row["dbto"], row["to_uid"])
    return keyed(rows, *COLUMNS)


def assert_done(out: Path, server: Emulator, uids: Iterable[int] = UIDS) -> None:
    expected = truth(server, uids)
    assert keyed(table(out / "links", LINKS), *COLUMNS) == expected
    told = {row["from_uid"]: row for row in table(out / "uids", outcomes(TEXT))}
    assert sorted(told) == sorted(acc("protein", uid) for uid in uids)
    linked = {row[1] for row in expected}
    assert {uid for uid, row in told.items() if row["outcome"] == "linked"} == linked
    assert all(row["outcome"] in ("linked", "empty") for row in told.values())
    assert status(out)["uids"]["done"] == len(told)


def from_a_list(servers: Servers, folder: Path, form: str, retmode: str) -> None:
    """With faults, all links are harvested; a longer list requests only the new accessions."""
    server, out = servers.start(faults=FAULTS), folder / "out"
    options = (f"--format={form}", f"--retmode={retmode}")
    finished = servers.harvester(*words(folder, server, *options), patches=IMPATIENT)
    assert finished.code == 0, finished.err
    assert_done(out, server)
    servers.stop(server)
    well = servers.start(port=server.port)
    assert servers.harvester(*words(folder, well, *options)).code == 0
    assert not well.log.entries
    longer = range(1, 351)
    assert servers.harvester(*words(folder, well, *options, uids=longer)).code == 0
    assert sum(entry.ids for entry in well.log) == 50
    assert_done(out, well, longer)


def from_a_column(servers: Servers, folder: Path) -> None:
    """Accessions are read from a column of a CSV and of a Parquet file."""
    server = servers.start()
    texts = [acc("protein", uid) for uid in UIDS]
    with (folder / "some.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["name", "protein"])
        writer.writerows([f"a, {text}", text] for text in texts)
    pq.write_table(pa.table({"protein": texts}), folder / "some.parquet")
    for name in ("some.csv", "some.parquet"):
        command = words(folder, server, "--ids-column=protein", "-o", folder / name[5:])
        command[2] = folder / name
        finished = servers.harvester(*command)
        assert finished.code == 0, finished.err
        assert_done(folder / name[5:], server)


def without_their_version(servers: Servers, folder: Path) -> None:
    """NCBI answers with the version; `from_uid` keeps the accession of the input."""
    server, out = servers.start(), folder / "out"
    command = words(folder, server)
    (folder / "accs").write_text("NP_000000001\nNP_000000002.1\nNP_000000003\n")
    finished = servers.harvester(*command)
    assert finished.code == 0, finished.err
    found = keyed(table(out / "links", LINKS), *COLUMNS)
    bare = {"NP_000000001.1": "NP_000000001", "NP_000000003.1": "NP_000000003"}
    expected = [(r[0], bare.get(r[1], r[1]), *r[2:]) for r in truth(server, [1, 2, 3])]
    assert found == sorted(expected, key=repr)


def killed_and_resumed(servers: Servers, folder: Path, form: str) -> None:
    server, kills = servers.start(latency=(0.05, 0.1)), 0
    command = words(folder, server, f"--format={form}", "--rate=30", "--batch-size=5")
    with servers.fork_server() as fork_server:
        for seconds in (0.7, 1.0, 1.2, 60.0):
            ended = fork_server.run(command, seconds=seconds, patches=OFTEN)
            if not ended.killed:
                break
            kills += 1
            assert kills == 1 or status(folder / "out")["uids"]["total"] == len(UIDS)
    assert ended.code == 0, ended.output
    assert kills > 1
    assert_done(folder / "out", server)


def missing_and_failed(servers: Servers, folder: Path) -> None:
    """Unanswered accessions are listed as they were given; the list is a valid input."""
    lost, broken = acc("protein", 7), acc("protein", 11)
    sick, out = servers.start(faults=(f"short@{lost}", f"poison@{broken}")), folder / "out"
    finished = servers.harvester(*words(folder, sick, "--max-attempts=2"), patches=IMPATIENT)
    assert finished.code == 3, finished.err
    assert sorted((out / "unanswered.txt").read_text().split()) == [lost, broken]
    told = {row["from_uid"]: row for row in table(out / "uids", outcomes(TEXT))}
    assert (told[lost]["outcome"], told[broken]["outcome"]) == ("missing", "failed")
    assert told[lost]["reason"]
    assert len(told) == len(UIDS)
    servers.stop(sick)
    well = servers.start(port=sick.port)
    again = words(folder, well, "-o", folder / "rest")
    again[2] = out / "unanswered.txt"
    assert servers.harvester(*again).code == 0
    assert_done(folder / "rest", well, [7, 11])
    assert servers.harvester(*words(folder, well, "--retry-failed")).code == 0
    assert not (out / "unanswered.txt").exists()
    assert_done(out, well)


def two_passes(servers: Servers, folder: Path, form: str) -> None:
    """A link that one pass loses is found by the other; no link is stored twice."""
    server = servers.start(faults=("lost-blocks:0.2",), seed=2)
    found = []
    for passes in (1, 2, 3):
        command = words(folder, server, f"--format={form}", f"--passes={passes}", db="protein")
        finished = servers.harvester(*command)
        assert finished.code == 0, finished.err
        found.append(
            keyed(table(folder / "out" / "links", LINKS), "from_uid", "linkname", "to_uid")
        )
        assert len(found[-1]) == len(set(found[-1]))
    whole = {(row[1], row[3], row[4]) for row in truth(server, dbs=("protein",))}
    one, two, three = map(set, found)
    assert one < two <= three <= whole
    assert len(whole - three) < len(whole - one) / 3
    counts = {
        row["from_uid"]: row["links"] for row in table(folder / "out" / "uids", outcomes(TEXT))
    }
    assert sum(counts.values()) == len(three)
    assert "missing_links" in status(folder / "out")


def targets_as_input(servers: Servers, folder: Path) -> None:
    """The accessions that links lead to are the input of another harvest."""
    server, next_out = servers.start(), folder / "next"
    assert servers.harvester(*words(folder, server)).code == 0
    command = [
        "run", "--from-run", folder / "out", "--dbfrom=nuccore", "--db=protein", "--rate=300",
        "--base-url", server.base_url, "-o", next_out,
    ]  # fmt: skip
    before = len(server.log)
    refused = servers.harvester(*command)
    assert refused.code == 2
    assert "add --idtype acc" in refused.err
    assert len(server.log) == before
    finished = servers.harvester(*command, "--idtype=acc")
    assert finished.code == 0, finished.err
    uids = {
        int(row[4].removeprefix("NM_").removesuffix(".1"))
        for row in truth(server, dbs=("nuccore",))
    }
    links = expected_links(server.graph, "nuccore", uids, ("protein",)).to_pylist()
    expected = sorted(
        (acc("nuccore", row["from_uid"]), acc("protein", row["to_uid"])) for row in links
    )
    assert keyed(table(next_out / "links", LINKS), "from_uid", "to_uid") == expected
    assert {row["from_uid"] for row in table(next_out / "uids", outcomes(TEXT))} == {
        acc("nuccore", uid) for uid in uids
    }


SCENARIOS = [
    Scenario(from_a_list, "parquet", "json"),
    Scenario(from_a_list, "jsonl", "xml"),
    *(Scenario(killed_and_resumed, form) for form in ("parquet", "jsonl")),
    *(Scenario(two_passes, form) for form in ("parquet", "jsonl")),
    *(
        Scenario(case)
        for case in (from_a_column, without_their_version, missing_and_failed, targets_as_input)
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_accessions_are_harvested_exactly(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
