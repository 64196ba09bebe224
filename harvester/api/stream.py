"""Links as they arrive; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester import events
from harvester.api.arguments import check_job
from harvester.api.progress import listening
from harvester.runs.stream import LinkStream, prepare_stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable

    import pyarrow as pa

    from harvester.job.in_memory import UidsInMemory
    from harvester.job.model import Job


async def stream(
    job: Job,
    *,
    ids: UidsInMemory | None = None,
    listeners: Iterable[events.Listener] = (),
    progress: bool = False,
    partial: bool = False,
    strict: bool = False,
) -> AsyncGenerator[pa.Table, None]:
    """Yield the links of a job as tables, one per answered batch, with nothing written.

    A slow reader slows the requests down. Failed and missing UIDs give no rows. `break` ends the
    harvest once nothing refers to the stream any more; `contextlib.aclosing(stream(job))`
    ends it at the end of its block.

    Args:
        job: what to harvest; its output is ignored.
        ids: UIDs in memory, as for `harvest`.
        listeners: receive every event, as for `harvest`.
        progress: show a display, as for `harvest`.
        partial: accept an unfinished harvest as the source.
        strict: end before the first ELink request if NCBI ignores a part of the query.

    Raises:
        BadInput, Refused, WindowClosed: as for `harvest`.

    Example:
        ```
        async for table in stream(job):
            print(table.num_rows)
        ```
    """
    check_job(job)
    job = job if ids is None else job.with_uids(ids)
    with listening(listeners, progress=progress) as told:
        emit = events.to_all(told)
        job, source = prepare_stream(job, emit, partial=partial)
        async with LinkStream(job, source, emit, strict=strict) as tables:
            while (table := await tables.next()) is not None:
                yield table
