"""`harvester diff` on harvests of two servers, compared with the difference of their graphs."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from support.harness import (
    LINKS,
    assert_same,
    digests,
    expected_links,
    harvester,
    rows,
    write_uids,
)
from support.scenarios import Scenario

from harvester.emulator import SeededGraph

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pyarrow as pa
    from support.servers import Servers

OLD, NEW = range(1, 61), range(31, 91)
KEY = ("from_uid", "dbto", "linkname", "to_uid")


def two_harvests(servers: Servers, folder: Path, form: str) -> None:
    """Counts, files and exit code; the server need not run during the comparison."""
    truth = []
    port = 0
    for name, seed, asked in (("old", 1, OLD), ("new", 2, NEW)):
        server = servers.start(graph=SeededGraph(seed), port=port)
        port = server.port
        finished = servers.harvester(
            "run", "--ids", write_uids(folder / "ids", asked), "--dbfrom=pubmed", "--db=pmc,gene",
            "--base-url", server.base_url, "--rate=400", f"--format={form}", "-o", folder / name,
        )  # fmt: skip
        assert finished.code == 0, finished.err
        truth.append(expected_links(server.graph, "pubmed", {*OLD} & {*NEW}, ("pmc", "gene")))
        servers.stop(server)
    before = [digests(folder / name) for name in ("old", "new")]
    sides = [{tuple(row[k] for k in KEY): row for row in table.to_pylist()} for table in truth]
    added, removed = sides[1].keys() - sides[0].keys(), sides[0].keys() - sides[1].keys()
    told = harvester("diff", folder / "old", folder / "new", "--json", "-o", folder / "changes")
    assert told.code == 0, told.err
    document = json.loads(told.out)
    assert document["uids"] == {"compared": 30, "only_old": 30, "only_new": 30, "unanswered": 0}
    assert (document["added"], document["removed"]) == (len(added), len(removed))
    assert document["kept"] == len(sides[0].keys() & sides[1].keys())
    for what, keys in (("added", added), ("removed", removed)):
        counts = Counter(key[2] for key in keys)
        by_linkname = document["by_linkname"]
        assert {name: one[what] for name, one in by_linkname.items() if one[what]} == counts
        side = sides[what == "added"]
        table = pq.read_table(folder / "changes" / what)
        expected = LINKS.empty_table().from_pylist([side[key] for key in keys], LINKS)
        assert_same(table.cast(LINKS), expected)
    shown = harvester("diff", folder / "old", folder / "new")
    assert shown.code == 0
    assert "30 UIDs compared; 30 only in OLD; 30 only in NEW" in shown.out
    assert f"{len(added):,}" in shown.out.splitlines()[-1]
    assert [digests(folder / name) for name in ("old", "new")] == before
    assert rows(folder / "old", "links").num_rows
    again = harvester("diff", folder / "old", folder / "new", "-o", folder / "changes")
    assert again.code == 2
    assert "not empty" in again.err


def _keys(table: pa.Table) -> set[tuple[object, ...]]:
    return {tuple(row[name] for name in KEY) for row in table.to_pylist()}


def two_chains(servers: Servers, folder: Path) -> None:
    """Chains are compared hop by hop, in counts and files; sums are over the hops."""
    truth: list[list[set[tuple[object, ...]]]] = []
    asked: list[list[set[int]]] = []
    port = 0
    for name, seed in (("old", 1), ("new", 2)):
        server = servers.start(graph=SeededGraph(seed), port=port)
        port = server.port
        job = folder / f"{name}.toml"
        job.write_text(
            '[[hop]]\ndbfrom = "gene"\ndb = "protein"\nlinkname = "gene_protein"\n'
            '[[hop]]\ndb = "structure"\n'
        )
        finished = servers.harvester(
            "run", job, "--ids", write_uids(folder / "ids", range(1, 16)), "--rate=400",
            "--base-url", server.base_url, "-o", folder / name,
        )  # fmt: skip
        assert finished.code == 0, finished.err
        graph, genes = server.graph, set(range(1, 16))
        first = expected_links(graph, "gene", genes, ["protein"], ["gene_protein"])
        proteins = set(first["to_uid"].to_pylist())
        second = expected_links(graph, "protein", proteins, ["structure"])
        asked.append([genes, proteins])
        truth.append([_keys(table) for table in (first, second)])
        servers.stop(server)
    told = harvester("diff", folder / "old", folder / "new", "--json", "-o", folder / "changes")
    assert told.code == 0, told.err
    document = json.loads(told.out)
    totals = Counter[str]()
    for place, hop in enumerate(("hop-1", "hop-2")):
        old_uids, new_uids = (one[place] for one in asked)
        both = old_uids & new_uids
        old, new = ({key for key in one[place] if key[0] in both} for one in truth)
        expected = {"added": new - old, "removed": old - new, "kept": old & new}
        found = document["hops"][place]
        assert (found["hop"], found["uids"]) == (
            hop,
            {"compared": len(both), "only_old": len(old_uids - both),
             "only_new": len(new_uids - both), "unanswered": 0},
        )  # fmt: skip
        counts = {what: len(keys) for what, keys in expected.items()}
        assert {what: found[what] for what in expected} == counts
        totals.update(counts)
        for what in ("added", "removed"):
            table = pq.read_table(folder / "changes" / hop / what)
            assert _keys(table) == expected[what]
            assert len(table) == len(expected[what])
    assert {what: document[what] for what in totals} == dict(totals)
    assert min(totals["added"], totals["removed"]) > 0
    shown = harvester("diff", folder / "old", folder / "new")
    assert [line.split(":")[0] for line in shown.out.splitlines() if "compared" in line] == [
        "hop-1", "hop-2",
    ]  # fmt: skip
    mixed = harvester("diff", folder / "old", folder / "new" / "hop-1", "-o", folder / "none")
    assert mixed.code == 2
    assert "their hops differ" in mixed.err
    assert not (folder / "none").exists()
    shutil.rmtree(folder / "new" / "hop-2")
    unfinished = harvester("diff", folder / "old", folder / "new")
    assert unfinished.code == 2
    assert "hop 2 of 2 has not begun" in unfinished.err


SCENARIOS = [
    Scenario(two_harvests, "parquet"),
    Scenario(two_harvests, "jsonl"),
    Scenario(two_chains),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_two_harvests_are_compared(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
