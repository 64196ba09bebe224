"""Finished harvests on disk with the links of the emulator's graph, made without a request."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from harvester.emulator import SeededGraph
from harvester.job import load
from harvester.job.model import Job
from harvester.model import uids as sets
from harvester.model.identifiers import identifiers_of
from harvester.model.row_schemas import SUMMARIES, link_schema
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import UIDS, with_ids
from harvester.store.commit import Commit
from harvester.store.ledger import Ledger
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled
from harvester.store.unanswered import write_unanswered
from support.harness import LINKS, expected_links

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PMIDS = list(range(30_000_001, 30_000_041))
"""Some have links to pmc and gene, some have none."""


def true_links(
    uids: Sequence[int] = PMIDS, dbfrom: str = "pubmed", db: Sequence[str] = ("gene", "pmc")
) -> pa.Table:
    """Return the links of the emulator's graph, as rows of `LINKS`."""
    return expected_links(SeededGraph(3), dbfrom, uids, list(db))


@contextmanager
def _ledger(folder: Path, link: dict[str, Any], form: str) -> Iterator[tuple[Ledger, Job]]:
    job = Job.model_validate(
        {"link": link, "output": {"path": str(folder), "format": form}, "server": _SERVER}
    )
    schema = link_schema(job.link.cmd, targets_only=job.link.targets_only, idtype=job.link.idtype)
    codec = job.output.compression or "none"
    sink = make_sink(job.output.format, codec)
    with Ledger(folder, sink, job.link.dbfrom, schema, job.link.idtype) as ledger:
        ledger.adopt(job.identity(), load.dump(job))
        yield ledger, job


_SERVER = {"base_url": "http://localhost:8080/"}


def make_harvest(
    folder: Path,
    links: pa.Table,
    uids: Sequence[int] | Sequence[str],
    *,
    ended: bool = True,
    commits: int = 3,
    failed: Sequence[int] = (),
    form: str = "parquet",
    **link: Any,
) -> Path:
    """Write the folder of a harvest.

    Args:
        folder: the folder.
        links: its rows of links.
        uids: its input.
        ended: whether all of the input is known and has an outcome.
        commits: number of commits.
        failed: UIDs of the input without an answer.
        form: `output.format`.
        link: keys of the job's group `link`; dbfrom is pubmed without one.
    """
    link = {"dbfrom": "pubmed"} | link
    with _ledger(folder, link, form) as (ledger, job):
        names = identifiers_of(job.link.idtype)
        everything = names.number_all(sets.as_set(uids) if job.link.idtype == "uid" else uids)  # type: ignore[arg-type]
        ledger.input.add(everything if job.link.idtype == "uid" else list(uids))
        if ended:
            ledger.input.end()
        has_from = "from_uid" in links.column_names
        answered = [uid for uid in uids if uid not in set(failed)]
        for number in range(commits):
            share = answered[number::commits]
            mask = (
                pa.array([uid in set(share) for uid in links["from_uid"].to_pylist()], pa.bool_())
                if (has_from)
                else pa.array([number == 0] * len(links), pa.bool_())
            )
            rows = _typed(links.filter(mask), ledger.schema)
            linked = set(rows["from_uid"].to_pylist()) if has_from else set(share)
            outcomes = pa.Table.from_pylist(
                [
                    {
                        "dbfrom": job.link.dbfrom,
                        "from_uid": uid,
                        "outcome": "linked" if uid in linked else "empty",
                        "links": 1 if uid in linked else 0,
                        "reason": None,
                    }
                    for uid in share
                ],
                _plain(with_ids(UIDS, names.type)),
            )
            settled = [
                Settled(outcome, _numbers(names, [u for u in share if (u in linked) is is_linked]))
                for outcome, is_linked in (("linked", True), ("empty", False))
            ]
            ledger.commit(
                Commit(
                    RunLengthRows.from_table(rows) if len(rows) else None,
                    _typed(outcomes, with_ids(UIDS, names.type)) if share else None,
                    [one for one in settled if one.uids],
                )
            )
        if failed:
            ledger.commit(
                Commit(None, None, [Settled("failed", _numbers(names, failed), "HTTP 500")])
            )
            write_unanswered(ledger)
    return folder


def make_summaries(
    harvest: Path, db: str, records: Mapping[int, Mapping[str, Any]], side: str = "to"
) -> Path:
    """Write summaries into the folder of a harvest, as `harvester records` does."""
    name = f"{db}-summary" + ("-from" if side == "from" else "")
    folder = harvest / "records" / name
    job = Job.model_validate(
        {"link": {"dbfrom": db}, "output": {"path": str(folder)}, "server": _SERVER}
    )
    holds = {"kind": "records", "form": "summary", "side": side}
    texts = [json.dumps({"uid": str(uid), **record}) for uid, record in records.items()]
    rows = pa.table({"db": [db] * len(records), "uid": list(records), "record": texts})
    with Ledger(folder, make_sink("parquet", "zstd"), db, SUMMARIES, rows="records") as ledger:
        ledger.adopt(job.identity(holds), load.dump(job))
        ledger.input.add(sets.as_set(list(records)))
        ledger.input.end()
        ledger.commit(
            Commit(
                RunLengthRows.from_table(_typed(rows, SUMMARIES)),
                None,
                [Settled("linked", sets.as_set(list(records)))],
            )
        )
    return folder


def pubmed_harvest(folder: Path, uids: Sequence[int] = PMIDS, **options: Any) -> Path:
    """Write the harvest of `true_links(uids)`."""
    return make_harvest(folder, true_links(uids), uids, db=["gene", "pmc"], **options)


def _numbers(names: Any, members: Sequence[Any]) -> Any:
    if names.type == pa.string():
        return names.number_all(members)
    return sets.as_set(members)


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema(
        [
            field.with_type(pa.string() if pa.types.is_dictionary(field.type) else field.type)
            for field in schema
        ]
    )


def _typed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with dictionaries where the schema has them."""
    columns = []
    for field in schema:
        column = table[field.name]
        if pa.types.is_dictionary(field.type):
            column = column.combine_chunks().cast(pa.string()).dictionary_encode()
        columns.append(column.cast(field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """Return rows as tuples, sorted, with the columns of `LINKS`."""
    listed = table.select(LINKS.names).to_pylist()
    return sorted((tuple(row.values()) for row in listed), key=repr)
