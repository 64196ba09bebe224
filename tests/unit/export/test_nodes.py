"""Nodes are numbered by database and UID, whether UIDs are dense, sparse, or above 2^32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from support.finished_harvests import make_harvest
from support.harness import LINKS

from harvester.export import nodes
from harvester.export.harvests import open_harvests
from harvester.export.nodes import Nodes

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("span", [100, 5_000, 2**31, 2**33, 2**62], ids=str)
def test_places_are_those_of_the_sorted_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, span: int
) -> None:
    monkeypatch.setattr(nodes, "_CHUNK", 7)
    monkeypatch.setattr(nodes, "_FILLED", 10)
    random = np.random.default_rng(span)
    froms = sorted({int(one) for one in random.integers(1, span, 40)})
    ends = [
        (int(random.choice(froms)), str(db), int(uid))
        for db, uid in zip(
            random.choice(["gene", "pubmed", "zoo"], 90), random.integers(1, span, 90), strict=True
        )
    ]
    links = pa.Table.from_pylist(
        [
            {"dbfrom": "pubmed", "from_uid": a, "dbto": db, "linkname": f"pubmed_{db}",
             "to_uid": b, "score": None, "rank": 0}
            for a, db, b in ends
        ],
        LINKS,
    )  # fmt: skip
    out = make_harvest(tmp_path / "out", links, froms)
    found = Nodes(open_harvests([out], lambda _: None))
    expected = sorted({("pubmed", uid) for uid in froms} | {(db, uid) for _, db, uid in ends})
    listed = [
        pair
        for dbs, uids in found.batches()
        for pair in zip(dbs.to_pylist(), uids.to_pylist(), strict=True)
    ]
    assert listed == expected
    assert found.count == len(expected)
    dbs = pa.array([db for _, db, _ in ends]).dictionary_encode()
    places = found.numbers(dbs, pa.array([uid for _, _, uid in ends]))
    assert places.tolist() == [expected.index((db, uid)) for _, db, uid in ends]
