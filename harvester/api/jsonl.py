"""Links of a job as JSON lines into a pipe or file; nothing is kept."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pyarrow as pa

from harvester import events
from harvester.engine.stop import Stop, halt_on_signals
from harvester.errors import Interrupted
from harvester.runs.stream import LinkStream, prepare_stream
from harvester.store.sinks.jsonl import JsonlSink

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable
    from io import RawIOBase

    from harvester.job.model import Job

READER_SECONDS = 10.0
"""Seconds that a reader may take for the rest of the output after a signal."""

POLL_SECONDS = 0.2
"""Seconds between checks of a slow write."""


async def write_jsonl(
    job: Job,
    out: RawIOBase,
    *,
    listeners: Iterable[events.Listener] = (),
    signals: bool = False,
    partial: bool = False,
    strict: bool = False,
) -> Counter[str]:
    """Write the links of a job as JSON lines, as answers arrive.

    Args:
        job: what to harvest; only the compression of its output is used.
        out: unbuffered stream; a write that blocks does not block the event loop.
        listeners: receive every event; they must not block.
        signals: end gently on the first SIGINT or SIGTERM, at once on the second.
        partial: accept an unfinished harvest as the source.
        strict: end before the first ELink request if NCBI ignores a part of the query.

    Returns:
        Outcome → UIDs.

    Raises:
        Interrupted: a signal came; what was answered is written, if the reader takes it.
        BrokenPipeError: the reader has closed the pipe.
        HarvestError: as for `harvester.stream`.
    """
    tally, stop, sink = (
        events.Tally(time.monotonic),
        Stop(),
        JsonlSink(job.output.compression or "none"),
    )
    told: list[events.Listener] = [tally, *listeners]
    emit = events.to_all(told)
    # Before signals are handled: reading a list blocks the event loop.
    job, source = prepare_stream(job, emit, partial=partial)
    try:
        with halt_on_signals(stop) if signals else nullcontext():
            async with LinkStream(job, source, emit, stop, strict=strict) as tables:
                while (table := await tables.next()) is not None:
                    # A buffer of Python could not be read once a compressor has closed it.
                    lines = pa.BufferOutputStream()
                    sink.write([table], lines)
                    await _write(out, memoryview(lines.getvalue()), stop)
    except Interrupted as error:
        raise Interrupted(error.signum, "Interrupted; the output is incomplete.") from None
    return tally.outcomes


async def _write(out: RawIOBase, data: memoryview, stop: Stop) -> None:
    """Write in a thread that is not awaited at exit, since a reader may stop reading."""
    loop = asyncio.get_running_loop()
    written: asyncio.Future[None] = loop.create_future()

    def settle(error: OSError | None) -> None:
        if written.done():
            return
        if error is None:
            written.set_result(None)
        else:
            written.set_exception(error)

    def write() -> None:
        error: OSError | None = None
        left = data
        try:
            while left:
                count = out.write(left)
                if count is None:  # a non-blocking pipe that is full
                    time.sleep(POLL_SECONDS)
                left = left[count or 0 :]
        except OSError as raised:
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=write, daemon=True).start()
    asked_at: float | None = None
    while not (await asyncio.wait([written], timeout=POLL_SECONDS))[0]:
        if stop.reason is not None:
            asked_at = asked_at or loop.time()
            if loop.time() - asked_at > READER_SECONDS:
                raise stop.reason
    written.result()
