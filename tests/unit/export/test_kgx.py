"""KGX, checked by the format's rules, the Biolink model, and koza where it is installed."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from support.finished_harvests import PMIDS, make_harvest, pubmed_harvest, true_links
from support.harness import LINKS

from harvester.api.export import export
from harvester.export.curies import KINDS, RELATIONS
from unit.export.test_graphs import COLLIDING

PREFIXES = {"pubmed": "PMID:", "gene": "NCBIGene:", "pmc": "PMC:", "mesh": "ncbi.mesh.uid:"}
CATEGORIES = {
    "PMID": "biolink:Article",
    "PMC": "biolink:Article",
    "NCBIGene": "biolink:Gene",
    "ncbi.mesh.uid": "biolink:NamedThing",
}


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def _case(tmp_path: Path, name: str) -> tuple[Path, pa.Table, set[str]]:
    if name == "colliding":
        mesh = {**COLLIDING[0], "dbto": "mesh", "linkname": "gene_mesh"}
        links = pa.Table.from_pylist([*COLLIDING, mesh], LINKS)
        out = make_harvest(tmp_path / "out", links, [7157, 5, 9], dbfrom="gene")
        inputs = {f"NCBIGene:{uid}" for uid in (7157, 5, 9)}
    else:
        links, out = true_links(), pubmed_harvest(tmp_path / "out")
        inputs = {f"PMID:{uid}" for uid in PMIDS}
    ends = {PREFIXES[r["dbto"]] + str(r["to_uid"]) for r in links.to_pylist()}
    return out, links, inputs | ends


@pytest.mark.parametrize("name", ["graph", "colliding"])
def test_nodes_and_edges_are_those_of_the_graph(tmp_path: Path, name: str) -> None:
    out, links, expected = _case(tmp_path, name)
    export(out, "kgx", tmp_path / "kg")
    nodes, edges = (_read(tmp_path / "kg" / f"kg_{kind}.tsv") for kind in ("nodes", "edges"))
    assert sorted(row["id"] for row in nodes) == sorted(expected)
    for row in nodes:
        assert row["category"] == CATEGORIES[row["id"].rpartition(":")[0]]
    found = Counter((e["subject"], e["object"], e["original_predicate"]) for e in edges)
    assert found == Counter(
        (
            PREFIXES[r["dbfrom"]] + str(r["from_uid"]),
            PREFIXES[r["dbto"]] + str(r["to_uid"]),
            r["linkname"],
        )
        for r in links.to_pylist()
    )
    ids = [edge["id"] for edge in edges]
    assert len(set(ids)) == len(ids)
    pattern = r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    assert all(re.fullmatch(pattern, one) for one in ids)
    predicates = {edge["original_predicate"]: edge["predicate"] for edge in edges}
    if name == "graph":
        assert predicates["pubmed_gene"] == "biolink:mentions"
        assert predicates["pubmed_pmc"] == "biolink:related_to_at_instance_level"


def test_an_edge_has_the_same_id_in_every_export(tmp_path: Path) -> None:
    export(pubmed_harvest(tmp_path / "one"), "kgx", tmp_path / "a")
    export(pubmed_harvest(tmp_path / "two", PMIDS[:30], commits=1), "kgx", tmp_path / "b")
    first = {e["id"]: e for e in _read(tmp_path / "a" / "a_edges.tsv")}
    second = {e["id"]: e for e in _read(tmp_path / "b" / "b_edges.tsv")}
    assert second
    assert second == {key: first[key] for key in second}


KOZA = shutil.which("koza") or os.environ.get("KOZA")


@pytest.mark.torture
@pytest.mark.skipif(not KOZA, reason="koza is not installed (KOZA names its program)")
@pytest.mark.parametrize("name", ["graph", "colliding"])
def test_koza_joins_the_files_and_finds_no_dangling_edge(tmp_path: Path, name: str) -> None:
    assert KOZA is not None
    out, links, expected = _case(tmp_path, name)
    export(out, "kgx", tmp_path / "kg")
    database = tmp_path / "graph.duckdb"
    for words in (
        ["join", "--input-dir", str(tmp_path / "kg"), "-o", str(database), "--schema-report"],
        ["prune", str(database), "--keep-singletons"],
    ):
        done = subprocess.run(
            [KOZA, *words], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(str(database), read_only=True) as joined:
        assert joined.sql("SELECT count(*) FROM nodes").fetchall() == [(len(expected),)]
        assert joined.sql("SELECT count(*) FROM edges").fetchall() == [(links.num_rows,)]
        tables = {name for (name,) in joined.sql("SHOW TABLES").fetchall()}
        if "dangling_edges" in tables:
            assert joined.sql("SELECT count(*) FROM dangling_edges").fetchall() == [(0,)]


_MODEL = """
import sys
from importlib.resources import files
import yaml
from linkml_runtime.utils.formatutils import camelcase, underscore
model = yaml.safe_load((files("biolink_model") / "schema" / "biolink_model.yaml").read_text())
print(*(camelcase(name) for name in model["classes"]))
print(*(underscore(name) for name in model["slots"]))
for name in ("KnowledgeLevelEnum", "AgentTypeEnum"):
    print(*model["enums"][name]["permissible_values"])
"""


@pytest.mark.skipif(not KOZA, reason="koza is not installed (KOZA names its program)")
def test_names_are_those_of_the_biolink_model() -> None:
    assert KOZA is not None
    python = Path(KOZA).with_name("python")
    done = subprocess.run(
        [str(python) if python.exists() else sys.executable, "-c", _MODEL],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    classes, slots, levels, agents = (set(line.split()) for line in done.stdout.splitlines())
    assert {kind.category for kind in KINDS.values()} | {"NamedThing"} <= classes
    assert {one.predicate for one in RELATIONS.values()} <= slots
    assert {one.knowledge_level for one in RELATIONS.values()} | {"not_provided"} <= levels
    assert {one.agent_type for one in RELATIONS.values()} | {"not_provided"} <= agents
