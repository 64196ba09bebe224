"""EInfo, EGQuery and ESpell: responses with missing, empty or wrong fields."""

from __future__ import annotations

import pytest

from harvester.errors import RequestFailed
from harvester.eutils import egquery, einfo, espell
from harvester.eutils.egquery import Hits
from harvester.eutils.einfo import DbInfo, DbLink


def test_a_database_with_three_fields_only() -> None:
    """The DTD lets all other fields be left out."""
    body = b"<eInfoResult><DbInfo><DbName>x</DbName><Count/></DbInfo></eInfoResult>"
    assert einfo.read_info(body) == DbInfo("x")
    assert einfo.read_info(b'{"einforesult":{"dbinfo":[{"dbname":"x","linklist":""}]}}') == DbInfo(
        "x"
    )


def test_entities_are_decoded_once() -> None:
    link = "<Link><Name>x_y</Name><Menu>A &amp;amp; B</Menu><DbTo>y</DbTo></Link>"
    body = (
        f"<eInfoResult><DbInfo><DbName>x</DbName><LinkList>{link}</LinkList></DbInfo></eInfoResult>"
    )
    info = einfo.read_info(body.encode())
    assert info is not None
    assert info.links == (DbLink("x_y", "A &amp; B", "", "y"),)


@pytest.mark.parametrize(
    "body",
    [
        b'{"einforesult":{"ERROR":"no backend"}}',
        b"<eInfoResult><ERROR>no backend</ERROR></eInfoResult>",
        b'{"einforesult":{}}',
        b'{"einforesult":[]}',
        b'{"einforesult":{"dbinfo":[]}}',
        b"[]",
        b"<eInfoResult/>",
        b"<eLinkResult/>",
        b"<eInfoResult>",
        b"plain text",
    ],
)
def test_what_tells_of_no_database_is_a_failed_request(body: bytes) -> None:
    with pytest.raises(RequestFailed):
        einfo.read_info(body)
    with pytest.raises(RequestFailed):
        einfo.read_databases(body)


def test_a_search_that_failed_has_no_count() -> None:
    items = [("a", "7", "Ok"), ("b", "Error", "no backend"), ("c", "", ""), ("d", "-1", "Ok")]
    listed = "".join(
        f"<ResultItem><DbName>{db}</DbName><Count>{count}</Count><Status>{status}</Status>"
        "</ResultItem>"
        for db, count, status in items
    )
    assert egquery.read(f"<Result><eGQueryResult>{listed}</eGQueryResult></Result>".encode()) == [
        Hits("a", 7, "Ok"),
        Hits("b", None, "no backend"),
        Hits("c", None, "no count"),
        Hits("d", None, "Ok"),
    ]


@pytest.mark.parametrize("body", [b"<Result/>", b"<html/>", b"{}", b"<Result><eGQueryResult>"])
def test_what_counts_nothing_is_a_failed_request(body: bytes) -> None:
    with pytest.raises(RequestFailed):
        egquery.read(body)


def _spelt(query: str, corrected: str, error: str = "") -> bytes:
    return (
        f"<eSpellResult><Query>{query}</Query><CorrectedQuery>{corrected}</CorrectedQuery>"
        f"<ERROR>{error}</ERROR></eSpellResult>"
    ).encode()


@pytest.mark.parametrize(
    ("body", "corrected"),
    [
        (_spelt("asthmaa", "asthma"), "asthma"),
        (_spelt("asthma", ""), None),
        (_spelt("Asthma", "asthma"), None),
        (_spelt("a &lt;b", "a &lt; b"), "a < b"),
        (b"<eSpellResult/>", None),
    ],
)
def test_a_correction_is_one_only_if_it_differs(body: bytes, corrected: str | None) -> None:
    assert espell.read(body) == corrected


@pytest.mark.parametrize("body", [_spelt("a", "", "no backend"), b"<html/>", b"", b"{}"])
def test_what_spells_nothing_is_a_failed_request(body: bytes) -> None:
    with pytest.raises(RequestFailed):
        espell.read(body)
