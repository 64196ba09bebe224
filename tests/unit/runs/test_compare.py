"""Two harvests compared, against Python sets of the same links."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harvester.errors import BadInput, FolderError
from harvester.job import load
from harvester.job.model import Job
from harvester.model import uids
from harvester.model.row_schemas import link_schema
from harvester.model.rows import RunLengthRows
from harvester.runs import compare as compare_module
from harvester.runs import diff as diff_module
from harvester.runs.compare import compare
from harvester.runs.diff import diff
from harvester.store.commit import Commit
from harvester.store.ledger import Ledger
from harvester.store.reader import HarvestReader
from harvester.store.sinks import make_sink
from harvester.store.state_reader import Settled

if TYPE_CHECKING:
    from collections.abc import Mapping

Row = dict[str, Any]
NAMES = ("pubmed_pmc", "pubmed_gene", "pubmed_gene_rif")


def harvest(
    folder: Path,
    rows: list[Row],
    wanted: Mapping[Any, str],
    *,
    commits: int = 3,
    form: str = "parquet",
    **link: Any,
) -> HarvestReader:
    """Write a harvest of some rows.

    Args:
        folder: its folder.
        rows: rows of links.
        wanted: UID → outcome; an empty one for a UID that is not done.
        commits: number of parts.
        form: of the files.
        link: keys of the job's link.
    """
    link = {"dbfrom": "pubmed"} | link
    job = Job.model_validate({"link": link, "output": {"path": folder, "format": form}})
    schema = link_schema(job.link.cmd, idtype=job.link.idtype)
    sink = make_sink(job.output.format, job.output.codec)
    with Ledger(folder, sink, "pubmed", schema, job.link.idtype) as book:
        book.adopt(job.identity(), load.dump(job))
        of_texts = job.link.idtype == "acc"
        book.input.add(list(wanted) if of_texts else uids.as_set(wanted))
        book.input.end()
        for number in range(commits):
            mine = {uid: what for uid, what in wanted.items() if hash(uid) % commits == number}
            settled = [
                Settled(
                    what,
                    book.input.identifiers.number_all(
                        [uid for uid in mine if mine[uid] == what]
                        if of_texts
                        else uids.as_set(uid for uid in mine if mine[uid] == what)
                    ),
                    "HTTP 500" if what == "failed" else None,
                )
                for what in sorted({*mine.values()} - {""})
            ]
            found = [row for row in rows if row["from_uid"] in mine]
            links = RunLengthRows.from_table(_table(found, schema)) if found else None
            book.commit(Commit(links, None, settled))
    return HarvestReader.open(folder)


def _table(rows: list[Row], schema: pa.Schema) -> pa.Table:
    plain = pa.schema(
        [
            field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
            for field in schema
        ]
    )
    return pa.Table.from_pylist(rows, plain).cast(schema)


def random_rows(chooser: random.Random, members: list[Any], *, texts: bool = False) -> list[Row]:
    """Return links of some UIDs, with gaps in UIDs, several linknames, ranks and scores."""
    rows = []
    for uid in members:
        for name in NAMES:
            targets = chooser.sample(range(1, 9), chooser.randint(0, 6))
            rows += [
                {
                    "dbfrom": "pubmed", "from_uid": uid, "dbto": name.split("_")[1],
                    "linkname": name, "to_uid": f"T{to}.1" if texts else to,
                    "score": chooser.choice([None, 5]), "rank": rank,
                }
                for rank, to in enumerate(targets)
            ]  # fmt: skip
    return rows


def expected(
    old: list[Row], new: list[Row], both: set[Any]
) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """Return counts by linkname, and of all, computed by sets and loops."""
    by_name: dict[str, Counter[str]] = {}
    total = Counter[str]()
    before, now = (
        {(r["from_uid"], r["dbto"], r["linkname"], r["to_uid"]): r for r in rows
         if r["from_uid"] in both}
        for rows in (old, new)
    )  # fmt: skip
    for key in before.keys() | now.keys():
        counts = by_name.setdefault(key[2], Counter())
        what = "kept" if key in before and key in now else "added" if key in now else "removed"
        for one in (counts, total):
            one[what] += 1
            if what == "kept":
                one["rank_changed"] += before[key]["rank"] != now[key]["rank"]
                one["score_changed"] += before[key]["score"] != now[key]["score"]
    for what, some, others in (("added", now, before), ("removed", before, now)):
        found = {(key[0], key[2]) for key in some.keys() - others.keys()}
        for _, name in found:
            by_name[name][f"uids_{what}"] += 1
        total[f"uids_{what}"] = len({uid for uid, _ in found})
    return by_name, total


@pytest.mark.parametrize("seed", range(12))
def test_random_harvests_differ_as_their_sets_do(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without ranges, UIDs or accessions, Parquet or JSON lines."""
    chooser = random.Random(seed)
    texts = seed % 3 == 0
    form = "jsonl" if seed % 4 == 1 else "parquet"
    monkeypatch.setattr(compare_module, "ROWS", chooser.choice([5, 40, 10_000]))
    monkeypatch.setattr(diff_module, "PART_ROWS", 30)
    everyone = [f"NM_{n}.1" if texts else n * n * 1000 for n in range(1, 60)]
    found, given, answered, asked = [], [], [], []
    for name in ("old", "new"):
        members = chooser.sample(everyone, 45)
        failed = set(chooser.sample(members, 4))
        rows = random_rows(chooser, [uid for uid in members if uid not in failed], texts=texts)
        linked = {row["from_uid"] for row in rows}
        outcomes = {
            uid: "failed" if uid in failed else "linked" if uid in linked else "empty"
            for uid in members
        }
        link: dict[str, Any] = {"idtype": "acc"} if texts else {}
        found.append(harvest(tmp_path / name, rows, outcomes, form=form, **link))
        given.append(rows)
        answered.append({*members} - failed)
        asked.append({*members})
    both = answered[0] & answered[1]
    out = tmp_path / "diff"
    told = diff(tmp_path / "old", tmp_path / "new", out)
    by_name, total = expected(given[0], given[1], both)
    assert {name: Counter(asdict(one)) for name, one in told.by_linkname.items()} == by_name
    assert Counter(asdict(told.total)) == total
    assert (told.uids, told.only_old, told.only_new, told.unanswered) == (
        len(both),
        len(asked[0] - asked[1]),
        len(asked[1] - asked[0]),
        len((asked[0] & asked[1]) - both),
    )
    keys = ("from_uid", "dbto", "linkname", "to_uid", "rank", "score")
    sides = [
        {tuple(row[key] for key in keys[:4]): tuple(row[key] for key in keys) for row in rows
         if row["from_uid"] in both}
        for rows in given
    ]  # fmt: skip
    for name, mine, other in (("added", 1, 0), ("removed", 0, 1)):
        table = pq.read_table(out / name)
        assert table.column_names == found[0].schema.names
        written = [tuple(row[key] for key in keys) for row in table.to_pylist()]
        want = [sides[mine][key] for key in sides[mine].keys() - sides[other].keys()]
        assert sorted(written, key=repr) == sorted(want, key=repr)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["diff", "new", "old"]


