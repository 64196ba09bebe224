"""docs/export.md: all commands are run, and the output equals what the page shows."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from support.cookbook import ROOT, blocks_in, run_block
from support.harness import environment, write_uids

from harvester.export import FORMATS

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

PMIDS = range(30_000_001, 30_000_007)
PAGE = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")


def test_examples_write_what_the_page_shows(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    write_uids(tmp_path / "pmids.txt", PMIDS)
    env = environment(HARVESTER_BASE_URL=server.base_url, XDG_CACHE_HOME=str(tmp_path / "cache"))
    env["PATH"] = f"{servers.shell.programs()}{os.pathsep}{env['PATH']}"
    said = ""
    for block in blocks_in(PAGE):
        if block.language == "text":
            assert said == block.text
        else:
            said = run_block(block, tmp_path, env)


def test_every_format_has_an_example() -> None:
    shell = [block.text for block in blocks_in(PAGE) if block.language == "sh"]
    for form in FORMATS:
        assert any(f"--to {form} " in text for text in shell), form
