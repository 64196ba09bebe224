"""The request as a form body, and the answer read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.errors import Fault, RequestFailed
from harvester.eutils.elink.commands import Elink
from harvester.eutils.identity import Identity
from harvester.job.groups import Contact
from harvester.job.link import Link
from harvester.model.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.model.batch import Retmode

KEY = "0123456789abcdef0123456789abcdef0123"
ME = Contact(email="me@example.org", tool="test-tool")


def _elink(**link: Any) -> Elink:
    return Elink(Link.model_validate({"dbfrom": "pubmed", **link}))


def _batch(uids: Sequence[int], retmode: Retmode = "json") -> Batch:
    return Batch(np.array(uids, np.int64), retmode)


def _fields(body: bytes) -> list[tuple[str, str]]:
    """Return the fields as any web framework reads them."""
    return parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)


def _asked(question: Elink, *uids: int, retmode: Retmode = "json") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in _fields(question.body(_batch(uids, retmode))):
        found.setdefault(name, []).append(value)
    return found


def test_each_uid_has_a_field_of_its_own() -> None:
    """A comma list would merge the links of all UIDs."""
    assert _asked(_elink(), 7, 12, 2**63 - 1)["id"] == ["7", "12", "9223372036854775807"]


def test_the_fields_of_a_plain_question() -> None:
    assert _asked(_elink(), 1) == {
        "dbfrom": ["pubmed"],
        "db": ["all"],
        "cmd": ["neighbor"],
        "retmode": ["json"],
        "id": ["1"],
    }


def test_the_fields_of_a_full_question() -> None:
    question = _elink(
        db="pmc,gene",
        linkname="pubmed_pmc",
        cmd="neighbor_score",
        term='cancer & "lung" é+',
        datetype="pdat",
        mindate="2020/01",
        maxdate="2021",
        reldate=30,
    )
    assert _asked(question, 1, retmode="xml") == {
        "dbfrom": ["pubmed"],
        "db": ["pmc,gene"],
        "cmd": ["neighbor_score"],
        "linkname": ["pubmed_pmc"],
        "term": ['cancer & "lung" é+'],
        "datetype": ["pdat"],
        "mindate": ["2020/01"],
        "maxdate": ["2021"],
        "reldate": ["30"],
        "retmode": ["xml"],
        "id": ["1"],
    }


@given(st.text(min_size=1, max_size=30).filter(str.strip))
def test_no_term_can_add_a_field(term: str) -> None:
    try:
        term.encode()
    except UnicodeEncodeError:
        return
    assert _asked(_elink(term=term), 5)["term"] == [term]


def test_who_asks_is_known_without_a_question() -> None:
    assert _fields(Identity(ME, KEY).form) == [
        ("tool", "test-tool"),
        ("email", "me@example.org"),
        ("api_key", KEY),
    ]


def test_nobody_reads_the_key_by_printing() -> None:
    assert KEY not in repr(Identity(ME, KEY))


def test_a_question_shows_what_it_asks() -> None:
    assert "pubmed" in repr(_elink())


# --- the answer -----------------------------------------------------------------------------


def _read(body: bytes, retmode: Retmode = "json", *asked: int) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        _elink().read(body, _batch(asked or [1], retmode))
    return caught.value


@pytest.mark.parametrize(
    ("retmode", "body", "reason"),
    [
        (
            "json",
            b'{"linksets":[],"ERROR":"Couldn\'t resolve #exLinkSrv2, the address table is empty."}',
            "Couldn't resolve #exLinkSrv2, the address table is empty.",
        ),
        (
            "xml",
            b"<eLinkResult>\n <ERROR>Couldn't resolve #exLinkSrv2, the address table is empty."
            b"</ERROR>\n</eLinkResult>",
            "Couldn't resolve #exLinkSrv2, the address table is empty.",
        ),
        (
            "json",
            b'{"header":{},"linksets":[],"ERROR":"NCBI C++ Exception:\n    Error: TXCLIENT"}',
            "NCBI C++ Exception: Error: TXCLIENT",
        ),
        (
            "json",
            b'<?xml version="1.0"?>\n<eLinkResult><ERROR>txclient</ERROR></eLinkResult>',
            "txclient",
        ),
        (
            "json",
            b"<eLinkResult><LinkSet><ERROR>Can't read</ERROR></LinkSet></eLinkResult>",
            "Can't read",
        ),
        ("xml", b'{"linksets":[],"ERROR":"txclient"}', "txclient"),
    ],
)
def test_an_error_for_all_is_the_servers(retmode: Retmode, body: bytes, reason: str) -> None:
    failure = _read(body, retmode)
    assert failure.fault is Fault.SERVER
    assert failure.reason == reason


def test_an_error_text_cannot_move_a_cursor() -> None:
    reason = _read(b'{"linksets":[],"ERROR":"a\\u001b[31mb\\u202ec"}').reason
    assert reason.isprintable()
    assert "[31mb" in reason


@pytest.mark.parametrize(
    ("retmode", "body"),
    [
        ("json", b"Unable to route request!\n"),
        ("json", b"{"),
        ("json", b"[]"),
        ("json", b'"linksets"'),
        ("json", b'{"esearchresult":{"ERROR":"x"}}'),
        ("json", b'{"linksets":[{"ids":["1"]'),
        ("json", b'{"linksets":[]}{"linksets":[]}'),
        ("json", b'{"linksets":["\xff\xfe"]}'),
        ("json", b'\xef\xbb\xbf{"linksets":[{"ids":["1"]}]}x'),
        ("json", b"<html></html>"),
        ("xml", b'{"linksets":['),
        ("xml", b'<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE eLinkResult PUBLIC "a" "b">'),
        ("xml", b"<eLinkResult><LinkSet>"),
        ("xml", b"<eSearchResult></eSearchResult>"),
        ("xml", b"<html><body/></html>"),
        ("xml", b"<eLinkResult></eLinkResult><eLinkResult></eLinkResult>"),
        ("xml", b"<eLinkResult>\xff\xfe</eLinkResult>"),
        (
            "xml",
            b'<!DOCTYPE eLinkResult [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
            b"<eLinkResult><ERROR>&b;</ERROR></eLinkResult>",
        ),
        (
            "xml",
            b'<!DOCTYPE eLinkResult [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            b"<eLinkResult><ERROR>&x;</ERROR></eLinkResult>",
        ),
    ],
)
def test_what_is_no_whole_answer_says_so(retmode: Retmode, body: bytes) -> None:
    failure = _read(body, retmode)
    assert failure.fault is Fault.BODY
    assert failure.reason.startswith("the answer is ")


def test_an_answer_is_reconciled_with_the_question() -> None:
    body = (
        b'{"linksets":[{"ids":["9"]},{"dbfrom":"pubmed","ids":["2"],"linksetdbs":['
        b'{"dbto":"pmc","linkname":"pubmed_pmc","links":["5","6"]},'
        b'{"dbto":"pmc","linkname":"pubmed_pmc_refs","links":["7"]}]}]}'
    )
    answer = _elink(linkname="pubmed_pmc").read(body, _batch([1, 2]))
    assert answer.answered.tolist() == [2]
    assert answer.left_out.tolist() == [1]
    assert answer.counts.tolist() == [2]
    assert answer.rows.to_table()["to_uid"].to_pylist() == [5, 6]
    assert answer.unrequested == 1
