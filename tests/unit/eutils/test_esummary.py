"""ESummary's responses: a summary or an error for each UID, or an error for all."""

from __future__ import annotations

from urllib.parse import parse_qs

import numpy as np
import pytest

from harvester.errors import Fault, RequestFailed
from harvester.eutils import esummary
from harvester.eutils.esummary import Summaries
from harvester.model import uids
from harvester.model.batch import Batch
from harvester.model.identifiers import Uids, identifiers_of


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
     b'{"result":{"uids":"7"}}', b'{"result":{"uids":["7"]'],
)  # fmt: skip
def test_what_is_no_whole_answer_is_a_bad_body(body: bytes) -> None:
    with pytest.raises(RequestFailed) as caught:
        esummary.read(body)
    assert caught.value.fault is Fault.BODY


@pytest.mark.parametrize(
    ("record", "error"),
    [(b'"x"', "its summary is not valid JSON"), (b'{"uid":"9"}', "answered as 9")],
)
def test_what_is_no_summary_of_its_uid_is_an_error_of_that_uid(record: bytes, error: str) -> None:
    body = b'{"result":{"uids":["7","8"],"7":{"uid":"7"},"8":' + record + b"}}"
    assert esummary.read(body) == {"7": {"uid": "7"}, "8": error}


def test_an_unknown_escape_keeps_its_backslash() -> None:
    body = rb'{"result":{"uids":["7"],"7":{"uid":"7","title":"5\' C:\p \"q\""}}}'
    assert esummary.read(body) == {"7": {"uid": "7", "title": '5\' C:\\p "q"'}}


@pytest.mark.parametrize(("tries", "members", "other_form"), [(2, 1, 0), (3, 2, 0), (3, 1, 1)])
def test_a_record_that_cuts_its_answers_alone_is_asked_for_in_xml(
    tries: int, members: int, other_form: int
) -> None:
    batch = Batch(np.arange(7, 7 + members), "json", tries=tries)
    with pytest.raises(RequestFailed) as caught:
        Summaries("gene", Uids()).read(b'{"result":{"uids":["7"]', batch)
    assert caught.value.unreadable == bool(other_form)


def test_a_record_is_known_by_its_accession_with_or_without_version() -> None:
    """A protein requested by accession is answered with its GI and accession.version."""
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


# --- a record that breaks the JSON ------------------------------------------------------------


def _with(member: bytes) -> bytes:
    """Return three summaries, the second with a member that is not JSON."""
    return (
        b'{"header":{"type":"esummary"},"result":{"uids":["5","6","7"],"5":{"uid":"5"},'
        b'"6":{"uid":"6",%b},"7":{"uid":"7","a":{"b":[1]}}}}\n' % member
    )


@pytest.mark.parametrize(
    ("member", "value"),
    [
        (b'"x":suppressed', "suppressed"),
        (b'"x":Not available ', "Not available"),
        (b'"x":"a\tb\x01"', "a b "),
        (b'"x":"\\ud83d!"', "\ufffd!"),
        (b'"x":"\\ud83d\\ude00\x00"', "\U0001f600 "),
        (b'"x":"5\\\' end"', "5' end"),
        (b'"x":"say \\"no\\", null"\x00', 'say "no", null'),
        (b'"x":[1,true,b]', [1, True, "b"]),
        (b'"x":[-1.5e3,null]\x01', [-1500.0, None]),
    ],
)
def test_values_that_are_not_json_are_repaired(member: bytes, value: object) -> None:
    found = esummary.read(_with(member))
    assert found["5"] == {"uid": "5"}
    assert found["6"] == {"uid": "6", "x": value}
    assert found["7"] == {"uid": "7", "a": {"b": [1]}}


@pytest.mark.parametrize("member", [b'"x":"5" end"', b'"x":"\xff"', b'"x":{', b'"x":"open'])
def test_a_record_beyond_repair_costs_only_itself(member: bytes) -> None:
    found = esummary.read(_with(member))
    assert found["6"] == "its summary is not valid JSON"
    assert found["5"] == {"uid": "5"}
    assert found["7"] == {"uid": "7", "a": {"b": [1]}}


def test_a_broken_record_is_asked_for_alone_and_then_in_xml() -> None:
    question = Summaries("gene", Uids())
    answer = question.read(_with(b'"x":"5" end"'), Batch(np.array([5, 6, 7]), "json"))
    assert answer.answered.tolist() == [5, 7]
    assert answer.broken == {6: "its summary is not valid JSON"}
    alone = b'{"result":{"uids":["6"],"6":{"uid":"6","x":"5" end"}}}'
    with pytest.raises(RequestFailed) as caught:
        question.read(alone, Batch(np.array([6]), "json", tries=1))
    assert caught.value.unreadable
    in_xml = parse_qs(question.body(Batch(np.array([6]), "xml")).decode())
    assert (in_xml["retmode"], in_xml["version"], in_xml["id"]) == (["xml"], ["2.0"], ["6"])


def test_a_broken_answer_that_is_cut_is_a_bad_body() -> None:
    body = _with(b'"x":"5" end"').rstrip()
    for cut in range(len(body)):
        with pytest.raises(RequestFailed) as caught:
            esummary.read(body[:cut])
        assert caught.value.fault is Fault.BODY
