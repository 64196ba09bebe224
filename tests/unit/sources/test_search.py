"""All UIDs of a query, from servers with different limits; the truth is the set itself."""

from __future__ import annotations

import asyncio
import json
import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.errors import BadInput, HarvestError, RequestFailed
from harvester.eutils.esearch import MOST
from harvester.sources.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

WEBENV = "MCID_1"


@dataclass
class Server:
    """ESearch over one set of records, in any order; requests are recorded.

    Attributes:
        records: those that the query matches.
        most: ids of one answer.
        pages: whether it gives pages past those.
        hide: ids left out of each of the next answers.
        grow: records that appear at the n-th request.
        lose: requests after which all sets on the History server are gone.
    """

    records: list[int]
    most: int = MOST
    pages: bool = False
    hide: list[int] = field(default_factory=list)
    grow: dict[int, list[int]] = field(default_factory=dict)
    lose: set[int] = field(default_factory=set)
    webenv: str = WEBENV
    extra: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    accessions: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)

    async def call(
        self, path: str, fields: Mapping[str, object], read: Callable[[bytes], T], attempts: int = 6
    ) -> T:
        assert path == "esearch.fcgi"
        for attempt in range(attempts):
            self.asked.append({key: str(value) for key, value in fields.items() if value})
            try:
                return read(self._answer(self.asked[-1]))
            except RequestFailed:
                if attempt == attempts - 1:
                    raise
        raise AssertionError

    def _answer(self, asked: dict[str, str]) -> bytes:
        self.records += self.grow.pop(len(self.asked), [])
        if self.error:
            return b'{"esearchresult":{"ERROR":"%b"}}' % self.error.encode()
        found = self.records
        sliced = re.fullmatch(r"(\(q OR r\)|#7) AND (\d+):(\d+)\[UID\]", asked["term"])
        if sliced:
            low, high = int(sliced[2]), int(sliced[3])
            assert 1 <= low <= high < 2**63
            found = [uid for uid in found if low <= uid <= high]
        else:
            assert asked["term"] in ("q OR r", "#7")
        if len(self.asked) - 1 in self.lose:
            self.webenv = f"MCID_{len(self.asked)}"
        if "#" in asked["term"] and asked["WebEnv"] != self.webenv:
            return b'{"esearchresult":{"ERROR":"Unable to obtain query #7"}}'
        if asked.get("rettype") == "count":
            return json.dumps({"esearchresult": {"count": str(len(found))}}).encode()
        start = int(asked.get("retstart", 0))
        if start and not self.pages:
            return b'{"esearchresult":{"ERROR":"\'retstart\' cannot be\n larger than 9998."}}'
        ids = random.Random(1).sample(found, len(found))  # no order may matter
        page = ids[start : start + min(self.most, int(asked["retmax"]))]
        page = page[self.hide.pop() if self.hide else 0 :]
        result: dict[str, Any] = {
            "count": str(len(found)),
            "idlist": [f"NM_{uid:09}.1" if self.accessions else str(uid) for uid in page],
        }
        if asked.get("usehistory"):
            result |= {"querykey": "7", "webenv": self.webenv}
        return json.dumps({"esearchresult": result | self.extra}).encode()


@dataclass
class Got:
    """The result of a search."""

    count: int
    uids: list[Any]
    warnings: list[str]


def _all(server: Server, db: str = "pubmed", term: str | None = "q OR r", **more: Any) -> Got:
    warnings: list[str] = []

    async def get() -> Got:
        search = Search(server, db, term, warn=warnings.append, **more)
        count = await search.count()
        uids = [
            uid
            async for block in search.blocks()
            for uid in (block if isinstance(block, list) else block.tolist())
        ]
        return Got(count, uids, warnings)

    return asyncio.run(get())


def _refusal(server: Server, db: str = "pubmed", term: str | None = "q OR r", **more: Any) -> str:
    with pytest.raises(HarvestError) as caught:
        _all(server, db, term, **more)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


_RECORDS = st.lists(
    st.tuples(st.integers(1, 2**40), st.integers(1, 120), st.integers(1, 30)),
    min_size=1,
    max_size=6,
).map(lambda islands: sorted({at + n * by for at, count, by in islands for n in range(count)}))


