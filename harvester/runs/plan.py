"""Plan of a job: its cost, computed from counts and averages. Pure: no I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harvester.engine.batch_trials import START, requests_for
from harvester.engine.forecast import Forecast, forecast
from harvester.engine.nights import Course, Night, nights
from harvester.engine.off_peak import Hours
from harvester.errors import BadInput
from harvester.job import ncbi
from harvester.job.bulk_files import BulkFile, bulk_files
from harvester.runs.plan_estimates import Step, assumed_of, bytes_of, expected_of, source_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from harvester.job.groups import Limits
    from harvester.job.model import Job
    from harvester.runs.plan_estimates import Basis, Expected, Input

_LONGEST_SECONDS = 100 * 365 * 86_400.0
"""Maximum seconds of sending in a plan."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Cost of a job with a change.

    Attributes:
        change: the change, as an option.
        seconds: of sending.
        ends_at: end of the last night.
    """

    change: str
    seconds: float
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """Cost of a job.

    Attributes:
        job: the job.
        input: its UIDs.
        steps: its harvests.
        rate: requests per second.
        batch_size: UIDs per request, once steady.
        course: the forecast of its requests.
        nights: when they are sent.
        bound: whether it keeps NCBI's off-peak hours.
        links: links to expect in all; None if not known.
        bytes: on disk; None if not known.
        bulk: files that hold the same links.
        alternatives: what changes would cost.
        notes: unknowns and remarks.
    """

    job: Job
    input: Input
    steps: Sequence[Step]
    rate: float
    batch_size: int
    course: Course
    nights: Sequence[Night]
    bound: bool
    links: int | None
    bytes: int | None
    bulk: Sequence[BulkFile] = ()
    alternatives: Sequence[Alternative] = ()
    notes: Sequence[str] = ()

    @property
    def basis(self) -> Basis:
        """Origin of the number of links."""
        found = {step.expected.basis for step in self.steps}
        return "unknown" if "unknown" in found else "probe" if found == {"probe"} else "average"

    def as_json(self) -> dict[str, Any]:
        """Return the object of `harvester plan --json`."""
        starts, ends = (self.nights[0].begin, self.nights[-1].end) if self.nights else (None, None)
        document: dict[str, Any] = {
            "uids": self.input.total,
            "left": self.input.left,
            "requests": self.course.requests,
            "rate": self.rate,
            "batch_size": self.batch_size,
            "seconds": round(self.course.seconds, 1),
            "starts_at": _iso(starts),
            "ends_at": _iso(ends),
            "nights": [
                {"from": _iso(one.begin), "to": _iso(one.end), "requests": one.requests}
                for one in self.nights
            ],
            "links": {"expected": self.links, "basis": self.basis},
            "bytes": self.bytes,
            "bulk": [{"name": file.name, "why": file.why, "url": file.url} for file in self.bulk],
            "alternatives": [
                {
                    "change": one.change,
                    "seconds": round(one.seconds, 1),
                    "ends_at": _iso(one.ends_at),
                }
                for one in self.alternatives
            ],
            "notes": list(self.notes),
        }
        if len(self.steps) > 1:
            document["hops"] = [
                {
                    "dbfrom": step.link.dbfrom,
                    "db": step.link.db,
                    "uids": step.uids,
                    "links": {"expected": step.links, "basis": step.expected.basis},
                }
                for step in self.steps
            ]
        return document


def make_plan(
    job: Job,
    counted: Input,
    now: datetime,
    *,
    with_key: bool,
    probed: Expected | None = None,
    notes: Iterable[str] = (),
) -> Plan:
    """Return the plan of a job.

    Args:
        job: what to harvest.
        counted: its input UIDs.
        now: when it is started, aware.
        with_key: whether there is an API key.
        probed: what a probe of the first hop measured.
        notes: remarks about the input.
    """
    steps = _steps(job, counted, probed)
    plan = _cost(job, counted, steps, now, with_key=with_key)
    alternatives = _alternatives(plan, counted, now, with_key=with_key)
    return replace(
        plan,
        bulk=list(dict.fromkeys(file for step in steps for file in bulk_files(step.link))),
        alternatives=alternatives,
        notes=[*notes, *_notes(plan, probed)],
    )


def _steps(job: Job, counted: Input, probed: Expected | None) -> list[Step]:
    """Return the harvests of a job; the UIDs of later hops are at most the links before them."""
    steps = [Step(job.link, counted.left, False, probed or expected_of(job.link))]
    for link in job.hop:
        steps.append(Step(link, steps[-1].links, True, expected_of(link)))
    return steps


def _cost(
    job: Job, counted: Input, steps: Sequence[Step], now: datetime, *, with_key: bool
) -> Plan:
    """Return the plan without alternatives and notes."""
    limits = job.limits
    rate = limits.permitted(with_key=with_key)
    forecasts = []
    for step in steps:

        def cost_of(uids: int, step: Step = step) -> Forecast:
            return forecast(
                uids,
                rate,
                timeout=limits.timeout,
                batch_size=limits.batch_size,
                concurrency=limits.concurrency,
                assumed=assumed_of(step, job),
            )

        if step.uids is None:
            break
        forecasts.append(cost_of(step.uids))
        if limits.passes > 1:
            again = counted.total if len(steps) == 1 else step.uids
            forecasts += [cost_of(again)] * (limits.passes - 1)
    course = Course(forecasts, source_seconds(job, counted, rate) if counted.left else 0.0)
    if course.seconds > _LONGEST_SECONDS:
        raise BadInput(
            f"At {rate:g} requests per second this takes more than a century: raise {{field}}.",
            field="limits.rate",
        )
    total = sum(step.uids or 0 for step in steps) * limits.passes
    hours = Hours.of(job, requests_for(total, limits.batch_size), lambda: now)
    links = [step.links for step in steps]
    return Plan(
        job=job,
        input=counted,
        steps=steps,
        rate=rate,
        batch_size=next((one.batch_size for one in forecasts if one.requests), _start(limits)),
        course=course,
        nights=nights(course, now, bound=hours.bound),
        bound=hours.bound,
        links=None if None in links else sum(filter(None, links)),
        bytes=bytes_of(job, steps),
    )


def _start(limits: Limits) -> int:
    return START if limits.batch_size == "auto" else limits.batch_size


def _alternatives(
    plan: Plan, counted: Input, now: datetime, *, with_key: bool
) -> list[Alternative]:
    """Return what a key, another batch size, other hours and fewer passes would cost."""
    job, limits = plan.job, plan.job.limits
    if not plan.course.requests:
        return []
    found: list[tuple[str, dict[str, object], bool]] = []
    if limits.rate is None:
        permitted = ncbi.permitted_rate(with_key=not with_key)
        word = "without" if with_key else "with"
        change = f"{word} an API key in NCBI_API_KEY ({permitted:g} requests per second)"
        found.append((change, {}, not with_key))
    if limits.batch_size == "auto":
        if plan.batch_size > START:  # otherwise it is the plan itself
            found.append((f"--batch-size {START}", {"batch_size": START}, with_key))
    else:
        found.append(("--batch-size auto", {"batch_size": "auto"}, with_key))
    if plan.bound:
        found.append(("--window always", {"window": "always"}, with_key))
    else:
        found.append(("--window off-peak", {"window": "off-peak"}, with_key))
    if limits.passes > 1:
        found.append(("--passes 1", {"passes": 1}, with_key))
    alternatives = []
    for change, update, key in found:
        other = job.model_copy(update={"limits": limits.model_copy(update=update)})
        cost = _cost(other, counted, plan.steps, now, with_key=key)
        alternatives.append(Alternative(change, cost.course.seconds, cost.nights[-1].end))
    return alternatives


def _notes(plan: Plan, probed: Expected | None) -> list[str]:
    """Return what the plan does not know."""
    job, limits = plan.job, plan.job.limits
    notes = []
    if plan.course.requests and limits.batch_size == "auto" and plan.batch_size > START:
        notes.append(
            f"The batch size is auto: this assumes that the server answers {plan.batch_size:,} "
            f"UIDs per request. If it answers only {START}, see --batch-size {START} below."
        )
    for number, step in enumerate(plan.steps, 1):
        if step.link.repeat > 1:
            hop = f" of hop {number}" if len(plan.steps) > 1 else ""
            notes.append(
                f"Only round 1{hop} is in the plan: how many records the up to {step.link.repeat} "
                "rounds reach is not known before they are harvested."
            )
        if step.uids is None:
            notes.append(
                f"Hop {number} is not in the plan: how many records hop {number - 1} leads to is "
                "not known before it is harvested."
            )
        elif step.is_estimate:
            notes.append(
                f"The UIDs of hop {number} are an upper estimate: records that several links lead "
                "to are requested once."
            )
    if plan.links is None and any(step.link.leads_to_records for step in plan.steps):
        remedy = " Use --probe." if probed is None else ""
        notes.append(f"Links and disk are not known: there is no built-in average.{remedy}")
    elif plan.basis == "average" and probed is None:
        notes.append("Links and disk are rough averages; --probe measures them.")
    if limits.confirm_empty:
        notes.append(
            f"--confirm-empty {limits.confirm_empty} adds up to that many requests per batch of "
            "UIDs without links; how many there are is not known."
        )
    if job.output.records:
        notes.append(
            f"The records ({job.output.records}) of the linked UIDs are not in the plan: their "
            "number is known once the links are."
        )
    if plan.input.searched and plan.course.least_seconds > sum(
        one.seconds for one in plan.course.forecasts
    ):
        notes.append("The query is read page by page, which takes longer than the links.")
    if plan.bound and limits.stop_at_window_end and len(plan.nights) > 1:
        notes.append("With --stop-at-window-end, resume the harvest at the start of each night.")
    return notes


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
