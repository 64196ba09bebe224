"""`harvester records`: one record per distinct UID at one end of the links."""

from __future__ import annotations

import json
import re
import signal
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from support.harness import expected_links, running, status, wait_until, write_uids
from support.scenarios import Scenario
from support.tables import NAME, TEXT, UID, outcomes, table
from support.timing import IMPATIENT, OFTEN

from harvester.emulator.utilities.ids import accession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 301)
DBS = ("pmc", "taxonomy")
FAULTS = ("500:0.05", "reset:0.03", "error-backend:0.03")
SUMMARIES = [("db", NAME), ("uid", UID), ("record", TEXT)]


def documents(uid: pa.DataType = UID) -> list[tuple[str, pa.DataType]]:
    return [
        ("db", NAME), ("uids", pa.list_(uid)), ("rettype", TEXT), ("retmode", TEXT),
        ("text", pa.large_string()),
    ]  # fmt: skip


def harvested(servers: Servers, folder: Path, server: Emulator, *options: object) -> Path:
    """Harvest links that lead to two databases."""
    finished = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed",
        f"--db={','.join(DBS)}", "--rate=300", "--batch-size=30", "--base-url", server.base_url,
        "-o", folder / "out", *options, patches=IMPATIENT,
    )  # fmt: skip
    assert finished.code == 0, finished.err
    return folder / "out"


def linked(server: Emulator, db: str) -> list[int]:
    links = expected_links(server.graph, "pubmed", UIDS, (db,))
    return sorted(set(links["to_uid"].to_pylist()))


def asked(server: Emulator, utility: str, **fields: str) -> bytes:
    """Return an answer by plain HTTP."""
    url, body = f"{server.base_url}{utility}.fcgi", urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(url, body) as answer:
        found: bytes = answer.read()
    return found


def summaries(server: Emulator, db: str, uids: Iterable[int]) -> dict[int, Any]:
    """Return the summaries of ESummary, in pages of at most 500."""
    found: dict[int, Any] = {}
    for page in batched(uids, 500):
        body = asked(server, "esummary", db=db, retmode="json", id=",".join(map(str, page)))
        result = json.loads(body)["result"]
        found |= {int(uid): result[uid] for uid in result["uids"]}
    return found


def batched(uids: Iterable[int], size: int) -> Iterator[list[int]]:
    """Yield pieces of a list."""
    listed = list(uids)
    return (listed[start : start + size] for start in range(0, len(listed), size))


def assert_outcomes(out: Path, uids: Iterable[int]) -> None:
    told = {row["from_uid"]: row for row in table(out / "uids", outcomes())}
    assert sorted(told) == sorted(uids)
    assert all((row["outcome"], row["links"]) == ("linked", 1) for row in told.values())


def assert_summaries(out: Path, server: Emulator, db: str, uids: list[int]) -> None:
    """Assert that each UID has one row with its summary."""
    well = server
    rows = table(out / "records" / f"{db}-summary" / "records", SUMMARIES)
    assert len(rows) == len(uids)
    assert {row["uid"]: json.loads(row["record"]) for row in rows} == summaries(well, db, uids)
    assert {row["db"] for row in rows} == {db}
    assert_outcomes(out / "records" / f"{db}-summary", uids)


def of_the_far_end(servers: Servers, folder: Path, form: str, *faults: str) -> None:
    """Every linked record of each database; a second run sends no request."""
    server = servers.start(faults=faults)
    well = servers.start() if faults else server
    out = harvested(servers, folder, server, f"--format={form}")
    before = status(out)
    got = servers.harvester("records", out, patches=IMPATIENT)
    assert got.code == 0, got.err
    for db in DBS:
        uids = linked(server, db)
        assert f"{len(uids):,} of {len(uids):,} records of {db} in" in got.err
        assert_summaries(out, well, db, uids)
    requests = len(server.log)
    again = servers.harvester("records", out)
    assert again.code == 0, again.err
    assert len(server.log) == requests
    assert status(out)["links"] == before["links"]
    for command in (["verify", out], ["resume", out]):
        assert servers.harvester(*command).code == 0
    inner = out / "records" / "pmc-summary"
    assert status(inner)["state"] == "complete"


def of_the_near_end(servers: Servers, folder: Path) -> None:
    server = servers.start()
    out = harvested(servers, folder, server)
    assert servers.harvester("records", out, "--side=from").code == 0
    assert_summaries(out, server, "pubmed", list(UIDS))
    assert [path.name for path in (out / "records").iterdir()] == ["pubmed-summary"]


