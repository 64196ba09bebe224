"""Passes: links that one pass loses are found by another, and the missing rest is estimated."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.harness import (
    Finished,
    assert_exact,
    children,
    expected_links,
    rows,
    status_command,
    write_uids,
)
from support.scenarios import Scenario
from support.timing import IMPATIENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa
    from support.servers import Servers

LOSES = "lost-blocks:0.05"
LINK = ("from_uid", "linkname", "to_uid")


def harvest(servers: Servers, folder: Path, count: int, base_url: str, *options: str) -> Finished:
    """Harvest the related articles of the first UIDs, one request at a time."""
    return servers.harvester(
        "run", "--ids", write_uids(folder / "ids", range(1, count + 1)), "--dbfrom=pubmed",
        "--db=pubmed", "--linkname=pubmed_pubmed", "--base-url", base_url, "--rate=200",
        "--concurrency=1", "--batch-size=50", "--max-attempts=2", "-o", folder / "out", *options,
        patches=IMPATIENT,
    )  # fmt: skip


def truth_of(server: Any, count: int) -> pa.Table:
    return expected_links(
        server.graph, "pubmed", range(1, count + 1), ("pubmed",), ("pubmed_pubmed",)
    )


def keys(table: pa.Table) -> set[tuple[Any, ...]]:
    return set(zip(*(table[name].to_pylist() for name in LINK), strict=True))


def tidy(out: Path) -> None:
    """Assert that no file of a single pass is left and no link is stored twice."""
    assert not (out / "sweeps").exists()
    found = rows(out, "links")
    assert len(keys(found)) == found.num_rows
    counted = {row["from_uid"]: row["links"] for row in rows(out, "uids").to_pylist()}
    for uid in found["from_uid"].to_pylist():
        counted[uid] -= 1
    assert not any(counted.values())


def the_estimate_covers_the_truth(servers: Servers, folder: Path, passes: int, form: str) -> None:
    """More passes find more links; the number still missing is within the estimate."""
    server = servers.start(seed=passes, faults=(LOSES,))
    finished = harvest(
        servers, folder, 800, server.base_url, f"--passes={passes}", f"--format={form}"
    )
    assert finished.code == 0, finished.err
    assert sum(entry.utility == "elink" for entry in server.log) == passes * 16
    tidy(folder / "out")
    found, truth = keys(rows(folder / "out", "links")), keys(truth_of(server, 800))
    assert found <= truth
    (missing,) = status_command(folder / "out")["missing_links"].values()
    assert missing["low"] <= len(truth - found) <= missing["high"]
    assert missing["low"] <= missing["links"] <= missing["high"]
    assert missing["high"] < 0.01 * len(truth)


def sweeps_that_lose_nothing_are_exact(servers: Servers, folder: Path) -> None:
    server = servers.start(seed=9)
    assert harvest(servers, folder, 200, server.base_url, "--passes=2").code == 0
    tidy(folder / "out")
    assert_exact(folder / "out", "pubmed", range(1, 201), truth_of(server, 200))
    missing = status_command(folder / "out")["missing_links"]["pubmed_pubmed"]
    assert missing == {"links": 0.0, "low": 0, "high": 0}


def only_what_is_new_is_asked(servers: Servers, folder: Path) -> None:
    """A longer list and then one more pass request only the new UIDs."""
    server = servers.start(seed=9)

    def asked(count: int, passes: int) -> int:
        before = sum(entry.ids for entry in server.log)
        harvested = harvest(servers, folder, count, server.base_url, f"--passes={passes}")
        assert harvested.code == 0, harvested.err
        tidy(folder / "out")
        assert_exact(folder / "out", "pubmed", range(1, count + 1), truth_of(server, count))
        return sum(entry.ids for entry in server.log) - before

    assert asked(100, 1) == 100
    assert asked(100, 2) == 100
    assert asked(150, 2) == 2 * 50
    assert asked(150, 3) == 150
    assert asked(150, 3) == 0
    assert asked(150, 2) == 0


def what_failed_in_one_is_answered_in_another(servers: Servers, folder: Path) -> None:
    sick = servers.start(seed=9, faults=("poison@7", "short@11"))
    assert harvest(servers, folder, 100, sick.base_url).code == 3
    servers.stop(sick)
    well = servers.start(port=sick.port, seed=9)
    assert harvest(servers, folder, 100, well.base_url, "--passes=2").code == 0
    assert not (folder / "out" / "unanswered.txt").exists()
    assert_exact(folder / "out", "pubmed", range(1, 101), truth_of(well, 100))


def what_fails_in_all_is_retried_in_all(servers: Servers, folder: Path) -> None:
    sick = servers.start(seed=9, faults=("poison@7", "short@11"))
    assert harvest(servers, folder, 100, sick.base_url, "--passes=2").code == 3
    assert (folder / "out" / "unanswered.txt").read_text() == "7\n11\n"
    found = {row["from_uid"]: row["outcome"] for row in rows(folder / "out", "uids").to_pylist()}
    assert (found[7], found[11], len(found)) == ("failed", "missing", 100)
    servers.stop(sick)
    well = servers.start(port=sick.port, seed=9)
    again = harvest(servers, folder, 100, well.base_url, "--passes=2", "--retry-failed")
    assert again.code == 0, again.err
    assert sum(entry.ids for entry in well.log) == 2 * 2
    assert_exact(folder / "out", "pubmed", range(1, 101), truth_of(well, 100))


def a_pipe_has_nothing_to_compare_with(servers: Servers, folder: Path) -> None:
    server = servers.start()
    ids = write_uids(folder / "ids", [1])
    refused = servers.harvester(
        "run", "--ids", ids, "--dbfrom=pubmed", "--passes=2", "--base-url", server.base_url, "-o-"
    )
    assert refused.code == 2
    assert "--passes" in refused.err
    assert not server.log


def verified_against_the_server(servers: Servers, folder: Path) -> None:
    """`--resample` finds no difference until the server loses links; files stay the same."""
    server = servers.start(seed=9)
    assert harvest(servers, folder, 200, server.base_url).code == 0
    out = folder / "out"
    before = sum(entry.ids for entry in server.log)
    good = servers.harvester("verify", out, "--resample=25%", "--json", "-q")
    assert good.code == 0, good.err
    said = json.loads(good.output)
    assert said["ok"]
    assert said["resampled"] == {"uids": 50, "lost": 0, "gained": 0}
    assert sum(entry.ids for entry in server.log) - before == 50

    other = servers.start(seed=10)
    changed = servers.harvester(
        "verify", out, "--resample=100%", "--json", "-q", env={"HARVESTER_BASE_URL": other.base_url}
    )
    assert changed.code == 3
    said = json.loads(changed.output)["resampled"]
    ours, theirs = keys(rows(out, "links")), keys(truth_of(other, 200))
    assert (said["lost"], said["gained"]) == (len(ours - theirs), len(theirs - ours))
    told = servers.harvester(
        "verify", out, "--resample=100%", "-q", env={"HARVESTER_BASE_URL": other.base_url}
    )
    assert f"{len({link[0] for link in ours ^ theirs})} UIDs differ" in told.output


def verified_on_disk(servers: Servers, folder: Path, form: str) -> None:
    """A flipped byte is found and named, and `resume` refuses the folder."""
    server = servers.start(seed=9)
    assert harvest(servers, folder, 60, server.base_url, f"--format={form}").code == 0
    out = folder / "out"
    whole = servers.harvester("verify", out)
    assert whole.code == 0
    assert "all as they were committed" in whole.output
    (part,) = children(out, "links")
    sound = part.read_bytes()
    part.write_bytes(sound[:99] + bytes([sound[99] ^ 1]) + sound[100:])
    for command in (["verify", out], ["resume", out]):
        refused = servers.harvester(*command)
        assert refused.code == 1
        assert part.name in refused.output
    part.write_bytes(sound)
    assert servers.harvester("resume", out).code == 0


SCENARIOS = [
    *(
        Scenario(the_estimate_covers_the_truth, passes, form)
        for passes, form in ((2, "parquet"), (3, "jsonl"))
    ),
    Scenario(sweeps_that_lose_nothing_are_exact),
    Scenario(only_what_is_new_is_asked),
    Scenario(what_failed_in_one_is_answered_in_another),
    Scenario(what_fails_in_all_is_retried_in_all),
    Scenario(a_pipe_has_nothing_to_compare_with),
    Scenario(verified_against_the_server),
    *(Scenario(verified_on_disk, form) for form in ("parquet", "jsonl")),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_passes_are_merged(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
