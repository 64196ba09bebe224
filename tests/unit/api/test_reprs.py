"""What main objects print in a console: short, and without secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from support.jobs import SECRET

from harvester import Eutils
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
