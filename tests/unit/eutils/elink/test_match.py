"""Which UIDs an answer settles, and what it says about the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.recorded_answers import body_of

from harvester.errors import Fault, RequestFailed
from harvester.eutils.elink.commands import Elink
from harvester.eutils.elink.match import merged_owners, owners
from harvester.job.link import Link
from harvester.model import uids
from harvester.model.batch import Batch
from harvester.model.identifiers import identifiers_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.model.batch import Retmode

NOT_SUPPORTED = "ropensci-rentrez/elink_llinkslib_not_supported.xml"


def _accessions(*names: str) -> tuple[NDArray[np.int64], list[str]]:
    return np.arange(1, len(names) + 1), list(names)


def test_another_version_of_an_accession_is_named() -> None:
    """NCBI answers an old version with the current one (users' report, 2022-10)."""
    asked, texts = _accessions("NM_000546.5", "NM_1.1", "NP_000537", "NM_2.1")
    found = owners(
        [["NM_000546.6"], ["NM_1.1"], ["NP_000537.3"], ["XM_9.1"]], [None] * 4, asked, texts
    )
    assert found.answered.tolist() == [2, 3]
    assert found.renamed == {1: "NM_000546.6"}
    assert found.left_out.tolist() == [4]
    assert found.unrequested == 2


def test_a_uid_that_is_answered_is_not_renamed() -> None:
    asked, texts = _accessions("NM_1.1", "NM_2.1")
    found = owners([["NM_1.1"], ["NM_1.2"]], [None, None], asked, texts)
    assert (found.renamed, found.left_out.tolist()) == ({}, [2])


def test_numbers_have_no_versions() -> None:
    found = owners([["3"]], [None], np.array([1, 2]), ["1", "2"])
    assert (found.renamed, found.left_out.tolist()) == ({}, [1, 2])


def test_a_merged_answer_names_other_versions_too() -> None:
    asked, texts = _accessions("NM_1.1", "NM_2.1")
    found = merged_owners([["NM_1.1", "NM_2.3"]], [None], asked, texts)
    assert found.renamed == {2: "NM_2.3"}
    assert found.answered.tolist() == [1]


# --- an ERROR in a LinkSet that names no UID ---------------------------------------------------


def _failure(body: bytes, retmode: Retmode, *asked: int, **link: object) -> RequestFailed:
    question = Elink(Link.model_validate({"dbfrom": "pubmed", **link}))
    with pytest.raises(RequestFailed) as caught:
        question.read(body, Batch(np.array(asked or [1], np.int64), retmode))
    return caught.value


_QUERY = b"<eLinkResult><LinkSet><ERROR>Unable to obtain query #1</ERROR></LinkSet></eLinkResult>"


@pytest.mark.parametrize(
    ("retmode", "body", "reason"),
    [
        ("xml", _QUERY, "Unable to obtain query #1"),
        ("json", b'{"linksets":[{"ERROR":"Unable to obtain query #1"}]}',
         "Unable to obtain query #1"),
        ("json", b'{"linksets":[{"dbfrom":"nuccore","ids":[],"linksetdbs":[{"dbto":"gene",'
         b'"linkname":"nuccore_gene","ERROR":"BLOB ID IS NOT IMPLEMENTED"}]}]}',
         "BLOB ID IS NOT IMPLEMENTED"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("cmd", ["neighbor", "neighbor_history"])
def test_its_words_are_the_reason(retmode: Retmode, body: bytes, reason: str, cmd: str) -> None:
    if cmd == "neighbor_history":
        body = body.replace(b"linksetdbs", b"linksetdbhistories")
    failure = _failure(body, retmode, 1, 2, 3, cmd=cmd)
    assert (failure.fault, failure.reason) == (Fault.SERVER, reason)


@pytest.mark.parametrize("cmd", ["llinkslib", "neighbor", "acheck", "ncheck", "neighbor_history"])
def test_a_cmd_that_is_not_supported_is_rejected(cmd: str) -> None:
    failure = _failure(body_of(NOT_SUPPORTED), "xml", 1, 2, cmd=cmd)
    assert failure.fault is Fault.REJECTED
    assert failure.reason == "Exception: llinkslib command not supported"


@pytest.mark.parametrize("number", [4, 11])
def test_answers_of_2003_reject_names_and_filters(number: int) -> None:
    body = body_of(f"biopython-biopython/eutils2003_parse_link{number}.xml")
    assert _failure(body, "xml", 1).fault is Fault.REJECTED


def test_beside_answers_it_is_a_remark_on_what_was_left_out() -> None:
    body = (
        b'{"linksets":[{"dbfrom":"pubmed","ids":["1"]},'
        b'{"dbfrom":"pubmed","ids":[],"ERROR":"BLOB ID IS\\nNOT IMPLEMENTED"}]}'
    )
    answer = Elink(Link(dbfrom="pubmed")).read(body, Batch(np.array([1, 2], np.int64), "json"))
    assert answer.answered.tolist() == [1]
    assert answer.left_out.tolist() == [2]
    assert answer.remark == "BLOB ID IS NOT IMPLEMENTED"


def test_an_error_of_a_uid_stays_that_of_the_uid() -> None:
    body = b'{"linksets":[{"dbfrom":"pubmed","ids":["1"],"ERROR":"command not supported"}]}'
    answer = Elink(Link(dbfrom="pubmed")).read(body, Batch(np.array([1], np.int64), "json"))
    assert answer.broken == {1: "command not supported"}
    assert answer.remark == ""


def test_the_accession_in_the_answer_comes_with_it() -> None:
    accessions = identifiers_of("acc")
    asked = uids.as_array(accessions.number_all(["NM_000546.5"]))
    link = Link(dbfrom="nuccore", idtype="acc")
    body = b'{"linksets":[{"dbfrom":"nuccore","ids":["NM_000546.6"]}]}'
    answer = Elink(link, accessions).read(body, Batch(asked, "json"))
    assert answer.renamed == {1: "NM_000546.6"}
    assert answer.left_out.tolist() == []
