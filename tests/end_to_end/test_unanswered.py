"""UIDs that cannot be answered: each has a row with the reason, and other UIDs are unaffected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from support.harness import (
    UIDS,
    Finished,
    assert_exact,
    assert_same,
    assert_tidy,
    expected_links,
    outcomes,
    rows,
    status,
    write_uids,
)
from support.scenarios import Scenario
from support.timing import IMPATIENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

ASKED = range(1_000, 1_060)

POISON, LEFT_OUT = (1_005, 1_017, 1_018), (1_030, 1_059)


def harvest(servers: Servers, out: Path, ids: Path, base_url: str, *options: str) -> Finished:
    """Harvest with few attempts."""
    return servers.harvester(
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", base_url, "--rate=100",
        "--batch-size=8", "--max-attempts=2", "-o", out, *options, patches=IMPATIENT,
    )  # fmt: skip


def reasons(out: Path, outcome: str) -> dict[int, str]:
    """Return the reason of each UID with an outcome."""
    found = rows(out, "uids").to_pylist()
    return {row["from_uid"]: row["reason"] for row in found if row["outcome"] == outcome}


def failed_and_missing(servers: Servers, folder: Path, form: str) -> None:
    """Exit code 3, a row with the reason, a list for the retry; the retry then succeeds."""
    poison = ",".join(map(str, POISON))
    left_out = ",".join(map(str, LEFT_OUT))
    sick = servers.start(faults=(f"poison@{poison}", f"short@{left_out}"))
    ids, out = write_uids(folder / "ids", ASKED), folder / "out"
    first = harvest(servers, out, ids, sick.base_url, f"--format={form}")
    assert first.code == 3, first.err
    assert "unanswered.txt" in first.err
    assert "--retry-failed" in first.err

    answered = [uid for uid in ASKED if uid not in POISON + LEFT_OUT]
    truth = expected_links(sick.graph, "pubmed", answered, ("pmc",))
    assert_same(rows(out, "links"), truth)
    failed, missing = reasons(out, "failed"), reasons(out, "missing")
    assert failed.keys() == set(POISON)
    assert missing.keys() == set(LEFT_OUT)
    assert all("500" in reason for reason in failed.values())
    assert all("left out" in reason for reason in missing.values())
    bad = [
        ["pubmed"] * 5,
        [*POISON, *LEFT_OUT],
        ["failed"] * 3 + ["missing"] * 2,
        [0] * 5,
        [(failed | missing)[uid] for uid in POISON + LEFT_OUT],
    ]
    expected = [outcomes("pubmed", answered, truth), pa.table(bad, schema=UIDS)]
    assert_same(rows(out, "uids"), pa.concat_tables(expected))
    listed = (out / "unanswered.txt").read_text()
    assert listed == "".join(f"{uid}\n" for uid in POISON + LEFT_OUT)
    assert_tidy(out)
    said = status(out)
    assert said["state"] == "complete_with_failures"
    assert said["uids"]["failed"] == 3
    assert said["uids"]["missing"] == 2
    assert said["uids"]["done"] == said["uids"]["total"] == len(ASKED)

    # Complete as it is: no request, and the same exit code.
    asked = len(sick.log)
    again = harvest(servers, out, ids, sick.base_url, f"--format={form}")
    assert (again.code, len(sick.log)) == (3, asked)
    assert (out / "unanswered.txt").read_text() == listed

    # While the server is as sick, retrying changes nothing, and doubles no row.
    before = rows(out, "uids")
    retried = harvest(servers, out, ids, sick.base_url, f"--format={form}", "--retry-failed")
    assert retried.code == 3
    assert len(sick.log) > asked
    assert_same(rows(out, "uids"), before)
    assert_same(rows(out, "links"), truth)

    # On a working server, only those are requested.
    servers.stop(sick)
    well = servers.start(port=sick.port)
    healed = harvest(servers, out, ids, well.base_url, f"--format={form}", "--retry-failed")
    assert healed.code == 0, healed.err
    assert sum(entry.ids for entry in well.log) == 5
    assert_exact(out, "pubmed", ASKED, expected_links(well.graph, "pubmed", ASKED, ("pmc",)))
    assert not (out / "unanswered.txt").exists()
    assert status(out)["state"] == "complete"


def the_list_is_an_input(servers: Servers, folder: Path) -> None:
    """`unanswered.txt` is a valid `--ids` file of another job."""
    sick = servers.start(faults=("poison@1005,1017",))
    first = harvest(servers, folder / "out", write_uids(folder / "ids", ASKED), sick.base_url)
    assert first.code == 3, first.err
    well = servers.start()
    listed = folder / "out" / "unanswered.txt"
    second = harvest(servers, folder / "other", listed, well.base_url)
    assert second.code == 0, second.err
    truth = expected_links(well.graph, "pubmed", (1005, 1017), ("pmc",))
    assert_exact(folder / "other", "pubmed", (1005, 1017), truth)


def default_settings(servers: Servers, folder: Path) -> None:
    """A bad UID is isolated from a batch of 200 by halving; all other UIDs are linked."""
    sick = servers.start(faults=("poison@77",))
    uids = range(1, 201)
    finished = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", uids), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", sick.base_url, "--rate=100", "-o", folder / "out",
        patches=IMPATIENT,
    )  # fmt: skip
    assert finished.code == 3, finished.err
    answered = [uid for uid in uids if uid != 77]
    truth = expected_links(sick.graph, "pubmed", answered, ("pmc",))
    assert_same(rows(folder / "out", "links"), truth)
    assert reasons(folder / "out", "failed").keys() == {77}
    alone = [entry for entry in sick.log if entry.ids == 1 and entry.fault]
    assert len(alone) == 6, "a UID alone has all of its attempts"


def earlier_failures_prove_nothing(servers: Servers, folder: Path) -> None:
    """A UID that failed before is no evidence about the server when a new one fails."""
    sick = servers.start(faults=("poison@3,90",))
    out = folder / "out"
    assert harvest(servers, out, write_uids(folder / "ids", (3, 4, 5)), sick.base_url).code == 3
    finished = harvest(servers, out, write_uids(folder / "more", (3, 4, 5, 90)), sick.base_url)
    assert finished.code == 3, finished.err
    assert "not answering" not in finished.err
    assert reasons(out, "failed").keys() == {3, 90}


SCENARIOS = [
    Scenario(failed_and_missing, "parquet"),
    Scenario(failed_and_missing, "jsonl"),
    Scenario(the_list_is_an_input),
    Scenario(default_settings),
    Scenario(earlier_failures_prove_nothing),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_unanswered_uids_are_reported_and_can_be_retried(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
