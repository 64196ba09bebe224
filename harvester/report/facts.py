"""Content of a report, as values; `report.json` holds the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harvester.job.cmds import CMDS

FORMAT = 1
"""Version of the form of `report.json`."""


@dataclass(frozen=True, slots=True)
class LinkCount:
    """Links of one database and linkname; of the cmds that check, UIDs with that answer."""

    dbto: str
    linkname: str
    links: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Answered UIDs with `least` to `most` links."""

    least: int
    most: int
    uids: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """Distribution of the links per answered UID.

    Attributes:
        uids: answered UIDs.
        mean: links per UID.
        median: links of the middle UID.
        most: links of the UID that has most.
        bins: ascending, without those that hold no UID; of one number each up to 10, then ten
            per decade.
    """

    uids: int
    mean: float
    median: int
    most: int
    bins: list[Bin]


@dataclass(frozen=True, slots=True)
class TopTarget:
    """A linked record and the number of input UIDs that link to it; `url` shows it at NCBI."""

    uid: int | str
    inputs: int
    url: str | None = None


@dataclass(frozen=True, slots=True)
class TopTargets:
    """The records of a database that most input UIDs link to, by one linkname."""

    dbto: str
    linkname: str
    targets: list[TopTarget]


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason why UIDs have no answer."""

    outcome: str
    reason: str
    uids: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The failed and missing UIDs.

    Attributes:
        total: number of them.
        reasons: by descending number; the last may stand for all others.
        first: the first of them by number: UID, outcome and reason.
        listed_in: file in the folder that lists all; None while a run has not ended.
    """

    total: int
    reasons: list[Reason]
    first: list[tuple[str, str, str]]
    listed_in: str | None


@dataclass(frozen=True, slots=True)
class Moment:
    """The course of a harvest during one interval.

    Attributes:
        at: begin in seconds since 1970.
        seconds: length of the part of the interval in which the run was on.
        requests: requests sent per second.
        permitted: permitted requests per second.
        p50, p90, p99: seconds that this share of the answers took at most; None without answers.
        batch_size: UIDs per request; None without requests.
        in_flight: mean number of requests in flight.
        settled: UIDs that got an outcome, per second.
        links: links per second.
        rate_limited: responses 429.
        retried: reason → batches retried.
        limited: what limited the harvest → share of the time.
    """

    at: float
    seconds: float
    requests: float
    permitted: float
    p50: float | None
    p90: float | None
    p99: float | None
    batch_size: float | None
    in_flight: float
    settled: float
    links: float
    rate_limited: int
    retried: dict[str, int]
    limited: dict[str, float]


@dataclass(frozen=True, slots=True)
class Period:
    """A run, an outage or a wait: `kind`, begin and end in seconds since 1970, and what is known.

    A run without a text was killed, or lasts.
    """

    kind: str
    begin: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Course:
    """The course of a harvest.

    Attributes:
        interval: seconds of each moment.
        moments: in order of time; times without a run are left out.
        periods: runs, outages and waits for off-peak hours, the newest.
        counts: number of each kind of period, with those that are not in `periods`.
        totals: seconds, requests sent, answered and so on, of all runs together.
        latency: share → seconds, of all answers.
        retried: reason → batches.
        limited: what limited the harvest → seconds.
    """

    interval: int
    moments: list[Moment]
    periods: list[Period]
    counts: dict[str, int]
    totals: dict[str, float]
    latency: dict[str, float]
    retried: dict[str, int]
    limited: dict[str, float]


@dataclass(frozen=True, slots=True)
class RecordsFolder:
    """Records that were got for a harvest."""

    folder: str
    form: str
    state: str
    uids: dict[str, int]


@dataclass(frozen=True, slots=True)
class Round:
    """A round of a job with `repeat`: its UIDs, those with an outcome, and their links."""

    round: int
    uids: int
    done: int
    links: int


@dataclass(frozen=True, slots=True)
class Unseen:
    """Links of a linkname that no pass saw, as estimated, with their range."""

    linkname: str
    links: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class HarvestFacts:
    """One harvest: the whole folder, or one hop of a chain.

    Attributes:
        folder: name below the report's folder; empty for that folder itself.
        title: databases, such as `pubmed → pmc`.
        dbfrom: database of the input UIDs.
        cmd: cmd of ELink.
        kind: of the rows: `links`, `targets` or `records`.
        state: as `status` reports it.
        uids: total, done, and each outcome.
        links: rows of links.
        requests: sent, ok, retried, rate_limited.
        started_at, updated_at: ISO 8601, or None.
        by_linkname: by descending number of links; the last may stand for all others.
        read_links: whether the files of links were read; if not, what follows is empty.
        per_uid: links per answered UID.
        top: targets that most inputs link to.
        unanswered: failed and missing UIDs.
        course: what happened over time; None if the folder was written before it was recorded.
        records: records that were got for it.
        rounds: of a job with `repeat`, each round.
        unseen: of a job with several passes, the links that none may have seen.
    """

    folder: str
    title: str
    dbfrom: str
    cmd: str
    kind: str
    state: str
    waiting: str | None
    uids: dict[str, int]
    links: int
    requests: dict[str, int]
    started_at: str | None
    updated_at: str | None
    unanswered: Unanswered
    course: Course | None
    read_links: bool = True
    by_linkname: list[LinkCount] = field(default_factory=list)
    per_uid: Distribution | None = None
    top: list[TopTargets] = field(default_factory=list)
    records: list[RecordsFolder] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)

    @property
    def noun(self) -> str:
        """What a row is."""
        kinds = {"records": "row", "targets": "linked record"}
        return kinds.get(self.kind) or CMDS[self.cmd].noun


@dataclass(frozen=True, slots=True)
class Report:
    """A report.

    Attributes:
        format: version of this form.
        harvester: version of the program.
        made_at: ISO 8601.
        name: name of the folder.
        state: as `status` reports it.
        waiting: until when and why no request is sent, if so.
        server: base URL of the E-utilities.
        is_ncbi: whether that server is NCBI's.
        builds: database → build of its index, where it is known.
        job: the job file, without contact.
        started_at, updated_at: ISO 8601, or None.
        uids, links, requests: of all hops together.
        eta_seconds: seconds to the end, if that is known.
        warnings: what NCBI said about the query.
        harvests: one, or each hop of a chain.
    """

    harvester: str
    made_at: str
    name: str
    state: str
    waiting: str | None
    server: str
    is_ncbi: bool
    job: str
    started_at: str | None
    updated_at: str | None
    uids: dict[str, int]
    links: int
    requests: dict[str, int]
    rate: dict[str, Any]
    eta_seconds: float | None
    warnings: list[str]
    harvests: list[HarvestFacts]
    builds: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT

    @property
    def noun(self) -> str:
        """What a row is; the hops of a chain may have several kinds of them."""
        nouns = {one.noun for one in self.harvests}
        return nouns.pop() if len(nouns) == 1 else "row"
