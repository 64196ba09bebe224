"""Harvests on a Dask cluster whose processes are killed: the result is exact."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.dask_cluster import cluster
from support.harness import (
    assert_exact,
    assert_polite,
    expected_links,
    harvester,
    running,
    status_command,
    wait_until,
    write_uids,
)
from support.manifests import assert_exact_manifest

from harvester.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

pytest.importorskip("distributed", reason="Dask is not installed")

UIDS = range(1, 1201)


def _words(folder: Path, server: Emulator, *more: str) -> list[str]:
    ids = write_uids(folder / "ids", UIDS)
    return [
        "run", "--ids", str(ids), "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
        "--rate=40", "--batch-size=5", "--runner=dask", "-o", str(folder / "out"), *more,
    ]  # fmt: skip


def _assert_whole(folder: Path, server: Emulator, uids: Iterable[int] = UIDS) -> None:
    truth = expected_links(server.graph, "pubmed", uids, ["pmc"])
    assert_exact(folder / "out", "pubmed", uids, truth)
    assert_exact_manifest(folder / "out")
    assert not (folder / "out/leases").exists()


def _most_in_a_second(server: Emulator) -> int:
    times = sorted(entry.arrived for entry in server.log)
    return max(sum(first <= time < first + 1 for time in times) for first in times)


@pytest.mark.torture
def test_a_cluster_of_its_own(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(faults=["500:0.05", "short:0.05"])
    done = harvester(*_words(tmp_path, server, "--workers=2", "--rate=100"))
    assert done.code == 0, done.err
    _assert_whole(tmp_path, server)
    said = status_command(tmp_path / "out")
    assert said["state"] == "complete"
    asked = [entry for entry in server.log if entry.utility == "elink"]
    assert said["requests"]["sent"] == len(asked) >= len(UIDS) / 5


@pytest.mark.torture
def test_it_is_interrupted_and_goes_on(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(latency=(0.05,))
    words = _words(tmp_path, server, "--workers=2")
    with running(*words, err=tmp_path / "err") as run:
        wait_until(lambda: len(server.log) > 40, "leases are run")
        run.signal(signal.SIGTERM)
        ended = run.ended()
    assert ended.code == 143, ended.err
    done = status_command(tmp_path / "out")["uids"]["done"]
    assert 0 < done < len(UIDS)
    again = harvester("resume", tmp_path / "out")
    assert again.code == 0, again.err
    _assert_whole(tmp_path, server)


def test_a_worker_is_killed(servers: Servers, tmp_path: Path) -> None:
    """Its commits are kept; another worker continues its lease."""
    server = servers.start(latency=(0.05,))
    with cluster(tmp_path, 3) as made:
        words = _words(tmp_path, server, "--scheduler", made.address)
        with running(*words, err=tmp_path / "err") as run:
            for count in (40, 100, 160):
                wait_until(lambda: len(server.log) > count, "leases are run")  # noqa: B023
                made.kill_worker()
                made.start_worker()
            ended = run.ended()
    assert ended.code == 0, ended.err
    _assert_whole(tmp_path, server)
    assert _most_in_a_second(server) <= 41


@pytest.mark.torture
def test_the_scheduler_is_killed(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(latency=(0.05,))
    with cluster(tmp_path, 2) as made:
        words = _words(tmp_path, server, "--scheduler", made.address)
        with running(*words, err=tmp_path / "err") as run:
            wait_until(lambda: len(server.log) > 60, "leases are run")
            made.kill_scheduler()
            ended = run.ended()
        assert ended.code == 1, ended.err
        assert "scheduler was lost" in ended.err
        assert_polite(ended.err)
        made.start_scheduler()
        made.start_worker()
        again = harvester("resume", tmp_path / "out")
    assert again.code == 0, again.err
    _assert_whole(tmp_path, server)


@pytest.mark.torture
def test_the_driver_is_killed(servers: Servers, tmp_path: Path) -> None:
    """Its workers may still run leases when the next driver starts."""
    server = servers.start(latency=(0.05,))
    with cluster(tmp_path, 2) as made:
        words = _words(tmp_path, server, "--scheduler", made.address)
        with running(*words, err=tmp_path / "err") as run:
            wait_until(lambda: len(server.log) > 60, "leases are run")
            run.kill()
        again = harvester(*words)
    assert again.code == 0, again.err
    _assert_whole(tmp_path, server)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--scheduler=tcp://10.0.0.1:8786"], "--limiter redis://"),
        (["--workers=0"], "--workers"),
        (["--scheduler=tcp://127.0.0.1:1", "--workers=2"], "workers of its own"),
        (["--runner=local", "--workers=2"], "--runner dask"),
        (["--runner=spark"], "dask"),
    ],
)
def test_what_cannot_be_run_is_refused(
    more: list[str], why: str, servers: Servers, tmp_path: Path
) -> None:
    server = servers.start()
    refused = harvester(*_words(tmp_path, server, *more))
    assert refused.code == 2, refused.err
    assert why in refused.err
    assert not server.log


WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name == "harvester":
            raise ModuleNotFoundError(name=name)

sys.meta_path.insert(0, Without())
"""


async def test_a_worker_without_the_package_is_named(tmp_path: Path) -> None:
    """Such a worker ended at each lease, and the driver waited for ever."""
    import distributed

    from harvester.runners.dask import check_workers

    connect: Any = distributed.Client
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    with cluster(tmp_path, 1, {"PYTHONPATH": str(tmp_path)}) as made:
        async with connect(made.address, asynchronous=True, timeout=120) as client:
            await client.wait_for_workers(1, timeout=120)
            with pytest.raises(BadInput, match=r"worker tcp://.* has no elink-harvester"):
                await check_workers(client)


def test_without_the_extra_it_is_named(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    (tmp_path / "distributed.py").write_text("raise ImportError('no distributed here')")
    refused = harvester(*_words(tmp_path, server), env={"PYTHONPATH": f"{tmp_path}:{sys.path[0]}"})
    assert refused.code == 2, refused.err
    assert "pip install 'elink-harvester[dask]'" in refused.err
    assert not server.log
