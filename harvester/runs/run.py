"""One harvest into one folder, from its source to its final form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harvester import events
from harvester.client.check_names import check_names
from harvester.eutils.elink.commands import Elink, schema_of
from harvester.job import load as jobfile
from harvester.runs.passes import Sweeps
from harvester.sources.from_job import read_source, search
from harvester.store.folder import LINKS, check_usable, disk_errors
from harvester.store.ledger import Ledger, check_same_job
from harvester.store.sinks import make_sink
from harvester.store.state import FILE, look_up
from harvester.store.status import end_state
from harvester.store.unanswered import reopen_unanswered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from harvester.client.client import Client
    from harvester.engine.stop import Stop
    from harvester.eutils.question import Question
    from harvester.job.link import Link
    from harvester.job.model import Job
    from harvester.model.identifiers import Identifiers, Listed
    from harvester.sources.feed import Feed


@dataclass(frozen=True, slots=True)
class Result:
    """What a harvest came to.

    Attributes:
        folder: the harvest's folder.
        state: `complete` or `complete_with_failures`.
        total: distinct input UIDs.
        outcomes: outcome → UIDs; together they are `total`.
        links: distinct links.
        hops: of a chain, what each of its hops came to; then the rest is that of the last.
        records: what came of the records linked to, where the job wants them.
    """

    folder: Path
    state: str
    total: int
    outcomes: dict[str, int]
    links: int
    hops: tuple[Result, ...] = ()
    records: tuple[Result, ...] = ()

    @property
    def exit_code(self) -> int:
        """0, or 3 where some UIDs failed or are missing."""
        states = [one.state for one in (*self.hops, *self.records)] + [self.state]
        return 0 if all(state == "complete" for state in states) else 3


@dataclass(frozen=True, slots=True)
class Kind:
    """What a harvest asks, and what its rows are.

    Attributes:
        schema: of the rows.
        question: made of the way UIDs are written.
        rows: the folder of the rows, in the harvest's.
    """

    schema: pa.Schema
    question: Callable[[Identifiers], Question]
    rows: str = LINKS


def links_of(link: Link) -> Kind:
    """The kind of a harvest of links."""
    return Kind(schema_of(link), partial(Elink, link))


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvesting:
    """How harvests are made.

    Attributes:
        client: asks.
        listeners: told of every event.
        stop: ends everything when asked to.
        resume: take the UIDs from the folder; the source is read only if it never was to its end.
        retry_failed: ask again for UIDs that failed or are missing.
    """

    client: Client
    listeners: Sequence[events.Listener]
    stop: Stop
    resume: bool = False
    retry_failed: bool = False

    async def make(
        self,
        job: Job,
        listed: Listed | None,
        feed: Feed | None = None,
        opened: Callable[[Ledger], None] | None = None,
        committed: Callable[[pa.Table], None] | None = None,
        kind: Kind | None = None,
    ) -> Result:
        """Bring the folder of a job to its end.

        Args:
            job: with absolute paths.
            listed: its input UIDs, where they could be read beforehand.
            feed: brings them, where they come from another harvest.
            opened: told of the folder before anything is asked.
            committed: told of the links of each commit.
            kind: what to ask; links, by default.

        Raises:
            HarvestError: as `harvester.harvest` says.
        """
        folder = Path(job.output.path)
        emit = events.to_all(self.listeners)
        with disk_errors(folder):
            check_usable(folder)
            kept, ended = look_up(folder, "identity", "source")
            check_same_job(folder, kept, job.identity())  # before a search is made for it
            if not self.resume and not (folder / FILE).exists():
                for doubt in [*job.link.doubts(), *await check_names(self.client, job.link)]:
                    emit(events.Warned(doubt))
            if listed is None and feed is None and ended is None:
                feed, listed = await self._source(job)
            sink = make_sink(job.output.format, job.output.codec)
            link, kind = job.link, kind or links_of(job.link)
            with Ledger(folder, sink, link.dbfrom, kind.schema, link.idtype, kind.rows) as ledger:
                ledger.adopt(job.identity(), jobfile.dump(job))
                if opened is not None:
                    opened(ledger)
                if listed is not None:
                    ledger.input.add(listed)
                    ledger.input.end()
                if self.retry_failed:
                    reopen_unanswered(ledger)
                await Sweeps(
                    job=job,
                    client=self.client,
                    question=kind.question(ledger.input.identifiers),
                    ledger=ledger,
                    listeners=self.listeners,
                    stop=self.stop,
                    feed=feed,
                    committed=committed,
                ).run()
                return _result(ledger)

    async def _source(self, job: Job) -> tuple[Feed | None, Listed | None]:
        """A search, begun; or a list, read."""
        emit = events.to_all(self.listeners)
        if not job.source.is_remote:
            return None, read_source(job, emit)
        return await search(job, self.client, emit), None


def _result(ledger: Ledger) -> Result:
    outcomes = ledger.state.outcomes()
    return Result(
        folder=ledger.folder,
        state=end_state(outcomes),
        total=len(ledger.input.wanted),
        outcomes=outcomes,
        links=ledger.state.links(),
    )
