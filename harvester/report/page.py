"""Make the page of a report: one HTML file that loads nothing and runs no script."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING

from harvester.report import charts, texts
from harvester.report.drawing import FULL, HALF, Drawing, draw
from harvester.report.extra import extra
from harvester.report.time_charts import TimeCharts
from harvester.wording import count, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import jinja2

    from harvester.report.drawing import Spec
    from harvester.report.facts import (
        Course,
        Distribution,
        HarvestFacts,
        Report,
        TopTarget,
        TopTargets,
    )

_LINKNAMES = 15
"""Maximum linknames drawn; the table has more."""

_FEWEST_BINS = 4
"""Minimum bins for a drawn distribution."""

_MOST_HOPS = 4
"""Maximum hops with all charts; with more hops only some are drawn, to limit the page's size."""

_MOMENT_CHARTS = 3
"""Minimum moments for a drawn course."""


_BATCH = "Mean of each point. Requests that only test whether the server answers count as well."


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart over time."""

    title: str
    text: str
    drawing: Drawing
    half: bool = False


@dataclass(frozen=True, slots=True)
class Live:
    """Script of a page that updates itself, and the seconds between updates."""

    script: str
    seconds: int


@dataclass(slots=True)
class View:
    """Content of the page about one harvest."""

    facts: HarvestFacts
    outcomes: Drawing | None = None
    outcome_text: str = ""
    outcome_rows: list[tuple[str, ...]] = field(default_factory=list)
    linknames: Drawing | None = None
    linknames_title: str = ""
    linknames_text: str = ""
    linknames_head: list[tuple[str, str]] = field(default_factory=list)
    linknames_rows: list[tuple[str, ...]] = field(default_factory=list)
    per_uid: Drawing | None = None
    per_uid_text: str = ""
    per_uid_rows: list[tuple[str, ...]] = field(default_factory=list)
    top: list[tuple[TopTargets, Drawing]] = field(default_factory=list)
    time_text: str = ""
    panels: list[Panel] = field(default_factory=list)
    period_rows: list[tuple[str, ...]] = field(default_factory=list)
    moment_head: list[tuple[str, str]] = field(default_factory=lambda: texts.MOMENT_HEAD)
    moment_rows: list[tuple[str, ...]] = field(default_factory=list)
    unanswered_text: str = ""
    reason_rows: list[tuple[str, ...]] = field(default_factory=list)
    records_rows: list[tuple[str, ...]] = field(default_factory=list)
    round_rows: list[tuple[str, ...]] = field(default_factory=list)
    unseen_rows: list[tuple[str, ...]] = field(default_factory=list)


def render(report: Report, *, every: int | None = None) -> str:
    """Return the page of a report.

    Args:
        report: what it says.
        every: seconds after which the page asks its server for a newer one; None for a page that
            stays as it is and has no script.

    Raises:
        BadInput: the packages that draw are not installed.
    """
    environment = _environment()
    css = _file("page.css")
    policy = ["default-src 'none'", f"style-src '{_hash(css)}'", "img-src data:"]
    live = None
    if every is not None:
        live = Live(_file("live.js").replace("SECONDS", str(every)), every)
        policy += [f"script-src '{_hash(live.script)}'", "connect-src 'self'"]
    policy += ["base-uri 'none'", "form-action 'none'"]
    safe = _markup()
    return environment.get_template("page.html.j2").render(
        report=report,
        title=texts.title(report),
        tiles=texts.tiles(report),
        views=[_view(report, one) for one in report.harvests],
        citation=texts.citation(report),
        policy="; ".join(policy),
        css=safe(css),
        live=live and Live(safe(live.script), live.seconds),
    )


@cache
def _environment() -> jinja2.Environment:
    environment: jinja2.Environment = extra("jinja2").Environment(
        loader=extra("jinja2").PackageLoader("harvester.report", "."),
        autoescape=True,
        undefined=extra("jinja2").StrictUndefined,
        trim_blocks=True,
    )
    environment.filters |= {
        "n": texts.number,
        "day_time": texts.day_time,
        "words": texts.words,
        "duration": duration,
        "count": count,
        "target_rows": _target_rows,
    }
    return environment


def _markup() -> Callable[[str], str]:
    """Return the class of texts that need no escaping: the page's own style and script, and SVG."""
    markup: Callable[[str], str] = extra("markupsafe").Markup
    return markup


def _target_rows(targets: Iterable[TopTarget]) -> list[tuple[str, str]]:
    """Return UID and inputs; the UID leads to NCBI's page of the record."""
    link = extra("markupsafe").Markup('<a href="{}" rel="noreferrer">{}</a>')
    return [
        (link.format(one.url, one.uid) if one.url else str(one.uid), f"{one.inputs:,}")
        for one in targets
    ]


def _file(name: str) -> str:
    return files("harvester.report").joinpath(name).read_text("utf-8")


