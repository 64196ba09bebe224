"""Commands that read a whole harvest report their progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.harness import status, write_uids

from harvester import events
from harvester.api import folder

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 101)


@pytest.fixture
def server(servers: Servers) -> Emulator:
    return servers.start()


def harvested(servers: Servers, server: Emulator, tmp_path: Path, name: str, *options: str) -> Path:
    ended = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=100", "--batch-size=20", "-o", tmp_path / name,
        *options,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    return tmp_path / name


@pytest.fixture
def told() -> list[events.Event]:
    return []


def test_reparse(
    servers: Servers, server: Emulator, tmp_path: Path, told: list[events.Event]
) -> None:
    out = harvested(servers, server, tmp_path, "out", "--keep-raw")
    folder.reparse(out, [told.append])
    assert told[-1] == events.ReadProgress(5, 5, "response")


def test_verify(
    servers: Servers, server: Emulator, tmp_path: Path, told: list[events.Event]
) -> None:
    out = harvested(servers, server, tmp_path, "out", "--keep-raw")
    assert folder.verify(out, [told.append]).ok
    first, *_, last = (one for one in told if isinstance(one, events.ReadProgress))
    assert (first.done, last.done) == (0, last.total)
    assert last.total >= len(list(out.glob("*/part-*"))) > 2


def test_diff(servers: Servers, server: Emulator, tmp_path: Path, told: list[events.Event]) -> None:
    old, new = (harvested(servers, server, tmp_path, name) for name in ("old", "new"))
    folder.diff(old, new, listeners=[told.append])
    links = status(new)["links"]
    assert told[-1] == events.ReadProgress(links, links)


def test_merge(
    servers: Servers, server: Emulator, tmp_path: Path, told: list[events.Event]
) -> None:
    shards = [harvested(servers, server, tmp_path, f"s{n}", f"--shard={n}/2") for n in (1, 2)]
    folder.merge(tmp_path / "merged", shards, listeners=[told.append])
    assert told[-1] == events.ReadProgress(4, 4, "file")
