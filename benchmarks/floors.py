"""What a link costs at least, each step alone: fetched, its number parsed, its row written.

Nothing is reconciled, ranked, counted, checked or committed. Of each step the cheapest way known:
aiohttp on uvloop, the digits of a body parsed all at once, and the columns written as the sink
writes them.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import numpy as np
import pyarrow as pa
import uvloop

from benchmarks.answers import FIRST, LINKS, UIDS, Answers
from benchmarks.measure import Row
from benchmarks.server import serving
from harvester.schemas import NEIGHBOR_LINKS, constant
from harvester.sinks import make_sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REQUESTS = 100
_IN_FLIGHT = 8
_NEITHER = bytes(set(range(256)) - set(b"0123456789,"))
_LISTS = re.compile(rb'"links":\[([^\]]*)\]')


def rows() -> Iterator[Row]:
    with serving(LINKS) as url:
        for name, seconds in _steps(url).items():
            yield Row(name, seconds, "ns a link")


def nanoseconds(url: str) -> float:
    """The sum of all steps, a link."""
    return sum(_steps(url).values())


def _steps(url: str) -> dict[str, float]:
    body, table = Answers(LINKS)(list(range(FIRST, FIRST + UIDS))), _table()
    return {
        "fetched with aiohttp": _cpu(lambda: uvloop.run(_fetch(url, len(body)))),
        "numbers parsed": _cpu(lambda: _parse(body)),
        "written as Parquet": _cpu(lambda: _write(table)),
    }


def _cpu(work: Callable[[], None]) -> float:
    """Nanoseconds of CPU a link, the least of some; all threads count."""
    taken = []
    for _ in range(4):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken) / (_REQUESTS * UIDS * LINKS) * 1e9


async def _fetch(url: str, size: int) -> None:
    form = "&".join(["retmode=json", *(f"id={uid}" for uid in range(FIRST, FIRST + UIDS))])
    turn = asyncio.Semaphore(_IN_FLIGHT)

    async def one(session: aiohttp.ClientSession) -> None:
        async with turn, session.post(f"{url}elink.fcgi", data=form.encode()) as response:
            assert len(await response.read()) == size

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        for _ in range(_REQUESTS):
            tasks.create_task(one(session))


def _parse(body: bytes) -> None:
    for _ in range(_REQUESTS):
        digits = b",".join(_LISTS.findall(body)).translate(None, _NEITHER)
        assert len(np.fromstring(digits, np.int64, sep=",")) == UIDS * LINKS


def _write(table: pa.Table) -> None:
    sink = make_sink("parquet", "zstd")
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "part").open("wb") as stream:
        sink.write([table], stream)


def _table() -> pa.Table:
    count = _REQUESTS * UIDS * LINKS
    rank = np.tile(np.arange(LINKS, dtype=np.int32), _REQUESTS * UIDS)
    columns = [
        constant("pubmed", count),
        pa.array(np.repeat(np.arange(FIRST, FIRST + _REQUESTS * UIDS), LINKS)),
        constant("pubmed", count),
        constant("pubmed_pubmed", count),
        pa.array(np.random.default_rng(0).integers(10_000_000, 40_000_000, count)),
        pa.nulls(count, pa.int64()),
        pa.array(rank),
    ]
    return pa.Table.from_arrays(columns, schema=NEIGHBOR_LINKS)
