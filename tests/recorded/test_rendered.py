"""Generated responses in both forms and many layouts: read exactly, or rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.recorded_answers import Answer, LinkSet, plain
from support.rendering import PROLOGS, Script, as_json, as_xml, scripts

from harvester.eutils.elink.readers import neighbor_json, neighbor_xml
from harvester.eutils.parsing import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.eutils.elink.linksets import LinkSets

_LAYOUTS = st.fixed_dictionaries(
    {
        "prolog": st.sampled_from(PROLOGS),
        "gap": st.sampled_from(["", "\n", "\n\t", "\r\n", "\n      \n        \t", "<!-- ... -->"]),
        "pad": st.sampled_from(["", "", "\n", " "]),
        "late_error": st.booleans(),
    }
)


def _without_late_errors(found: Answer) -> Answer:
    """Drop all but the first of several errors: their order depends on the layout."""
    linksets = [LinkSet(one.ids, one.lists, one.error and "E") for one in found.linksets]
    return Answer(linksets, found.error)


@given(scripts(), st.sampled_from([None, 0, 4]), st.booleans(), st.booleans())
def test_json_is_read_for_what_it_is(
    script: Script, indent: int | None, ascii_only: bool, numbers: bool
) -> None:
    body = as_json(script, indent=indent, ascii_only=ascii_only, numbers=numbers)
    assert plain(neighbor_json.read(body)) == script.truth()


@given(scripts(), _LAYOUTS)
def test_xml_is_read_for_what_it_is(script: Script, layout: dict[str, object]) -> None:
    found = plain(neighbor_xml.read(as_xml(script, **layout)))  # type: ignore[arg-type]
    assert _without_late_errors(found) == _without_late_errors(script.truth())


@given(scripts())
def test_both_forms_give_the_same_columns(script: Script) -> None:
    body = as_json(script, indent=None, ascii_only=True, numbers=False)
    xml = as_xml(script, prolog="", gap="", pad="", late_error=False)
    assert plain(neighbor_json.read(body)) == plain(neighbor_xml.read(xml))


@settings(max_examples=15)
@given(scripts())
def test_json_cut_anywhere_is_unreadable(script: Script) -> None:
    body = as_json(script, indent=None, ascii_only=False, numbers=False).rstrip()
    for cut in range(len(body)):
        with pytest.raises(Unreadable):
            neighbor_json.read(body[:cut])


@settings(max_examples=15)
@given(scripts(), st.sampled_from(PROLOGS))
def test_xml_cut_anywhere_is_unreadable(script: Script, prolog: str) -> None:
    body = as_xml(script, prolog=prolog, gap="\n", pad="", late_error=True).rstrip()
    for cut in range(len(body)):
        with pytest.raises(Unreadable):
            neighbor_xml.read(body[:cut])


# --- exception text pasted in as it came ----------------------------------------------------

_CONTROLS = st.text(st.characters(max_codepoint=31), min_size=1, max_size=4)


@given(scripts(), _CONTROLS)
def test_control_characters_in_a_json_error_do_no_harm(script: Script, controls: str) -> None:
    script.error = "before MARK after"
    body = as_json(script, indent=None, ascii_only=False, numbers=False)
    found = plain(neighbor_json.read(body.replace(b"MARK", controls.encode())))
    assert found.linksets == script.truth().linksets
    assert found.error is not None
    assert found.error.split()[0] == "before"


@given(scripts(), _CONTROLS)
def test_control_characters_in_an_xml_error_do_no_harm(script: Script, controls: str) -> None:
    script.error = "before MARK after"
    body = as_xml(script, prolog=PROLOGS[1], gap="\n", pad="", late_error=False)
    found = plain(neighbor_xml.read(body.replace(b"MARK", controls.encode())))
    assert found.linksets == script.truth().linksets
    assert found.error is not None
    assert found.error.split()[0] == "before"


@given(scripts(st.integers(1, 99)), st.integers(0, 31), st.integers(0, 400))
def test_a_control_character_elsewhere_never_makes_another_answer(
    script: Script, control: int, at: int
) -> None:
    """Joined digits would make a UID that the server did not send."""
    for read, body in _both(script):
        place = at % len(body)
        damaged = body[:place] + bytes([control]) + body[place:]
        found = _read(read, damaged)
        if found is not None:
            assert _to(found) == _to(script.truth())
            for one, true in zip(found.linksets, script.truth().linksets, strict=True):
                assert set(filter(str.isdecimal, one.ids)) <= set(true.ids)


@given(scripts(st.integers(1, 99)), st.binary(min_size=1, max_size=3), st.integers(0, 400))
def test_bytes_that_are_no_utf8_never_make_another_answer(
    script: Script, junk: bytes, at: int
) -> None:
    for read, body in _both(script):
        place = at % len(body)
        found = _read(read, body[:place] + b"\xff" + junk + body[place:])
        assert found is None


def _both(script: Script) -> list[tuple[Callable[[bytes], LinkSets], bytes]]:
    return [
        (neighbor_json.read, as_json(script, indent=None, ascii_only=True, numbers=False)),
        (neighbor_xml.read, as_xml(script, prolog="", gap="\n", pad="", late_error=False)),
    ]


def _read(read: Callable[[bytes], LinkSets], body: bytes) -> Answer | None:
    """Return the response; None if it is unreadable."""
    try:
        return plain(read(body))
    except Unreadable:
        return None


def _to(answer: Answer) -> list[list[list[int]]]:
    """Return the linked UIDs, list by list."""
    return [[[to for to, _ in links] for _, _, links in one.lists] for one in answer.linksets]


# --- what is not an answer of this shape ----------------------------------------------------


def _links_json(links: str) -> bytes:
    return (
        '{"linksets":[{"dbfrom":"pubmed","ids":["1"],"linksetdbs":'
        f'[{{"dbto":"pmc","linkname":"pubmed_pmc","links":{links}}}]}}]}}'
    ).encode()


def test_the_frame_of_these_tests_is_sound() -> None:
    answer = plain(neighbor_json.read(_links_json('["5","6"]')))
    assert answer.linksets[0].lists == [("pmc", "pubmed_pmc", [(5, None), (6, None)])]


@pytest.mark.parametrize(
    "links",
    [
        '["5",null]', '["5",""]', '["5"," "]', '[" 5"]', '["+5"]', '["-5"]', '["5.0"]', "[5.5]",
        '["0x1F"]', '["5e3"]', '["1_0"]', '["\u0661"]', '["\uff15"]', '["5",["6"]]', "[true]",
        '["NM_000546.6"]', '["9223372036854775808"]', "[9223372036854775808]", "[1e30]",
        '[{"id":"5","score":1},{"score":2}]', '[{"id":null,"score":1}]', '[{"id":{},"score":1}]',
        '[{"id":"5","score":"x"}]', '[{"id":"5","score":{}}]', '[{"score":7}]', '["5",{}]',
        '"567"', "567", '{"5":"6"}', "true",
    ],
)  # fmt: skip
def test_links_that_are_no_uids_make_the_answer_unreadable(links: str) -> None:
    with pytest.raises(Unreadable):
        neighbor_json.read(_links_json(links))


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"1", b'"x"', b"[]", b"{}", b'{"header":{}}', b'{"linksets":"x"}',
        b'{"linksets":[1]}', b'{"linksets":["x"]}', b'{"linksets":[[]]}', b'{"linksets":[null]}',
        b'{"linksets":[{"ids":["1"],"linksetdbs":[1]}]}',
        b'{"linksets":[{"ids":["1"],"linksetdbs":[{"links":["5"]}]}]}',
        b'{"linksets":[{"ids":["1"],"linksetdbs":[{"dbto":"a","links":["5"]}]}]}',
        b'{"linksets":[{"ids":["1"],"linksetdbs":[{"dbto":5,"linkname":"b","links":["5"]}]}]}',
        b'{"linksets":[{"ids":["1"],"linksetdbs":[{"dbto":[],"linkname":"b","links":["5"]}]}]}',
        b"[" * 100_000, b'{"linksets":' + b"[" * 100_000, b'{"a":' * 100_000,
        b'{"linksets":[]}x', b"\xef\xbb\xbf", b'{"linksets":[{"ids":["\\ud800"]}]}x',
    ],
)  # fmt: skip
def test_json_of_another_shape_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        neighbor_json.read(body)


_SET = b"<LinkSet><IdList><Id>1</Id></IdList>%b</LinkSet>"
_DB = _SET % b"<LinkSetDb><DbTo>pmc</DbTo><LinkName>pubmed_pmc</LinkName>%b</LinkSetDb>"


@pytest.mark.parametrize(
    "inside",
    [
        _DB % b"<Link><Id></Id></Link>",
        _DB % b"<Link><Id>-5</Id></Link>",
        _DB % b"<Link><Id>5.0</Id></Link>",
        _DB % b"<Link><Id>0x1F</Id></Link>",
        _DB % b"<Link><Id>5 6</Id></Link>",
        _DB % b"<Link><Id>9223372036854775808</Id></Link>",
        _DB % b"<Link><Id>5</Id><Score></Score></Link>",
        _DB % b"<Link><Id>5</Id><Score>high</Score></Link>",
        _DB % b"<Link><Score>5</Score></Link>",
        _DB % b"<Link></Link>",
        _SET % b"<Link><Id>5</Id></Link>",
        _SET % b"<LinkSetDb><Link><Id>5</Id></Link></LinkSetDb>",
        b"<IdList><Id>1</Id></IdList>",
        b"<LinkSetDb><Link><Id>5</Id></Link></LinkSetDb>",
        _SET % b"<Score>5</Score>",
    ],
)
def test_xml_of_another_shape_is_unreadable(inside: bytes) -> None:
    assert _read(neighbor_xml.read, b"<eLinkResult>" + inside + b"</eLinkResult>") is None


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"x", b"<", b"<eLinkResult>", b"</eLinkResult>", b"<eLinkResult/>x",
        b"<eSearchResult/>", b"<a><eLinkResult/></a>", b"<eLinkResult><LinkSet></eLinkResult>",
        b"<eLinkResult><Id>&unknown;</Id></eLinkResult>", b"\xef\xbb\xbf", b"<eLinkResult a=1/>",
        b'<!DOCTYPE eLinkResult [<!ENTITY a "b">]><eLinkResult/>',
        b'<!DOCTYPE eLinkResult [<!ENTITY % a SYSTEM "http://x/"> %a;]><eLinkResult/>',
        b'<?xml version="1.0" encoding="none"?><eLinkResult/>',
        b'<?xml version="1.0" encoding="utf-7"?><eLinkResult/>',
        b'<?xml version="1.0" encoding="zlib"?><eLinkResult/>',
    ],
)  # fmt: skip
def test_xml_that_is_no_answer_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        neighbor_xml.read(body)


def test_entity_expansion_is_rejected() -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE eLinkResult [<!ENTITY e0 "ha">{entities}]><eLinkResult>&e11;</eLinkResult>'
    with pytest.raises(Unreadable, match="declares entities"):
        neighbor_xml.read(bomb.encode())


@given(st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 2**70), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["linksets", "ids", "linksetdbs", "dbto", "linkname", "links", "id", "score",
                 "ERROR", "ERRORS", "info"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=20,
))  # fmt: skip
def test_any_json_is_an_answer_or_unreadable(document: object) -> None:
    import orjson

    body = b'{"linksets":[{"ids":["1"],"linksetdbs":[%b]}],"ERROR":null}' % orjson.dumps(
        document, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=str
    ) if _fits(document) else b"{}"  # fmt: skip
    found = _read(neighbor_json.read, body)
    if found is not None:
        assert [one.ids for one in found.linksets] == [["1"]]


def _fits(document: object) -> bool:
    """Return whether orjson can write a value: its integers have 64 bits."""
    import orjson

    try:
        orjson.dumps(document)
    except TypeError:
        return False
    return True


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_unreadable(body: bytes) -> None:
    for read in (neighbor_json.read, neighbor_xml.read):
        assert _read(read, body) is None
