"""Uses that are meant to type-check without a cast; mypy and pyright read this file.

Nothing here is run.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, assert_type

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

import harvester
from harvester import (
    Contact,
    Eutils,
    Found,
    Job,
    Limits,
    Link,
    Linked,
    Output,
    Result,
    Server,
    Source,
    events,
    harvest,
    log_to,
    read,
    records,
    stream,
)
from harvester.errors import HarvestError


def jobs() -> list[Job]:
    """Make jobs from plain dicts, from objects, and from dicts in variables."""
    link = {"dbfrom": "pubmed", "db": "gene"}
    settings: dict[str, Any] = {"path": Path("out")}
    return [
        Job(
            link={"dbfrom": "pubmed", "db": "gene", "linkname": ["pubmed_gene"], "cmd": "neighbor"},
            source={"ids": "pmids.txt"},
            output={"path": "out"},
            contact={"email": "you@example.org"},
        ),
        Job(
            link={"dbfrom": "pubmed", "db": ["pmc", "gene"]},
            source={"ids": ["pmids.txt", Path("more.txt")]},
            output={"path": Path("out")},
            limits={"rate": 10, "window": "off-peak", "give_up_after": "2h"},
        ),
        Job(link=link, output=settings, source={"query": "asthma[mesh]"}),
        Job(link={"dbfrom": "pubmed"}, output={"path": "out"}, source={"uids": [1, 2, 3]}),
        Job(
            link=Link(dbfrom="gene", db="protein", cmd="neighbor", idtype="uid"),
            hop=[Link(dbfrom="protein", db="structure"), {"db": "pubmed"}],
            source=Source(ids=Path("genes.txt"), ids_column="gene", shard="1/4"),
            output=Output(path=Path("out"), format="jsonl", records="summary"),
            limits=Limits(batch_size="auto", concurrency=10, passes=2),
            contact=Contact(email="you@example.org", tool="mine"),
            server=Server(base_url="http://localhost:8080/"),
        ),
    ]


def note(event: events.Event) -> None:
    """Receive an event."""
    match event:
        case events.PartCommitted():
            assert_type(event.links, int)
        case events.Waiting(cause="hours"):
            print(event.until.isoformat())
        case _:
            pass


async def runs(job: Job) -> None:
    """Run a job by every function."""
    result = await harvest(job, listeners=[note, log_to()], retry_failed=True)
    assert_type(result, Result)
    outcomes: dict[str, int] = result.outcomes
    for ids in (
        [1, 2],
        ["NM_000546.6"],
        range(10),
        (uid for uid in outcomes.values()),
        np.arange(5),
        pd.Series([1]),
        pl.Series([1]),
        pa.array([1]),
        {1, 2},
        7157,
    ):
        await harvest(job, ids=ids)
    async for table in stream(job, ids=[1, 2]):
        print(table.num_rows)
    got = await records(job, form="medline/text")
    assert_type(got, dict[str, Result])


def script(job: Job) -> int:
    """Run a job without an event loop."""
    try:
        result = harvester.run(job, ids=[1, 2], listeners=[log_to(logging.getLogger("mine"))])
    except HarvestError as error:
        print(error)
        return error.exit_status
    return result.exit_code


async def utilities() -> None:
    """Call each utility."""
    async with Eutils(email="you@example.org") as e:
        linked = await e.elink("pubmed", [1, 2], db="gene", cmd="neighbor", linkname="pubmed_gene")
        pairs: dict[int | str, list[int | str]] = linked.by_uid("pubmed_gene")
        print(len(pairs))
        found = await e.esearch("pubmed", "asthma[mesh]", usehistory=True, mindate="2020")
        await e.elink("pubmed", found, db="gene", targets_only=True)
        await e.elink("pubmed", np.arange(1, 5), db="gene")
        summaries = await e.esummary("gene", await e.epost("gene", [7157]))
        print(summaries[7157]["name"])
        info = await e.einfo("pubmed")
        print(info.count, await e.einfo(), await e.espell("pubmed", "asthmaa"))
        async for pmid in e.search_all("pubmed", "asthma[mesh]"):
            print(pmid)


def utilities_without_await() -> None:
    """Call each utility without `await`."""
    with Eutils.sync(email="you@example.org", rate=2.5) as eutils:
        linked = eutils.elink("pubmed", [1, 2], db=["gene"], cmd="neighbor_score")
        assert_type(linked, Linked)
        assert_type(eutils.esearch("pubmed", "asthma[mesh]", retmax=5), Found)
        assert_type(eutils.einfo(), list[str])
        print(eutils.einfo("pubmed").count, next(eutils.search_all("pubmed", "asthma")))


def tables(result: Result, linked: Linked, found: Found) -> None:
    """Convert links for other libraries."""
    harvest = read("out")
    for one in (result, linked, harvest):
        print(one.links().num_rows, one.uids().num_rows)
        print(one.to_pandas().shape, one.to_polars().height)
    targets: dict[int | str, list[int | str]] = harvest.by_uid()
    ids: list[int | str] = found.ids
    print(result.link_count, harvest.complete, targets, ids)
