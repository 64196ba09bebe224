"""Compare a client's result with the truth: exact, merged, loud, noted, endless or silent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.conformance.outcome import Outcome


class Verdict(IntEnum):
    """Result classes, from best to worst."""

    EXACT = 0
    MERGED = 1
    LOUD = 2
    NOTED = 3
    ENDLESS = 4
    SILENT = 5


@dataclass(frozen=True)
class Ran:
    """The end of a client's process.

    Attributes:
        outcome: what it returned; None if it raised, exited or was stopped.
        raised: name of the exception.
        exit: the exit code of the process; some clients exit with 0 after an exception.
        stopped: whether it was still running at the time limit.
        said: whether it wrote lines to stderr that it does not write without a fault.
    """

    outcome: Outcome | None = None
    raised: str = ""
    exit: int = 1
    stopped: bool = False
    said: bool = False


@dataclass(frozen=True)
class Score:
    """A verdict with its text.

    Attributes:
        harm: number of links lacking, wrong or doubled; orders equal verdicts.
    """

    verdict: Verdict
    words: str = ""
    harm: int = field(default=0, compare=False)


@dataclass(frozen=True)
class _Found:
    """Returned links compared with the existing ones.

    Attributes:
        right: number of true links.
        there: number of existing links.
        wrong: number of returned links that do not exist.
        twice: number of true links returned again.
        lacking: UIDs with missing links.
        merged: whether the links are not assigned to single UIDs.
    """

    right: int
    there: int
    wrong: int
    twice: int
    lacking: frozenset[str]
    merged: bool

    @property
    def harm(self) -> int:
        return self.there - self.right + self.wrong + self.twice

    def __str__(self) -> str:
        wrong = f", {self.wrong} wrong" if self.wrong else ""
        twice = f", {self.twice} twice" if self.twice else ""
        count = "all" if self.right == self.there else f"{self.right}/{self.there}"
        return f"{count}{wrong}{twice}"


def score(truth: Mapping[str, frozenset[str]], ran: Ran) -> Score:
    """Return the verdict on one run.

    Args:
        truth: requested UID → linked UIDs.
        ran: the end of the run.
    """
    if ran.stopped:
        return Score(Verdict.ENDLESS, "reports it" if ran.said else "no message")
    outcome = ran.outcome
    if outcome is None and ran.exit == 0:
        return Score(Verdict.NOTED if ran.said else Verdict.SILENT, f"{ran.raised}, exit 0")
    if outcome is None:
        return Score(Verdict.LOUD, ran.raised)
    found = _compare(truth, outcome)
    if outcome.failure:
        # Links returned with a failure must be true, and only named UIDs may lack links.
        if found.wrong or (outcome.named and not found.lacking <= set(outcome.named)):
            return Score(Verdict.SILENT, f"{outcome.failure}, but {found}")
        kept = f", {found}" if found.right else ""
        named = f", names {len(outcome.named)}" if outcome.named else ""
        return Score(Verdict.LOUD, f"{outcome.failure}{kept}{named}")
    if not found.harm:
        return Score(Verdict.MERGED if found.merged else Verdict.EXACT)
    if ran.said or outcome.shown:
        return Score(Verdict.NOTED, str(found), found.harm)
    return Score(Verdict.SILENT, str(found), found.harm)


def _compare(truth: Mapping[str, frozenset[str]], outcome: Outcome) -> _Found:
    merged = any(len(sources) > 1 for sources, _ in outcome.groups)
    if merged:  # the pairs are lost, so only the links themselves can be right
        true = {("", to) for links in truth.values() for to in links}
        each = Counter((*sources, to) for sources, links in outcome.groups for to in links)
        told = Counter[tuple[str, str]]()
        for (*_, to), times in each.items():
            told["", to] = max(told["", to], times)
    else:
        true = {(uid, to) for uid, links in truth.items() for to in links}
        told = Counter(
            (source, to) for sources, links in outcome.groups for source in sources for to in links
        )
    right = true & told.keys()
    lacking = frozenset(source for source, _ in true - right)
    return _Found(
        right=len(right),
        there=len(true),
        wrong=len(told.keys() - true),
        twice=sum(told[pair] - 1 for pair in right),
        lacking=lacking,
        merged=merged,
    )
