"""Responses of either form as dictionaries: their shapes, and what is rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.eutils.elink.document import json_linksets, xml_linksets
from harvester.eutils.elink.readers import acheck, checks, history, urls
from harvester.eutils.parsing import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.eutils.elink.entries import Entries

JSON: list[Callable[[bytes], Entries]] = [
    acheck.read_json, checks.NCHECK.read_json, checks.LCHECK.read_json,
    urls.read_json, history.read_json,
]  # fmt: skip
XML: list[Callable[[bytes], Entries]] = [
    acheck.read_xml, checks.NCHECK.read_xml, checks.LCHECK.read_xml,
    urls.read_xml, history.read_xml,
]  # fmt: skip


def _xml(inside: str) -> list[dict[str, Any]]:
    error, linksets = xml_linksets(f"<eLinkResult>{inside}</eLinkResult>".encode())
    assert error is None
    return linksets


@pytest.mark.parametrize(
    ("inside", "made"),
    [
        ("", {}),
        ("<DbFrom>a</DbFrom><IdList/>", {"dbfrom": "a", "ids": []}),
        ("<IdList><Id> 1 </Id><Id>2</Id></IdList>", {"ids": ["1", "2"]}),
        ("<ERROR>x</ERROR><ERROR>y</ERROR>", {"ERRORS": ["x", "y"]}),
        ("<WebEnv>W</WebEnv>", {"webenv": "W"}),
        (
            "<LinkSetDb><DbTo>b</DbTo><LinkName>a_b</LinkName><Info>No links</Info></LinkSetDb>",
            {"linksetdbs": [{"dbto": "b", "linkname": "a_b", "info": "No links"}]},
        ),
        (
            "<LinkSetDb><Link><Id>5</Id></Link><Link><Id>6</Id></Link></LinkSetDb>",
            {"linksetdbs": [{"links": ["5", "6"]}]},
        ),
        (
            "<LinkSetDb><Link><Id>5</Id><Score>9</Score></Link></LinkSetDb>",
            {"linksetdbs": [{"links": [{"id": "5", "score": 9}]}]},
        ),
        (
            '<IdCheckList><Id HasLinkOut="Y">1</Id><ERROR>x</ERROR></IdCheckList>',
            {"idchecklist": {"ids": [{"value": "1", "haslinkout": "Y"}], "ERROR": "x"}},
        ),
        (
            "<IdUrlList><IdUrlSet><Id>1</Id><Info>No links</Info></IdUrlSet></IdUrlList>",
            {"idurllist": [{"id": "1", "info": "No links"}]},
        ),
        (
            "<IdUrlList><IdUrlSet><Id>1</Id><ObjUrl><Url LNG='DE'>u</Url><Category>c</Category>"
            "<Category>d</Category><Provider><Id>7</Id></Provider></ObjUrl></IdUrlSet></IdUrlList>",
            {"idurllist": [{"id": "1", "objurls": [{
                "url": {"value": "u", "lng": "DE"}, "categories": ["c", "d"],
                "provider": {"id": "7"},
            }]}]},
        ),
    ],
)  # fmt: skip
def test_xml_becomes_what_ncbis_json_has(inside: str, made: dict[str, Any]) -> None:
    assert _xml(f"<LinkSet>{inside}</LinkSet>") == [made]


def test_entities_and_cdata_are_decoded_once() -> None:
    (linkset,) = _xml(
        "<LinkSet><IdCheckList><IdLinkSet><LinkInfo><MenuTag>a &amp;amp; b</MenuTag>"
        "<Url><![CDATA[http://x/?a&amp;b=<@UID@>]]></Url></LinkInfo></IdLinkSet></IdCheckList>"
        "</LinkSet>"
    )
    (info,) = linkset["idchecklist"]["idlinksets"][0]["linkinfos"]
    assert info["menutag"] == "a &amp; b"
    assert info["url"]["value"] == "http://x/?a&amp;b=<@UID@>"


def test_control_characters_are_mended_inside_errors_alone() -> None:
    error, _ = xml_linksets(b"<eLinkResult><ERROR>a\x01b</ERROR></eLinkResult>")
    assert error == "a b"
    error, _ = json_linksets(b'{"linksets":[],"ERROR":"a\nb"}')
    assert error == "a b"
    with pytest.raises(Unreadable):
        xml_linksets(b"<eLinkResult><LinkSet><DbFrom>a\x01b</DbFrom></LinkSet></eLinkResult>")
    with pytest.raises(Unreadable):
        json_linksets(b'{"linksets":[{"dbfrom":"a\nb"}]}')


_XML_REFUSED = [
    b"", b" ", b"<eLinkResult>", b"<eSearchResult/>", b"<a><eLinkResult/></a>", b"<eLinkResult/>x",
    b"<eLinkResult><Id>&unknown;</Id></eLinkResult>", b"<eLinkResult><IdList/></eLinkResult>",
    b'<!DOCTYPE eLinkResult [<!ENTITY a "b">]><eLinkResult/>',
    b'<?xml version="1.0" encoding="none"?><eLinkResult/>',
    b'<?xml version="1.0" encoding="zlib"?><eLinkResult/>',
    b"<eLinkResult>" + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</eLinkResult>",
    b"<eLinkResult><LinkSet>" + b"<a>" * 50 + b"</a>" * 50 + b"</LinkSet></eLinkResult>",
]  # fmt: skip


@pytest.mark.parametrize("body", _XML_REFUSED)
@pytest.mark.parametrize("read", XML)
def test_xml_that_is_no_answer_is_unreadable(read: Callable[[bytes], Entries], body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"linksets":"x"}', b'{"linksets":[1]}', b'{"linksets":{}}',
     b"[" * 100_000, b'{"linksets":[]}x', b'{"linksets":[]'],
)  # fmt: skip
@pytest.mark.parametrize("read", JSON)
def test_json_that_is_no_answer_is_unreadable(
    read: Callable[[bytes], Entries], body: bytes
) -> None:
    with pytest.raises(Unreadable):
        read(body)


_NAMES = st.sampled_from([
    "ids", "idchecklist", "idlinksets", "id", "linkinfos", "dbto", "linkname", "menutag", "url",
    "priority", "value", "hasneighbor", "haslinkout", "idurllist", "objurls", "provider",
    "subjecttypes", "linksetdbhistories", "querykey", "webenv", "ERROR", "ERRORS", "info",
])  # fmt: skip
_ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 2**62), st.floats(), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_NAMES, inner, max_size=5)
    ),
    max_leaves=25,
)


@given(st.dictionaries(_NAMES, _ANY, max_size=5))
def test_any_json_is_an_answer_or_unreadable(linkset: dict[str, object]) -> None:
    body = b'{"linksets":[%b]}' % orjson.dumps(linkset)
    for read in JSON:
        try:
            found = read(body)
        except Unreadable:
            continue
        assert len(found.ids) == len(found.errors) == len(found.counts)
        assert sum(found.counts) == len(found.rows)


_TAGS = st.sampled_from([
    "LinkSet", "IdList", "Id", "IdCheckList", "IdLinkSet", "LinkInfo", "DbTo", "LinkName", "Url",
    "Priority", "IdUrlList", "IdUrlSet", "ObjUrl", "Provider", "LinkSetDbHistory", "QueryKey",
    "WebEnv", "ERROR", "Info", "LinkSetDb", "Link", "Score",
])  # fmt: skip
_INSIDE = st.recursive(
    st.sampled_from(["", "7", "a_b", "&amp;", " "]),
    lambda inner: st.lists(
        st.builds(lambda tag, text: f"<{tag}>{text}</{tag}>", _TAGS, inner), max_size=4
    ).map("".join),
    max_leaves=20,
)


@given(_INSIDE)
def test_any_xml_is_an_answer_or_unreadable(inside: str) -> None:
    body = f"<eLinkResult><LinkSet>{inside}</LinkSet></eLinkResult>".encode()
    for read in XML:
        try:
            found = read(body)
        except Unreadable:
            continue
        assert len(found.ids) == len(found.errors) == len(found.counts)
        assert sum(found.counts) == len(found.rows)


# --- which ids an error is of -----------------------------------------------------------------


def test_an_error_inside_the_list_is_of_all_its_ids() -> None:
    found = checks.NCHECK.read_json(
        b'{"linksets":[{"idchecklist":{"ids":[{"value":1,"hasneighbor":"Y"},'
        b'{"value":"2","hasneighbor":"N"}],"ERROR":"x"}}]}'
    )
    assert (found.ids, found.errors) == ([["1"], ["2"]], ["x", "x"])


def test_an_error_inside_a_history_is_of_its_linkset() -> None:
    found = history.read_json(
        b'{"linksets":[{"ids":["1","2"],"webenv":"W","linksetdbhistories":['
        b'{"dbto":"b","linkname":"a_b","querykey":1},{"dbto":"b","linkname":"a_c","ERROR":"x"},'
        b'{"dbto":"b","linkname":"a_d","info":"Empty result"}]}]}'
    )
    assert (found.ids, found.errors, found.counts) == ([["1", "2"]], ["x"], [1])
    assert found.rows["query_key"].to_pylist() == ["1"]


def test_ids_without_a_result_are_not_empty() -> None:
    """A server that ignores the cmd answers with the LinkSets of another."""
    body = b'{"linksets":[{"ids":["1"]}]}'
    for read in JSON[:4]:
        found = read(body)
        assert (found.ids, found.counts) == ([["1"]], [0])
        assert found.errors[0] is not None
    assert history.read_json(body).errors == [None]


@pytest.mark.parametrize("mark", ['"y"', '"maybe"', "true", "[]"])
def test_a_mark_is_y_or_n(mark: str) -> None:
    body = f'{{"linksets":[{{"idchecklist":{{"ids":[{{"value":"1","hasneighbor":{mark}}}]}}}}]}}'
    with pytest.raises(Unreadable):
        checks.NCHECK.read_json(body.encode())


def test_a_check_of_the_other_kind_is_an_error() -> None:
    body = b'{"linksets":[{"idchecklist":{"ids":[{"value":"1","haslinkout":"Y"}]}}]}'
    assert checks.NCHECK.read_json(body).errors == ["an id without hasneighbor"]
    assert checks.LCHECK.read_json(body).rows["has_linkout"].to_pylist() == [True]
