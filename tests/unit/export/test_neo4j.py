"""The folder for Neo4j: headers by Neo4j's rules, data loaded into a Cypher database."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from support.finished_harvests import PMIDS, make_harvest, pubmed_harvest, true_links
from support.harness import LINKS

from harvester.api.export import export
from harvester.errors import BadInput
from unit.export.test_graphs import COLLIDING, edges_of, nodes_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _arguments(folder: Path, tmp_path: Path, *more: str) -> list[str]:
    """Return the arguments of the command line for neo4j-admin."""
    program = tmp_path / "neo4j-admin"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    program.chmod(0o755)
    done = subprocess.run(
        ["sh", str(folder / "import.sh"), *more],
        capture_output=True, text=True, check=True, cwd="/",
        env=os.environ | {"NEO4J_ADMIN": str(program)},
    )  # fmt: skip
    return done.stdout.splitlines()


def _rows(folder: Path, argument: str) -> Iterator[dict[str, str]]:
    """Return the rows of a file group, with the names of its header."""
    header, data = argument.partition("=")[2].split(",")
    (names,) = csv.reader([(folder / header).read_text()])
    with (folder / data).open(newline="") as stream:
        yield from csv.DictReader(stream, names)


@pytest.mark.parametrize("colliding", [False, True])
def test_headers_name_one_id_group_per_database(tmp_path: Path, colliding: bool) -> None:
    if colliding:
        links, uids, db = pa.Table.from_pylist(COLLIDING, LINKS), [7157, 5, 9], "gene"
        out = make_harvest(tmp_path / "out", links, uids, dbfrom=db)
    else:
        links, uids, db = true_links(), PMIDS, "pubmed"
        out = pubmed_harvest(tmp_path / "out")
    folder = tmp_path / "graph"
    export(out, "neo4j", folder)
    command = _arguments(folder, tmp_path, "links", "--dry-run")
    assert command[:3] == ["database", "import", "full"]
    assert command[-2:] == ["--dry-run", "links"]
    assert "--id-type=integer" in command
    groups, nodes = set(), []
    for argument in command:
        if argument.startswith("--nodes="):
            for row in _rows(folder, argument):
                (key,) = (name for name in row if ":ID(" in name)
                match = re.fullmatch(r"uid:ID\((\w+)\)", key)
                assert match is not None
                groups.add(match[1])
                assert row[":LABEL"] == match[1]
                nodes.append(f"{match[1]}:{row[key]}")
    assert sorted(nodes) == sorted(nodes_of(links, uids, db))
    edges: Counter[tuple[str, str, str]] = Counter()
    for argument in command:
        if argument.startswith("--relationships="):
            for row in _rows(folder, argument):
                start, end, *_ = row
                froms = re.fullmatch(r":START_ID\((\w+)\)", start)
                tos = re.fullmatch(r":END_ID\((\w+)\)", end)
                assert froms is not None
                assert tos is not None
                assert {froms[1], tos[1]} <= groups
                edges[f"{froms[1]}:{row[start]}", f"{tos[1]}:{row[end]}", row[":TYPE"]] += 1
    assert edges == edges_of(links)


def test_a_cypher_database_loads_the_files(tmp_path: Path) -> None:
    ladybug = pytest.importorskip("ladybug")
    folder, links = tmp_path / "graph", pa.Table.from_pylist(COLLIDING, LINKS)
    export(make_harvest(tmp_path / "out", links, [7157, 5, 9], dbfrom="gene"), "neo4j", folder)
    database = ladybug.Database(str(tmp_path / "cypher"), buffer_pool_size=1 << 26)
    connection = ladybug.Connection(database)
    for db in ("gene", "pubmed"):
        connection.execute(f"CREATE NODE TABLE {db}(uid INT64 PRIMARY KEY, label STRING)")
        connection.execute(f'COPY {db} FROM "{folder}/nodes-{db}.csv" (header=false)')
    for db in ("gene", "pubmed"):
        connection.execute(
            f"CREATE REL TABLE gene_{db}(FROM gene TO {db}, type STRING, score INT64, rank INT32)"
        )
        connection.execute(f'COPY gene_{db} FROM "{folder}/links-gene-{db}.csv" (header=false)')
    result = connection.execute(
        "MATCH (a:gene)-[link]->(b) RETURN label(a), a.uid, label(b), b.uid, link.score, link.rank"
    )
    found: Counter[tuple[object, ...]] = Counter()
    while result.has_next():
        found[tuple(result.get_next())] += 1
    assert found == Counter(
        ("gene", r["from_uid"], r["dbto"], r["to_uid"], r["score"], r["rank"]) for r in COLLIDING
    )


def test_a_folder_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    out, folder = pubmed_harvest(tmp_path / "out"), tmp_path / "graph"
    export(out, "neo4j", folder)
    with pytest.raises(BadInput, match="exists"):
        export(out, "neo4j", folder)
    before = {path.name for path in folder.iterdir()}
    (folder / "nodes-old.csv").write_text("1,old\n")
    export(out, "neo4j", folder, overwrite=True)
    assert {path.name for path in folder.iterdir()} == before
    (folder / "thesis.docx").write_text("mine")
    with pytest.raises(BadInput, match=r"thesis\.docx"):
        export(out, "neo4j", folder, overwrite=True)
    assert (folder / "thesis.docx").read_text() == "mine"
