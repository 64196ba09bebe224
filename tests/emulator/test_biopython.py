"""Biopython, which nobody here wrote, asks each utility, validates by NCBI's DTD and agrees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from Bio import Entrez

from harvester.emulator import Emulator, EmulatorConfig, background
from harvester.emulator.utilities.linkout import addresses

NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with background(EmulatorConfig(rate=None, seed=5)) as server:
        yield server


@pytest.fixture
def ask(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks a utility through Biopython and reads the answer with its validating parser."""
    build: Any = Entrez._build_request
    read: Any = Entrez.read

    def build_here(cgi: str, *args: Any, **options: Any) -> Any:
        Entrez._open.previous = 0  # no pause between requests that never leave this machine
        return build(cgi.replace(NCBI, server.base_url), *args, **options)

    monkeypatch.setattr(Entrez, "_build_request", build_here)
    monkeypatch.setattr(Entrez, "email", "test@example.org")

    def ask(utility: str, **parameters: Any) -> Any:
        with getattr(Entrez, utility)(**parameters) as handle:
            return read(handle, validate=True)

    return ask


@pytest.mark.parametrize(
    ("dbfrom", "db"),
    [("pubmed", "pmc"), ("pubmed", "pubmed"), ("gene", "protein"), ("nucleotide", "protein")],
)
@pytest.mark.parametrize("cmd", ["neighbor", "neighbor_score"])
def test_links_by_id(server: Emulator, ask: Ask, dbfrom: str, db: str, cmd: str) -> None:
    uids = [9298984, 12, 7157, 3]
    linksets = ask("elink", dbfrom=dbfrom, db=db, id=list(map(str, uids)), cmd=cmd)
    canonical = "nuccore" if dbfrom == "nucleotide" else dbfrom
    assert [linkset["IdList"][0] for linkset in linksets] == sorted(map(str, uids))
    for linkset in linksets:
        assert linkset["DbFrom"] == canonical
        told = {
            one["LinkName"]: [int(link["Id"]) for link in one["Link"]]
            for one in linkset["LinkSetDb"]
        }
        links = server.graph.links(canonical, int(linkset["IdList"][0]), db)
        assert told == {one.linkname: one.to_uids.tolist() for one in links}
        if cmd == "neighbor_score":
            scored = linkset["LinkSetDb"] if db == dbfrom else []
            scores = [[int(link["Score"]) for link in one["Link"]] for one in scored]
            assert scores == [one.scores.tolist() for one in links if one.scores is not None]


def test_merged_links(server: Emulator, ask: Ask) -> None:
    (linkset,) = ask("elink", dbfrom="pubmed", db="all", id="1,2,3")
    assert list(linkset["IdList"]) == ["1", "2", "3"]
    told = {one["LinkName"]: {int(x["Id"]) for x in one["Link"]} for one in linkset["LinkSetDb"]}
    expected: dict[str, set[int]] = {}
    for uid in (1, 2, 3):
        for one in server.graph.links("pubmed", uid):
            expected.setdefault(one.linkname, set()).update(one.to_uids.tolist())
    assert told == expected


def test_checks(server: Emulator, ask: Ask) -> None:
    uids = [12169658, 11748140, 5]
    ids = list(map(str, uids))
    for linkset in ask("elink", dbfrom="pubmed", id=ids, cmd="acheck"):
        (checked,) = linkset["IdCheckList"]["IdLinkSet"]
        uid = int(checked["Id"])
        names = [info["LinkName"] for info in checked["LinkInfo"]]
        expected = [one.linkname for one in server.graph.links("pubmed", uid)]
        assert names == expected + ["ExternalLink"] * bool(addresses("pubmed", uid))
    (linkset,) = ask("elink", dbfrom="gene", id=",".join(ids), cmd="ncheck")
    for checked in linkset["IdCheckList"]["Id"]:
        related = server.graph.links("gene", int(checked), "gene")
        assert checked.attributes["HasNeighbor"] == ("Y" if related else "N")
    (linkset,) = ask("elink", dbfrom="pubmed", id=",".join(ids), cmd="lcheck")
    for checked in linkset["IdCheckList"]["Id"]:
        linked = bool(addresses("pubmed", int(checked)))
        assert checked.attributes["HasLinkOut"] == ("Y" if linked else "N")


