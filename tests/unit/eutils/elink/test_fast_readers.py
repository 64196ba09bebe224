"""The fast readers return what the careful readers return, or leave the response to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harvester.emulator.answers.elink_json import elink_json
from harvester.emulator.answers.elink_xml import elink_xml
from harvester.emulator.answers.linksets import LinkSet, LinkSetDb
from harvester.eutils.elink.linksets import LinkSets, uid_array
from harvester.eutils.elink.readers import fast_json, fast_xml, neighbor_json, neighbor_xml
from harvester.eutils.parsing import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

_UID = st.one_of(st.integers(1, 99), st.integers(1, 50_000_000), st.integers(1, 2**63 - 1))


@st.composite
def _dbs(draw: st.DrawFn) -> LinkSetDb:
    links = draw(st.lists(_UID, min_size=1, max_size=6))
    db = LinkSetDb(draw(st.sampled_from(["pmc", "gene"])), draw(st.sampled_from(["a_b", "c_d"])))
    db.links = np.array(links, np.int64)
    if draw(st.booleans()):
        scores = st.lists(st.integers(0, 2**31 - 1), min_size=len(links), max_size=len(links))
        db.scores = np.array(draw(scores), np.int64)
    return db


_LINKSETS = st.lists(
    st.builds(
        lambda uid, dbs: LinkSet("pubmed", [str(uid)], dbs), _UID, st.lists(_dbs(), max_size=3)
    ),
    max_size=5,
)
_FORMS = {
    "json": (elink_json, fast_json.read, neighbor_json.read),
    "xml": (elink_xml, fast_xml.read, neighbor_xml.read),
}


def _careful(form: str, body: bytes) -> LinkSets | None:
    """Return what the careful reader returns; None if it rejects the response."""

    def ids(texts: list[str]) -> pa.Array:  # any but `uid_array` itself leaves bulk aside
        return uid_array(texts)

    try:
        return _FORMS[form][2](body, ids)
    except Unreadable:
        return None


def _same(one: LinkSets, other: LinkSets) -> bool:
    plain = [
        (f.error, f.ids, f.errors, f.owner, f.dbto, f.linkname, f.counts, f.to_uid.to_pylist(),
         None if f.score is None else f.score.to_pylist())
        for f in (one, other)
    ]  # fmt: skip
    return plain[0] == plain[1]


@pytest.mark.parametrize("form", _FORMS)
@given(linksets=_LINKSETS)
def test_what_is_taken_is_what_is_there(form: str, linksets: list[LinkSet]) -> None:
    write, bulk, _ = _FORMS[form]
    body = write(linksets)
    found, careful = bulk(body), _careful(form, body)
    assert careful is not None
    large = any(int(db.links.max()) >= 10**17 for s in linksets for db in s.dbs)  # type: ignore[union-attr]
    assert (found is None) <= large, "a usual answer was left to the careful reader"
    assert found is None or _same(found, careful)


@pytest.mark.parametrize("form", _FORMS)
@given(
    linksets=_LINKSETS,
    changes=st.lists(
        st.tuples(
            st.integers(0, 10**6),
            st.sampled_from(["cut", "insert", "replace", "remove", "repeat"]),
            st.sampled_from(list(b'0159"[]{},:<>/IdSL -.e&!\n\x00\xff')),
        ),
        min_size=1,
        max_size=3,
    ),
)
@example(linksets=[], changes=[(0, "cut", 48)])
def test_a_changed_answer_is_read_alike_or_left(
    form: str, linksets: list[LinkSet], changes: list[tuple[int, str, int]]
) -> None:
    write, bulk, _ = _FORMS[form]
    body = write(linksets)
    for where, how, byte in changes:
        place = where % (len(body) + 1)
        body = _CHANGES[how](body, place, bytes([byte]))
    found = bulk(body)
    if found is not None:
        careful = _careful(form, body)
        assert careful is not None, body
        assert _same(found, careful), body


_CHANGES: dict[str, Callable[[bytes, int, bytes], bytes]] = {
    "cut": lambda body, place, _: body[:place],
    "insert": lambda body, place, byte: body[:place] + byte + body[place:],
    "replace": lambda body, place, byte: body[:place] + byte + body[place + 1 :],
    "remove": lambda body, place, _: body[:place] + body[place + 1 :],
    "repeat": lambda body, place, _: body[:place] + body[place : place + 20] + body[place:],
}


@pytest.mark.parametrize(
    "links",
    [
        b'["1,2"]', b'["",""]', b'["1",2]', b"[1,2]", b'[" 1","2"]', b'["1"],["2"]', b"null",
        b'[{"id1":"","score":2}]', b'[{"id":"","score":12}]', b'[{"id":"1","score":-2}]',
        b'[{"id":"1","score":2},{"id":"3"}]', b'[{"score":2,"id":"1"}]',
        b'[{"id":"1","score":2.5}]',
    ],
)  # fmt: skip
def test_lists_of_other_looks_are_left(links: bytes) -> None:
    start = b'{"linksets":[{"ids":["5"],"linksetdbs":[{"dbto":"pmc","linkname":"a_b","links":'
    assert fast_json.read(start + links + b"}]}]}") is None
    assert fast_json.read(start + b'["1","2"]}]}]}') is not None


@pytest.mark.parametrize("tag", ["ERROR", "Info", "!--x-->", "![CDATA[x]]>", "LinkSetDb/"])
@pytest.mark.parametrize("before", [b"<DbTo>", b"<Link>", b"</LinkSet>", b"<IdList>"])
def test_what_else_xml_may_hold_is_left(tag: str, before: bytes) -> None:
    db = LinkSetDb("pmc", "a_b", np.array([7, 8], np.int64))
    body = elink_xml([LinkSet("pubmed", ["5"], [db])])
    assert fast_xml.read(body) is not None
    inside = f"<{tag}" if tag.endswith(">") else f"<{tag}>1</{tag}>"
    assert fast_xml.read(body.replace(before, inside.encode() + before, 1)) is None
