"""The readers on every recorded ELink response, value by value, against independent readers."""

from __future__ import annotations

import re

import pytest
from support.recorded_answers import (
    Answer,
    LinkSet,
    body_of,
    by_biopython,
    by_elementtree,
    by_json,
    names,
    plain,
)

from harvester.eutils.elink.readers import neighbor_json, neighbor_xml
from harvester.eutils.parsing import Unreadable

CUT = "ncbi-GeneGPT/elink_nuccore_e1793417.json"
"""Recordings that were truncated in a log."""
XML, JSON = names("xml"), [name for name in names("json") if name != CUT]
PAIRS = [name for name in XML if name.startswith("Klortho-elink-jsonld/")]

_OTHER_SHAPES = (
    "IdCheckList", "IdUrlList", "LinkSetDbHistory",
    "idchecklist", "idurllist", "linksetdbhistories",
)  # fmt: skip
_ERRORS = [name for name in XML if re.search(rb"<ERROR>[^<]*\S", body_of(name))]


def _is_neighbor(name: str) -> bool:
    """Return whether it answers cmd=neighbor or neighbor_score."""
    return not any(word in body_of(name).decode() for word in _OTHER_SHAPES)


NEIGHBOR_XML = [name for name in XML if _is_neighbor(name)]
NEIGHBOR_JSON = [name for name in JSON if _is_neighbor(name)]
OTHER_XML = [name for name in XML if not _is_neighbor(name)]
OTHER_JSON = [name for name in JSON if not _is_neighbor(name)]


def _xml(name: str) -> Answer:
    return plain(neighbor_xml.read(body_of(name)))


def _json(name: str) -> Answer:
    return plain(neighbor_json.read(body_of(name)))


def _links(answer: Answer) -> int:
    return sum(len(links) for one in answer.linksets for _, _, links in one.lists)


def _first_words(answer: Answer) -> Answer:
    """Return the beginning of error texts: joins and line ends may differ."""

    def words(text: str | None) -> str | None:
        return None if text is None else " ".join(text.split())[:24]

    linksets = [LinkSet(one.ids, one.lists, words(one.error)) for one in answer.linksets]
    return Answer(linksets, words(answer.error))


def test_recordings_exist() -> None:
    assert len(NEIGHBOR_XML) >= 25
    assert len(NEIGHBOR_JSON) >= 12
    assert any("2008" in name for name in NEIGHBOR_XML)
    assert any("2013" in name for name in NEIGHBOR_XML)


@pytest.mark.parametrize("name", NEIGHBOR_XML)
def test_xml_agrees_with_elementtree(name: str) -> None:
    assert _xml(name) == by_elementtree(body_of(name))


@pytest.mark.parametrize("name", [name for name in NEIGHBOR_XML if name not in _ERRORS])
def test_xml_agrees_with_biopython(name: str) -> None:
    """Its parser raises at an ERROR and drops the rest of the response."""
    assert _xml(name).linksets == by_biopython(body_of(name))


@pytest.mark.parametrize("name", NEIGHBOR_JSON)
def test_json_agrees_with_json(name: str) -> None:
    assert _first_words(_json(name)) == _first_words(by_json(body_of(name)))


@pytest.mark.parametrize("name", [name for name in PAIRS if name in NEIGHBOR_XML])
def test_both_forms_of_one_answer_give_the_same_columns(name: str) -> None:
    found = _xml(name)
    assert _links(found) > 0
    assert _json(name.replace(".xml", ".json")) == found


@pytest.mark.parametrize("name", OTHER_XML)
def test_an_answer_to_another_cmd_has_no_links_in_it(name: str) -> None:
    assert _links(_xml(name)) == 0


@pytest.mark.parametrize("name", OTHER_JSON)
def test_a_json_answer_to_another_cmd_has_no_links_in_it(name: str) -> None:
    assert _links(_json(name)) == 0


# --- what is known of single ones -----------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "links"),
    [("fe5c61a1", 0), ("c1e8d82b", 100), ("780f3909", 200)],
)
def test_silent_partial_lists_are_read_for_what_they_are(file: str, links: int) -> None:
    """The same request three times: nothing in the responses shows which is partial."""
    answer = _json(f"ncbi-GeneGPT/elink_nuccore_{file}.json")
    lists = {linkname: len(found) for one in answer.linksets for _, linkname, found in one.lists}
    assert lists.get("nuccore_nuccore_mrna", 0) == links
    assert answer.error is None
    assert [one.error for one in answer.linksets] == [None]


