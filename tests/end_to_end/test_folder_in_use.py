"""A folder in which another process runs a harvest: exit code 5, and nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.harness import digests, status, write_uids

from harvester.errors import FolderInUse
from harvester.store.folder import lock_folder

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers


def test_whatever_writes_or_needs_an_end_is_refused(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(), tmp_path / "out"
    run: list[object] = [
        "run", "--ids", write_uids(tmp_path / "ids", range(1, 9)), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--keep-raw", "-o", out,
    ]  # fmt: skip
    assert servers.harvester(*run).code == 0
    asked, before = len(server.log), digests(out)
    lock = lock_folder(out)
    try:
        with pytest.raises(FolderInUse):
            lock_folder(out)
        others: list[list[object]] = [
            [name, out] for name in ("resume", "verify", "records", "reparse")
        ]
        for words in (run, *others):
            refused = servers.harvester(*words)
            assert refused.code == 5, f"{words[0]}: {refused.code} {refused.err}"
            assert str(out) in refused.err
            assert "Traceback" not in refused.err
        assert servers.harvester("status", out).code == 0
    finally:
        lock.release()
    assert len(server.log) == asked
    assert digests(out) == before
    assert status(out)["state"] == "complete"
