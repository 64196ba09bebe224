"""Representations of the main objects: short, and without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from support.jobs import SECRET

from harvester import Eutils, Job, Limits, Link, Output
from harvester.api.links import Linked
from harvester.model.schemas import NEIGHBOR_LINKS, answered_rows, unanswered_rows

if TYPE_CHECKING:
    import pytest


def test_linked_prints_counts() -> None:
    column = pa.array(range(1200), pa.int64())
    uids = pa.concat_tables(
        [
            answered_rows("pubmed", column, np.ones(1200, np.int64)),
            answered_rows("pubmed", column.slice(0, 2), np.zeros(2, np.int64)),
            unanswered_rows("pubmed", column.slice(0, 1), "failed", "timeout"),
        ]
    )
    links = NEIGHBOR_LINKS.empty_table()
    assert repr(Linked(links, uids)) == "Linked(0 links, 1,200 linked, 2 empty, 1 failed)"
    assert repr(Linked(links, uids[:0], ("a", "b"))) == "Linked(0 links, 2 warnings)"


def test_eutils_prints_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCBI_API_KEY", SECRET)
    eutils = Eutils(base_url="http://127.0.0.1:9/")
    assert repr(eutils) == "Eutils('http://127.0.0.1:9/')"
    assert SECRET not in repr(vars(eutils)["_at"])


def test_a_job_prints_what_differs_from_the_defaults() -> None:
    job = Job(link={"dbfrom": "pubmed", "db": "gene"}, output={"path": "out"})
    assert repr(job) == ("Job(link=Link(dbfrom='pubmed', db=['gene']), output=Output(path='out'))")
    more = Job(
        link=Link(dbfrom="gene"), output=Output(path="out"), limits=Limits(rate=2, passes=2),
        source={"uids": range(1, 1_000_001)},
    )  # fmt: skip
    assert repr(more) == (
        "Job(link=Link(dbfrom='gene'), source=Source(uids=<1,000,000 UIDs in memory>), "
        "output=Output(path='out'), limits=Limits(rate=2.0, passes=2))"
    )
    assert repr(Limits()) == "Limits()"