def test_an_answer_that_was_cut_is_not_taken_for_a_shorter_one() -> None:
    with pytest.raises(Unreadable, match="cut short"):
        neighbor_json.read(body_of(CUT))


@pytest.mark.parametrize("end", ["raw_newline", "full"])
def test_exception_text_with_raw_line_ends_is_an_error_for_all(end: str) -> None:
    answer = _json(f"quoted-in-issues-and-docs/elink_error_readall_eof_{end}.json")
    assert answer.linksets == []
    assert answer.error is not None
    assert answer.error.startswith("NCBI C++ Exception:")
    assert "TXCLIENT(CException::eUnknown)" in answer.error


def test_exception_text_inside_every_linksetdb_flags_the_linkset() -> None:
    answer = _json("ncbi-GeneGPT/elink_nuccore_0aa78f39.json")
    (linkset,) = answer.linksets
    assert (linkset.ids, linkset.lists) == ([], [])
    assert linkset.error is not None
    assert linkset.error.startswith("BLOB ID IS NOT IMPLEMENTED")
    assert answer.error is None


def test_an_address_table_that_is_empty_is_an_error_for_all() -> None:
    answer = _xml("quoted-in-issues-and-docs/elink_error_exLinkSrv2.xml")
    assert answer.error == "Couldn't resolve #exLinkSrv2, the address table is empty."


def test_an_error_beside_an_empty_id_list_flags_the_linkset() -> None:
    (linkset,) = _xml("quoted-in-issues-and-docs/elink_error_blob_id.xml").linksets
    assert (linkset.ids, linkset.error) == ([], "BLOB ID IS NOT IMPLEMENTED")


def test_an_id_of_zero_is_handed_on_for_others_to_judge() -> None:
    (linkset,) = _xml("metapub-metapub/medgen_elink_pubmed_0_entries.xml").linksets
    assert (linkset.ids, linkset.lists, linkset.error) == (["0"], [], None)


def test_info_is_no_link_and_no_error() -> None:
    (linkset,) = _xml("ncbi-GeneGPT/elink_nuccore_e13a6298.xml").linksets
    assert (linkset.ids, linkset.lists, linkset.error) == (["568815578"], [], None)


def test_scores_of_2008_are_read() -> None:
    (linkset,) = _xml("biopython-biopython/elink1.2008-04-20.xml").linksets
    first = linkset.lists[0]
    assert first[:2] == ("pubmed", "pubmed_pubmed")
    assert first[2][:2] == [(9298984, 2147483647), (8794856, 65259341)]


@pytest.mark.parametrize(
    "name",
    [name for name in names("html") if name.startswith("bionode")]
    + ["quoted-in-issues-and-docs/ratecontrol_unroutable.txt"]
    + ["quoted-in-issues-and-docs/http414_uri_too_large.truncated.html"]
    + ["quoted-in-issues-and-docs/http429_with_ip.json"]
    + ["Klortho-Eutils-JSON/einfo.json", "Klortho-Eutils-JSON/esummary.gene.xml"],
)
def test_what_is_no_elink_answer_is_unreadable_in_either_form(name: str) -> None:
    for read in (neighbor_json.read, neighbor_xml.read):
        with pytest.raises(Unreadable):
            read(body_of(name))


@pytest.mark.parametrize(
    "name",
    [
        "quoted-in-issues-and-docs/elink_pubmed_pmc_merged_3ids.json",
        "quoted-in-issues-and-docs/elink_neighbor_score_37258680.json",
        "ncbi-GeneGPT/elink_nuccore_e13a6298.xml",
        "bioperl-Bio-EUtilities/elink_multidb_corr.xml",
        "bioperl-Bio-EUtilities/elink_scores.xml",
    ],
)
def test_a_recorded_answer_cut_anywhere_is_unreadable(name: str) -> None:
    body = body_of(name)
    read = neighbor_xml.read if name.endswith("xml") else neighbor_json.read
    for cut in range(len(body.rstrip())):
        with pytest.raises(Unreadable):
            read(body[:cut])
