"""The targets of an earlier harvest as the input of another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from support.harness import expected_links, rows, write_uids

from harvester import Job, harvest, stream
from harvester.emulator.utilities.ids import accession
from harvester.errors import BadInput, FolderError, HarvestError
from harvester.events import Event, Warned
from harvester.model import uids
from harvester.model.schemas import NEIGHBOR_LINKS
from harvester.sources.earlier_run import read_run
from harvester.store.parts import Parts
from harvester.store.sinks import make_sink
from harvester.store.state import State
from harvester.store.state_reader import Settled

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from support.servers import Servers

UIDS = range(1, 400)


def _targets(folder: Path, dbfrom: str) -> list[Any]:
    """Return all blocks joined; assert that they ascend without repeats."""
    found: list[Any] = []
    for block in read_run(folder, dbfrom):
        if not isinstance(block, list):
            assert block.dtype == np.int64
        members = list(block)
        assert members == sorted(members)
        found += members
    assert len(found) == len(set(found))
    return found


def _refusal(folder: Path, dbfrom: str) -> HarvestError:
    with pytest.raises(HarvestError) as caught:
        _targets(folder, dbfrom)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
    return caught.value


@pytest.mark.parametrize(
    "output",
    [{}, {"format": "jsonl"}, {"format": "jsonl", "compression": "zstd"},
     {"format": "jsonl", "compression": "gzip"}],
    ids=["parquet", "jsonl", "zstd", "gzip"],
)  # fmt: skip
async def test_the_targets_in_one_database_of_several(
    servers: Servers, tmp_path: Path, output: dict[str, str]
) -> None:
    server = servers.start()
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": ["pmc", "pubmed", "nucleotide"]},
            "source": {"ids": write_uids(tmp_path / "ids", UIDS)},
            "output": {"path": tmp_path / "out", **output},
            "limits": {"rate": 500, "batch_size": 50},
            "server": {"base_url": server.base_url},
        }
    )
    await harvest(job)
    for dbfrom, dbto in (("pmc", "pmc"), ("pubmed", "pubmed"), ("nucleotide", "nuccore")):
        links = expected_links(server.graph, "pubmed", UIDS, (dbto,))
        truth = sorted(set(links["to_uid"].to_pylist()))
        assert len(truth) > 100
        assert sorted(_targets(tmp_path / "out", dbfrom)) == truth
    assert str(_refusal(tmp_path / "out", "protein")) == (
        f"No link in {tmp_path / 'out'} leads to protein: its links lead to nuccore, pmc, pubmed."
    )


@pytest.mark.parametrize("idtype", ["uid", "acc"])
async def test_targets_alone_are_gone_on_from(
    servers: Servers, tmp_path: Path, idtype: str
) -> None:
    server, listed = servers.start(), range(1, 60)
    words = [accession("protein", uid) if idtype == "acc" else str(uid) for uid in listed]
    (tmp_path / "ids").write_text("\n".join(words))
    link = {"dbfrom": "protein", "db": "nuccore", "targets_only": True, "idtype": idtype}
    job = Job.model_validate(
        {
            "link": link,
            "source": {"ids": tmp_path / "ids"},
            "output": {"path": tmp_path / "out"},
            "server": {"base_url": server.base_url},
        }
    )
    await harvest(job)
    links = expected_links(server.graph, "protein", listed, ("nuccore",))
    truth = set(links["to_uid"].to_pylist())
    if idtype == "acc":
        truth = {accession("nuccore", uid) for uid in truth}
    assert set(_targets(tmp_path / "out", "nuccore")) == truth


# --- folders made by hand ---------------------------------------------------------------------


def _folder(
    path: Path,
    rows: Iterable[tuple[str, Any]],
    *,
    link: str = "",
    done: int = 4,
    schema: pa.Schema = NEIGHBOR_LINKS,
) -> Path:
    """Write a harvest of four UIDs, some of them done, with three rows per part."""
    path.mkdir()
    (path / "job.toml").write_text(f'[link]\ndbfrom = "pubmed"\n{link}\n')
    (path / "links").mkdir()
    listed = [
        {"dbfrom": "pubmed", "from_uid": "1" if link else 1, "dbto": db, "linkname": "x",
         "to_uid": to, "score": None, "rank": 0}
        for db, to in rows
    ]  # fmt: skip
    parts = Parts(path, make_sink("parquet", "zstd"))
    state = State(path / "state.sqlite")
    state.put(wanted=uids.dump(uids.as_set([1, 2, 3, 4])), total="4", source="ended")
    written = [
        parts.write("links", [pa.Table.from_pylist(listed[at : at + 3], schema)])
        for at in range(0, len(listed), 3)
    ]
    state.commit(written, [Settled("linked", uids.as_set(range(1, done + 1)))])
    state.close()
    return path


def test_each_target_comes_once_over_all_parts(tmp_path: Path) -> None:
    rows = [("gene", n) for n in (9, 3, 9, 4, 3, 2**62, 9)] + [("pmc", 77)]
    assert _targets(_folder(tmp_path / "a", rows), "gene") == [3, 9, 4, 2**62]


def test_accessions_come_as_texts(tmp_path: Path) -> None:
    schema = NEIGHBOR_LINKS
    for name in ("from_uid", "to_uid"):
        schema = schema.set(schema.get_field_index(name), pa.field(name, pa.string()))
    rows = [("nuccore", name) for name in ("NM_2.1", "NM_1.1", "NM_2.1", "NM_1.2", "NM_2.1")]
    folder = _folder(tmp_path / "a", rows, link='idtype = "acc"', schema=schema)
    assert _targets(folder, "nuccore") == ["NM_1.1", "NM_2.1", "NM_1.2"]


def test_a_harvest_that_has_not_ended_is_taken_with_a_doubt(tmp_path: Path) -> None:
    folder, doubts = _folder(tmp_path / "a", [("gene", 3)], done=2), list[str]()
    assert [block[0] for block in read_run(folder, "gene", doubts.append, partial=True)] == [3]
    assert doubts == [
        f"The harvest in {folder} is unfinished: only the links of 2 UIDs of 4 are used."
    ]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_source_without_links_ends_with_exit_code_0(
    servers: Servers, tmp_path: Path, form: str
) -> None:
    """It has one empty part with the columns; the next harvest has no input."""
    server = servers.start()
    out = ["--base-url", server.base_url, f"--format={form}", "--rate=300", "-o"]
    for words in (
        ["--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
         "--linkname=pubmed_pmc_x", *out, tmp_path / "one"],
        ["--from-run", tmp_path / "one", "--dbfrom=pmc", "--db=pubmed", *out, tmp_path / "two"],
        ["--from-run", tmp_path / "two", "--dbfrom=pubmed", *out, "-"],
    ):  # fmt: skip
        done = servers.harvester("run", *words)
        assert done.code == 0, done.output
    for folder in (tmp_path / "one", tmp_path / "two"):
        assert len(list((folder / "links").iterdir())) == 1
        assert rows(folder, "links").num_rows == 0
        assert servers.harvester("verify", folder).code == 0
    assert servers.harvester("records", tmp_path / "one").code == 0


def test_the_user_is_warned_of_an_unfinished_harvest(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    folder = _folder(tmp_path / "a", [("pmc", 3), ("pmc", 5)], done=2)
    warning = f"The harvest in {folder} is unfinished: only the links of 2 UIDs of 4 are used."
    run = [
        "run", "--from-run", folder, "--dbfrom=pmc", "--db=pubmed", "--base-url", server.base_url,
    ]  # fmt: skip
    refused = servers.harvester(*run, "-o", tmp_path / "b")
    assert refused.code == 2
    assert f"harvester resume {folder}" in refused.err
    assert "--partial" in refused.err
    assert not (tmp_path / "b").exists()
    run.append("--partial")
    shown = servers.harvester(*run, "-o", tmp_path / "b")
    assert shown.code == 0, shown.output
    assert shown.err.count(warning) == 1
    logged = servers.harvester(*run, "-o", tmp_path / "c", "--log-json")
    lines = [json.loads(line) for line in logged.err.splitlines()]
    assert [line["text"] for line in lines if line["event"] == "Warned"] == [warning]
    again = servers.harvester("resume", tmp_path / "c")
    assert again.code == 0, again.output
    assert again.output.count(warning) == 1, "it is as unfinished as it was"
    assert list(rows(tmp_path / "c", "uids")["from_uid"].to_pylist()) == [3, 5]


async def test_a_stream_warns_of_an_unfinished_harvest(servers: Servers, tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", [("pmc", 3)], done=2)
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pmc", "db": "pubmed"},
            "source": {"run": folder},
            "output": {"path": "-"},
            "server": {"base_url": servers.start().base_url},
        }
    )
    heard: list[Event] = []
    async for _ in stream(job, listeners=[heard.append], partial=True):
        pass
    warnings = [event.text for event in heard if isinstance(event, Warned)]
    assert len(warnings) == 1
    assert "is unfinished: only the links of 2 UIDs of 4" in warnings[0]


def test_a_folder_without_a_harvest_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        refusal = _refusal(folder, "gene")
        assert isinstance(refusal, BadInput)
        assert str(refusal).startswith(f"{folder} holds no harvest: ")


def test_a_cmd_without_targets_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", [], link='cmd = "ncheck"')
    assert "was harvested with --cmd ncheck" in str(_refusal(folder, "gene"))


def test_links_to_nothing_are_named(tmp_path: Path) -> None:
    assert _targets(_folder(tmp_path / "a", []), "gene") == []
    assert "leads to gend (did you mean 'gene'?): its" in str(
        _refusal(_folder(tmp_path / "b", [("gene", 1)]), "gend")
    )


def test_what_is_damaged_or_gone_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", [("gene", n) for n in range(1, 9)])
    part = folder / "links" / "part-00001.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[: len(whole) // 2])
    assert str(part) in str(_refusal(folder, "gene"))
    part.unlink()
    assert isinstance(refusal := _refusal(folder, "gene"), FolderError)
    assert str(part) in str(refusal)
    (folder / "job.toml").write_text("[link")
    assert str(folder / "job.toml") in str(_refusal(folder, "gene"))
    (folder / "state.sqlite").write_bytes(b"nothing" * 999)
    (folder / "job.toml").write_text("[link]")
    assert str(folder / "state.sqlite") in str(_refusal(folder, "gene"))
