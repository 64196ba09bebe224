"""`harvester run -o -`: links as JSON lines on standard output, for a pipe; nothing is kept."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, NoReturn

import rich_click as click
from click.exceptions import Exit

from harvester.api.harvest import stream
from harvester.cli.process import keep_memory
from harvester.events import Tally
from harvester.store.sinks.jsonl import JsonlSink

if TYPE_CHECKING:
    from harvester.job.model import Job


def pour(job: Job) -> NoReturn:
    """Write the links as they come.

    Raises:
        click.exceptions.Exit: 0, or 3 where some UIDs failed or are missing.
        HarvestError: as `harvester.stream` says.
    """
    keep_memory()
    tally = Tally(time.monotonic)
    sink = JsonlSink("none")  # whoever wants it compressed has a pipe at hand

    async def write() -> None:
        async for table in stream(job, listeners=[tally]):
            sink.write([table], sys.stdout.buffer)
            sys.stdout.buffer.flush()

    asyncio.run(write())
    lost = tally.outcomes["failed"] + tally.outcomes["missing"]
    if lost:
        click.echo(f"harvester: {lost:,} UIDs failed or are missing.", err=True)
    raise Exit(3 if lost else 0)
