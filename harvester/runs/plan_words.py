"""Sentences of a plan: a label and a text for each line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.engine.off_peak import EASTERN
from harvester.wording import count, duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from harvester.engine.nights import Night
    from harvester.runs.plan import Plan
    from harvester.runs.plan_estimates import Step

_NIGHTS_SHOWN = 7
"""Nights that are listed one by one."""


def plan_lines(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield a label and a text per line; a label is empty where it is that of the line before."""
    yield "UIDs", _uids(plan)
    if len(plan.steps) > 1:
        for number, step in enumerate(plan.steps, 1):
            yield ("hops" if number == 1 else ""), _hop(number, step)
    yield "requests", _requests(plan)
    yield "time", _time(plan)
    yield from _nights(plan)
    yield "links", _links(plan)
    for why in dict.fromkeys(why for step in plan.steps for why in step.expected.why):
        yield "", why
    if plan.bytes is not None:
        yield "disk", f"about {_size(plan.bytes)} ({plan.job.output.format})"
    for number, one in enumerate(plan.alternatives):
        text = f"{one.change}: {duration(one.seconds)}, ends {_when(one.ends_at)}"
        yield ("instead" if number == 0 else ""), text
    if plan.bulk:
        yield "bulk", "These links are published as files. A download needs no ELink request:"
    for file in plan.bulk:
        yield "", f"{file.name}: {file.why} {file.url}"
    for number, note in enumerate(plan.notes):
        yield ("note" if number == 0 else ""), note


def _uids(plan: Plan) -> str:
    total, left = plan.input.total, plan.input.left
    by = " (counted by ESearch)" if plan.input.searched else ""
    text = f"{total:,} distinct{by}"
    return text if left == total else f"{text}, {left:,} left to request"


def _hop(number: int, step: Step) -> str:
    about = "at most about " if step.is_estimate else ""
    uids = "UIDs" if step.uids is None else f"{about}{count(step.uids, 'UID')}"
    return f"{number}: {uids} of {step.link.dbfrom} to {', '.join(step.link.db)}"


def _requests(plan: Plan) -> str:
    if not plan.course.requests:
        return "none: nothing is left to request"
    passes = plan.job.limits.passes
    per_pass = f" in {passes} passes" if passes > 1 else ""
    sizes = "up to " if plan.job.limits.batch_size == "auto" else ""
    return (
        f"{plan.course.requests:,}{per_pass}, of {sizes}{count(plan.batch_size, 'UID')}, "
        f"at {plan.rate:g} per second"
    )


def _time(plan: Plan) -> str:
    text = f"{duration(plan.course.seconds)} of sending"
    if not plan.bound:
        return f"{text}, at any hour"
    return f"{text} in NCBI's off-peak hours: {count(len(plan.nights), 'night')}"


def _nights(plan: Plan) -> Iterator[tuple[str, str]]:
    shown = plan.nights
    if len(shown) > _NIGHTS_SHOWN:
        shown = [*plan.nights[: _NIGHTS_SHOWN - 1], plan.nights[-1]]
    for number, night in enumerate(shown):
        if number == len(shown) - 1 and len(shown) < len(plan.nights):
            yield "", f"… {len(plan.nights) - len(shown)} nights more …"
        label = "nights" if plan.bound else "when"
        yield (label if number == 0 else ""), _night(night, bound=plan.bound)


def _night(night: Night, *, bound: bool) -> str:
    requests = count(night.requests, "request")
    if not bound:
        return f"{_local(night.begin)} to {_local(night.end)}: {requests}"
    begin, end = night.begin.astimezone(EASTERN), night.end.astimezone(EASTERN)
    here = ""
    if begin.astimezone().utcoffset() != begin.utcoffset():
        here = f"; here {begin.astimezone():%a %H:%M} to {end.astimezone():%a %H:%M %Z}"
    return f"{begin:%a %Y-%m-%d %H:%M} to {end:%a %Y-%m-%d %H:%M} Eastern time{here}: {requests}"


def _when(at: datetime) -> str:
    """Return a time: that of a night in Eastern time, else that of this machine."""
    if at.tzinfo is EASTERN:
        return f"{at:%a %Y-%m-%d %H:%M} Eastern time"
    return _local(at)


def _local(at: datetime) -> str:
    return f"{at.astimezone():%a %Y-%m-%d %H:%M %Z}"


def _links(plan: Plan) -> str:
    if plan.links is None:
        return "not known before the harvest"
    how = "measured by a probe" if plan.basis == "probe" else "by built-in averages"
    return f"about {plan.links:,}, {how}:"


def _size(number: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return (
                f"{number:.0f} {unit}"
                if number >= 10 or unit == "bytes"
                else f"{number:.1f} {unit}"
            )
        number /= 1000
    return f"{number:.1f} TB"
