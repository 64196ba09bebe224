"""One harvest into one folder, from its source to its final form."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harvester import events
from harvester.client.check_names import check_names
from harvester.client.outage_retry import OutageRetry
from harvester.eutils.elink.commands import Elink, schema_of
from harvester.job import load
from harvester.job.model import HOLDS_LINKS
from harvester.model.row_schemas import ROUND
from harvester.runs.passes import Passes
from harvester.runs.refresh import cutoff
from harvester.runs.rounds import check_rounds
from harvester.sources.feed import Feed, start_feed
from harvester.store.folder import LINKS, disk_errors
from harvester.store.frames import Frames
from harvester.store.ledger import Ledger
from harvester.store.reader import HarvestReader
from harvester.store.sinks import make_sink
from harvester.store.state_reader import FILE
from harvester.store.status import end_state
from harvester.store.unanswered import reopen_unanswered
from harvester.wording import no_longer_listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from harvester.client.client import Client
    from harvester.engine.stop import Stop
    from harvester.eutils.question import Question
    from harvester.job.link import Link
    from harvester.job.model import Job
    from harvester.model.identifiers import Identifiers, Listed
    from harvester.runs.leases import Pool
    from harvester.runs.refresh import Refreshed


@dataclass(frozen=True, slots=True)
class Result(Frames):
    """The result of a harvest.

    Attributes:
        folder: the harvest's folder.
        state: `complete` or `complete_with_failures`.
        total: distinct input UIDs.
        outcomes: outcome → number of UIDs; together they are `total`.
        link_count: distinct links; `links()` reads them.
        hops: for a chain, the result of each hop; the other values are those of the last hop.
        records: the results for the records linked to, if the job wants them.
        rejected: entries of the input that are not UIDs and were left out (`source.skip_bad`).
        refreshed: the result of a refresh; None without one.
    """

    folder: Path
    state: str
    total: int
    outcomes: dict[str, int]
    link_count: int
    hops: tuple[Result, ...] = ()
    records: tuple[Result, ...] = ()
    rejected: int = 0
    refreshed: Refreshed | None = None

    def links(self) -> pa.Table:
        """Return the links in the folder as one table; of records, the records."""
        return HarvestReader.open(self.folder).table()

    def uids(self) -> pa.Table:
        """Return each input UID with its outcome, as one table."""
        return HarvestReader.open(self.folder).uid_table()

    @property
    def exit_code(self) -> int:
        """0, or 3 if UIDs failed or are missing, or entries of the input were left out."""
        states = [one.state for one in (*self.hops, *self.records)] + [self.state]
        return 0 if all(state == "complete" for state in states) and not self.rejected else 3


@dataclass(frozen=True, slots=True)
class Kind:
    """Kind of a harvest: what it requests, and the schema of its rows.

    Attributes:
        schema: schema of the rows.
        question: makes the question, given how UIDs are written.
        rows: name of the folder of the rows inside the harvest's folder.
        holds: content of the folder in its identity; see `Job.identity`.
    """

    schema: pa.Schema
    question: Callable[[Identifiers], Question]
    rows: str = LINKS
    holds: Mapping[str, str] = field(default_factory=lambda: HOLDS_LINKS)


def is_whole(job: Job) -> bool:
    """Return whether the source of a job is not an unfinished harvest."""
    return job.source.run is None or HarvestReader.open(Path(job.source.run)).complete


def links_of(link: Link) -> Kind:
    """Return the kind of a harvest of links."""
    schema = schema_of(link)
    return Kind(schema.append(ROUND) if link.repeat > 1 else schema, partial(Elink, link))


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs jobs into folders with one client, one stop and the same listeners.

    Attributes:
        client: sends the requests.
        listeners: receive every event.
        stop: ends all runs early.
        resume: whether this continues an earlier run; then names are not checked again.
        retry_failed: whether to request failed and missing UIDs again.
        strict: whether a warning about the query ends the job before it begins.
        whole: whether the input UIDs are all of their source; None: determined from the source.
        inner: whether the folder is a lease of another harvest, and has no final form.
        pool: other processes that request the links; None: this one does.
        refresh: request again UIDs whose answer is older than N days; None: no UIDs.
    """

    client: Client
    listeners: Sequence[events.Listener]
    stop: Stop
    resume: bool = False
    retry_failed: bool = False
    whole: bool | None = None
    strict: bool = False
    refresh: float | None = None
    inner: bool = False
    pool: Pool | None = None

    async def run(
        self,
        job: Job,
        source: Listed | Feed | None,
        *,
        kind: Kind | None = None,
        opened: Callable[[Ledger], None] | None = None,
        committed: Callable[[pa.Table], None] | None = None,
    ) -> Result:
        """Complete the folder of a job.

        Args:
            job: a prepared job, without hops.
            source: its input UIDs, or a feed of them; None if the folder holds all.
            kind: what to request; links, by default.
            opened: receives the folder before the first request.
            committed: receives the links of each commit.

        Raises:
            HarvestError: as for `harvester.harvest`.
        """
        folder, link = Path(job.output.path), job.link
        before = None if self.refresh is None else cutoff(self.refresh)
        kind = kind or links_of(link)
        sink = make_sink(job.output.format, job.output.codec)
        with disk_errors(folder):
            await self._check_names(job)
            feed = source if isinstance(source, Feed) else None
            warnings: list[str] = []
            if feed is not None:
                emit = events.to_all(self.listeners)
                client = OutageRetry(self.client, emit, job.limits.give_up_after)
                warnings = await start_feed(feed, client, emit, strict=self.strict)
            with Ledger(folder, sink, link.dbfrom, kind.schema, link.idtype, kind.rows) as ledger:
                check_rounds(ledger, link)
                ledger.adopt(job.identity(kind.holds), load.dump(job))
                if warnings:
                    ledger.state.put(warnings=json.dumps(warnings))
                if opened is not None:
                    opened(ledger)
                if source is not None and feed is None:
                    self._add_all(ledger, source)
                    ledger.input.end(whole=is_whole(job) if self.whole is None else self.whole)
                if self.retry_failed:
                    reopen_unanswered(ledger)
                refreshed = await Passes(
                    job=job,
                    client=self.client,
                    question=kind.question(ledger.input.identifiers),
                    ledger=ledger,
                    listeners=self.listeners,
                    stop=self.stop,
                    feed=feed,
                    committed=committed,
                    refresh_before=before,
                    inner=self.inner,
                    pool=self.pool if kind.holds is HOLDS_LINKS else None,
                ).run()
                return replace(_result(ledger), refreshed=refreshed)

    def _add_all(self, ledger: Ledger, listed: Listed) -> None:
        """Add a whole list; warn if the folder holds UIDs that are not in it."""
        known = bool(ledger.input.wanted)
        ledger.input.add(listed)
        if known and (dropped := len(ledger.input.without(listed))):
            warning = events.Warned(no_longer_listed(dropped, ledger.folder))
            events.to_all(self.listeners)(warning)

    async def _check_names(self, job: Job) -> None:
        """Check the names of a new harvest, and pass on warnings.

        Raises:
            BadInput: a database or linkname does not exist.
        """
        if self.resume or (Path(job.output.path) / FILE).exists():
            return
        emit = events.to_all(self.listeners)
        for warning in [*job.link.warnings(), *await check_names(self.client, job.link)]:
            emit(events.Warned(warning))


def _result(ledger: Ledger) -> Result:
    outcomes = ledger.state.outcomes()
    return Result(
        folder=ledger.folder,
        state=end_state(outcomes),
        total=len(ledger.input.wanted),
        outcomes=outcomes,
        link_count=ledger.state.links(),
    )
