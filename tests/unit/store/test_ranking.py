"""The first targets of all linknames, compared with DuckDB's GROUP BY over the same files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from harvester.errors import BadInput, FolderError
from harvester.job import load
from harvester.job.model import Job
from harvester.model import uids
from harvester.model.row_schemas import link_schema
from harvester.store import exact_counts, ranking
from harvester.store.ledger import Ledger
from harvester.store.ranking import rank_targets
from harvester.store.reader import HarvestReader
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMS: list[tuple[Any, Any]] = [("parquet", "zstd"), ("jsonl", "none"), ("jsonl", "zstd")]
NAMES = [("gene", "pubmed_gene"), ("gene", "pubmed_gene_rif"), ("pmc", "pubmed_pmc")]


def harvest(
    folder: Path,
    seed: int,
    *,
    form: tuple[Any, Any] = FORMS[0],
    idtype: str = "uid",
    spread: float = 3.0,
    targets: int = 60,
) -> HarvestReader:
    """Write a harvest of random links in two databases, in three parts.

    Args:
        folder: of the harvest.
        seed: of the links.
        form: format and compression.
        idtype: `uid` or `acc`.
        spread: 1 for uniform targets; more for hubs.
        targets: number of targets in each database.
    """
    chooser = np.random.default_rng(seed)
    job = Job.model_validate(
        {"link": {"dbfrom": "pubmed", "idtype": idtype}, "output": {"path": folder}}
        if idtype == "uid"
        else {"link": {"dbfrom": "protein", "idtype": idtype}, "output": {"path": folder}}
    )
    schema = link_schema("neighbor", idtype=idtype)
    write = (lambda uid: f"P{uid % 7}_{uid}.1") if idtype == "acc" else int
    with Ledger(folder, make_sink(*form), "pubmed", schema, idtype) as ledger:
        ledger.adopt(job.identity(), load.dump(job))
        for begin in (1, 41, 81):
            rows, linked = [], []
            for uid in range(begin, begin + 40):
                pairs = {
                    (int(chooser.integers(3)), int(chooser.random() ** spread * targets) + 1)
                    for _ in range(chooser.integers(12))
                }
                linked += [uid] * bool(pairs)
                rows += [_row(write, uid, name, to) for name, to in sorted(pairs)]
            members = uids.as_set(linked)
            if idtype == "acc":
                members = ledger.input.identifiers.number_all([write(uid) for uid in linked])
            table = _table(rows, schema)
            pieces = [table.slice(at, 7) for at in range(0, len(table), 7)]
            part = ledger.parts.write("links", pieces)  # pieces end within the links of a UID
            ledger.state.commit([part], [Settled("linked", members)])
    return HarvestReader.open(folder)


def _row(write: Any, uid: int, name: int, to: int) -> list[Any]:
    dbto, linkname = NAMES[name]
    return ["pubmed", write(uid), dbto, linkname, write(to), None, 0]


def _table(rows: Sequence[list[Any]], schema: pa.Schema) -> pa.Table:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return pa.table(columns, names=schema.names).cast(schema)


def by_duckdb(harvests: Sequence[HarvestReader], most: int, where: str = "true") -> list[Any]:
    """Return the ranking by DuckDB over the same files."""
    tables = []
    for place, one in enumerate(harvests):
        suffix = one.parts[0].name.partition(".")[2]
        read = "read_parquet" if suffix == "parquet" else "read_json"
        tables.append(f"SELECT {place} AS hop, * FROM {read}('{one.folder}/links/*')")
    query = (
        "SELECT dbto, to_uid, count(DISTINCT (hop, from_uid)) AS n "
        f"FROM ({' UNION ALL '.join(tables)}) WHERE {where} "
        f"GROUP BY dbto, to_uid ORDER BY n DESC, to_uid, dbto LIMIT {most}"
    )
    found = duckdb.sql(query)
    assert found is not None
    return found.fetchall()


def ranked(harvests: Sequence[HarvestReader], most: int, **only: Any) -> list[Any]:
    return [(one.db, one.uid, one.inputs) for one in rank_targets(harvests, most, **only)]


@pytest.fixture(params=["as it is", "few slots", "few targets at a time"])
def _limits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lower the limits so that slots are shared and further readings are needed."""
    if request.param == "few slots":
        monkeypatch.setattr(ranking, "_MOST_BITS", 4)
        monkeypatch.setattr(ranking, "_FIRST_SLOTS", 2)
    elif request.param == "few targets at a time":
        monkeypatch.setattr(ranking, "_FIRST_SLOTS", 3)
        monkeypatch.setattr(ranking, "_MOST_TARGETS", 40)
        monkeypatch.setattr(exact_counts, "_HELD", 5)


@pytest.mark.usefixtures("_limits")
@pytest.mark.parametrize("most", [1, 20, 1000])
@pytest.mark.parametrize("spread", [1.0, 4.0])
@pytest.mark.parametrize("idtype", ["uid", "acc"])
def test_targets_are_ranked_as_duckdb_does(
    tmp_path: Path, most: int, spread: float, idtype: str
) -> None:
    found = harvest(tmp_path, seed=most, idtype=idtype, spread=spread)
    assert ranked([found], most) == by_duckdb([found], most)
    assert ranked([found], most, dbto="gene") == by_duckdb([found], most, "dbto = 'gene'")
    name = "pubmed_gene_rif"
    assert ranked([found], most, linkname=name) == by_duckdb([found], most, f"linkname = '{name}'")


@pytest.mark.usefixtures("_limits")
@pytest.mark.parametrize("most", [1, 20, 300])
def test_many_targets_of_one_input_each_are_ranked_by_uid(tmp_path: Path, most: int) -> None:
    found = harvest(tmp_path, seed=3, spread=1.0, targets=10_000_000)
    assert ranked([found], most) == by_duckdb([found], most)


@pytest.mark.parametrize("form", FORMS, ids="-".join)
def test_every_format_is_ranked(tmp_path: Path, form: tuple[Any, Any]) -> None:
    found = harvest(tmp_path, seed=5, form=form)
    assert ranked([found], 20) == by_duckdb([found], 20)


def test_inputs_of_each_hop_count_apart(tmp_path: Path) -> None:
    hops = [harvest(tmp_path / name, seed) for seed, name in enumerate(("one", "two"))]
    assert ranked(hops, 30) == by_duckdb(hops, 30)


def test_name_that_no_link_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    found = harvest(tmp_path, seed=1)
    with pytest.raises(BadInput, match=r"linkname 'pubmed_gen' \(did you mean 'pubmed_gene'\?\)"):
        rank_targets([found], 5, linkname="pubmed_gen")
    with pytest.raises(BadInput, match="target database 'taxonomy'; there are gene, pmc"):
        rank_targets([found], 5, dbto="taxonomy")
    with pytest.raises(BadInput, match="No link of pubmed_pmc leads to gene"):
        rank_targets([found], 5, dbto="gene", linkname="pubmed_pmc")


def test_links_of_an_input_in_two_places_are_an_error(tmp_path: Path) -> None:
    found = harvest(tmp_path, seed=1)
    with Ledger(tmp_path, make_sink("parquet", "zstd"), "pubmed", found.schema) as ledger:
        rows = [_row(int, 1, name, 5) for name in range(3)]
        ledger.state.commit([ledger.parts.write("links", [_table(rows, found.schema)])])
    with pytest.raises(FolderError, match="links of a UID in several places"):
        rank_targets([HarvestReader.open(tmp_path)], 5)
