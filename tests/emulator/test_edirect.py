"""EDirect, NCBI's own command line programs, as an independent client of each utility.

Debian has it as `ncbi-entrez-direct`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from harvester.emulator import Emulator, EmulatorConfig, background, truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("esearch", "elink", "efetch", "epost", "einfo", "nquire"))),
    reason="EDirect is not installed: apt-get install ncbi-entrez-direct",
)

CURL = """#!/bin/bash
for word in "$@"; do words+=("${{word//https:\\/\\/eutils.ncbi.nlm.nih.gov\\//{host}}}"); done
exec {curl} "${{words[@]}}"
"""
"""Wrapper of curl, which EDirect runs: replaces the URLs that -base does not change."""


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with background(EmulatorConfig(rate=None, seed=5)) as server:
        yield server


@pytest.fixture
def pipe(server: Emulator, tmp_path: Path) -> Callable[[str], str]:
    """Return a function that runs a line of shell with EDirect and returns its output."""
    curl = shutil.which("curl")
    host = server.base_url.removesuffix("entrez/eutils/").replace("/", "\\/")
    (tmp_path / "bin").mkdir()
    wrapper = tmp_path / "bin" / "curl"
    wrapper.write_text(CURL.format(host=host, curl=curl))
    wrapper.chmod(0o755)
    env = os.environ | {"NCBI_API_KEY": "0123456789abcdef"}  # with a key its pauses are shorter
    env |= {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "EMAIL": "test@example.org"}
    env["PATH"] = f"{wrapper.parent}:{env['PATH']}"

    def pipe(line: str) -> str:
        before = len(server.log)
        ran = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            env=env,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert not ran.stderr.strip(".\n"), ran.stderr
        assert len(server.log) > before, "nobody was asked"
        return ran.stdout

    return pipe


def numbers(text: str) -> list[int]:
    return [int(line) for line in text.split()]


def targets(
    server: Emulator, dbfrom: str, uids: Sequence[int], db: str, linkname: str | None = None
) -> list[int]:
    """Return the distinct targets of some UIDs, ascending, from the graph."""
    names = {linkname} if linkname else None
    return sorted(set(truth(server.graph, dbfrom, uids, {db}, names)["to_uid"].to_pylist()))


def test_search_link_fetch(server: Emulator, pipe: Callable[[str], str]) -> None:
    output = pipe(
        'esearch -db pubmed -query "1000:1099[UID]" | elink -target gene -name pubmed_gene |'
        " efetch -format uilist"
    )
    genes = targets(server, "pubmed", range(1000, 1100), "gene", "pubmed_gene")
    assert genes
    assert numbers(output) == genes


def test_two_links_and_summaries(server: Emulator, pipe: Callable[[str], str]) -> None:
    """NCBI's own example: gene to protein to structure."""
    output = pipe(
        'esearch -db gene -query "7157[UID]" | elink -target protein |'
        " elink -target structure | efetch -format docsum |"
        " xtract -pattern DocumentSummary -element Id Title"
    )
    proteins = targets(server, "gene", [7157], "protein")
    structures = targets(server, "protein", proteins, "structure")
    assert structures
    received = dict(line.split("\t") for line in output.splitlines())
    assert sorted(map(int, received)) == structures
    assert all(title == f"Record {uid} of structure." for uid, title in received.items())


def test_post_and_fetch(server: Emulator, pipe: Callable[[str], str]) -> None:
    output = pipe("epost -db gene -id 7157,672,675 | efetch -format uilist")
    assert sorted(numbers(output)) == [672, 675, 7157]
    output = pipe(
        "epost -db gene -id 7157,672 | elink -target protein -name gene_protein |"
        " efetch -format uilist"
    )
    assert sorted(numbers(output)) == targets(
        server, "gene", [672, 7157], "protein", "gene_protein"
    )


def test_links_within_a_database(server: Emulator, pipe: Callable[[str], str]) -> None:
    output = pipe("elink -db pubmed -id 1,2,3 -related -name pubmed_pubmed | efetch -format uilist")
    assert numbers(output) == targets(server, "pubmed", [1, 2, 3], "pubmed", "pubmed_pubmed")


def test_checks_and_scores(server: Emulator, pipe: Callable[[str], str]) -> None:
    checked = ET.fromstring(pipe("elink -db pubmed -id 1,2 -cmd acheck"))
    for one in checked.iter("IdLinkSet"):
        names = [name.text for name in one.iter("LinkName") if name.text != "ExternalLink"]
        links = server.graph.links("pubmed", int(one.findtext("Id", "")))
        assert names == [family.linkname for family in links]
    scored = ET.fromstring(pipe("elink -db pubmed -id 1 -cmd score -name pubmed_pubmed"))
    received = [
        (int(link.findtext("Id", "")), int(link.findtext("Score", "")))
        for link in scored.iter("Link")
    ]
    (family,) = [
        one for one in server.graph.links("pubmed", 1, "pubmed") if one.linkname == "pubmed_pubmed"
    ]
    assert family.scores is not None
    assert received == list(zip(family.to_uids.tolist(), family.scores.tolist(), strict=True))


def test_databases(server: Emulator, pipe: Callable[[str], str]) -> None:
    assert {"pubmed", "gene", "nuccore"} <= set(pipe("einfo -dbs").split())
    lines = pipe("einfo -db gene -links").splitlines()
    listed = [one.linkname for one in server.graph.families("gene") if one.listed]
    assert sorted(line.split("\t")[0] for line in lines) == sorted(listed)


@pytest.mark.torture
def test_more_records_than_one_search_returns(server: Emulator, pipe: Callable[[str], str]) -> None:
    """Beyond 9,999 records of PubMed, EDirect splits the search into ranges of UIDs."""
    output = pipe('esearch -db pubmed -query "30000001:30012000[UID]" | efetch -format uilist')
    assert numbers(output) == list(range(30_000_001, 30_012_001))


def test_spelling(pipe: Callable[[str], str]) -> None:
    def count(options: str) -> int:
        return int(ET.fromstring(pipe(f"esearch -db gene {options}")).findtext("Count", ""))

    corrected = count("-query biopythooon -spell")
    assert corrected == count("-query biopythoon") != count("-query biopythooon")
