"""Sources of UIDs and settings: files, a pipe, job file, environment, options."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard
from support.harness import (
    assert_exact,
    command,
    environment,
    expected_links,
    harvester,
    rows,
    write_uids,
)
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.servers import Servers

CONFIGS = [
    path
    for path in sorted((Path(__file__).parents[2] / "configs").glob("*.toml"))
    if (job := tomllib.loads(path.read_text())) and "ids" in job["source"] and "hop" not in job
]
"""Those of lists of UIDs; queries and chains are run as the cookbook has them."""

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}


def every_spelling(servers: Servers, folder: Path) -> None:
    """Files in four compressions and a pipe, with commas, blanks, comments and prefixes."""
    server = servers.start(seed=6)
    files = []
    for number, (suffix, pack) in enumerate(PACKED.items()):
        path = folder / f"ids.{suffix}"
        path.write_bytes(pack(b"".join(b"%d\n" % uid for uid in range(number * 100 + 1, 650))))
        files += ["--ids", path]
    plain = folder / "plain.txt"
    plain.write_text("# PMIDs of a review\n1001, 1002,1003\t1004  # and one more\n\nPMID:1005\r\n")
    finished = harvester(
        "run", *files, "--ids", plain, "--ids=-", "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=100", "-o", folder / "out",
        stdin=b"\xef\xbb\xbf2001\n2002 2003\n7\n",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    uids = [*range(1, 650), *range(1001, 1006), 2001, 2002, 2003]
    assert sum(entry.ids for entry in server.log) == len(uids)
    truth = expected_links(server.graph, "pubmed", uids, ("pmc",))
    assert_exact(folder / "out", "pubmed", uids, truth)


def tables_of_any_name(servers: Servers, folder: Path) -> None:
    """A column of NCBI's table from a file and from a pipe, and of a spreadsheet's CSV."""
    server = servers.start()
    rows_of_genes = b"#tax_id\tGeneID\tPubMed_ID\n" + b"".join(
        b"9606\t%d\t%d\t\n" % (gene, gene + 1000) for gene in range(1, 41)
    )
    packed = folder / "gene2pubmed.gz"
    packed.write_bytes(gzip.compress(rows_of_genes))
    semicolons = folder / "export.txt"
    semicolons.write_text("Titel;PubMed ID\n" + "".join(f'"a; b";{n}\n' for n in range(2001, 2041)))
    semicolons.write_bytes(semicolons.read_text().encode("utf-16"))
    cases: list[tuple[list[object], bytes, range]] = [
        (["--ids", packed, "--ids-column=PubMed_ID"], b"", range(1001, 1041)),
        (["--ids=-", "--ids-column=PubMed_ID"], rows_of_genes, range(1001, 1041)),
        (["--ids", semicolons, "--ids-column=PubMed ID"], b"", range(2001, 2041)),
    ]
    for number, (words, stdin, uids) in enumerate(cases):
        out = folder / f"out-{number}"
        finished = harvester(
            "run", *words, "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
            "--rate=100", "-o", out, stdin=stdin,
        )  # fmt: skip
        assert finished.code == 0, finished.err
        assert_exact(out, "pubmed", uids, expected_links(server.graph, "pubmed", uids, ("pmc",)))


def entries_left_out(servers: Servers, folder: Path) -> None:
    """`--skip-bad` lists invalid entries and exits with 3 until they are corrected."""
    server, out, uids = servers.start(), folder / "out", range(1, 31)
    ids = folder / "ids.csv"
    good = "pmid,title\n" + "".join(f"{uid},t\n" for uid in uids)
    ids.write_text(good + "12 345,t\nPMC5,t\n6\n")
    words: list[object] = [
        "run", "--ids", ids, "--ids-column=pmid", "--dbfrom=pubmed", "--db=pmc", "--skip-bad",
        "--base-url", server.base_url, "--rate=100", "-o", out,
    ]  # fmt: skip
    truth = expected_links(server.graph, "pubmed", uids, ("pmc",))
    runs: list[list[object]] = [words, words, ["resume", out]]
    for command_line in runs:
        finished = harvester(*command_line)
        assert finished.code == 3, finished.err
        assert "3 entries of the input are not UIDs and were left out" in finished.err
        assert_exact(out, "pubmed", uids, truth)
        lines = [line.split("\t") for line in (out / "rejected.tsv").read_text().splitlines()]
        assert [line[:3] for line in lines] == [
            ["file", "line", "text", "why"][:3],
            [str(ids), "32", "12 345"], [str(ids), "33", "PMC5"], [str(ids), "34", "6"],
        ]  # fmt: skip
        assert all(why.endswith(".") for *_, why in lines[1:])
    assert sum(entry.ids for entry in server.log) == len(uids)
    ids.write_text(good)
    finished = harvester(*words)
    assert finished.code == 0, finished.err
    assert not (out / "rejected.tsv").exists()


def shards(servers: Servers, folder: Path) -> None:
    """The shares of an array job are disjoint and together the whole."""
    server = servers.start()
    ids = write_uids(folder / "ids", range(1, 101))
    asked: list[int] = []
    for share in (1, 2, 3):
        finished = servers.harvester(
            "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", f"--shard={share}/3",
            "--base-url", server.base_url, "-o", folder / f"out-{share}",
        )  # fmt: skip
        assert finished.code == 0, finished.err
        asked.append(sum(entry.ids for entry in server.log) - sum(asked))
    assert sum(asked) == 100
    assert all(20 <= count <= 50 for count in asked), "about a third, by a hash of each UID"
    found = [uid for n in (1, 2, 3) for uid in rows(folder / f"out-{n}", "uids")["from_uid"]]
    assert sorted(uid.as_py() for uid in found) == list(range(1, 101))


def precedence(servers: Servers, folder: Path) -> None:
    """Option before environment before job file before default."""
    server, wrong = servers.start(), "http://127.0.0.1:9/nobody/listens/"
    tap = servers.tap(server)
    job = folder / "job.toml"
    write_uids(folder / "ids", (1, 2, 3))
    job.write_text(
        '[link]\ndbfrom = "pubmed"\ndb = ["pmc", "gene"]\n'
        f'[source]\nids = ["{folder}/ids"]\n'
        f'[output]\npath = "{folder}/from-file"\nformat = "jsonl"\n'
        '[contact]\nemail = "file@example.org"\ntool = "file-tool"\n'
        f'[server]\nbase_url = "{wrong}"\n'
    )
    env = {"NCBI_EMAIL": "env@example.org", "HARVESTER_BASE_URL": tap.base_url}
    first = servers.harvester("run", job, env=env)
    assert first.code == 0, first.err
    second = servers.harvester(
        "run", job, "--email=option@example.org", "--tool=option-tool", "--db=pmc",
        "--base-url", tap.base_url, "-o", folder / "from-option",
        env=env | {"HARVESTER_BASE_URL": wrong},
    )  # fmt: skip
    assert second.code == 0, second.err
    said = [dict(one.form) for one in tap.requests if "/elink." in one.target]
    assert [(form["email"], form["tool"], form["db"]) for form in said] == [
        ("env@example.org", "file-tool", "pmc,gene"),
        ("option@example.org", "option-tool", "pmc"),
    ]
    for name, dbs in (("from-file", ("pmc", "gene")), ("from-option", ("pmc",))):
        truth = expected_links(server.graph, "pubmed", (1, 2, 3), dbs)
        assert_exact(folder / name, "pubmed", (1, 2, 3), truth)
        kept = tomllib.loads((folder / name / "job.toml").read_text())
        assert kept["output"]["format"] == "jsonl"


def job_file(servers: Servers, folder: Path, name: str) -> None:
    """A job file of `configs/`, with another list, server and folder."""
    (config,) = (path for path in CONFIGS if path.name == name)
    server, out = servers.start(seed=8), folder / "out"
    uids = [*range(1, 60), 40_000_000]
    finished = harvester(
        "run", config, "--ids", write_uids(folder / "ids", uids), "-o", out,
        "--base-url", server.base_url, "--rate=100", "--window=always",
        cwd=folder, env={"NCBI_EMAIL": "you@example.org"},
    )  # fmt: skip
    assert finished.code == 0, finished.err
    link = tomllib.loads(config.read_text())["link"]
    db = link.get("db", ["all"])
    truth = expected_links(
        server.graph, link["dbfrom"], uids, None if db == ["all"] else db,
        link.get("linkname") or None, scores=link.get("cmd") == "neighbor_score",
    )  # fmt: skip
    assert truth.num_rows > 0
    assert_exact(out, link["dbfrom"], uids, truth)


def a_log_for_programs(servers: Servers, folder: Path) -> None:
    """`--log-json` writes one JSON object per line to stderr, and nothing to stdout."""
    server = servers.start()
    finished = harvester(
        "run", "--ids", write_uids(folder / "ids", range(1, 50)), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=100", "-v", "--log-json", "-o", folder / "out",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    events = [json.loads(line)["event"] for line in finished.err.splitlines()]
    assert events[0] == "RunStarted"
    assert events[-1] == "RunEnded"
    assert "BatchAnswered" in events
    assert finished.out == ""


def closed_streams(servers: Servers, folder: Path, number: int) -> None:
    """A closed standard stream, as under some schedulers, is not replaced by another file."""
    server, out = servers.start(), folder / "out"
    words = command(
        "run", "--ids", write_uids(folder / "ids", range(1, 50)), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=100", "-o", out,
    )  # fmt: skip
    shell = ["sh", "-c", f'exec "$@" {number}>&-', "sh", *words]
    done = subprocess.run(
        shell, capture_output=True, env=environment(), timeout=300, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    truth = expected_links(server.graph, "pubmed", range(1, 50), ("pmc",))
    assert_exact(out, "pubmed", range(1, 50), truth)


SCENARIOS = [
    Scenario(every_spelling),
    Scenario(tables_of_any_name),
    Scenario(entries_left_out),
    Scenario(shards),
    Scenario(precedence),
    Scenario(a_log_for_programs),
]
SCENARIOS += [Scenario(closed_streams, number) for number in (0, 1, 2)]
SCENARIOS += [Scenario(job_file, path.name) for path in CONFIGS]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_the_whole_input_is_harvested(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)


def test_there_are_job_files() -> None:
    """Each of them is run above."""
    if not CONFIGS:
        pytest.skip("there are no job files in configs/")
    assert all(path.suffix == ".toml" for path in CONFIGS)
