"""The input UIDs of a job to plan: those of its source, and those in its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harvester.model import uids
from harvester.model.identifiers import identifiers_of
from harvester.runs.chain import hop_jobs
from harvester.runs.plan_estimates import Input
from harvester.store.reader import HarvestReader
from harvester.store.state_reader import FILE
from harvester.wording import count

if TYPE_CHECKING:
    from harvester.job.model import Job
    from harvester.model.identifiers import Listed


_DAY = 86_400.0
"""Seconds of a day."""


class PlannedInput:
    """Counts distinct UIDs, and those without an outcome.

    Args:
        job: a prepared job; of a chain, its first hop counts.
        retry_failed: whether failed and missing UIDs count as without an outcome.
        refresh: days after which an answer counts as none; None: never.
        now: the time, in seconds since 1970.

    Attributes:
        identifiers: how UIDs are written.
        known: UIDs that are known one by one.
        expected: UIDs that a query counts.
    """

    def __init__(
        self,
        job: Job,
        *,
        retry_failed: bool = False,
        refresh: float | None = None,
        now: float = 0.0,
    ) -> None:
        folder = Path(hop_jobs(job)[0].output.path)
        before = HarvestReader.open(folder) if (folder / FILE).is_file() else None
        self.identifiers = before.identifiers if before else identifiers_of(job.link.idtype)
        self.known = before.wanted if before else uids.as_set()
        self.expected = 0
        self._searched = job.source.is_remote
        self._done = before.done if before else uids.as_set()
        if before and retry_failed:
            self._done = self._done - uids.union(one.uids for one in before.unanswered)
        if before and refresh is not None:
            oldest = int(1000 * (now - refresh * _DAY))
            times = before.settled_at()
            self._done = self._done - uids.union(one.uids for one in times if one.at < oldest)

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"PlannedInput({len(self.known)} known, {self.expected} expected)"

    def take(self, listed: Listed) -> None:
        """Add UIDs of the source."""
        self.known = self.known | self.identifiers.number_all(listed)

    def counted(self) -> Input:
        """Return the counts."""
        total = max(len(self.known), self.expected)
        return Input(total, total - len(self._done), self._searched and bool(self.expected))

    def notes(self) -> list[str]:
        """Return remarks about the counts."""
        if not self._done:
            return []
        have = "1 has an outcome" if len(self._done) == 1 else f"{len(self._done):,} have outcomes"
        left = count(self.counted().left, "UID")
        return [f"The folder holds this harvest: {have}, so {left} will be requested."]
