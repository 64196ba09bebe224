"""Harvests of UIDs in memory, and their folders."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.harness import LINKS, assert_exact, assert_same, expected_links, harvester

from harvester import Job, harvest, run, stream
from harvester.api.folder import resume
from harvester.emulator.utilities.ids import accession
from harvester.errors import BadInput, HarvestError

if TYPE_CHECKING:
    from support.servers import Servers

    from harvester import events
    from harvester.emulator import Emulator

UIDS = range(5000, 5100)


def _job(server: Emulator, out: Path, **groups: Any) -> Job:
    given = {
        "link": {"dbfrom": "pubmed", "db": "pmc"},
        "output": {"path": out},
        "limits": {"rate": 200, "batch_size": 20},
        "server": {"base_url": server.base_url},
    }
    return Job.model_validate({**given, **groups})


def _assert_harvested(server: Emulator, out: Path, uids: range) -> None:
    assert_exact(out, "pubmed", uids, expected_links(server.graph, "pubmed", uids, ("pmc",)))


async def test_ids_are_a_source(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    result = await harvest(_job(server, tmp_path / "out"), ids=np.array(UIDS))
    assert (result.total, result.state) == (len(UIDS), "complete")
    _assert_harvested(server, tmp_path / "out", UIDS)


def test_a_job_may_hold_them(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    run(_job(server, tmp_path / "out", source={"uids": list(map(str, UIDS))}))
    _assert_harvested(server, tmp_path / "out", UIDS)


async def test_a_stream_takes_them(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    tables = [table async for table in stream(_job(server, tmp_path / "none"), ids=UIDS)]
    expected = expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    assert_same(pa.concat_tables(tables).cast(LINKS), expected)


async def test_accessions_in_memory(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    texts = [accession("protein", uid) for uid in range(100, 110)]
    link = {"dbfrom": "protein", "db": "nuccore", "idtype": "acc"}
    result = await harvest(_job(server, tmp_path / "out", link=link), ids=texts)
    assert result.total == len(texts)
    uids = pq.read_table(tmp_path / "out" / "uids")
    assert set(uids["from_uid"].to_pylist()) == set(texts)


async def _interrupted(server: Emulator, out: Path) -> None:
    """Leave a harvest after its first answers."""

    def leave(event: events.Event) -> None:
        if type(event).__name__ == "BatchAnswered":
            raise HarvestError("left")

    with pytest.raises(HarvestError, match="left"):
        await harvest(_job(server, out), ids=UIDS, listeners=[leave])


@pytest.mark.parametrize("way", ["resume", "harvest", "harvester resume", "harvester run"])
async def test_folder_keeps_the_uids_for_resume(servers: Servers, tmp_path: Path, way: str) -> None:
    """The remaining UIDs are known without the program that had them."""
    server, out = servers.start(), tmp_path / "out"
    await _interrupted(server, out)
    assert "uids" not in tomllib.loads((out / "job.toml").read_text())["source"]
    match way:
        case "resume":
            await resume(out)
        case "harvest":
            await harvest(_job(server, out))
        case _:
            last = "out" if way.endswith("resume") else "out/job.toml"
            finished = harvester(*way.split()[1:], last, cwd=tmp_path)
            assert finished.code == 0, finished.err
    _assert_harvested(server, out, UIDS)


async def test_a_later_list_extends_the_harvest(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(), tmp_path / "out"
    await harvest(_job(server, out), ids=UIDS)
    sent = len(server.log)
    more = range(UIDS.start, UIDS.stop + 20)
    await harvest(_job(server, out), ids=more)
    _assert_harvested(server, out, more)
    assert len(server.log) == sent + 1


async def test_wrong_ids_are_refused_before_any_request(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    with pytest.raises(BadInput, match=r"^ids\[1\]: 'x' is not a UID"):
        await harvest(_job(server, tmp_path / "out"), ids=[1, "x"])
    with pytest.raises(BadInput, match=r"^There is no UID in ids\.$"):
        await harvest(_job(server, tmp_path / "out"), ids=[])
    assert not server.log
    assert not (tmp_path / "out").exists()


def test_a_job_file_cannot_hold_them(tmp_path: Path) -> None:
    (tmp_path / "job.toml").write_text('[link]\ndbfrom = "pubmed"\n[source]\nuids = [1]\n')
    finished = harvester("run", "job.toml", "-o", "out", cwd=tmp_path)
    assert finished.code == 2
    assert "source.uids is for Python" in finished.err
    assert Path(tmp_path / "out").exists() is False