def test_a_harvest_does_not_differ_from_itself(tmp_path: Path) -> None:
    rows = random_rows(random.Random(1), [1, 2, 3])
    one = harvest(tmp_path / "one", rows, dict.fromkeys([1, 2, 3], "linked"))
    told = compare(one, one)
    assert told.total.kept == len(rows)
    assert asdict(told.total) | {"kept": 0} == dict.fromkeys(asdict(told.total), 0)


def test_rows_of_a_check_are_compared_by_their_flag(tmp_path: Path) -> None:
    def row(uid: int, flag: bool) -> Row:
        return {"dbfrom": "pubmed", "from_uid": uid, "has_neighbor": flag}

    link: dict[str, Any] = {"cmd": "ncheck"}
    outcomes = {1: "linked", 2: "empty"}
    old = harvest(tmp_path / "old", [row(1, True), row(2, False)], outcomes, **link)
    new = harvest(tmp_path / "new", [row(1, True), row(2, True)], outcomes, **link)
    told = compare(old, new)
    assert set(told.by_linkname) == {"ncheck"}
    assert (told.total.kept, told.total.added, told.total.removed) == (1, 1, 1)


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    rows = random_rows(random.Random(2), [1, 2])
    done = dict.fromkeys([1, 2], "linked")
    one = harvest(tmp_path / "one", rows, done).folder
    others: list[tuple[str, dict[str, Any], str]] = [
        ("gene", {"db": "gene"}, "link.db"),
        ("score", {"cmd": "neighbor_score"}, "link.cmd"),
        ("term", {"term": "x", "db": "pubmed"}, "link.db"),
    ]
    for name, link, word in others:
        other = harvest(tmp_path / name, rows, done, **link).folder
        with pytest.raises(BadInput, match=word):
            diff(one, other)
    unfinished = harvest(tmp_path / "unfinished", rows, done | {3: ""}).folder
    with pytest.raises(BadInput, match="unfinished"):
        diff(one, unfinished)
    said: list[str] = []
    assert diff(one, unfinished, partial=True, warn=said.append).only_new == 1
    assert len(said) == 1
    with pytest.raises(BadInput, match=r"resume .*unfinished\)\.$"):
        diff(one, unfinished, partial=None)
    with pytest.raises(BadInput, match="holds no harvest"):
        diff(one, tmp_path / "nothing")
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.txt").write_text("mine")
    for target in (full, full / "thesis.txt", full / "thesis.txt" / "diff"):
        with pytest.raises(BadInput, match="full"):
            diff(one, one, target)
    assert [path.name for path in full.iterdir()] == ["thesis.txt"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, where no folder is made")
def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    one = harvest(tmp_path / "one", [], {1: "empty"}).folder
    with pytest.raises(FolderError) as caught:
        diff(one, one, Path("/proc/links"))
    assert str(caught.value).startswith("/proc/links could not be written (")
    assert str(caught.value).endswith("choose another place.")
