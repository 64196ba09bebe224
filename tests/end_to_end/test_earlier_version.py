"""A folder that an earlier version of the program wrote is read, checked and resumed.

The files in `tests/data/earlier_version` were written by commit 08adfcc (state version 1): a
harvest of the UIDs 1 to 3 from `harvester emulate`, to which its own `State` then added the UIDs 4
to 6 as input, with UID 4 as failed. `state.sql` is the dump of its `state.sqlite`.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.harness import expected_links, rows, status, write_uids

if TYPE_CHECKING:
    from support.servers import Servers

DATA = Path(__file__).parents[1] / "data" / "earlier_version"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return the folder, prepared for the address of a server."""
    out = tmp_path / "out"
    shutil.copytree(DATA, out)
    with closing(sqlite3.connect(out / "state.sqlite")) as database:
        database.executescript((out / "state.sql").read_text())
    (out / "state.sql").unlink()
    return out


def test_it_is_read_checked_and_resumed(out: Path, servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    job = (out / "job.toml").read_text().replace("BASE_URL", server.base_url)
    job = job.replace('"ids"', json.dumps(str(write_uids(tmp_path / "ids", range(1, 7)))))
    (out / "job.toml").write_text(job)
    before = [row for row in rows(out, "links").to_pylist() if row["from_uid"] <= 3]
    assert before

    found = status(out)
    assert found["state"] == "interrupted"
    assert (found["uids"]["total"], found["uids"]["done"], found["uids"]["failed"]) == (6, 4, 1)
    assert servers.harvester("verify", out).code == 0

    resumed = servers.harvester("resume", out)
    assert resumed.code == 3, resumed.output
    asked = [entry.ids for entry in server.log if entry.utility == "elink"]
    assert asked == [2], "only what is not done is asked for"
    assert (out / "unanswered.txt").read_text() == "4\n"
    assert status(out)["requests"]["sent"] == 2, "the request of the earlier run counts"

    again = servers.harvester("run", out / "job.toml", "-o", out, "--retry-failed")
    assert again.code == 0, again.output
    assert servers.harvester("verify", out).code == 0
    truth = expected_links(server.graph, "pubmed", range(4, 7), ("pmc",)).to_pylist()
    links = rows(out, "links").to_pylist()
    key = ("from_uid", "rank")
    assert sorted(links, key=lambda row: [row[name] for name in key]) == sorted(
        before + truth, key=lambda row: [row[name] for name in key]
    )
    outcomes = {row["from_uid"]: row["outcome"] for row in rows(out, "uids").to_pylist()}
    assert outcomes.keys() == set(range(1, 7))
    assert set(outcomes.values()) <= {"linked", "empty"}
