"""Biopython as an independent client: each cmd of ELink, validated by the DTD."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from harvester.emulator import Emulator, EmulatorConfig, background
from harvester.emulator.utilities.linkout import addresses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Ask


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with background(EmulatorConfig(rate=None, seed=5, llinkslib=True)) as server:
        yield server


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
        received = {
            one["LinkName"]: [int(link["Id"]) for link in one["Link"]]
            for one in linkset["LinkSetDb"]
        }
        links = server.graph.links(canonical, int(linkset["IdList"][0]), db)
        assert received == {one.linkname: one.to_uids.tolist() for one in links}
        if cmd == "neighbor_score":
            scored = linkset["LinkSetDb"] if db == dbfrom else []
            scores = [[int(link["Score"]) for link in one["Link"]] for one in scored]
            assert scores == [one.scores.tolist() for one in links if one.scores is not None]


def test_merged_links(server: Emulator, ask: Ask) -> None:
    (linkset,) = ask("elink", dbfrom="pubmed", db="all", id="1,2,3")
    assert list(linkset["IdList"]) == ["1", "2", "3"]
    received = {
        one["LinkName"]: {int(x["Id"]) for x in one["Link"]} for one in linkset["LinkSetDb"]
    }
    expected: dict[str, set[int]] = {}
    for uid in (1, 2, 3):
        for one in server.graph.links("pubmed", uid):
            expected.setdefault(one.linkname, set()).update(one.to_uids.tolist())
    assert received == expected


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
    # A provider may lack its Url (recorded answer of 2025), which the DTD requires.
    (linkset,) = ask("elink", dbfrom="pubmed", id="12085856,12085853,3", cmd=cmd)
    for listed in linkset["IdUrlList"]["IdUrlSet"]:
        found = addresses("pubmed", int(listed["Id"]), libraries=cmd == "llinkslib")
        if cmd == "prlinks":
            found = found[:1]
        received = [str(url["Url"]) for url in listed.get("ObjUrl", ())]
        assert received == [url.url for url in found]
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


def test_each_cmd_by_id(server: Emulator, ask: Ask) -> None:
    """Checks and LinkOut by id: one LinkSet per id, sorted as text."""
    uids = [12169658, 11748140, 5]
    ids = list(map(str, uids))
    for cmd, attribute, expected in (
        ("ncheck", "HasNeighbor", lambda uid: server.graph.links("pubmed", uid, "pubmed")),
        ("lcheck", "HasLinkOut", lambda uid: addresses("pubmed", uid)),
    ):
        linksets = ask("elink", dbfrom="pubmed", id=ids, cmd=cmd)
        checked = [one for linkset in linksets for one in linkset["IdCheckList"]["Id"]]
        assert list(map(str, checked)) == sorted(ids)
        for one in checked:
            assert one.attributes[attribute] == ("Y" if expected(int(one)) else "N")
    linksets = ask("elink", dbfrom="pubmed", id=ids, cmd="prlinks")
    for linkset in linksets:
        (listed,) = linkset["IdUrlList"]["IdUrlSet"]
        received = [str(url["Url"]) for url in listed.get("ObjUrl", ())]
        assert received == [url.url for url in addresses("pubmed", int(listed["Id"]))[:1]]


def test_history_by_id(server: Emulator, ask: Ask) -> None:
    linksets = ask("elink", dbfrom="gene", db="protein", id=["7157", "672"], cmd="neighbor_history")
    assert [linkset["IdList"] for linkset in linksets] == [["672"], ["7157"]]
    for linkset in linksets:
        gene = int(linkset["IdList"][0])
        links = {one.linkname: one for one in server.graph.links("gene", gene, "protein")}
        received = {one["LinkName"]: one["QueryKey"] for one in linkset["LinkSetDbHistory"]}
        assert set(received) == set(links)
        for linkname, query_key in received.items():
            kept = ask("esearch", db="protein", term=f"#{query_key}", WebEnv=linkset["WebEnv"])
            assert int(kept["Count"]) == len(links[linkname].to_uids)


def test_terms_and_dates(server: Emulator, ask: Ask) -> None:
    (plain,) = ask("elink", dbfrom="pubmed", db="pubmed", id="7", linkname="pubmed_pubmed")
    uids = [int(link["Id"]) for link in plain["LinkSetDb"][0]["Link"]]
    middle = sorted(uids)[len(uids) // 2]
    (filtered,) = ask(
        "elink",
        dbfrom="pubmed",
        db="pubmed",
        id="7",
        linkname="pubmed_pubmed",
        term=f"1:{middle}[UID]",
    )
    received = [int(link["Id"]) for link in filtered["LinkSetDb"][0]["Link"]]
    assert received == sorted((uid for uid in uids if uid <= middle), reverse=True)


def test_errors_raise(ask: Ask) -> None:
    with pytest.raises(RuntimeError, match="address table is empty"):
        ask("elink", dbfrom="pubmed", db="pcm", id="1")


def test_two_hundred_ids_are_sent_by_post(server: Emulator, ask: Ask) -> None:
    ids = [str(n) for n in range(1, 251)]
    linksets = ask("elink", dbfrom="pubmed", db="pmc", id=ids)
    assert len(linksets) == 250
    entry = server.log.entries[-1]
    assert (entry.method, entry.ids, entry.parameters) == ("POST", 250, 250)
    family = server.graph.families("pubmed", {"pmc"})[0]
    counts = server.graph.batch(family, np.arange(1, 251, dtype=np.uint64)).counts
    linked = [one for x in linksets for one in x["LinkSetDb"] if one["LinkName"] == family.linkname]
    assert len(linked) == np.count_nonzero(counts)
