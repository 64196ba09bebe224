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
    """How a client's process ended.

    Attributes:
        outcome: what it handed on; None where it raised, exited or was stopped.
        raised: name of the exception.
        exit: the process's exit code then: some end it with 0.
        stopped: it was still at it at the time limit.
        said: it wrote something to stderr that it does not write when all is well.
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
        harm: links lacking, wrong or doubled: of two like verdicts the greater is the worse.
    """

    verdict: Verdict
    words: str = ""
    harm: int = field(default=0, compare=False)


@dataclass(frozen=True)
class _Found:
    """Returned links compared with the existing ones.

    Attributes:
        right: true ones.
        there: how many there are.
        wrong: ones that are not true.
        twice: true ones handed on once more.
        lacking: UIDs of which true ones are lacking.
        merged: it cannot be told whose the links are.
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
        truth: UIDs linked to, of each UID asked for.
        ran: what came of it.
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
        # What is handed on beside a failure must be true, and lack only what is named.
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
    if merged:  # whose they are is lost, so that only the links as such can be right
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