def as_documents(
    servers: Servers, folder: Path, form: str, pattern: str, files: str, *faults: str
) -> None:
    """One row per record: what EFetch returns for its UID alone."""
    server = servers.start(faults=faults)
    well = servers.start() if faults else server
    out = harvested(servers, folder, server, f"--format={files}")
    got = servers.harvester("records", out, "--side=from", f"--as={form}", patches=IMPATIENT)
    assert got.code == 0, got.err
    inner = out / "records" / f"pubmed-{re.sub(r'[^a-z]', '-', form)}"
    rettype, _, retmode = form.partition("/")
    rows = table(inner / "records", documents())
    assert sorted(row["uids"] for row in rows) == [[uid] for uid in UIDS]
    for row in rows[::10]:
        fields = {"db": "pubmed", "id": ",".join(map(str, row["uids"]))}
        fields |= {"rettype": rettype} if rettype else {}
        fields |= {"retmode": retmode} if retmode else {}
        alone = asked(well, "efetch", **fields).decode()
        assert "".join(row["text"].split()) == "".join(alone.split())
        assert (row["rettype"], row["retmode"]) == (rettype, retmode)
        assert list(map(int, re.findall(pattern, row["text"]))) == row["uids"]
    assert_outcomes(inner, UIDS)
    requests = len(server.log)
    assert servers.harvester("records", out, "--side=from", f"--as={form}").code == 0
    assert len(server.log) == requests


def by_accession(servers: Servers, folder: Path) -> None:
    """Summaries and FASTA of accessions."""
    server, out = servers.start(), folder / "out"
    texts = [accession("protein", uid) for uid in range(1, 101)]
    (folder / "accs").write_text("\n".join(texts))
    finished = servers.harvester(
        "run", "--ids", folder / "accs", "--idtype=acc", "--dbfrom=protein", "--db=nuccore",
        "--rate=300", "--base-url", server.base_url, "-o", out,
    )  # fmt: skip
    assert finished.code == 0, finished.err
    for options in (["--side=from"], ["--as=fasta/text"]):
        got = servers.harvester("records", out, *options)
        assert got.code == 0, got.err
    columns = [SUMMARIES[0], ("uid", TEXT), SUMMARIES[2]]
    rows = table(out / "records" / "protein-summary" / "records", columns)
    assert {row["uid"]: json.loads(row["record"])["accessionversion"] for row in rows} == {
        text: text for text in texts
    }
    assert len(rows) == len(texts)
    links = expected_links(server.graph, "protein", range(1, 101), ("nuccore",))
    wanted = {accession("nuccore", uid) for uid in links["to_uid"].to_pylist()}
    documented = table(out / "records" / "nuccore-fasta-text" / "records", documents(TEXT))
    named = [n for row in documented for n in re.findall(r"^>(\S+)", row["text"], re.MULTILINE)]
    assert sorted(named) == sorted(wanted)
    assert sorted(uid for row in documented for uid in row["uids"]) == sorted(wanted)


def one_row_per_record(servers: Servers, folder: Path) -> None:
    """For each format with one text per record, the row of a UID holds its record alone."""
    server, out = servers.start(), folder / "out"
    finished = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=nuccore,pmc",
        "--rate=300", "--base-url", server.base_url, "-o", out,
    )  # fmt: skip
    assert finished.code == 0, finished.err
    links = expected_links(server.graph, "pubmed", UIDS, ("nuccore", "pmc"))
    for db, form, mark in (
        ("nuccore", "native/xml", "<Seq-entry>"),
        ("nuccore", "gb/xml", "<GBSeq>"),
        ("nuccore", "fasta/xml", "<TSeq>"),
        ("nuccore", "native/text", "Seq-entry ::="),
        ("nuccore", "gb/text", "LOCUS "),
        ("nuccore", "fasta/text", ">"),
        ("pmc", "/xml", "<article "),
        ("pmc", "medline/text", "PMC -"),
    ):
        got = servers.harvester("records", out, f"--as={form}")
        assert got.code == 0, got.err
        inner = out / "records" / f"{db}-{re.sub(r'[^a-z]', '-', form)}"
        rows = table(inner / "records", documents())
        wanted = {row["to_uid"] for row in links.to_pylist() if row["dbto"] == db}
        assert sorted(row["uids"] for row in rows) == sorted([uid] for uid in wanted)
        for row in rows:
            uid = row["uids"][0]
            names = {str(uid), accession(db, uid)} if db == "nuccore" else {str(uid)}
            assert row["text"].count(mark) == 1 or mark == ">"
            assert any(name in row["text"] for name in names), form


