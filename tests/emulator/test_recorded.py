"""Recorded answers of NCBI: the same links give the same bytes or the same fields."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest

from harvester.emulator import Emulator, EmulatorConfig, TableGraph

from .conftest import Client

if TYPE_CHECKING:
    from pathlib import Path

    import aiohttp

DBS = "linksetdbs"


def graph_of_json(answer: dict[str, Any]) -> TableGraph:
    """Return the links of a recorded answer with one LinkSet per id."""
    return graph(
        (linkset["dbfrom"], linkset["ids"][0], db["dbto"], db["linkname"], link)
        for linkset in answer["linksets"]
        for db in linkset.get(DBS, ())
        for link in db.get("links", ())
    )


def graph_of_xml(answer: ET.Element) -> TableGraph:
    return graph(
        (
            one.findtext("DbFrom", ""),
            one.findtext("IdList/Id", ""),
            db.findtext("DbTo", ""),
            db.findtext("LinkName", ""),
            link.findtext("Id", ""),
        )
        for one in answer.findall("LinkSet")
        for db in one.findall("LinkSetDb")
        for link in db.findall("Link")
    )


def graph(links: Any) -> TableGraph:
    """Return a graph of (dbfrom, from_uid, dbto, linkname, to_uid or {id, score})."""
    rows = []
    for dbfrom, from_uid, dbto, linkname, link in links:
        uid, score = (link["id"], link["score"]) if isinstance(link, dict) else (link, None)
        rows.append(
            {
                "dbfrom": dbfrom,
                "from_uid": int(from_uid),
                "dbto": dbto,
                "linkname": linkname,
                "to_uid": int(uid),
                "score": score,
            }
        )
    none = {"dbfrom": "gap", "from_uid": 1, "dbto": "gap", "linkname": "gap_gap", "to_uid": 1}
    return TableGraph(pa.Table.from_pylist(rows or [none | {"score": None}]))


def text(path: Path) -> bytes:
    return path.read_bytes()


JSON = {
    "ncbi-GeneGPT/elink_nuccore_fe5c61a1.json": "dbfrom=nuccore&db=nuccore&id=568815597",
    "ncbi-GeneGPT/elink_nuccore_c1e8d82b.json": "dbfrom=nuccore&db=nuccore&id=568815597",
    "ncbi-GeneGPT/elink_nuccore_780f3909.json": "dbfrom=nuccore&db=nuccore&id=568815597",
    "ncbi-GeneGPT/elink_genome_84439dae.json": "dbfrom=nuccore&db=genome&id=568815597",
    "quoted-in-issues-and-docs/elink_nuccore_taxonomy_one.json": (
        "dbfrom=nuccore&db=taxonomy&id=1910759551"
    ),
    "quoted-in-issues-and-docs/elink_neighbor_score_37258680.json": (
        "dbfrom=pubmed&db=pubmed&cmd=neighbor_score&linkname=pubmed_pubmed&id=37258680"
    ),
}

XML = {
    "biopython-biopython/elink1.xml": "dbfrom=pubmed&id=9298984&cmd=neighbor",
    "biocommons-eutils/test_elink__0.xml": "dbfrom=pubmed&id=1234567&cmd=neighbor",
    "bionode-bionode-ncbi/Link_sra_to_bioproject__1_elink.xml": "dbfrom=sra&db=bioproject&id=35533",
    "Kathyren-Muscle_wasting/elink_or_efetch_2.xml": (
        "dbfrom=pubmed&db=pmc&linkname=pubmed_pmc_refs&id=34662018"
    ),
}


@pytest.mark.parametrize("name", JSON)
async def test_json_has_the_same_bytes(
    recorded: Path, session: aiohttp.ClientSession, name: str
) -> None:
    body = text(recorded / name)
    config = EmulatorConfig(rate=None, graph=graph_of_json(json.loads(body)))
    async with Emulator(config) as server:
        status, ours = await Client(session, server).raw("elink", f"{JSON[name]}&retmode=json")
    assert (status, ours.rstrip()) == (200, body.rstrip())


@pytest.mark.parametrize("name", XML)
async def test_xml_has_the_same_bytes_except_blank_lines(
    recorded: Path, session: aiohttp.ClientSession, name: str
) -> None:
    body = text(recorded / name)
    config = EmulatorConfig(rate=None, graph=graph_of_xml(ET.fromstring(body.strip())))
    async with Emulator(config) as server:
        _, ours = await Client(session, server).raw("elink", XML[name])
    # NCBI leaves one blank line per family without links; their number varies.
    assert without_blank_lines(ours) == without_blank_lines(body)


def without_blank_lines(body: bytes) -> bytes:
    return re.sub(rb"\n\s*\n", b"\n", body).strip()


def json_paths(value: Any, path: str = "") -> set[str]:
    """Return every path of an answer with the type of its value, ids as strings."""
    if isinstance(value, dict):
        return {p for key, inner in value.items() for p in json_paths(inner, f"{path}.{key}")}
    if isinstance(value, list):
        return {p for inner in value for p in json_paths(inner, f"{path}[]")} or {f"{path}[]"}
    # The specification of 2015 has numbers for ids; the live service returns strings.
    number = isinstance(value, int) and path.endswith("score")
    return {f"{path}:{'int' if number else 'str'}"}


def xml_paths(element: ET.Element, path: str = "") -> set[str]:
    """Return every element and attribute of an answer."""
    here = f"{path}/{element.tag}"
    paths = {here} | {f"{here}@{name}" for name in element.attrib}
    return paths.union(*(xml_paths(child, here) for child in element))


MANY = "id=" + ",".join(str(n) for n in range(1, 30))

SAMPLES = {
    "sample-1.json": "dbfrom=protein&db=gene",
    "sample-3.json": "dbfrom=pubmed&db=pubmed&cmd=neighbor_score",
    "sample-4.json": "dbfrom=protein&cmd=acheck",
    "sample-5.json": "dbfrom=protein&db=gene&cmd=neighbor_history",
    "sample-6.json": "dbfrom=nuccore&cmd=ncheck",
    "sample-7.json": "dbfrom=pubmed&cmd=llinks",
    "sample-8.json": "dbfrom=pubmed&cmd=llinkslib",
    "sample-9.json": "dbfrom=protein&db=gene&id=3",
}

OPTIONAL = {
    ".linksets[].idurllist[].objurls[].linkname:str",
    ".linksets[].idurllist[].objurls[].provider.iconurl.lng:str",
    ".linksets[].idurllist[].objurls[].provider.iconurl.value:str",
}
"""Members that some LinkOut providers add, and the emulator's do not."""