def _hash(text: str) -> str:
    """Return the source of a Content-Security-Policy for one inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _drawn(spec_of: Callable[[int], Spec], wide: int = FULL) -> Drawing:
    drawing, safe = draw(spec_of, wide), _markup()
    return Drawing(safe(drawing.wide), safe(drawing.narrow))


def _view(report: Report, facts: HarvestFacts) -> View:
    number = report.harvests.index(facts)
    view = View(facts)
    if facts.uids["total"]:
        view.outcomes = _drawn(partial(charts.outcomes, facts.uids))
        view.outcome_text = texts.outcome_text(facts.uids)
        view.outcome_rows = texts.outcome_rows(facts.uids)
    if facts.by_linkname:
        _add_linknames(view, facts)
    if facts.per_uid is not None:
        view.per_uid_text = texts.per_uid_text(facts.per_uid)
        view.per_uid_rows = texts.per_uid_rows(facts.per_uid)
        if len([one for one in facts.per_uid.bins if one.most]) >= _FEWEST_BINS:
            view.per_uid = _drawn(partial(_per_uid, facts.per_uid), HALF)
    if number < _MOST_HOPS:
        view.top = [(top, _drawn(partial(charts.targets, top), HALF)) for top in facts.top]
    if facts.course is not None:
        _add_course(view, facts.course, runs=facts.state in ("running", "waiting"))
        if number < _MOST_HOPS and len(facts.course.moments) >= _MOMENT_CHARTS:
            view.panels = _panels(facts.course)
    if facts.unanswered.total:
        view.unanswered_text = texts.unanswered_text(facts.unanswered)
        view.reason_rows = [
            (one.outcome, f"{one.uids:,}", one.reason) for one in facts.unanswered.reasons
        ]
    view.round_rows = [
        tuple(f"{n:,}" for n in (one.round, one.uids, one.done, one.links)) for one in facts.rounds
    ]
    view.unseen_rows = [
        (one.linkname, f"{one.links:,.0f}", f"{one.low:,}", f"{one.high:,}") for one in facts.unseen
    ]
    view.records_rows = [
        (
            one.folder, one.form, one.state, f"{one.uids['total']:,}",
            *(f"{one.uids.get(outcome, 0):,}" for outcome in ("linked", "missing", "failed")),
        )
        for one in facts.records
    ]  # fmt: skip
    return view


def _per_uid(found: Distribution, _width: int) -> Spec:
    return charts.per_uid(found)


_TITLES = {
    "ncheck": ("UIDs with a neighbor", "has a neighbor"),
    "lcheck": ("UIDs with LinkOut", "has LinkOut"),
    "llinks": ("Links per provider", "provider"),
    "llinkslib": ("Links per provider", "provider"),
    "prlinks": ("Links per provider", "provider"),
}


def _add_linknames(view: View, facts: HarvestFacts) -> None:
    counted, total = facts.by_linkname, sum(one.links for one in facts.by_linkname)
    usual = (f"{texts.plural(facts.noun)} per linkname", "linkname")
    view.linknames_title, column = _TITLES.get(facts.cmd, usual)
    axis = "UIDs" if facts.noun == "answer" else f"{facts.noun}s"
    view.linknames = _drawn(partial(charts.linknames, counted[:_LINKNAMES], axis), HALF)
    first = counted[0]
    most = "All" if len(counted) == 1 else texts.share(first.links, total)
    view.linknames_text = f"{most} are {first.linkname or first.dbto or 'without a name'}."
    view.linknames_head = [("database", ""), (column, "w"), ("number", "n"), ("share", "n")]
    view.linknames_rows = [
        (one.dbto, one.linkname, f"{one.links:,}", texts.share(one.links, total)) for one in counted
    ]


def _add_course(view: View, course: Course, *, runs: bool) -> None:
    view.time_text = texts.time_text(course)
    view.period_rows = texts.period_rows(course, runs_now=runs)
    view.moment_rows = texts.moment_rows(course)


def _panels(course: Course) -> list[Panel]:
    over_time = TimeCharts(course)
    marks = []
    if any(one.kind == "outage" for one in course.periods):
        marks.append("Red bands are outages.")
    if course.counts.get("run", 0) > 1:
        marks.append("Vertical dashed lines are the begins of further runs.")
    if over_time.is_cut:
        marks.append("Dotted lines stand for times without a run, which are left out.")
    panels = [
        Panel(
            "Requests per second",
            " ".join(["Sent, below the permitted rate.", *marks]),
            _drawn(over_time.requests),
        ),
        Panel(
            "Latency",
            "Seconds within which 50, 90 and 99 % of the answers came.",
            _drawn(over_time.latency),
        ),
        Panel("UIDs per request", _BATCH, _drawn(over_time.batch_size, HALF), half=True),
        Panel(
            "Requests in flight",
            "Mean of each point.",
            _drawn(over_time.in_flight, HALF),
            half=True,
        ),
        Panel("What limited the harvest", "Shares of the time.", _drawn(over_time.limits)),
    ]
    if course.retried:
        ranked = ", ".join(f"{reason}: {n:,}" for reason, n in list(course.retried.items())[:5])
        panels.append(Panel("Retries by reason", f"{ranked}.", _drawn(over_time.retries)))
    return panels