@given(records=_RECORDS, most=st.integers(1, 60), is_set=st.booleans(), pages=st.booleans())
def test_every_uid_of_any_set_is_found(
    records: list[int], most: int, is_set: bool, pages: bool
) -> None:
    """With or without pages (pubmed has none), from a History set or a query."""
    server = Server(records, most=most, pages=pages)
    more = {"term": None, "webenv": WEBENV, "query_key": "7"} if is_set else {}
    for db in ("pubmed", "gene"):
        # An answer short of what it counts is asked for again, so a smaller page costs some.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("harvester.sources.search.MOST", most)
            got = _all(server, db, **more)
        assert sorted(set(got.uids)) == records
        assert (got.count, got.warnings) == (len(records), [])


@pytest.mark.parametrize("size", [1, MOST - 1, MOST, MOST + 1])
def test_sets_about_as_large_as_an_answer(size: int) -> None:
    server = Server(list(range(10, 10 + size)))
    got = _all(server)
    assert sorted(set(got.uids)) == server.records
    assert len(server.asked) == (1 if size <= MOST else 3)


def test_a_query_like_those_of_pubmed_costs_little_more_than_its_answers() -> None:
    records = random.Random(5).sample(range(1, 41_000_000), 250_000)
    server = Server(records)
    got = _all(server)
    assert sorted(set(got.uids)) == sorted(records)
    assert len(server.asked) <= 1.5 * 250_000 / MOST
    assert {ask["retmax"] for ask in server.asked} == {str(MOST)}


def test_pages_cost_as_many_requests_as_there_are() -> None:
    server = Server(list(range(1, 3 * MOST + 8)), pages=True)
    got = _all(server, "gene")
    assert sorted(got.uids) == server.records
    assert [ask.get("retstart") for ask in server.asked] == [
        None, str(MOST), str(2 * MOST), str(3 * MOST)
    ]  # fmt: skip
    assert [ask["term"] for ask in server.asked] == ["q OR r", "#7", "#7", "#7"]


@pytest.mark.parametrize("lose", [{1}, {2}, {1, 3}, {1, 4, 7}])
def test_a_lost_set_of_a_query_is_made_again(lose: set[int]) -> None:
    server = Server(list(range(1, 3 * MOST + 8)), pages=True, lose=lose)
    got = _all(server, "gene")
    assert sorted(got.uids) == server.records
    assert got.warnings == []
    assert not any("[UID]" in ask["term"] for ask in server.asked)
    assert sum(ask["term"] == "q OR r" for ask in server.asked) == 1 + len(lose)


def test_a_server_that_keeps_no_set_is_searched_by_ranges() -> None:
    server = Server(list(range(1, 3 * MOST + 8)), pages=True, lose=set(range(1, 8)))
    got = _all(server, "gene")
    assert sorted(got.uids) == server.records
    assert any("[UID]" in ask["term"] for ask in server.asked)


def test_a_lost_set_that_was_given_is_named() -> None:
    server = Server([1, 2], webenv="MCID_2")
    with pytest.raises(BadInput, match="set #7 on the History server"):
        _all(server, "gene", None, webenv=WEBENV, query_key="7")


def test_more_fields_go_with_every_question() -> None:
    server = Server(list(range(1, 25_000)))
    _all(server, fields={"datetype": "pdat", "reldate": 60})
    assert {(ask["datetype"], ask["reldate"]) for ask in server.asked} == {("pdat", "60")}


def test_accessions_come_as_texts_and_past_the_cap_too() -> None:
    for pages in (True, False):
        server = Server(list(range(1, 25_000)), pages=pages, accessions=True)
        got = _all(server, "nuccore", accessions=True)
        assert set(got.uids) == {f"NM_{uid:09}.1" for uid in server.records}
        assert got.warnings == []
        assert {ask["idtype"] for ask in server.asked} == {"acc"}


# --- what is odd ------------------------------------------------------------------------------


def test_an_answer_short_of_its_count_is_asked_for_again() -> None:
    server = Server(list(range(1, 300)), hide=[20, 300])
    got = _all(server)
    assert sorted(got.uids) == server.records
    assert len(server.asked) == 3


