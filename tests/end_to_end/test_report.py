"""`harvester report` of real runs: every kind of harvest, every state, and served live."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from support.cookbook import ROOT, blocks_in
from support.harness import environment, harvester, running, status, wait_until, write_uids
from support.scenarios import Scenario
from support.timing import OFTEN, SOON

from harvester.api.report import write_report
from harvester.store.reader import HarvestReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 201)
SMALL = ("--db=pmc", "--batch-size=2", "--rate=60")
_ONE_AT_A_TIME = threading.Lock()
_NUMBER = re.compile(r"[\d,]*\d(?:\.\d+)?")
CHAIN = (("gene", "protein"), ("protein", "structure"))


def command_line(folder: Path, server: Emulator, *options: object) -> list[object]:
    """Return the command line of a harvest into `out`."""
    ids = write_uids(folder / "ids", UIDS)
    return [
        "run", "--ids", ids, "--dbfrom=pubmed", "--rate=100", "--batch-size=20",
        "--base-url", server.base_url, "-o", folder / "out", *options,
    ]  # fmt: skip


def harvest(servers: Servers, folder: Path, server: Emulator, *options: object) -> Path:
    finished = servers.harvester(*command_line(folder, server, *options))
    assert finished.code in (0, 3), finished.output
    return folder / "out"


def report(out: Path) -> dict[str, Any]:
    """Make a report; return what `report.json` says."""
    with _ONE_AT_A_TIME:
        write_report(out)
    page = (out / "report.html").read_text()
    assert page.endswith("</html>")
    assert "<script" not in page
    said: dict[str, Any] = json.loads((out / "report.json").read_text())
    assert {key: said["uids"][key] for key in ("total", "done")} == {
        key: status(out)["uids"][key] for key in ("total", "done")
    }
    return said


def figures(out: Path) -> dict[str, str]:
    """Return name → value of the figures at the top of the page."""
    page = (out / "report.html").read_text()
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([^< ]+)", page))


def of_cmds(servers: Servers, folder: Path, cmd: str, form: str) -> None:
    """Counts per name equal counts over the rows."""
    out = harvest(servers, folder, servers.start(), f"--cmd={cmd}", "--db=pmc", f"--format={form}")
    (one,) = report(out)["harvests"]
    rows = f"read_{'parquet' if form == 'parquet' else 'json_auto'}('{out}/links/*')"
    column = {
        "ncheck": "has_neighbor", "lcheck": "has_linkout", "llinks": "provider_name",
        "prlinks": "provider_name",
    }.get(cmd, "linkname")  # fmt: skip
    counted = duckdb.connect().execute(
        f"SELECT {column}::VARCHAR, count(*) FROM {rows} GROUP BY ALL"
    )
    found = Counter({named["linkname"]: named["links"] for named in one["by_linkname"]})
    assert found == Counter(dict(counted.fetchall()))
    assert one["course"]["totals"]["sent"] == status(out)["requests"]["sent"]
    assert bool(one["top"]) == (cmd == "neighbor")
    noun = {"ncheck": "Answers", "lcheck": "Answers", "neighbor_history": "History sets"}.get(cmd)
    assert figures(out)[noun or "Links"] == f"{found.total():,}"
    assert (one["per_uid"] is None) == (noun is not None)
    for top in one["top"]:
        first = duckdb.connect().execute(
            f"SELECT count(*) AS n FROM {rows} WHERE linkname = '{top['linkname']}' "
            "GROUP BY to_uid ORDER BY n DESC LIMIT 10"
        )
        assert [target["inputs"] for target in top["targets"]] == [n for (n,) in first.fetchall()]


def of_targets_only(servers: Servers, folder: Path) -> None:
    out = harvest(servers, folder, servers.start(), "--db=pmc", "--targets-only")
    (one,) = report(out)["harvests"]
    assert (one["kind"], one["top"], one["per_uid"]) == ("targets", [], None)
    assert one["links"] == sum(named["links"] for named in one["by_linkname"]) > 0
    assert figures(out)["Linked records"] == f"{one['links']:,}"


def of_rounds(servers: Servers, folder: Path) -> None:
    """UIDs and links per round are those of the rows."""
    out = harvest(
        servers,
        folder,
        servers.start(),
        "--db=pubmed",
        "--linkname=pubmed_pubmed_refs",
        "--repeat=2",
    )
    (one,) = report(out)["harvests"]
    links = duckdb.connect().execute(
        f"SELECT round, count(*) FROM read_parquet('{out}/links/*') GROUP BY ALL ORDER BY ALL"
    )
    assert [(found["round"], found["links"]) for found in one["rounds"]] == links.fetchall()
    assert [found["round"] for found in one["rounds"]] == [1, 2]
    assert one["rounds"][0]["uids"] == len(UIDS)
    assert sum(found["uids"] for found in one["rounds"]) == one["uids"]["total"]
    page = (out / "report.html").read_text()
    for found in one["rounds"]:
        row = [f'<td class="n">{found[key]:,}</td>' for key in ("round", "uids", "done", "links")]
        assert "".join(row) in page


def of_passes(servers: Servers, folder: Path) -> None:
    """The page has the estimate of `status` for each linkname."""
    server = servers.start(faults=("lost-blocks:0.5",), seed=1)
    out = harvest(servers, folder, server, "--db=pmc", "--passes=2")
    (one,) = report(out)["harvests"]
    expected = status(out)["missing_links"]
    assert {found.pop("linkname"): found for found in one["unseen"]} == expected
    assert max(found["high"] for found in expected.values()) > 0
    page = (out / "report.html").read_text()
    for name, found in expected.items():
        numbers = (f"{found['links']:,.0f}", f"{found['low']:,}", f"{found['high']:,}")
        cells = "".join(f'<td class="n">{number}</td>' for number in numbers)
        assert f'<td class="w">{name}</td>{cells}' in page


def of_accessions(servers: Servers, folder: Path) -> None:
    server, out = servers.start(faults=("error-in-linkset@NP_000000007.1",)), folder / "out"
    (folder / "accs").write_text("".join(f"NP_{uid:09}.1\n" for uid in range(1, 41)))
    finished = servers.harvester(
        "run", "--ids", folder / "accs", "--dbfrom=protein", "--db=nuccore", "--idtype=acc",
        "--rate=100", "--max-attempts=2", "--base-url", server.base_url, "-o", out,
    )  # fmt: skip
    assert finished.code == 3, finished.output
    (one,) = report(out)["harvests"]
    assert all(
        re.fullmatch(r"[A-Z_]+\d+\.\d+", target["uid"]) for target in one["top"][0]["targets"]
    )
    assert [first[0] for first in one["unanswered"]["first"]] == ["NP_000000007.1"]
    assert one["unanswered"]["listed_in"] == "unanswered.txt"


def of_a_chain(servers: Servers, folder: Path) -> None:
    """The page shows each hop; `hop-1` can have its own page."""
    server, ids = servers.start(), write_uids(folder / "ids", range(1, 21))
    lines = [f"[source]\nids = {json.dumps(str(ids))}"]
    lines += [f"[output]\npath = {json.dumps(str(folder / 'out'))}"]
    lines += [f'[limits]\nrate = 100\n[server]\nbase_url = "{server.base_url}"']
    lines += [
        f'[[hop]]\ndbfrom = "{dbfrom}"\ndb = "{db}"\nlinkname = "{dbfrom}_{db}"'
        for dbfrom, db in CHAIN
    ]
    (folder / "job.toml").write_text("\n".join(lines))
    finished = servers.harvester("run", folder / "job.toml")
    assert finished.code == 0, finished.output
    said = report(folder / "out")
    assert [one["title"] for one in said["harvests"]] == ["gene → protein", "protein → structure"]
    assert said["links"] == sum(one["links"] for one in said["harvests"])
    assert all(one["course"]["totals"]["sent"] for one in said["harvests"])
    page = (folder / "out" / "report.html").read_text()
    assert "hop-1: gene → protein" in page
    named = [ids.split() for ids in re.findall(r'<section aria-labelledby="([^"]+)"', page)]
    labels = [
        " ".join(re.findall(rf'id="{one}">([^<]+)<', page)[0] for one in ids) for ids in named
    ]
    assert "hop-2: protein → structure Result" in labels
    assert len(set(labels)) == len(labels), "a landmark has a name of its own"
    assert servers.harvester("run", folder / "job.toml").code == 0, "the folder is still a chain's"
    (hop,) = report(folder / "out" / "hop-1")["harvests"]
    assert hop["uids"] == said["harvests"][0]["uids"]


def of_records(servers: Servers, folder: Path) -> None:
    out = harvest(servers, folder, servers.start(), "--db=pmc")
    finished = servers.harvester("records", out)
    assert finished.code == 0, finished.output
    (one,) = report(out)["harvests"]
    (records,) = one["records"]
    assert (records["folder"], records["state"]) == ("records/pmc-summary", "complete")
    (own,) = report(out / records["folder"])["harvests"]
    assert own["kind"] == "records"
    assert own["uids"]["linked"] == records["uids"]["linked"]


def of_a_killed_run(servers: Servers, folder: Path) -> None:
    """The timeline is in the folder after a kill, and continues after a resume."""
    server, out = servers.start(latency=(0.05,)), folder / "out"
    slow = command_line(folder, server, "--db=pmc", "--batch-size=2", "--rate=20")
    with running(*slow, err=folder / "err", patches=OFTEN) as command:
        wait_until(lambda: recorded(out) > 20, "a commit after which its course was recorded")
        command.kill()
    finished = harvester("report", out)
    assert finished.code == 0, finished.err
    assert finished.out == f"{out / 'report.html'}\n"
    said = json.loads((out / "report.json").read_text())
    assert f"{said['uids']['done']:,} of 200" in finished.err
    assert said["state"] == "interrupted"
    (killed,) = said["harvests"]
    assert killed["course"]["totals"]["settled"] > 20
    assert killed["uids"]["done"] > 0
    assert [(one["kind"], one["text"]) for one in killed["course"]["periods"]] == [("run", "")]
    assert "no outcome yet" in (out / "report.html").read_text()
    assert servers.harvester("resume", out).code == 0
    (whole,) = report(out)["harvests"]
    assert whole["course"]["counts"] == {"run": 2}
    assert [one["text"] for one in whole["course"]["periods"]] == ["", "complete"]
    sent = whole["course"]["totals"]["sent"]
    assert killed["course"]["totals"]["sent"] < sent <= len(server.log)
    assert "killed, or power lost" in (out / "report.html").read_text()


def recorded(out: Path) -> int:
    """Return the UIDs with an outcome in the timeline of a folder that may not be there yet."""
    if not (out / "job.toml").exists():
        return 0
    timeline = HarvestReader.open(out).timeline
    return 0 if timeline is None else timeline.total().settled


def of_outages(servers: Servers, folder: Path) -> None:
    """An outage is shown with its reason."""
    server, out = servers.start(fault_seconds=30.0), folder / "out"
    with running(*command_line(folder, server, *SMALL), err=folder / "err", patches=SOON) as run:
        wait_for_outage(servers, server, out)
        servers.wait(server.recover())
        assert run.ended().code == 0
    (one,) = report(out)["harvests"]
    (outage,) = [period for period in one["course"]["periods"] if period["kind"] == "outage"]
    assert "503" in outage["text"]
    assert outage["end"] > outage["begin"]
    assert one["course"]["limited"]["outage"] > 0
    assert sum(one["course"]["retried"].values()) == status(out)["requests"]["retried"]


def live(servers: Servers, folder: Path) -> None:
    """The page follows a run, and is served to this machine only."""
    server, out = servers.start(fault_seconds=60.0), folder / "out"
    with running(*command_line(folder, server, *SMALL), err=folder / "err", patches=SOON) as run:
        wait_for_outage(servers, server, out)
        with (
            (folder / "url").open("wb") as said,
            running("report", out, "--live", err=folder / "live", out=said.fileno()),
        ):
            wait_until(lambda: (folder / "url").read_text().endswith("/\n"), "the URL")
            url = (folder / "url").read_text().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
            place = url.removeprefix("http://").removesuffix("/")
            assert "updates itself" in ask(place, "/")[1]
            assert json.loads(ask(place, "/report.json")[1])["state"] == "waiting"
            servers.wait(server.recover())
            assert run.ended().code == 0

            def complete() -> bool:
                return bool(json.loads(ask(place, "/report.json")[1])["state"] == "complete")

            wait_until(complete, "the page says complete", seconds=180, pause=0.5)
            assert ask(place, "/", host="attacker.example")[0] == 403
            assert ask(place, "/", method="POST")[0] == 405
            assert ask(place, "/../job.toml")[0] == 404
            assert ask(place, "/", host=place.replace("127.0.0.1", "localhost"))[0] == 200
    assert not (out / "report.html").exists()


def wait_for_outage(servers: Servers, server: Emulator, out: Path) -> None:
    """Let the server fail after some answers, and wait until the run waits."""
    wait_until(lambda: len(server.log) > 20, "some answers")
    servers.wait(server.fail(503))
    wait_until(
        lambda: (out / "job.toml").exists() and status(out)["state"] == "waiting", "an outage"
    )


def ask(place: str, path: str, *, host: str = "", method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection(place, timeout=60)
    try:
        connection.request(method, path, headers={"Host": host or place})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def the_page_of_the_docs(servers: Servers, folder: Path) -> None:
    """Its commands print what the page shows, except numbers."""
    env = environment(
        NCBI_EMAIL="you@example.org",
        HARVESTER_BASE_URL=servers.start().base_url,
        PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    )
    blocks = blocks_in((ROOT / "docs/report.md").read_text())
    (commands,) = (block.text for block in blocks if block.language == "sh")
    (shown,) = (block.text for block in blocks if block.language == "text")
    done = subprocess.run(
        ["sh", "-e", "-c", commands.replace("harvester ", f"{sys.executable} -m harvester ")],
        cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=True,
    )  # fmt: skip
    assert sorted(_NUMBER.sub("N", done.stdout).split()) == sorted(_NUMBER.sub("N", shown).split())


def wrong(servers: Servers, folder: Path) -> None:
    """One message each, and no file is written."""
    out = harvest(servers, folder, servers.start(), "--db=pmc")
    (folder / "none").mkdir()
    hidden = folder / "hidden"
    hidden.mkdir()
    (hidden / "vl_convert.py").write_text("raise ImportError")
    path = {"PYTHONPATH": f"{hidden}:{os.environ.get('PYTHONPATH', '')}"}
    for options, env, sentence in (
        ((folder / "none",), {}, "holds no harvest"),
        ((folder / "none", "--live"), {}, "holds no harvest"),
        ((out, "--port=80"), {}, "--live"),
        ((out,), path, "pip install 'elink-harvester[report]'"),
        ((out, "--live"), path, "pip install 'elink-harvester[report]'"),
    ):
        finished = harvester("report", *options, env=env)
        assert finished.code == 2, finished.output
        assert sentence in finished.err
        assert finished.err.count("\n") == 1
    assert not (out / "report.html").exists()
    assert not (out / "report.json").exists()


SCENARIOS = [
    *(Scenario(of_cmds, *kind) for kind in (
        ("neighbor", "parquet"), ("neighbor", "jsonl"), ("neighbor_history", "parquet"),
        ("acheck", "parquet"), ("ncheck", "parquet"), ("lcheck", "jsonl"), ("llinks", "parquet"),
    )),
    Scenario(of_targets_only), Scenario(of_accessions), Scenario(of_rounds), Scenario(of_passes),
    Scenario(of_a_chain), Scenario(of_records), Scenario(of_a_killed_run), Scenario(of_outages),
    Scenario(live), Scenario(wrong), Scenario(the_page_of_the_docs),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_report(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    run_scenario(scenario)
