"""`--keep-raw` and `harvester reparse`: the kept responses give the same links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.fork_server import KillPoint
from support.harness import expected_links, status, write_uids
from support.scenarios import Scenario
from support.tables import NAME, TEXT, UID, keyed, outcomes, table
from support.timing import COMMIT, IMPATIENT, TICK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers
    from support.tables import Column

    from harvester.emulator import Emulator

UIDS = range(1, 401)
FAULTS = (
    "500:0.05", "cut:0.04", "short:0.04", "doubled:0.03", "alien:0.03", "id-0:0.03",
    "bad-utf8:0.02", "error-backend:0.03", "error-in-linksetdb:0.04", "error-in-linkset:0.03",
)  # fmt: skip
OUTCOME = ("from_uid", "outcome", "links", "reason")
SCORE, RANK = ("score", pa.int64()), ("rank", pa.int32())
CHECKS = [("dbfrom", NAME), ("from_uid", UID), ("dbto", NAME), ("linkname", NAME)]
CHECKS += [("menutag", TEXT), ("htmltag", TEXT), ("url", TEXT), ("priority", pa.int32())]
SETS = [("dbfrom", NAME), ("dbto", NAME), ("linkname", NAME), ("webenv", TEXT)]
SETS += [("query_key", TEXT), ("from_uids", pa.list_(UID))]


def neighbors(uid: pa.DataType = UID) -> list[Column]:
    return [
        ("dbfrom", NAME), ("from_uid", uid), ("dbto", NAME), ("linkname", NAME), ("to_uid", uid),
        SCORE, RANK,
    ]  # fmt: skip


def words(folder: Path, server: Emulator, *options: str) -> list[object]:
    return [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc,taxonomy",
        "--rate=300", "--batch-size=20", "--keep-raw", "--base-url", server.base_url,
        "-o", folder / "out", *options,
    ]  # fmt: skip


def contents(out: Path, columns: list[Column], uid: pa.DataType = UID) -> list[Any]:
    """Return all rows of links and of uids."""
    links = keyed(table(out / "links", columns), *(name for name, _ in columns))
    return [links, keyed(table(out / "uids", outcomes(uid)), *OUTCOME)]


def assert_same_again(
    servers: Servers, out: Path, columns: list[Column], uid: pa.DataType = UID
) -> None:
    """Assert that two reparses leave every row and the result of `verify` the same."""
    before, said = contents(out, columns, uid), status(out)
    for _ in range(2):
        again = servers.harvester("reparse", out)
        assert again.code == 0, again.err
        assert f"{said['links']:,} links in {out}" in again.err
        assert contents(out, columns, uid) == before
        after = status(out)
        assert (after["uids"], after["links"]) == (said["uids"], said["links"])
        verified = servers.harvester("verify", out)
        assert verified.code == 0, verified.err


def parsed_again(servers: Servers, folder: Path, form: str, *options: str) -> None:
    """The rows are as before and equal to the graph; no request is sent."""
    server, out = servers.start(faults=FAULTS, seed=5), folder / "out"
    finished = servers.harvester(
        *words(folder, server, f"--format={form}", *options), patches=IMPATIENT
    )
    assert finished.code == 0, finished.err
    asked = len(server.log)
    links, _ = contents(out, neighbors())
    truth = expected_links(server.graph, "pubmed", UIDS, ("pmc", "taxonomy"))
    assert links == keyed(truth.to_pylist(), *truth.column_names)
    assert_same_again(servers, out, neighbors())
    assert len(server.log) == asked


def of_other_cmds(
    servers: Servers, folder: Path, option: str, form: str, columns: list[Column]
) -> None:
    server, out = servers.start(faults=FAULTS, seed=6), folder / "out"
    finished = servers.harvester(
        *words(folder, server, option, f"--format={form}"), patches=IMPATIENT
    )
    assert finished.code == 0, finished.err
    assert_same_again(servers, out, columns)


def of_unanswered(servers: Servers, folder: Path) -> None:
    """Failed and missing UIDs stay so; once retried, they are answered after a reparse too."""
    sick, out = servers.start(faults=("poison@7", "short@11")), folder / "out"
    assert servers.harvester(*words(folder, sick, "--max-attempts=2")).code == 3
    assert_same_again(servers, out, neighbors())
    assert (out / "unanswered.txt").read_text() == "7\n11\n"
    servers.stop(sick)
    well = servers.start(port=sick.port)
    assert servers.harvester(*words(folder, well, "--retry-failed")).code == 0
    _, told = contents(out, neighbors())
    assert len(told) == len(UIDS)
    assert_same_again(servers, out, neighbors())


def of_accessions(servers: Servers, folder: Path, form: str) -> None:
    server, out = servers.start(faults=FAULTS, seed=7), folder / "out"
    (folder / "accs").write_text("".join(f"NP_{uid:09d}.1\n" for uid in range(300, 0, -1)))
    finished = servers.harvester(
        "run", "--ids", folder / "accs", "--idtype=acc", "--dbfrom=protein", "--db=nuccore",
        "--keep-raw", "--base-url", server.base_url, "-o", out, f"--format={form}",
        "--rate=300", "--batch-size=20", patches=IMPATIENT,
    )  # fmt: skip
    assert finished.code == 0, finished.err
    assert_same_again(servers, out, neighbors(TEXT), TEXT)


def killed_and_resumed(servers: Servers, folder: Path) -> None:
    """A kill keeps a response together with its links, or neither."""
    server, out, kills = servers.start(latency=(0.05,)), folder / "out", 0
    often = {
        COMMIT: 0.1,
        TICK: 0.05,
    }
    command = words(folder, server, "--rate=20", "--batch-size=10", "--confirm-empty=1")
    with servers.fork_server() as fork_server:
        for seconds in (0.6, 1.0, 1.4, 60.0):
            ended = fork_server.run(command, seconds=seconds, patches=often)
            if not ended.killed:
                break
            kills += 1
    assert ended.code == 0, ended.output
    assert kills > 1
    assert_same_again(servers, out, neighbors())


def killed_while_it_parses(servers: Servers, folder: Path) -> None:
    """Reparse is one transaction: after a kill the rows are the old ones or the new ones."""
    server, out = servers.start(), folder / "out"
    assert servers.harvester(*words(folder, server)).code == 0
    before = contents(out, neighbors())
    with servers.fork_server() as fork_server:
        noted = fork_server.run(["reparse", out], root=str(folder))
        assert noted.code == 0, noted.output
        steps = list(dict.fromkeys(noted.steps))
        assert len(steps) > 5
        for step in steps[::2]:
            fork_server.run(["reparse", out], KillPoint(step, 1, "before"), root=str(folder))
            assert fork_server.run(["resume", out]).code == 0
            assert contents(out, neighbors()) == before, step


def a_raw_part_is_verified(servers: Servers, folder: Path) -> None:
    server, out = servers.start(), folder / "out"
    assert servers.harvester(*words(folder, server)).code == 0
    part, *others = sorted((out / "raw").iterdir())
    told = pa.concat_tables([pq.read_table(one) for one in (part, *others)])
    assert told.column_names == ["sweep", "retmode", "asked", "body"]
    assert sum(map(len, told["asked"].to_pylist())) == len(UIDS)
    sound = part.read_bytes()
    part.write_bytes(sound[:99] + bytes([sound[99] ^ 1]) + sound[100:])
    for command in ("verify", "reparse", "resume"):
        refused = servers.harvester(command, out)
        assert refused.code == 1
        assert part.name in refused.err
    part.unlink()
    assert servers.harvester("verify", out).code == 1
    part.write_bytes(sound)
    assert servers.harvester("reparse", out).code == 0


def nothing_was_kept(servers: Servers, folder: Path) -> None:
    server, out = servers.start(), folder / "out"
    command = [word for word in words(folder, server) if word != "--keep-raw"]
    assert servers.harvester(*command).code == 0
    refused = servers.harvester("reparse", out)
    assert refused.code == 2
    assert f"{out} has no kept responses; they are kept with --keep-raw" in refused.err
    assert not (out / "raw").exists()
    later = servers.harvester(*words(folder, server))
    assert later.code == 2
    assert "output.keep_raw" in later.err
    nowhere = servers.harvester("reparse", folder / "nowhere")
    assert nowhere.code == 2
    assert "holds no harvest" in nowhere.err


SCENARIOS = [
    Scenario(parsed_again, "parquet"),
    Scenario(parsed_again, "jsonl", "--retmode=xml", "--confirm-empty=2"),
    Scenario(of_other_cmds, "--cmd=acheck", "parquet", CHECKS),
    Scenario(of_other_cmds, "--cmd=neighbor_history", "jsonl", SETS),
    Scenario(of_other_cmds, "--targets-only", "parquet", [SETS[0], *neighbors()[2:5]]),
    *(Scenario(of_accessions, form) for form in ("parquet", "jsonl")),
    *(
        Scenario(case)
        for case in (
            of_unanswered, killed_and_resumed, killed_while_it_parses, a_raw_part_is_verified,
            nothing_was_kept,
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario)[:60])
def test_raw_answers_are_kept(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