def test_what_stays_short_is_taken_with_a_warning() -> None:
    server = Server(list(range(1, 300)), hide=[20] * 999)
    got = _all(server)
    assert set(got.uids) < set(server.records)
    assert len(set(got.uids)) >= 279
    assert got.warnings == [
        f"NCBI counts 299 records for the query 'q OR r' but returned {len(set(got.uids))}; "
        "the harvest uses those."
    ]


def test_an_answer_without_ids_is_never_accepted() -> None:
    """Recorded for db=genome: a count of 41, and an empty list."""
    server = Server(list(range(1, 42)), hide=[41] * 9)
    assert "0 of 41 ids" in _refusal(server)


def test_records_that_appear_meanwhile_are_no_warning_once_counted_again() -> None:
    server = Server(list(range(1, 30_000)), grow={3: list(range(50_000, 50_040)), 4: [40_000]})
    got = _all(server)
    assert got.count == 29_999
    assert set(got.uids) <= set(server.records)
    assert set(range(1, 30_000)) <= set(got.uids)
    if set(got.uids) == set(server.records):
        assert got.warnings == []
    else:
        assert "NCBI counts 30040 records" in got.warnings[0]


@pytest.mark.parametrize(
    ("accessions", "said"), [(False, "outside the requested"), (True, "contradict each other")]
)
def test_a_server_that_ignores_a_range_is_detected(accessions: bool, said: str) -> None:
    """ESearch ignores parts of a query that it does not understand."""
    server = Server(list(range(1, 30_000)), accessions=accessions)
    whole = server._answer
    server._answer = lambda asked: whole(asked | {"term": "q OR r"})  # type: ignore[method-assign]
    assert said in _refusal(server, accessions=accessions)
    assert len(server.asked) < 60


# --- what is wrong ----------------------------------------------------------------------------


def test_no_hits_is_reported_with_a_better_spelling() -> None:
    async def suggest(db: str, term: str) -> str | None:
        return f"{db} {term}s"

    assert _refusal(Server([]), suggest=suggest) == (
        "No record of pubmed matches the query 'q OR r' (did you mean 'pubmed q OR rs'?)."
    )


def test_no_hits_is_reported_with_what_is_not_known() -> None:
    server = Server([], extra={"errorlist": {"phrasesnotfound": ["r\n"], "fieldsnotfound": []}})
    assert _refusal(server) == ("No record of pubmed matches the query 'q OR r' (unknown: 'r').")
    assert _refusal(Server([]), term=None, webenv=WEBENV, query_key="7") == (
        "The set #7 on the History server is empty."
    )


def test_a_phrase_left_out_of_a_query_is_reported() -> None:
    """Recorded: `APC AND p.E1317Q` found 40,362 records, all of APC."""
    server = Server([4], extra={"errorlist": {"phrasesnotfound": ["p.E\x1b[31m"]}})
    got = _all(server)
    assert got.uids == [4]
    assert got.warnings == ["NCBI does not know 'p.E?[31m' and left it out of the query 'q OR r'."]


def test_a_field_that_does_not_exist_is_refused() -> None:
    server = Server([4], extra={"errorlist": {"phrasesnotfound": [], "fieldsnotfound": ["titel"]}})
    assert _refusal(server).startswith("pubmed has no field [titel]")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Invalid db name specified: pubmet", "ESearch knows no database 'pubmet'."),
        ("Search Backend failed:\nagain", "complete answer for the query 'q OR r': Search "
         "Backend failed: again."),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence_without_the_key(error: str, said: str) -> None:
    assert said in _refusal(Server([1], error=error), "pubmet")


def test_a_set_that_is_gone_is_said_at_once() -> None:
    server = Server([1], error="Unable to obtain query #7")
    sentence = _refusal(server, term=None, webenv=WEBENV, query_key="7")
    assert sentence.startswith("The set #7 on the History server does not exist or has expired")
    assert "--query" in sentence
    assert len(server.asked) == 1


def test_an_empty_query_is_refused_before_any_request() -> None:
    with pytest.raises(BadInput, match="--query TERM"):
        Search(Server([]), "pubmed", "  ")


def test_a_fault_of_the_server_is_not_a_fault_of_the_input() -> None:
    with pytest.raises(HarvestError) as caught:
        _all(Server([1], error="Search Backend failed"))
    assert not isinstance(caught.value, BadInput)
