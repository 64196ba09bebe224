"""ESummary's reader on every recorded answer, against Python's own JSON reader."""

from __future__ import annotations

import json

import pytest
from support.recorded_answers import body_of, names

from harvester.errors import Fault, RequestFailed
from harvester.eutils import esummary

NAMES = names("json", "esummary")
EMPTY = "ncbi-GeneGPT/esummary_snp_da39a3ee.json"
FOR_ALL = {
    "Klortho-Eutils-JSON/esummary.error.json": "Invalid db name specified: fleegle",
    "ncbi-GeneGPT/esummary_gene_9e569e28.json": "Invalid uid OR11-86 at position= 0",
    "ncbi-GeneGPT/esummary_gene_eebbeca8.json": "Empty id list - nothing todo",
    "quoted-live-2026/esummary_too_many_uids.json": "Too many UIDs in request. Maximum number of "
    "UIDs is 500 for JSON format output.",
}
WHOLE = [name for name in NAMES if name != EMPTY and name not in FOR_ALL]


def test_there_is_something_to_read() -> None:
    assert len(WHOLE) >= 15
    assert set(FOR_ALL) <= set(NAMES)


@pytest.mark.parametrize("name", WHOLE)
def test_summaries_are_those_of_json(name: str) -> None:
    result = json.loads(body_of(name))["result"]
    found = esummary.read(body_of(name))
    assert list(found) == list(dict.fromkeys(result["uids"]))
    for uid, summary in found.items():
        assert summary == result[uid].get("error", result[uid])


@pytest.mark.parametrize(("name", "words"), FOR_ALL.items())
def test_an_error_for_all_is_the_servers(name: str, words: str) -> None:
    with pytest.raises(RequestFailed) as caught:
        esummary.read(body_of(name))
    assert (caught.value.fault, caught.value.reason) == (Fault.SERVER, words)


@pytest.mark.parametrize("name", [EMPTY, "Klortho-Eutils-JSON/esummary.gene.xml"])
def test_what_is_no_answer_in_json_is_a_bad_body(name: str) -> None:
    with pytest.raises(RequestFailed) as caught:
        esummary.read(body_of(name))
    assert caught.value.fault is Fault.BODY


def test_an_answer_cut_anywhere_is_a_bad_body() -> None:
    body = body_of("ncbi-GeneGPT/esummary_omim_db871a32.json").rstrip()
    for cut in range(len(body)):
        with pytest.raises(RequestFailed):
            esummary.read(body[:cut])
