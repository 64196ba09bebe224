"""Passes in leases, with workers in threads: exact for each kind of harvest, also if run twice."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from support.harness import assert_exact, expected_links, rows
from support.manifests import assert_exact_manifest

from harvester.api.loop import run_async
from harvester.client.connect import connected
from harvester.engine.stop import Stop
from harvester.job.model import Job
from harvester.model.uids import as_set
from harvester.runs.lease_worker import run_lease
from harvester.runs.run import Runner
from harvester.store.folder import LEASES

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from support.servers import Servers

    from harvester.emulator import Emulator
    from harvester.runs.leases import Lease, LeaseEnd

UIDS = range(1, 1201)


@dataclass
class Threads:
    """Workers in threads of this process.

    Attributes:
        draw: random numbers that decide what happens to a lease.
        twice: share of the leases that are run a second time, of which either end is reported.
    """

    draw: random.Random
    twice: float = 0.0
    workers: int = 3
    ran: int = 0

    async def run(self, lease: Lease) -> LeaseEnd:
        self.ran += 1
        end = await asyncio.to_thread(lambda: run_async(run_lease(lease)))
        if self.draw.random() < self.twice:
            self.ran += 1
            again = await asyncio.to_thread(lambda: run_async(run_lease(lease)))
            assert again.requests["sent"] == 0  # its folder is complete
            return self.draw.choice([end, again])
        return end

    async def stop(self) -> None:
        """Let the workers end by themselves."""


def _job(server: Emulator, out: Path, link: dict[str, Any], **groups: Any) -> Job:
    return Job(
        link=link,
        output={"path": str(out)} | groups.pop("output", {}),
        server={"base_url": server.base_url},
        limits={"rate": 300, "batch_size": 20} | groups.pop("limits", {}),
        **groups,
    )


async def _harvest(job: Job, pool: Threads, listed: Any) -> None:
    async with connected(job.server, job.contact, job.limits) as client:
        runner = Runner(client=client, listeners=[], stop=Stop(), whole=True, pool=pool)
        await runner.run(job, listed)


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
async def test_links_are_exact_although_leases_run_twice(
    form: str, servers: Servers, tmp_path: Path
) -> None:
    server, out = servers.start(faults=["500:0.1", "short:0.1", "cut:0.05"]), tmp_path / "out"
    pool = Threads(random.Random(1), twice=0.5)
    job = _job(server, out, {"dbfrom": "pubmed", "db": "pmc"}, output={"format": form})
    await _harvest(job, pool, as_set(UIDS))
    assert pool.ran > pool.workers
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ["pmc"]))
    assert_exact_manifest(out)
    assert not (out / LEASES).exists()


async def test_each_pass_is_leased_and_merged(servers: Servers, tmp_path: Path) -> None:
    """The first pass loses links; the second finds most; no link is stored twice."""
    server, out = servers.start(faults=["lost-blocks:0.2"]), tmp_path / "out"
    job = _job(server, out, {"dbfrom": "pubmed", "db": "pubmed"}, limits={"passes": 3})
    await _harvest(job, Threads(random.Random(2)), as_set(UIDS[:300]))
    truth = expected_links(server.graph, "pubmed", UIDS[:300], ["pubmed"])
    found = rows(out, "links").select(["from_uid", "linkname", "to_uid"]).to_pylist()
    pairs = {tuple(row.values()) for row in found}
    wanted = truth.select(["from_uid", "linkname", "to_uid"]).to_pylist()
    assert len(pairs) == len(found)
    assert pairs <= {tuple(row.values()) for row in wanted}
    assert len(pairs) > 0.95 * len(wanted)
    assert_exact_manifest(out)


async def test_accessions_and_kept_responses_are_renumbered(
    servers: Servers, tmp_path: Path
) -> None:
    server = servers.start()
    names = [f"NM_{number:06}.1" for number in range(1, 401)]
    link = {"dbfrom": "nuccore", "db": "protein", "idtype": "acc"}
    whole = _job(server, tmp_path / "whole", link, output={"keep_raw": True})
    leased = _job(server, tmp_path / "leased", link, output={"keep_raw": True})
    await _harvest(leased, Threads(random.Random(3)), names)
    async with connected(whole.server, whole.contact, whole.limits) as client:
        runner = Runner(client=client, listeners=[], stop=Stop(), whole=True)
        await runner.run(whole, names)
    for kind in ("links", "uids"):
        one, two = (
            sorted(map(str, pq.read_table(tmp_path / name / kind).to_pylist()))
            for name in ("whole", "leased")
        )
        assert one == two
    assert pq.read_table(tmp_path / "leased/links").num_rows > 0
    assert_exact_manifest(tmp_path / "leased")


async def test_targets_only_keeps_each_target_once(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(), tmp_path / "out"
    link = {"dbfrom": "pubmed", "db": "gene", "targets_only": True}
    await _harvest(_job(server, out, link), Threads(random.Random(4)), as_set(UIDS))
    truth = set(expected_links(server.graph, "pubmed", UIDS, ["gene"])["to_uid"].to_pylist())
    found = pq.read_table(out / "links")["to_uid"].to_pylist()
    assert len(found) == len(set(found))
    assert set(found) == truth


async def test_what_an_earlier_driver_left_is_adopted(servers: Servers, tmp_path: Path) -> None:
    """Leases that had ended but were not adopted are not requested again."""
    server, out = servers.start(), tmp_path / "out"
    job = _job(server, out, {"dbfrom": "pubmed", "db": "pmc"})

    class Dying(Threads):
        async def run(self, lease: Lease) -> LeaseEnd:
            await super().run(lease)
            raise RuntimeError("the driver dies")

    with pytest.raises(RuntimeError, match="the driver dies"):
        await _harvest(job, Dying(random.Random(5), workers=1), as_set(UIDS))
    asked = sum(entry.ids for entry in server.log)
    assert 0 < asked < len(UIDS)
    await _harvest(job, Threads(random.Random(6)), as_set(UIDS))
    assert sum(entry.ids for entry in server.log) == len(UIDS)
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ["pmc"]))