def killed_and_run_again(servers: Servers, folder: Path) -> None:
    server, kills = servers.start(latency=(0.05, 0.1)), 0
    out = harvested(servers, folder, server, "--rate=30", "--batch-size=10")
    with servers.fork_server() as fork_server:
        for seconds in (0.5, 0.9, 1.3, 60.0):
            ended = fork_server.run(["records", out], seconds=seconds, patches=OFTEN)
            if not ended.killed:
                break
            kills += 1
    assert ended.code == 0, ended.output
    assert kills > 1
    for db in DBS:
        assert_summaries(out, server, db, linked(server, db))


def stopped_and_run_again(servers: Servers, folder: Path) -> None:
    """A stopped download names the command that continues it."""
    server = servers.start()
    out = harvested(servers, folder, server, "--batch-size=10").rename(folder / "my out")
    job = (out / "job.toml").read_text()
    assert "rate = 300" in job
    (out / "job.toml").write_text(job.replace("rate = 300", "rate = 1"))
    options = ("--side=from", "--as=uilist/text")
    with running("records", out, *options, err=folder / "err", patches=OFTEN) as command:
        wait_until(lambda: any(entry.utility == "efetch" for entry in server.log), "it downloads")
        command.signal(signal.SIGINT)
        ended = command.ended()
    assert ended.code == 130, ended.err
    assert f"Go on with: harvester records '{out}' --side from --as uilist/text" in ended.err
    (out / "job.toml").write_text(job)
    assert servers.harvester("records", out, *options).code == 0


def of_some_that_fail(servers: Servers, folder: Path) -> None:
    """Failed UIDs have an outcome and a list for a retry; the others have records."""
    server = servers.start()
    out = harvested(servers, folder, server)
    servers.stop(server)
    servers.start(port=server.port, faults=("poison@7",))
    text = (out / "job.toml").read_text()
    (out / "job.toml").write_text(text.replace("max_attempts = 6", "max_attempts = 2"))
    got = servers.harvester("records", out, "--side=from", patches=IMPATIENT)
    assert got.code == 3, got.err
    inner = out / "records" / "pubmed-summary"
    told = {row["from_uid"]: row["outcome"] for row in table(inner / "uids", outcomes())}
    assert told == {uid: "failed" if uid == 7 else "linked" for uid in UIDS}
    assert (inner / "unanswered.txt").read_text() == "7\n"
    rows = table(inner / "records", SUMMARIES)
    assert sorted(row["uid"] for row in rows) == [uid for uid in UIDS if uid != 7]


def of_targets_and_hops(servers: Servers, folder: Path) -> None:
    """A harvest with `--targets-only`, and a chain, are sources of records too."""
    server = servers.start()
    out = harvested(servers, folder, server, "--targets-only")
    assert servers.harvester("records", out).code == 0
    for db in DBS:
        assert_summaries(out, server, db, linked(server, db))


def nothing_to_get(servers: Servers, folder: Path) -> None:
    """A harvest without records to fetch ends with a message and without a request."""
    server = servers.start()
    out = harvested(servers, folder, server, "--linkname=pubmed_pmc_x")
    checked = folder / "checked"
    assert servers.harvester(
        "run", "--ids", folder / "ids", "--dbfrom=pubmed", "--cmd=ncheck", "--rate=300",
        "--base-url", server.base_url, "-o", checked,
    ).code == 0  # fmt: skip
    requests = len(server.log)
    nothing = servers.harvester("records", out)
    assert nothing.code == 0, nothing.err
    assert "has no links, so there are no linked records" in nothing.err
    for words, said in (
        ((checked,), "the links of cmd ncheck name no linked records"),
        ((folder / "nowhere",), "holds no harvest"),
        ((out, "--side=from", "--as=med line"), "is not a form of records"),
    ):
        refused = servers.harvester("records", *words)
        assert refused.code == 2
        assert said in refused.err
        assert refused.err.count("\n") <= 2
    assert len(server.log) == requests


SCENARIOS = [
    Scenario(of_the_far_end, "parquet"),
    Scenario(of_the_far_end, "jsonl", *FAULTS, "cut:0.05", "bad-utf8:0.03"),
    Scenario(as_documents, "medline/text", r"PMID- (\d+)", "parquet", *FAULTS),
    Scenario(as_documents, "/xml", r"<PMID Version=\"1\">(\d+)", "jsonl"),
    Scenario(as_documents, "uilist/text", r"(\d+)", "parquet"),
    *(
        Scenario(case)
        for case in (
            of_the_near_end, by_accession, one_row_per_record, killed_and_run_again,
            of_some_that_fail, stopped_and_run_again, of_targets_and_hops, nothing_to_get,
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario)[:40])
def test_records_of_the_links_are_complete(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
