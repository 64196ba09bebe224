"""Sentences, numbers and tables of the report's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harvester.wording import count, duration, limited_by

if TYPE_CHECKING:
    from harvester.report.facts import (
        Course,
        Distribution,
        Report,
        Unanswered,
    )

MEANINGS = {
    "linked": "answered in full, with at least one link",
    "empty": "answered in full, without links",
    "missing": "left out of every answer, also when requested alone",
    "failed": "no whole answer in all attempts",
    "open": "not asked yet, or not answered yet",
}

_BOOK = "https://www.ncbi.nlm.nih.gov/books/NBK25501/"

_SHORT_SECONDS = 10.0
"""Time spans below this are shown with digits after the point, and without a rate: the first
request of each run, which waits for none, would make it higher than the permitted one."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure at the top of the page."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """Citation of a harvest: its data, NCBI's documentation, and the state of the databases."""

    data: str
    reference: str
    builds: str


def number(value: float | None) -> str:
    """Return a number with separators; a dash for None."""
    if value is None:
        return "–"
    if isinstance(value, int) or value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}"


def share(part: float, whole: float) -> str:
    """Return a part as percentage; a small part is not written as none, nor a large as all."""
    if not whole:
        return "–"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.9 < percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %"


def day_time(text: str) -> str:
    """Return a time of ISO 8601 as date and minute in UTC."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def moment(seconds: float) -> str:
    """Return seconds since 1970 as date and time in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}"


def words(text: str) -> str:
    """Return the name of a state in words."""
    return text.replace("_", " ")


def title(report: Report) -> str:
    """Return the heading of a report."""
    if len(report.harvests) == 1:
        return report.harvests[0].title
    return " ⇒ ".join(one.title for one in report.harvests)


def plural(noun: str) -> str:
    """Return a noun as a heading: `link` → `Links`."""
    return f"{noun[0].upper()}{noun[1:]}s"


def tiles(report: Report) -> list[Tile]:
    """Return the headline figures."""
    uids, requests = report.uids, report.requests
    batches = "batch" if requests["retried"] == 1 else "batches"
    bad = uids["missing"] + uids["failed"]
    note = f"{uids['linked']:,} linked, {uids['empty']:,} empty"
    note += f", {uids['missing']:,} missing, {uids['failed']:,} failed" if bad else ""
    done = f" of {uids['total']:,}" if uids["done"] < uids["total"] else ""
    answered, is_of_uid = uids["linked"] + uids["empty"], report.noun in ("link", "row")
    found = [
        Tile("UIDs with an outcome", f"{uids['done']:,}{done}", note),
        Tile(
            plural(report.noun),
            f"{report.links:,}",
            f"{number(report.links / answered)} per answered UID" if answered and is_of_uid else "",
        ),
        Tile(
            "Requests",
            f"{requests['sent']:,}",
            f"{requests['retried']:,} {batches} retried, "
            f"{requests['rate_limited']:,} over the limit",
        ),
    ]
    courses = [one.course for one in report.harvests if one.course]
    if courses:
        seconds = max(one.totals["seconds"] for one in courses)
        runs = max(one.counts.get("run", 0) for one in courses)
        sent = sum(one.totals["sent"] for one in courses)
        said = []
        if seconds >= _SHORT_SECONDS:
            said.append(f"{number(sent / seconds)} requests per second")
        if runs > 1:
            said.append(f"in {runs:,} runs")
        found.append(Tile("Run time", _span(seconds), ", ".join(said)))
    return found


def _span(seconds: float) -> str:
    """Return a time span; a short one is no 0 s."""
    return f"{number(seconds)} s" if seconds < _SHORT_SECONDS else duration(seconds)


def headline(report: Report) -> list[str]:
    """Return the headline figures as lines of text."""
    return [
        f"{one.name}: {one.value}" + (f" ({one.note})" if one.note else "") for one in tiles(report)
    ]


def outcome_rows(uids: dict[str, int]) -> list[tuple[str, ...]]:
    """Return outcome, UIDs, share and meaning."""
    total = uids["total"]
    counts = {name: uids.get(name, 0) for name in MEANINGS}
    counts["open"] = max(total - sum(counts.values()), 0)
    if not counts["open"]:
        del counts["open"]
    return [(name, f"{n:,}", share(n, total), MEANINGS[name]) for name, n in counts.items()]


def outcome_text(uids: dict[str, int]) -> str:
    """Return the outcomes as a sentence."""
    rows = outcome_rows(uids)
    shown = ", ".join(f"{n} {name} ({part})" for name, n, part, _ in rows if n != "0")
    return f"Of {count(uids['total'], 'UID')}: {shown or 'none yet'}."


def per_uid_text(found: Distribution) -> str:
    """Return the distribution of links per UID as a sentence."""
    none = next((one.uids for one in found.bins if one.most == 0), 0)
    without = f"; {count(none, 'UID')} without links" if none else ""
    return (
        f"Mean {number(found.mean)}, median {found.median:,}, most {found.most:,}{without}. "
        f"Of {count(found.uids, 'answered UID')}."
    )


