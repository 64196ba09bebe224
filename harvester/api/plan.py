"""Plan of a job before any ELink request: read its source, count, and compute its cost."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from harvester import events
from harvester.client.check_names import all_well_known, check_names, check_without_server
from harvester.client.connect import connected
from harvester.engine.off_peak import utc_now
from harvester.errors import BadInput, Refused, printable
from harvester.eutils.elink.commands import Elink
from harvester.job.environment import api_key
from harvester.job.groups import STDIN
from harvester.job.written import written_job
from harvester.runs.chain import hop_jobs
from harvester.runs.plan import Plan, make_plan
from harvester.runs.plan_words import plan_lines
from harvester.runs.planned_input import PlannedInput
from harvester.runs.prepare import prepare
from harvester.runs.probe import probe
from harvester.sources.feed import Feed, start_feed
from harvester.store.durable import write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from harvester.client.client import Client
    from harvester.job.model import Job
    from harvester.model.identifiers import Listed

__all__ = ["Plan", "check_free", "plan", "plan_lines", "write_job"]


async def plan(
    job: Job,
    *,
    listeners: Iterable[events.Listener] = (),
    measure: bool = False,
    retry_failed: bool = False,
    refresh: float | None = None,
    partial: bool = False,
    strict: bool = False,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], datetime] = utc_now,
) -> Plan:
    """Return the cost of a job. Lists are read; a query costs one ESearch request.

    Args:
        job: what to harvest.
        listeners: receive warnings, and waits for a server that does not answer.
        measure: send a probe of up to 5 ELink requests, to measure links per UID.
        retry_failed: count UIDs recorded as failed or missing as not requested.
        refresh: count UIDs whose answer is older than N days as not requested.
        partial: accept an unfinished harvest as the source.
        strict: end if NCBI ignores a part of the query.
        environ: holds the API key.
        clock: returns the time at which the job is started.

    Raises:
        BadInput: the job is wrong, as for `harvest`.
        HarvestError: the server refuses the program, or does not answer the query.

    Example:
        ```
        planned = await plan(job)
        print(planned.course.requests, planned.nights)
        ```
    """
    emit = events.to_all(listeners)
    asks = measure or job.source.is_remote
    job, source = prepare(job, lambda text: emit(events.Warned(text)), partial=partial, asks=asks)
    found = PlannedInput(job, retry_failed=retry_failed, refresh=refresh, now=clock().timestamp())
    may_ask = asks or not job.server.is_ncbi or job.contact.email is not None
    async with AsyncExitStack() as stack:
        client = None
        if may_ask:
            access = connected(job.server, job.contact, job.limits, environ, emit)
            client = await stack.enter_async_context(access)
        notes = [] if job.contact.email or not job.server.is_ncbi else [_NO_EMAIL]
        notes += [_FROM_STDIN] if STDIN in job.source.ids else []
        notes += await _check_names(job, client, emit)
        if client is None or not isinstance(source, Feed):
            if source is not None and not isinstance(source, Feed):
                found.take(source)
        else:
            await start_feed(source, client, emit, strict=strict)
            found.expected = source.expected
            if measure:
                found.take(await _first(source))
                notes.append("The probe requests the UIDs that the query returns first.")
        measured = None
        if measure and client is not None and found.known:
            question = Elink(job.link, found.identifiers)
            measured = await probe(client, question, found.known, job.link.retmode)
            notes += [] if measured else ["No request of the probe was answered."]
    return make_plan(
        job,
        found.counted(),
        clock(),
        with_key=api_key(environ) is not None,
        probed=measured,
        notes=[*notes, *found.notes()],
    )


_FROM_STDIN = "The UIDs were read from standard input: give them to run in the same way."
_NO_EMAIL = "NCBI requires a contact email: run needs --email or NCBI_EMAIL."


async def _check_names(job: Job, client: Client | None, emit: events.Listener) -> list[str]:
    """Check the names of all hops; return remarks on names that could not be checked."""
    notes = []
    for one in hop_jobs(job):
        for warning in one.link.warnings():
            emit(events.Warned(warning))
        if client is None:
            check_without_server(one.link)
            if not all_well_known(one.link):
                notes.append("The names of databases and linknames were not checked with EInfo.")
            continue
        try:
            for warning in await check_names(client, one.link):
                emit(events.Warned(warning))
        except Refused as error:
            notes.append(f"The names were not checked: {error}")
    return notes


async def _first(feed: Feed) -> Listed:
    """Return the first UIDs of a feed."""
    async for listed in feed.blocks():
        return listed
    return []


def check_free(path: Path, *, overwrite: bool) -> None:
    """Check that a planned job may be written to a file.

    Raises:
        BadInput: there is a file of that name already, and it may not be replaced.
    """
    if path.exists() and not (overwrite and path.is_file()):
        name = printable(str(path))
        remedy = "or add --overwrite." if path.is_file() else "it is no file."
        raise BadInput(f"{name} exists. Give another name with -o, {remedy}")


def write_job(job: Job, path: Path, planned: Plan) -> None:
    """Write a job as a file to edit, with comments; `harvester run` runs it.

    Args:
        job: the job, with relative paths unchanged.
        path: of the file; a file of that name is replaced.
        planned: its plan, which the comments quote.

    Raises:
        BadInput: it cannot be written.
    """
    try:
        write_text(path, written_job(job, _summary(planned)))
    except OSError as error:
        name = printable(str(path))
        raise BadInput(f"{name} cannot be written: {error.strerror}.") from error


def _summary(planned: Plan) -> list[str]:
    """Return the lines that a planned job file begins with."""
    lines = [f"{label:10}{text}".rstrip() for label, text in plan_lines(planned)]
    begin = "Job of elink-harvester, written by `harvester plan`. Edit it, then: harvester run FILE"
    return [begin, "The plan, as of the time it was made:", *lines]
