"""`--targets-only`: each distinct target of all UIDs is stored once."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from support.harness import (
    assert_polite,
    assert_tidy,
    expected_links,
    harvester,
    status,
    write_uids,
)
from support.scenarios import Scenario
from support.tables import NAME, UID, keyed, outcomes, table
from support.timing import IMPATIENT, OFTEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 1501)
DBS = ("pmc", "taxonomy")
TARGETS = [("dbfrom", NAME), ("dbto", NAME), ("linkname", NAME), ("to_uid", UID)]
FAULTS = (
    "500:0.05", "cut:0.04", "short:0.03", "doubled:0.03", "alien:0.03", "no-ids:0.03", "id-0:0.03",
    "error-in-linksetdb:0.03", "error-in-linkset:0.03",
)  # fmt: skip


def words(
    folder: Path, server: Emulator, *options: str, uids: Iterable[int] = UIDS
) -> list[object]:
    return [
        "run", "--ids", write_uids(folder / "ids", uids), "--dbfrom=pubmed",
        f"--db={','.join(DBS)}", "--targets-only", "--rate=300", "--base-url", server.base_url,
        "-o", folder / "out", *options,
    ]  # fmt: skip


def truth(server: Emulator, uids: Iterable[int] = UIDS) -> set[tuple[object, ...]]:
    links = expected_links(server.graph, "pubmed", uids, DBS)
    names = ("dbfrom", "dbto", "linkname", "to_uid")
    return set(zip(*(links[name].to_pylist() for name in names), strict=True))


def assert_done(out: Path, server: Emulator, uids: Iterable[int] = UIDS) -> None:
    """Assert that every target is stored once and every UID is answered."""
    found = keyed(table(out / "links", TARGETS), "dbfrom", "dbto", "linkname", "to_uid")
    assert len(found) == len(set(found))
    assert set(found) == truth(server, uids)
    told = table(out / "uids", outcomes())
    assert sorted(row["from_uid"] for row in told) == sorted(uids)
    assert {row["outcome"] for row in told} <= {"linked", "empty"}
    assert status(out)["links"] == len(found)
    assert_tidy(out)


def exactly_once(servers: Servers, folder: Path, form: str, retmode: str, *faults: str) -> None:
    server, out = servers.start(faults=faults), folder / "out"
    command = words(folder, server, f"--format={form}", f"--retmode={retmode}", "--batch-size=100")
    finished = servers.harvester(*command, patches=IMPATIENT)
    assert finished.code == 0, finished.err
    assert_done(out, server)
    elinks = [entry for entry in server.log if entry.utility == "elink"]
    assert all(entry.parameters == 1 for entry in elinks)
    if not faults:
        assert len(elinks) == len(UIDS) / 100
    before = len(server.log)
    assert servers.harvester(*command).code == 0
    assert len(server.log) == before
    longer = range(1, 1801)
    again = words(folder, server, f"--format={form}", f"--retmode={retmode}", uids=longer)
    finished = servers.harvester(*again, patches=IMPATIENT)
    assert finished.code == 0, finished.err
    assert_done(out, server, longer)


def killed_and_resumed(servers: Servers, folder: Path, seed: int, form: str) -> None:
    """Targets stored before a kill are not stored again after it."""
    server, chooser = servers.start(latency=(0.05, 0.2)), random.Random(seed)
    command, kills = words(folder, server, f"--format={form}", "--batch-size=10"), 0
    with servers.fork_server() as fork_server:
        for seconds in [*(chooser.uniform(0.4, 1.2) for _ in range(5)), 60.0]:
            ended = fork_server.run([*command, "--rate=60"], seconds=seconds, patches=OFTEN)
            if not ended.killed:
                break
            kills += 1
    assert ended.code == 0, ended.output
    assert_polite(ended.output)
    assert kills > 1
    assert_done(folder / "out", server)


def fewer_requests(servers: Servers, folder: Path) -> None:
    """Fewer requests than for links with the same settings, and smaller answers."""
    server, linked = servers.start(), servers.start()
    assert servers.harvester(*words(folder, server)).code == 0
    command = [word for word in words(folder, linked) if word != "--targets-only"]
    command[command.index(folder / "out")] = folder / "links"
    assert servers.harvester(*command).code == 0
    ours, theirs = (
        [entry for entry in one.log if entry.utility == "elink"] for one in (server, linked)
    )
    assert len(ours) <= len(theirs)
    assert sum(entry.bytes for entry in ours) < sum(entry.bytes for entry in theirs)
    assert_done(folder / "out", server)


def through_a_pipe(servers: Servers, folder: Path) -> None:
    server = servers.start(faults=("500:0.1", "cut:0.1"))
    command = words(folder, server, "--batch-size=50")
    command[command.index(folder / "out")] = "-"
    piped = harvester(*command, patches=IMPATIENT)
    assert piped.code == 0, piped.err
    lines = [json.loads(line) for line in piped.out.splitlines()]
    assert all(list(line) == [name for name, _ in TARGETS] for line in lines)
    found = keyed(lines, "dbfrom", "dbto", "linkname", "to_uid")
    assert len(found) == len(set(found))
    assert set(found) == truth(server)


def accessions(servers: Servers, folder: Path, form: str) -> None:
    """Targets as strings."""
    server, out = servers.start(), folder / "out"
    (folder / "accs").write_text("".join(f"NP_{uid:09d}.1\n" for uid in range(1, 200)))
    finished = servers.harvester(
        "run", "--ids", folder / "accs", "--idtype=acc", "--dbfrom=protein", "--db=nuccore",
        "--targets-only", "--base-url", server.base_url, "-o", out, f"--format={form}",
        "--rate=300", "--batch-size=20",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    columns = [*TARGETS[:3], ("to_uid", pa.string())]
    found = [row["to_uid"] for row in table(out / "links", columns)]
    links = expected_links(server.graph, "protein", range(1, 200), ("nuccore",))
    assert sorted(found) == sorted({f"NM_{uid:09d}.1" for uid in links["to_uid"].to_pylist()})


def a_hop_of_targets(servers: Servers, folder: Path) -> None:
    """A hop of a chain may hold targets only."""
    server, out = servers.start(), folder / "out"
    ids = json.dumps(str(write_uids(folder / "ids", range(1, 41))))
    (folder / "job.toml").write_text(
        f'[source]\nids = {ids}\n[output]\npath = "{out}"\n[server]\nbase_url = "{server.base_url}"'
        '\n[limits]\nrate = 300\nbatch_size = 10\n[[hop]]\ndbfrom = "gene"\ndb = "protein"\n'
        'targets_only = true\n[[hop]]\ndb = "structure"\ntargets_only = true\n'
    )
    finished = servers.harvester("run", folder / "job.toml", patches=OFTEN)
    assert finished.code == 0, finished.err
    uids: Iterable[int] = range(1, 41)
    for number, (dbfrom, db) in enumerate((("gene", "protein"), ("protein", "structure")), 1):
        links = expected_links(server.graph, dbfrom, uids, (db,))
        found = [row["to_uid"] for row in table(out / f"hop-{number}" / "links", TARGETS)]
        assert len(found) == len({*found})
        uids = sorted(set(links["to_uid"].to_pylist()))
        assert sorted(found) == uids


SCENARIOS = [
    Scenario(exactly_once, "parquet", "json"),
    Scenario(exactly_once, "jsonl", "xml", *FAULTS),
    Scenario(killed_and_resumed, 1, "parquet"),
    Scenario(killed_and_resumed, 2, "jsonl"),
    Scenario(fewer_requests),
    Scenario(through_a_pipe),
    *(Scenario(accessions, form) for form in ("parquet", "jsonl")),
    Scenario(a_hop_of_targets),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_each_target_is_harvested_once(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