def per_uid_rows(found: Distribution) -> list[tuple[str, ...]]:
    """Return range of links, UIDs and share."""
    return [
        (
            f"{one.least:,}" if one.least == one.most else f"{one.least:,} to {one.most:,}",
            f"{one.uids:,}",
            share(one.uids, found.uids),
        )
        for one in found.bins
    ]


def time_text(course: Course) -> str:
    """Return the course of a harvest as some sentences."""
    totals, latency = course.totals, course.latency
    said = (
        f"{count(int(totals['sent']), 'request')} in {_span(totals['seconds'])} of run time, "
        f"{count(course.counts.get('run', 0), 'run')}, "
        f"{count(course.counts.get('outage', 0), 'outage')}"
    )
    if waits := course.counts.get("hours", 0):
        said += f", {count(waits, 'wait')} for NCBI's off-peak hours"
    if waits := course.counts.get("limiter", 0):
        said += f", {count(waits, 'wait')} for the shared rate limit"
    said += "."
    if latency:
        said += (
            f" Half of the answers came within {number(latency['p50'])} s, 90 % within "
            f"{number(latency['p90'])} s, 99 % within {number(latency['p99'])} s."
        )
    if course.limited and totals["seconds"] >= _SHORT_SECONDS:
        most = max(course.limited, key=lambda name: course.limited[name])
        said += f" For {share(course.limited[most], totals['seconds'])} of the time the harvest "
        said += f"was {limited_by(most)}." if most != "rate" else "ran at the permitted rate."  # type: ignore[arg-type]
    return said + f" Each point stands for {duration(course.interval)}."


_KINDS = {
    "run": "run",
    "outage": "outage",
    "hours": "wait for off-peak hours",
    "limiter": "wait for the shared rate limit",
}


def period_rows(course: Course, *, runs_now: bool) -> list[tuple[str, ...]]:
    """Return kind, begin, end, duration and remark of each period.

    Args:
        course: has the periods.
        runs_now: whether the last run lasts.
    """
    last = max((one.begin for one in course.periods if one.kind == "run"), default=0.0)
    rows: list[tuple[str, ...]] = []
    for one in course.periods:
        text = words(one.text)
        if one.kind == "run" and not text:
            lasts = runs_now and one.begin == last
            text = "still running" if lasts else "ended without notice: killed, or power lost"
        length = duration(one.end - one.begin)
        rows.append((_KINDS[one.kind], moment(one.begin), moment(one.end), length, text))
    return rows


MOMENT_HEAD = [
    ("begin (UTC)", "t"), ("requests/s", "n"), ("permitted/s", "n"), ("50 % within s", "n"),
    ("90 % within s", "n"), ("99 % within s", "n"), ("UIDs per request", "n"),
    ("in flight", "n"), ("UIDs/s", "n"), ("links/s", "n"), ("429", "n"), ("retried", "n"),
    ("limited by", ""),
]  # fmt: skip
"""Columns of `moment_rows`."""


def moment_rows(course: Course) -> list[tuple[str, ...]]:
    """Return the numbers of each moment."""
    return [
        (
            moment(one.at),
            *map(
                number,
                (
                    one.requests, one.permitted, one.p50, one.p90, one.p99, one.batch_size,
                    one.in_flight, one.settled, one.links, one.rate_limited,
                    sum(one.retried.values()),
                ),
            ),
            ", ".join(
                f"{name} {100 * part:.0f} %" if part < 0.995 else name
                for name, part in sorted(one.limited.items(), key=lambda item: -item[1])
            ),
        )
        for one in course.moments
    ]  # fmt: skip


def unanswered_text(found: Unanswered) -> str:
    """Return the number of UIDs without an answer, and the file that lists them."""
    said = f"{count(found.total, 'UID')} {'has' if found.total == 1 else 'have'} no answer. "
    if found.listed_in:
        return said + f"All are in {found.listed_in}, one per line, and with reasons in uids/."
    return said + "When the run ends, unanswered.txt will list them all."


def citation(report: Report) -> Citation:
    """Return the citation of a harvest; NCBI's book as the Bookshelf words it (NBK25501)."""
    began, ended = (
        text and f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d}"
        for text in (report.started_at, report.updated_at)
    )
    when = "" if not began else f" on {began}" if began == ended else f" from {began} to {ended}"
    source = "NCBI's E-utilities" if report.is_ncbi else "a server that is not NCBI"
    got = f"{count(report.links, report.noun)} of {count(report.uids['total'], 'UID')}"
    data = (
        f"{title(report)}: {got}, retrieved with ELink from {source} ({report.server}){when}, "
        f"with elink-harvester {report.harvester}."
    )
    reference = (
        "Entrez Programming Utilities Help [Internet]. Bethesda (MD): National Center for "
        f"Biotechnology Information (US); 2010-. Available from: {_BOOK}"
    )
    builds = ", ".join(f"{db} {build}" for db, build in report.builds.items())
    return Citation(
        data,
        reference if report.is_ncbi else "",
        f"Builds of the databases: {builds}." if builds else "",
    )
