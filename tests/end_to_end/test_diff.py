"""`harvester diff` on the harvests of two servers, whose graphs say what differs."""

from __future__ import annotations

import json
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
from support.scenes import Scene

from harvester.emulator import SeededGraph

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

OLD, NEW = range(1, 61), range(31, 91)
KEY = ("from_uid", "dbto", "linkname", "to_uid")


def two_years(servers: Servers, folder: Path, form: str) -> None:
    """Counts, files and exit code; a rehearsal and its server are gone by then."""
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


@pytest.mark.parametrize("scene", [Scene(two_years, "parquet"), Scene(two_years, "jsonl")], ids=str)
def test_two_harvests_are_compared(scene: Scene, see: Callable[[Scene], None]) -> None:
    """Play one scene; its docstring says what it proves."""
    see(scene)
