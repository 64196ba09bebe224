"""The minimum cost of a link: fetched, its number parsed, its row written, and nothing else.

Nothing is matched, ranked, counted, checked or committed. Each step is the fastest way known:
aiohttp on uvloop, all digits of a body parsed at once, and the columns written as the sink writes
them. Each step is measured alone, repeatedly on the same bytes; then all of them in a row, which is
the floor of `end_to_end`.
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
from harvester.model.schemas import NEIGHBOR_LINKS, constant
from harvester.store.sinks import make_sink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

REQUESTS, IN_FLIGHT = 200, 8
PART = 35
"""Answers written together: about a million links."""

_NEITHER = bytes(set(range(256)) - set(b"0123456789,"))
_LISTS = re.compile(rb'"links":\[([^\]]*)\]')


def rows() -> Iterator[Row]:
    with serving(LINKS) as url:
        body = Answers(LINKS)(_uids(0))
        numbers = parsed(body)
        for name, work in (
            ("fetched with aiohttp", lambda: uvloop.run(fetch(url, lambda _: None))),
            ("numbers parsed", lambda: _repeat(lambda: parsed(body))),
            ("written as Parquet", lambda: _write([numbers] * REQUESTS)),
        ):
            yield Row(name, nanoseconds(work), "ns per link")
        yield Row("all in a row, as responses arrive", in_a_row(url), "ns per link")


def in_a_row(url: str) -> float:
    """Return nanoseconds of CPU per link."""

    def work() -> None:
        found: list[NDArray[np.int64]] = []
        uvloop.run(fetch(url, lambda body: found.append(parsed(body))))
        _write(found)

    return nanoseconds(work)


def nanoseconds(work: Callable[[], None]) -> float:
    """Return the least CPU per link of some runs, over all threads."""
    taken = []
    for _ in range(4):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken) / (REQUESTS * UIDS * LINKS) * 1e9


async def fetch(url: str, take: Callable[[bytes], None]) -> None:
    """Fetch all responses, several at a time."""
    turn = asyncio.Semaphore(IN_FLIGHT)

    async def one(session: aiohttp.ClientSession, number: int) -> None:
        form = "&".join(["retmode=json", *(f"id={uid}" for uid in _uids(number))])
        async with turn, session.post(f"{url}elink.fcgi", data=form.encode()) as response:
            take(await response.read())

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        for number in range(REQUESTS):
            tasks.create_task(one(session, number))


def parsed(body: bytes) -> NDArray[np.int64]:
    """Return the parsed numbers of all links."""
    digits = b",".join(_LISTS.findall(body)).translate(None, _NEITHER)
    numbers = np.fromstring(digits, np.int64, sep=",")
    assert len(numbers) == UIDS * LINKS
    return numbers


def _repeat(work: Callable[[], object]) -> None:
    for _ in range(REQUESTS):
        work()


def _write(found: list[NDArray[np.int64]]) -> None:
    """Write rows to parts on disk."""
    with tempfile.TemporaryDirectory() as folder:
        for at in range(0, len(found), PART):
            numbers = np.concatenate(found[at : at + PART])
            with (Path(folder) / f"{at}").open("wb") as stream:
                make_sink("parquet", "zstd").write([_table(numbers)], stream)


def _table(numbers: NDArray[np.int64]) -> pa.Table:
    count = len(numbers)
    columns = [
        constant("pubmed", count),
        pa.array(np.repeat(np.arange(FIRST, FIRST + count // LINKS), LINKS)),
        constant("pubmed", count),
        constant("pubmed_pubmed", count),
        pa.array(numbers),
        pa.nulls(count, pa.int64()),
        pa.array(np.tile(np.arange(LINKS, dtype=np.int32), count // LINKS)),
    ]
    return pa.Table.from_arrays(columns, schema=NEIGHBOR_LINKS)


def _uids(number: int) -> list[int]:
    return list(range(FIRST + number * UIDS, FIRST + (number + 1) * UIDS))
