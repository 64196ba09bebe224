"""The public functions, and links on standard output, against an emulator."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from support.harness import LINKS, assert_exact, assert_same, expected_links, harvester, write_uids

from harvester import Eutils, Job, harvest, run, stream
from harvester.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

UIDS = range(5000, 5300)


def _job(server_url: str, folder: Path, **limits: object) -> Job:
    return Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pmc"},
            "source": {"ids": write_uids(folder / "ids", UIDS)},
            "output": {"path": folder / "out"},
            "limits": {"rate": 200, "batch_size": 20, **limits},
            "server": {"base_url": server_url},
        }
    )


async def test_harvest_is_awaited_and_counts(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    result = await harvest(_job(server.base_url, tmp_path))
    links = expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    assert_exact(tmp_path / "out", "pubmed", UIDS, links)
    assert (result.total, result.link_count, result.state) == (len(UIDS), len(links), "complete")
    assert sum(result.outcomes.values()) == len(UIDS)


def test_run_needs_no_event_loop(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    assert run(_job(server.base_url, tmp_path)).exit_code == 0
    assert_exact(
        tmp_path / "out", "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    )


@pytest.mark.parametrize("way", ["harvest", "run", "stream", "Eutils", "Eutils.sync"])
def test_each_function_obeys_the_environment(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """HARVESTER_BASE_URL and NCBI_EMAIL apply to every function."""
    tap = servers.tap(servers.start())
    monkeypatch.setenv("HARVESTER_BASE_URL", tap.base_url)
    monkeypatch.setenv("NCBI_EMAIL", "me@example.org")
    job = Job(link={"dbfrom": "pubmed", "db": "pmc"}, output={"path": tmp_path / "out"})

    async def read_stream() -> int:
        return sum([table.num_rows async for table in stream(job, ids=UIDS)])

    async def ask() -> int:
        async with Eutils() as e:
            found = await e.elink("pubmed", list(UIDS), db="pmc")
            return len(found.links())

    match way:
        case "harvest":
            assert asyncio.run(harvest(job, ids=UIDS)).link_count > 0
        case "run":
            assert run(job, ids=UIDS).link_count > 0
        case "stream":
            assert asyncio.run(read_stream()) > 0
        case "Eutils":
            assert asyncio.run(ask()) > 0
        case _:
            with Eutils.sync() as eutils:
                assert eutils.elink("pubmed", list(UIDS), db="pmc").links().num_rows > 0
    asked = [one for one in tap.requests if "elink" in one.target]
    assert asked
    assert [one for one in asked if one.values("email") != ["me@example.org"]] == []


async def test_stream_gives_every_link_and_writes_nothing(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    tables = [table async for table in stream(_job(server.base_url, tmp_path))]
    together = pa.concat_tables(tables).cast(LINKS)
    assert_same(together, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))
    assert not (tmp_path / "out").exists()


async def test_a_stream_may_be_left_early(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(latency=(0.05,))
    links = stream(_job(server.base_url, tmp_path, concurrency=1))
    first = await anext(links)
    await links.aclose()
    assert first.num_rows > 0
    assert len(server.log) < len(UIDS) // 20


async def test_a_stream_says_what_is_wrong(servers: Servers, tmp_path: Path) -> None:
    job = _job(servers.start().base_url, tmp_path)
    (tmp_path / "ids").write_text("17\nseventeen\n")
    with pytest.raises(BadInput, match="line 2: 'seventeen'"):
        await anext(stream(job))


def test_links_on_standard_output(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    finished = harvester(
        "run", "--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--rate=200", "--base-url", server.base_url, "-o", "-", cwd=tmp_path,
    )  # fmt: skip
    assert finished.code == 0, finished.err
    links = pa.Table.from_pylist([json.loads(line) for line in finished.out.splitlines()], LINKS)
    assert_same(links, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))
    assert [path.name for path in tmp_path.iterdir()] == ["ids"]
