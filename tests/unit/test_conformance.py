"""The judge of clients: verdicts exact, merged, loud, noted, silent and endless."""

from __future__ import annotations

import pytest

from benchmarks.conformance.client_runs import ClientResult
from benchmarks.conformance.outcome import Outcome
from benchmarks.conformance.rows import ROWS, VICTIMS, Row
from benchmarks.conformance.scoring import Ran, Score, Verdict, score
from benchmarks.conformance.suites.run import section
from benchmarks.conformance.table import BEGIN, END, cell, insert, measured
from harvester.emulator.faults import NAMES

TRUTH = {"1": frozenset({"10", "11"}), "2": frozenset({"11"}), "3": frozenset()}
"""11 is linked to twice, and 3 to nothing: neither may confuse the count."""

WHOLE = [(["1"], ["10", "11"]), (["2"], ["11"])]
MERGED = [(["1", "2", "3"], ["10", "11"])]

HANDED_ON = [
    ("all, without the empty one", Outcome(WHOLE), Score(Verdict.EXACT)),
    ("all, with the empty one", Outcome([*WHOLE, (["3"], [])]), Score(Verdict.EXACT)),
    ("in another order", Outcome([(["2"], ["11"]), (["1"], ["11", "10"])]), Score(Verdict.EXACT)),
    ("merged", Outcome(MERGED), Score(Verdict.MERGED)),
    (
        "merged in two batches that share a link",
        Outcome([(["1"], ["10", "11"]), (["2", "3"], ["11"])]),
        Score(Verdict.MERGED),
    ),
    ("merged, less", Outcome([(["1", "2", "3"], ["10"])]), Score(Verdict.SILENT, "1/2")),
    ("less", Outcome(WHOLE[:1]), Score(Verdict.SILENT, "2/3")),
    ("nothing", Outcome(), Score(Verdict.SILENT, "0/3")),
    (
        "links of one under another",
        Outcome([(["2"], ["10", "11"]), (["1"], ["11"])]),
        Score(Verdict.SILENT, "2/3, 1 wrong"),
    ),
    (
        "links of a stranger",
        Outcome([*WHOLE, (["9"], ["90", "91"])]),
        Score(Verdict.SILENT, "all, 2 wrong"),
    ),
    ("twice", Outcome([*WHOLE, WHOLE[0]]), Score(Verdict.SILENT, "all, 2 twice")),
    ("merged, twice", Outcome(MERGED * 2), Score(Verdict.SILENT, "all, 2 twice")),
    ("less, an ERROR shown", Outcome(WHOLE[:1], shown="no"), Score(Verdict.NOTED, "2/3")),
    ("all, an ERROR shown", Outcome(WHOLE, shown="no"), Score(Verdict.EXACT)),
    ("a failure", Outcome(failure="exit 1"), Score(Verdict.LOUD, "exit 1")),
    (
        "a failure that names what is lacking",
        Outcome(WHOLE[:1], failure="exit 3", named=["2"]),
        Score(Verdict.LOUD, "exit 3, 2/3, names 1"),
    ),
    (
        "a failure that names another than is lacking",
        Outcome(WHOLE[:1], failure="exit 3", named=["3"]),
        Score(Verdict.SILENT, "exit 3, but 2/3"),
    ),
    (
        "a failure with links that are not true",
        Outcome([*WHOLE, (["3"], ["30"])], failure="exit 3"),
        Score(Verdict.SILENT, "exit 3, but all, 1 wrong"),
    ),
]


@pytest.mark.parametrize(
    ("outcome", "verdict"), [case[1:] for case in HANDED_ON], ids=[case[0] for case in HANDED_ON]
)
def test_what_is_handed_on(outcome: Outcome, verdict: Score) -> None:
    assert score(TRUTH, Ran(outcome)) == verdict