@pytest.mark.parametrize("cmd", ["llinks", "llinkslib", "prlinks"])
def test_linkout(ask: Ask, cmd: str) -> None:
    # A provider may lack its Url, as in a recorded answer of 2025, so the parser must not insist.
    (linkset,) = ask("elink", dbfrom="pubmed", id="12085856,12085853,3", cmd=cmd)
    for listed in linkset["IdUrlList"]["IdUrlSet"]:
        found = addresses("pubmed", int(listed["Id"]), libraries=cmd == "llinkslib")
        if cmd == "prlinks":
            found = found[:1]
        told = [str(url["Url"]) for url in listed.get("ObjUrl", ())]
        assert told == [url.url for url in found]
        assert ("Info" in listed) == (not found)


def test_history(server: Emulator, ask: Ask) -> None:
    posted = ask("epost", db="gene", id="7157,672")
    (linkset,) = ask(
        "elink",
        dbfrom="gene",
        db="protein",
        cmd="neighbor_history",
        WebEnv=posted["WebEnv"],
        query_key=posted["QueryKey"],
    )
    assert linkset["WebEnv"] == posted["WebEnv"]
    expected = {
        uid
        for gene in (7157, 672)
        for one in server.graph.links("gene", gene, "protein")
        for uid in one.to_uids.tolist()
    }
    (history,) = linkset["LinkSetDbHistory"]
    kept = server.history.fetch(str(linkset["WebEnv"]), str(history["QueryKey"]))
    assert kept is not None
    assert set(kept[1]) == expected


def test_search_and_records(server: Emulator, ask: Ask) -> None:
    found = ask("esearch", db="pubmed", term="100:110[UID]", retmax=5, usehistory="y")
    assert found["Count"] == "11"
    assert list(found["IdList"]) == ["110", "109", "108", "107", "106"]
    summaries = ask("esummary", db="pubmed", WebEnv=found["WebEnv"], query_key=found["QueryKey"])
    assert [one["Id"] for one in summaries] == [str(uid) for uid in range(110, 99, -1)]
    nothing = ask("esearch", db="protein", term="abcXYZ")
    assert nothing["Count"] == "0"
    assert nothing["ErrorList"]["PhraseNotFound"] == ["abcXYZ"]


def test_databases(server: Emulator, ask: Ask) -> None:
    names = ask("einfo")["DbList"]
    assert "pubmed" in names
    (info,) = ask("einfo", db="pubmed")["DbInfo"]
    listed = [link["Name"] for link in info["LinkList"]]
    assert listed == [one.linkname for one in server.graph.families("pubmed") if one.listed]
    assert "pubmed_pubmed_citedin" not in listed
    assert int(info["Count"]) == len(server.graph.records("pubmed"))


def test_spelling(ask: Ask) -> None:
    assert ask("espell", db="pubmed", term="biopythooon")["CorrectedQuery"] == "biopythoon"


def test_errors_raise(ask: Ask) -> None:
    with pytest.raises(RuntimeError, match="address table is empty"):
        ask("elink", dbfrom="pubmed", db="pcm", id="1")


def test_two_hundred_ids_go_by_post(server: Emulator, ask: Ask) -> None:
    ids = [str(n) for n in range(1, 251)]
    linksets = ask("elink", dbfrom="pubmed", db="pmc", id=ids)
    assert len(linksets) == 250
    entry = server.log.entries[-1]
    assert (entry.method, entry.ids, entry.parameters) == ("POST", 250, 250)
    family = server.graph.families("pubmed", {"pmc"})[0]
    counts = server.graph.batch(family, np.arange(1, 251, dtype=np.uint64)).counts
    linked = [one for x in linksets for one in x["LinkSetDb"] if one["LinkName"] == family.linkname]
    assert len(linked) == np.count_nonzero(counts)
