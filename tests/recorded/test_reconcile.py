"""Responses matched with requests, compared with a plain reference of dicts and loops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rendering import Db, Made, Script, as_json, as_xml, scripts

from harvester.eutils.elink.neighbor_rows import reconcile
from harvester.eutils.elink.readers import neighbor_json, neighbor_xml
from harvester.model.schemas import NEIGHBOR_LINKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.model.answer import Answer

Row = dict[str, Any]


@dataclass
class Expected:
    """The expected result of a response."""

    rows: list[Row] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)
    broken: dict[int, str] = field(default_factory=dict)
    unrequested: int = 0


def _expected(
    script: Script, asked: Sequence[int], dbfrom: str, linknames: Sequence[str]
) -> Expected:
    """Compute the result link by link, from the text of the interface."""
    expected = Expected()
    theirs: list[tuple[int, Made]] = []
    for made in script.linksets:
        if len(made.ids) == 1 and made.ids[0] in asked:
            theirs.append((made.ids[0], made))
        else:
            expected.unrequested += 1
    for uid, made in theirs:
        error = next(filter(None, [made.error, *(db.error for db in made.dbs)]), None)
        if error:
            expected.broken.setdefault(uid, error)
    known: set[tuple[int, str, str, int]] = set()
    for uid, made in theirs:
        if uid in expected.broken:
            continue
        expected.answered.add(uid)
        for db in made.dbs:
            if linknames and db.linkname not in linknames:
                continue
            for rank, (to, score) in enumerate(db.links):
                link = (uid, db.dbto, db.linkname, to)
                if link not in known:
                    known.add(link)
                    expected.rows.append(_row(dbfrom, link, score, rank))
    return expected


def _row(dbfrom: str, link: tuple[int, str, str, int], score: int | None, rank: int) -> Row:
    uid, dbto, linkname, to = link
    return {
        "dbfrom": dbfrom,
        "from_uid": uid,
        "dbto": dbto,
        "linkname": linkname,
        "to_uid": to,
        "score": score,
        "rank": rank,
    }


def _agrees(answer: Answer, expected: Expected, asked: Sequence[int]) -> None:
    assert answer.rows.to_table().to_pylist() == expected.rows
    assert answer.answered.tolist() == sorted(expected.answered)
    assert answer.broken == expected.broken
    assert answer.unrequested == expected.unrequested
    left_out = set(asked) - expected.answered - set(expected.broken)
    assert answer.left_out.tolist() == sorted(left_out)
    counts = dict.fromkeys(expected.answered, 0)
    for row in expected.rows:
        counts[row["from_uid"]] += 1
    assert dict(zip(answer.answered.tolist(), answer.counts.tolist(), strict=True)) == counts
    assert answer.rows.to_table().schema.equals(NEIGHBOR_LINKS)


def _reconciled(
    script: Script, asked: Sequence[int], linknames: Sequence[str] = (), *, xml: bool = False
) -> Answer:
    if xml:
        body = as_xml(script, prolog="", gap="\n", pad="", late_error=False)
        found = neighbor_xml.read(body)
    else:
        body = as_json(script, indent=None, ascii_only=True, numbers=False)
        found = neighbor_json.read(body)
    return reconcile(found, np.array(asked, np.int64), "pubmed", linknames)


_FEW = st.one_of(st.integers(0, 6), st.integers(0, 6), st.sampled_from([2**31, 2**63 - 1]))
"""So few that LinkSets are doubled, name other UIDs, or have an id of 0."""
_ASKED = st.sets(
    st.one_of(st.integers(1, 6), st.sampled_from([2**31, 2**63 - 1])), min_size=1, max_size=6
)
_KEPT = st.lists(st.sampled_from(["pubmed_pmc", "gene", "no_such_name"]), max_size=2)


@given(scripts(_FEW), _ASKED, _KEPT, st.booleans())
def test_any_answer_to_any_question(
    script: Script, asked: set[int], linknames: list[str], xml: bool
) -> None:
    uids = sorted(asked)
    answer = _reconciled(script, uids, linknames, xml=xml)
    _agrees(answer, _expected(script, uids, "pubmed", linknames), uids)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.sampled_from(["a", "b"]),
            st.lists(st.integers(1, 4), min_size=1, max_size=8),
        ),
        max_size=8,
    )
)
def test_links_that_come_again_are_kept_once_and_where_they_first_stood(
    lists: list[tuple[int, str, list[int]]],
) -> None:
    script = Script(
        [Made("pubmed", [uid], [Db("pmc", name, [(to, None) for to in tos])])
         for uid, name, tos in lists]
    )  # fmt: skip
    _agrees(_reconciled(script, [1, 2, 3]), _expected(script, [1, 2, 3], "pubmed", ()), [1, 2, 3])


def test_a_large_answer() -> None:
    """Long lists, many linknames, pairs linked by several linknames, duplicate links."""
    random = np.random.default_rng(7)
    linksets = [
        Made(
            "pubmed",
            [uid],
            [
                Db("pmc", f"pubmed_{name}", [(int(to), int(to) % 97) for to in tos])
                for name in range(3)
                if len(tos := random.integers(1, 2000, random.integers(1, 300)))
            ],
        )
        for uid in random.permutation(np.arange(1, 121)).tolist()
    ]
    script = Script(linksets)
    asked = list(range(1, 131))
    expected = _expected(script, asked, "pubmed", ())
    assert len(expected.rows) < sum(len(db.links) for one in linksets for db in one.dbs)
    _agrees(_reconciled(script, asked), expected, asked)


def _one(*ids: int, to: Sequence[int] = (), error: str | None = None) -> Made:
    dbs = [Db("pmc", "pubmed_pmc", [(uid, None) for uid in to])] if to else []
    return Made("pubmed", list(ids), dbs, error)


def test_answers_are_matched_by_the_id_in_them_not_by_position() -> None:
    """In 2008 four ids came back sorted as text."""
    order = [1621261, 20807972, 68536103, 730439]
    answer = _reconciled(Script([_one(uid, to=[uid + 1]) for uid in order]), sorted(order))
    pairs = answer.rows.to_table().select(["from_uid", "to_uid"]).to_pylist()
    assert [(row["from_uid"], row["to_uid"]) for row in pairs] == [(u, u + 1) for u in order]
    assert answer.left_out.tolist() == []


@pytest.mark.parametrize(
    "stranger",
    [_one(0, to=[5]), _one(99, to=[5]), _one(to=[5]), _one(1, 2, to=[5]), _one(1, 1, to=[5])],
    ids=["zero", "never asked", "no id", "two ids", "the same id twice"],
)
def test_linksets_for_nobody_are_dropped_and_counted(stranger: Made) -> None:
    answer = _reconciled(Script([stranger]), [1, 2])
    assert answer.unrequested == 1
    assert answer.rows.to_table().num_rows == 0
    assert answer.answered.tolist() == []
    assert answer.left_out.tolist() == [1, 2]


def test_a_uid_answered_twice_is_merged() -> None:
    answer = _reconciled(Script([_one(1, to=[7, 8]), _one(2), _one(1, to=[8, 9])]), [1, 2])
    assert answer.rows.to_table()["to_uid"].to_pylist() == [7, 8, 9]
    assert answer.counts.tolist() == [3, 0]


def test_an_error_takes_only_its_own_uid_along() -> None:
    dbs = [Db("pmc", "a", [(5, None)]), Db("pmc", "b", error="Error calling ExLink server.")]
    script = Script([Made("pubmed", [1], dbs), _one(2, to=[6]), _one(3, error="BLOB ID")])
    answer = _reconciled(script, [1, 2, 3, 4])
    assert answer.broken == {1: "Error calling ExLink server.", 3: "BLOB ID"}
    assert answer.rows.to_table()["from_uid"].to_pylist() == [2]
    assert answer.answered.tolist() == [2]
    assert answer.left_out.tolist() == [4]


def test_a_uid_that_is_answered_and_broken_is_broken() -> None:
    answer = _reconciled(Script([_one(1, to=[5]), _one(1, error="x")]), [1])
    assert (answer.rows.to_table().num_rows, answer.broken, answer.left_out.tolist()) == (
        0,
        {1: "x"},
        [],
    )


def test_of_several_errors_of_a_uid_the_first_is_told() -> None:
    answer = _reconciled(Script([_one(1, error="first"), _one(1, error="second")]), [1])
    assert answer.broken == {1: "first"}


def test_one_pair_may_be_linked_by_several_names_and_to_several_databases() -> None:
    dbs = [Db(dbto, name, [(5, None)]) for dbto in ("pmc", "gene") for name in ("a", "b")]
    answer = _reconciled(Script([Made("pubmed", [1], dbs)]), [1])
    assert answer.rows.to_table().num_rows == 4
    assert answer.counts.tolist() == [4]


def test_rank_is_the_place_in_ncbis_list_also_after_a_filter() -> None:
    dbs = [
        Db("pmc", "dropped", [(1, None), (2, None)]),
        Db("pubmed", "kept", [(9, 30), (8, 20), (9, 10), (7, 5)]),
    ]
    answer = _reconciled(Script([Made("pubmed", [1], dbs)]), [1], ["kept"])
    rows = [
        (row["to_uid"], row["rank"], row["score"]) for row in answer.rows.to_table().to_pylist()
    ]
    assert rows == [(9, 0, 30), (8, 1, 20), (7, 3, 5)]


def test_the_record_itself_is_kept_among_its_related_ones() -> None:
    answer = _reconciled(Script([_one(5, to=[5, 6])]), [5])
    assert answer.rows.to_table()["to_uid"].to_pylist() == [5, 6]


@pytest.mark.parametrize("linknames", [(), ("x",)])
def test_an_answer_with_nothing_in_it_leaves_all_out(linknames: Sequence[str]) -> None:
    answer = _reconciled(Script([]), [3, 1], linknames)
    assert answer.left_out.tolist() == [1, 3]
    assert answer.rows.to_table().num_rows == 0
    assert answer.rows.to_table().schema.equals(NEIGHBOR_LINKS)


def test_ids_are_compared_as_numbers_are_written() -> None:
    """`007` was not requested, and `1 ` matches no UID."""
    body = b'{"linksets":[{"ids":["007"]},{"ids":["1 "]},{"ids":[7]}]}'
    answer = reconcile(neighbor_json.read(body), np.array([1, 7]), "pubmed")
    assert answer.answered.tolist() == [7]
    assert answer.unrequested == 2
