"""Link graphs: generated ones are repeatable and in NCBI's order; tables keep theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.emulator.graph import SELF_SCORE, SeededGraph, TableGraph, truth
from harvester.emulator.graph.mixing import GOLDEN, mix, mix_array

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
from harvester.emulator.graph import SeededGraph, truth
table = truth(SeededGraph(7), "pubmed", [1, 2, 3, 99999], scores=True)
import hashlib
print(hashlib.sha256(repr(table.to_pydict()).encode()).hexdigest())
"""


def test_mixing_is_splitmix64() -> None:
    # First outputs of the reference implementation for the seed 1234567.
    states = [1234567 + GOLDEN * (n + 1) & (2**64 - 1) for n in range(3)]
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [mix(state) for state in states] == expected
    assert mix_array(np.array(states, np.uint64)).tolist() == expected


def test_seeded_graph_is_the_same_in_every_process() -> None:
    outputs = set()
    for hashseed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": hashseed}
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        outputs.add(ran.stdout)
    assert len(outputs) == 1


@given(
    uid=st.integers(1, 2**63 - 1),
    seed=st.integers(0, 2**32),
    dbfrom=st.sampled_from(["pubmed", "protein", "gene", "nuccore", "structure", "mesh"]),
)
def test_lists_are_distinct_and_in_order(uid: int, seed: int, dbfrom: str) -> None:
    for links in SeededGraph(seed).links(dbfrom, uid):
        uids = links.to_uids.tolist()
        assert len(set(uids)) == len(uids)
        assert min(uids) > 0
        if links.scores is not None and links.scores[0] == SELF_SCORE:
            assert uids[0] == uid
            assert (np.diff(links.scores) < 0).all()
        else:
            assert uids == sorted(uids, reverse=True)
            assert links.dbto != dbfrom or uid not in uids


def test_a_batch_equals_single_uids() -> None:
    graph = SeededGraph(3)
    uids = np.array([5, 1, 2**40, 77], np.uint64)
    for family in graph.families("pubmed"):
        together = graph.batch(family, uids)
        apart = [graph.batch(family, uids[i : i + 1]) for i in range(4)]
        assert together.counts.tolist() == [int(one.counts[0]) for one in apart]
        assert together.to_uids.tolist() == [uid for one in apart for uid in one.to_uids.tolist()]


def test_a_third_has_no_links_but_all_have_related_articles() -> None:
    graph = SeededGraph(0)
    uids = np.arange(1, 6001, dtype=np.uint64)
    linked = {
        family.linkname: float((graph.batch(family, uids).counts > 0).mean())
        for family in graph.families("pubmed")
    }
    assert linked["pubmed_pubmed"] == 1.0
    assert linked["pubmed_pubmed_refs"] == pytest.approx(2 / 3, abs=0.03)
    assert linked["pubmed_pmc"] == pytest.approx(0.3, abs=0.03)


def test_five_are_the_first_of_the_related_articles() -> None:
    links = {one.linkname: one.to_uids.tolist() for one in SeededGraph(0).links("pubmed", 1234567)}
    assert links["pubmed_pubmed_five"] == links["pubmed_pubmed"][:6]
    assert links["pubmed_pubmed_reviews_five"] == links["pubmed_pubmed_reviews"][:6]


def test_seeds_differ_and_zero_has_no_links() -> None:
    one, other = SeededGraph(1).links("pubmed", 10), SeededGraph(2).links("pubmed", 10)
    assert [x.to_uids.tolist() for x in one] != [x.to_uids.tolist() for x in other]
    assert SeededGraph(1).links("pubmed", 0) == []


def test_any_pair_of_databases_has_a_family() -> None:
    assert [f.linkname for f in SeededGraph().families("mesh", {"gtr"})] == ["mesh_gtr"]


def test_truth_has_every_link_once_with_its_rank() -> None:
    graph = SeededGraph(5)
    table = truth(graph, "gene", [7157, 672], {"protein", "pubmed"}, scores=True)
    expected = [
        ("gene", uid, links.dbto, links.linkname, to, None, rank)
        for uid in (7157, 672)
        for db in ("protein", "pubmed")
        for links in graph.links("gene", uid, db)
        for rank, to in enumerate(links.to_uids.tolist())
    ]
    assert sorted(tuple(row.values())[:5] for row in table.to_pylist()) == sorted(
        row[:5] for row in expected
    )
    assert sorted(table["rank"].to_pylist()) == sorted(row[6] for row in expected)


LINKS = {
    "dbfrom": ["pubmed"] * 5 + ["gene"],
    "from_uid": [9, 3, 9, 9, 9, 9],
    "dbto": ["pmc", "pmc", "pmc", "pmc", "gene", "pubmed"],
    "linkname": ["pubmed_pmc"] * 4 + ["pubmed_gene", "gene_pubmed"],
    "to_uid": [50, 70, 40, 50, 8, 9],
    "score": [1, None, 2, 3, None, None],
}


@pytest.mark.parametrize("ending", ["parquet", "csv", "tsv"])
def test_table_graph_keeps_the_order_of_the_file(tmp_path: Path, ending: str) -> None:
    path, table = tmp_path / f"links.{ending}", pa.table(LINKS)
    if ending == "parquet":
        pq.write_table(table, path)
    else:
        options = pacsv.WriteOptions(delimiter="\t" if ending == "tsv" else ",")
        pacsv.write_csv(table, path, options)
    graph = TableGraph.read(path)
    found = {one.linkname: one for one in graph.links("pubmed", 9)}
    assert found["pubmed_pmc"].to_uids.tolist() == [50, 40]
    assert found["pubmed_pmc"].scores is not None
    assert found["pubmed_pmc"].scores.tolist() == [1, 2]
    assert found["pubmed_gene"].scores is None
    assert graph.links("pubmed", 12345) == []
    assert graph.links("gene", 9, "pubmed")[0].to_uids.tolist() == [9]
    assert list(graph.records("pubmed")) == [9, 3]
    assert len(truth(graph, "pubmed", [9, 3, 4])) == 4


def test_table_without_a_column_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="to_uid"):
        TableGraph(pa.table({name: LINKS[name] for name in LINKS if name != "to_uid"}))
    with pytest.raises(ValueError, match="parquet"):
        TableGraph.read(tmp_path / "links.xlsx")