NOTHING_LINKED = {".linksets[].idurllist[].info:str"}
"""Members of ids without addresses, of which the samples have none."""


@pytest.mark.parametrize("name", SAMPLES)
async def test_json_has_the_fields_of_the_published_samples(
    recorded: Path, session: aiohttp.ClientSession, name: str
) -> None:
    theirs = json_paths(json.loads(text(recorded / "Klortho-elink-jsonld" / name)))
    async with Emulator(EmulatorConfig(rate=None, llinkslib=True)) as server:
        client = Client(session, server)
        ours = json_paths(await client.json(f"{SAMPLES[name]}&{MANY}"))
    assert theirs - ours <= OPTIONAL
    assert ours - theirs <= NOTHING_LINKED


RECORDED_XML = {
    "biopython-biopython/elink7.xml": "dbfrom=pubmed&cmd=acheck",
    "bioperl-Bio-EUtilities/elink_ncheck_corr.xml": "dbfrom=protein&cmd=ncheck",
    "bioperl-Bio-EUtilities/elink_lcheck.xml": "dbfrom=protein&cmd=lcheck",
    "bioperl-Bio-EUtilities/elink_nhist_corr.xml": (
        "dbfrom=protein&db=pubmed&cmd=neighbor_history"
    ),
    "bioperl-Bio-EUtilities/elink_scores.xml": (
        "dbfrom=protein&db=protein&linkname=protein_protein&cmd=neighbor_score"
    ),
    "ncbi-GeneGPT/elink_nuccore_e13a6298.xml": "dbfrom=nuccore&db=nuccore&term=none",
    "quoted-in-issues-and-docs/elink_error_blob_id.xml": "dbfrom=nuccore&db=taxonomy&id=A-B",
    "quoted-in-issues-and-docs/elink_error_exLinkSrv2.xml": "dbfrom=pubmed&db=misspelt",
}


@pytest.mark.parametrize("name", RECORDED_XML)
async def test_xml_has_the_elements_of_the_recording(
    recorded: Path, session: aiohttp.ClientSession, name: str
) -> None:
    theirs = xml_paths(ET.fromstring(text(recorded / name)))
    query = RECORDED_XML[name]
    async with Emulator(EmulatorConfig(rate=None)) as server:
        query = query if "&id=" in query else f"{query}&{MANY}"
        ours = xml_paths(await Client(session, server).xml(query))
    assert ours == theirs


async def test_linkout_xml_has_only_elements_that_were_recorded(
    recorded: Path, session: aiohttp.ClientSession
) -> None:
    files = [
        "biopython-biopython/elink5.xml",
        "biopython-biopython/elink6.2008-04-20.xml",
        "bioperl-Bio-EUtilities/elink_llinks.xml",
    ]
    theirs = set().union(*(xml_paths(ET.parse(recorded / f).getroot()) for f in files))
    async with Emulator(EmulatorConfig(rate=None)) as server:
        ours = xml_paths(await Client(session, server).xml(f"dbfrom=pubmed&cmd=llinks&{MANY}"))
    assert ours <= theirs


TRANSLATION = "/eSearchResult/TranslationSet/Translation"
"""NCBI's translation of words; the queries below have none."""

OTHERS = {
    "biopython-biopython/einfo1.xml": ("einfo", ""),
    "biopython-biopython/einfo2.xml": ("einfo", "db=pubmed"),
    "biopython-biopython/epost1.xml": ("epost", "db=pubmed&id=11237011"),
    "biopython-biopython/epost2.xml": ("epost", "db=nothing"),
    "biopython-biopython/epost3.xml": ("epost", f"db=pubmed&id={'9' * 32}"),
    "biopython-biopython/esearch1.xml": ("esearch", "db=pubmed&term=1:99[UID]"),
    "biopython-biopython/esearch2.xml": ("esearch", "db=pubmed&term=1:99[UID]&usehistory=y"),
    "biopython-biopython/esearch8.xml": ("esearch", "db=protein&term=abcXYZ"),
    "biopython-biopython/espell.xml": ("espell", "db=pubmed&term=biopythooon"),
}


@pytest.mark.parametrize("name", OTHERS)
async def test_other_utilities_have_the_elements_of_the_recording(
    recorded: Path, session: aiohttp.ClientSession, name: str
) -> None:
    utility, query = OTHERS[name]
    body = text(recorded / name)
    async with Emulator(EmulatorConfig(rate=None)) as server:
        _, ours = await Client(session, server).raw(utility, query)
    theirs = xml_paths(ET.fromstring(body))
    assert xml_paths(ET.fromstring(ours)) == {p for p in theirs if "/Translation/" not in p} - {
        TRANSLATION
    }
    if utility != "espell":  # its DOCTYPE differs from the others
        assert ours.splitlines()[1][:120] == body.splitlines()[1][:120]
