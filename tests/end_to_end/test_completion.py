"""Completion in real shells, installed by the line in the README."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.terminal import has, terminal

if TYPE_CHECKING:
    from collections.abc import Mapping

README = Path(__file__).parents[2] / "README.md"

SHELLS: Mapping[str, tuple[str, ...]] = {
    "bash": ("bash", "--norc", "--noprofile"),
    "zsh": ("zsh", "-f"),
    "fish": ("fish", "--no-config"),
}

TYPED = {
    "harvester linkn": "harvester linknames",
    "harvester run --cmd=ach": "harvester run --cmd=acheck",
    "harvester run --db pubmed,pm": "harvester run --db pubmed,pmc",
    "harvester run --dbfrom pubmed --linkname pubmed_pubmed_ci":
        "harvester run --dbfrom pubmed --linkname pubmed_pubmed_citedin",
    "harvester status gene": "harvester status genes-out/",
    "harvester run --ids=gene_l": "harvester run --ids=gene_list.txt",
}  # fmt: skip
"""Before the Tab key → after it."""


def line_of(shell: str) -> str:
    """Return the README line that installs completion in a shell."""
    found = re.search(rf"^\| {shell}[^|]*\| `([^`]+)` \|$", README.read_text(), re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_tab_key_completes(shell: str, tmp_path: Path) -> None:
    if not has("tmux", shell):
        pytest.skip(f"tmux or {shell} is not installed")
    (tmp_path / ".zshrc").touch()
    (tmp_path / "genes-out").mkdir()
    (tmp_path / "gene_list.txt").touch()
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / ".config"), "PS1": "$ "}
    with terminal(*SHELLS[shell], env=env, columns=200) as window:
        window.type(f"cd; {line_of(shell)}; exec {shell}; ")
        window.key("Enter")
        window.type("echo be''gun")
        window.key("Enter")
        window.wait_for("begun")
        for before, after in TYPED.items():
            window.type(before)
            window.wait_for(before)
            window.key("Tab")
            window.wait_for(after)
            window.key("C-u")
            window.key("C-l")
