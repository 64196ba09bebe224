"""ESummary's answers: a summary or an error for each UID, or an error for all."""

from __future__ import annotations

import pytest

from harvester.errors import Fault, RequestFailed
from harvester.eutils import esummary
from harvester.eutils.esummary import Summaries
from harvester.model import uids
from harvester.model.batch import Batch
from harvester.model.identifiers import identifiers_of


def test_a_uid_has_its_summary_or_its_error() -> None:
    body = (
        b'{"header":{},"result":{"uids":["7","1"],"7":{"uid":"7","title":"A"},'
        b'"1":{"uid":"1","error":"cannot get document summary"}}}'
    )
    found = esummary.read(body)
    assert found == {"7": {"uid": "7", "title": "A"}, "1": "cannot get document summary"}


def test_uids_that_are_repeated_count_once() -> None:
    body = b'{"result":{"uids":["7","7"],"7":{"uid":"7"},"7":{"uid":"7"}}}'
    assert esummary.read(body) == {"7": {"uid": "7"}}


def test_a_uid_that_is_listed_but_not_told_is_left_out() -> None:
    assert esummary.read(b'{"result":{"uids":["7","8"],"7":{"uid":"7"}}}') == {"7": {"uid": "7"}}


def test_an_error_beside_summaries_keeps_them() -> None:
    body = b'{"error":"Invalid uid X at position= 0","result":{"uids":["7"],"7":{"uid":"7"}}}'
    assert esummary.read(body) == {"7": {"uid": "7"}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error":"Invalid uid X at position= 0","result":{"uids":[]}}', "Invalid uid X"),
        (b'{"esummaryresult":["Invalid db name specified: fleegle"]}', "fleegle"),
        (b'{"ERROR":"cannot open\\nfile"}', "cannot open file"),
    ],
)
def test_an_error_for_all_is_the_servers(body: bytes, words: str) -> None:
    with pytest.raises(RequestFailed, match=words) as caught:
        esummary.read(body)
    assert caught.value.fault is Fault.SERVER


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"<eSummaryResult/>", b'{"result":[]}', b'{"result":{}}',
     b'{"result":{"uids":"7"}}', b'{"result":{"uids":["7"],"7":"x"}}', b'{"result":{"uids":["7"]'],
)  # fmt: skip
def test_what_is_no_whole_answer_is_a_bad_body(body: bytes) -> None:
    with pytest.raises(RequestFailed) as caught:
        esummary.read(body)
    assert caught.value.fault is Fault.BODY


def test_a_record_is_known_by_its_accession_with_or_without_version() -> None:
    """A protein asked for by accession is told by its GI, with accession.version beside it."""
    listed = ["P04637", "NP_000537.3", "NP_1.1"]
    accessions = identifiers_of("acc")
    numbers = uids.as_array(accessions.number_all(listed))
    summaries = Summaries("protein", accessions)
    body = (
        b'{"result":{"uids":["5","6"],"5":{"uid":"5","accessionversion":"P04637.4"},'
        b'"6":{"uid":"6","accessionversion":"NP_000537.3"}}}'
    )
    answer = summaries.read(body, Batch(numbers, "json"))
    assert sorted(answer.rows.to_table()["uid"].to_pylist()) == ["NP_000537.3", "P04637"]
    assert accessions.texts(answer.left_out) == ["NP_1.1"]
    assert answer.unrequested == 0