@pytest.mark.parametrize(
    ("ran", "verdict"),
    [
        (Ran(raised="HTTPError"), Score(Verdict.LOUD, "HTTPError")),
        (Ran(raised="HTTPError", said=True), Score(Verdict.LOUD, "HTTPError")),
        (Ran(raised="SystemExit", exit=0), Score(Verdict.SILENT, "SystemExit, exit 0")),
        (Ran(raised="SystemExit", exit=0, said=True), Score(Verdict.NOTED, "SystemExit, exit 0")),
        (Ran(Outcome(WHOLE), said=True), Score(Verdict.EXACT)),
        (Ran(Outcome(), said=True), Score(Verdict.NOTED, "0/3")),
        (Ran(stopped=True), Score(Verdict.ENDLESS, "no message")),
        (Ran(stopped=True, said=True), Score(Verdict.ENDLESS, "reports it")),
    ],
)
def test_how_it_ended(ran: Ran, verdict: Score) -> None:
    assert score(TRUTH, ran) == verdict


def test_of_equal_verdicts_the_more_harmful_is_worse() -> None:
    wrong = [*WHOLE[1:], (["3"], ["30"])]
    harms = [score(TRUTH, Ran(Outcome(told))).harm for told in (WHOLE, WHOLE[:1], wrong, [])]
    assert harms == [0, 1, 3, 3]


def result(verdict: Verdict, words: str = "", *leaked: str, met: bool = True) -> ClientResult:
    return ClientResult(Score(verdict, words), frozenset(leaked), met, frozenset())


def test_cells() -> None:
    assert cell(result(Verdict.EXACT)) == "✓"
    assert cell(result(Verdict.SILENT, "2/3", "file")) == "▲ 2/3"
    assert cell(result(Verdict.LOUD, "HTTPError", "terminal")) == "✗ HTTPError 🔑"
    assert cell(result(Verdict.EXACT, met=False)) == "–"


def test_the_measured_part_of_the_page_is_replaced_and_nothing_else() -> None:
    rows = [row for group in ROWS.values() for row in group]
    results = {(row, "edirect"): result(Verdict.NOTED, "2/3", "terminal") for row in rows}
    text = measured(results, {"edirect": "19.0"})
    page = insert(f"above\n{BEGIN}\nold\n{END}\nbelow\n", text)
    assert page.startswith("above\n")
    assert page.endswith("below\n")
    assert "old" not in page
    assert insert(page, text) == page
    assert page.count("| ! 2/3 🔑 |") == len(rows)
    assert f"| rows ! | {len(rows)} |" in page
    with pytest.raises(ValueError, match="measured"):
        insert("a page without marks", text)


def test_every_fault_of_the_emulator_has_a_row() -> None:
    """All but the one of the History server, which the clients do not use here."""
    faults = {fault for group in ROWS.values() for row in group for fault in row.faults}
    assert {fault.partition(":")[0] for fault in faults} == set(NAMES) - {"expired-webenv"}


def test_a_fault_applies_to_the_first_request_or_to_all() -> None:
    first, *_ = VICTIMS
    every = ",".join(VICTIMS)
    assert Row("").spec("html-200") == f"html-200@{every}*1"
    assert Row("").spec("lost-blocks:0.7") == f"lost-blocks@{every}*1:0.7"
    assert Row("", for_good=True).spec("short") == f"short@{first}"


def test_a_suite_names_its_failures_and_their_reasons() -> None:
    told = section("Suite 1", {"a": None, "test_espell": "AssertionError", "b": "KeyError: 'x'"})
    assert told.splitlines()[0] == "Suite 1: 1 of 3 tests pass."
    assert told.splitlines()[-2:] == [
        "| test_espell | expects the correction of a real word |",
        "| b | **KeyError: 'x'** |",
    ]
    assert section("Suite 2", {"a": None}) == "Suite 2: 1 of 1 tests pass."
    assert section("Suite 3", None) == "Suite 3: could not be installed."
