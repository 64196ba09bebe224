"""Chains of harvests: each hop holds the links of the targets of the hop before."""

from __future__ import annotations

import json
import random
import signal
from typing import TYPE_CHECKING, Any

import pytest
from support.fork_server import KillPoint
from support.harness import (
    assert_exact,
    assert_polite,
    expected_links,
    harvester,
    rows,
    running,
    status_command,
    wait_until,
    write_uids,
)
from support.scenarios import Scenario
from support.timing import ALWAYS, OFTEN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 21)
CHAIN = (("gene", "protein"), ("protein", "structure"), ("structure", "taxonomy"))
ORDER = [("from_uid", "ascending"), ("linkname", "ascending"), ("rank", "ascending")]
FAULTS = ("500:0.04", "cut:0.03", "short:0.02", "error-in-linksetdb:0.02", "doubled:0.02")


def chain(
    folder: Path, server: Emulator, hops: Sequence[tuple[str, str]] = CHAIN, **output: str
) -> Path:
    """Write a job file of some hops into `out`; all but the first name their linkname."""
    lines = ["[source]", f"ids = {json.dumps(str(write_uids(folder / 'ids', UIDS)))}"]
    lines += ["[output]", f"path = {json.dumps(str(folder / 'out'))}"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in output.items()]
    lines += ["[limits]", "rate = 100", "batch_size = 10"]
    lines += ["[server]", f"base_url = {json.dumps(server.base_url)}"]
    for number, (dbfrom, db) in enumerate(hops):
        lines += ["[[hop]]", f"dbfrom = {json.dumps(dbfrom)}", f"db = {json.dumps(db)}"]
        lines += [f'linkname = "{dbfrom}_{db}"'] if number else []
    job = folder / "job.toml"
    job.write_text("\n".join(lines))
    return job


def assert_done(
    out: Path, server: Emulator, hops: Sequence[tuple[str, str]] = CHAIN
) -> list[list[int]]:
    """Assert that each hop has the links of the distinct targets before it; return its UIDs."""
    uids, all_uids = list(UIDS), []
    for number, (dbfrom, db) in enumerate(hops, 1):
        truth = expected_links(
            server.graph, dbfrom, uids, (db,), (f"{dbfrom}_{db}",) if number > 1 else None
        )
        assert truth.num_rows
        assert_exact(out / f"hop-{number}", dbfrom, uids, truth)
        all_uids.append(uids)
        uids = sorted(set(truth["to_uid"].to_pylist()))
    assert {path.name for path in out.iterdir()} == {
        "job.toml", "manifest.json", *(f"hop-{number}" for number in range(1, len(hops) + 1))
    }  # fmt: skip
    return all_uids


def three_hops(servers: Servers, folder: Path, form: str, *faults: str) -> None:
    """A hop starts while the one before still runs; a complete chain sends no request."""
    server = servers.start(faults=faults, latency=(0.02, 0.1))
    job, out = chain(folder, server, format=form), folder / "out"
    finished = servers.harvester("run", job, "--batch-size=2", "--concurrency=2", patches=ALWAYS)
    assert finished.code == 0, finished.err
    uids = assert_done(out, server)
    if not faults:
        assert sum(entry.ids for entry in server.log) == sum(map(len, uids))
        first = [entry.arrived for entry in server.log if "linkname" not in entry.names]
        later = [entry.arrived for entry in server.log if "linkname" in entry.names]
        assert min(later) < max(first)
    asked = len(server.log)
    for words in (["run", job], ["resume", out], ["run", out / "job.toml"]):
        again = servers.harvester(*words)
        assert again.code == 0, again.err
    assert len(server.log) == asked
    assert_done(out, server)
    said = status_command(out)
    assert said["state"] == "complete"
    assert said["uids"]["done"] == said["uids"]["total"] == sum(map(len, uids))
    assert [hop["uids"]["linked"] + hop["uids"]["empty"] for hop in said["hops"]] == [
        len(one) for one in uids
    ]
    assert said["links"] == sum(hop["links"] for hop in said["hops"])
    assert all((out / part).is_file() for part in said["parts"])
    told = servers.harvester("status", out).output
    assert told.count("complete: ") == 3
    assert "gene to protein" in told


def killed_and_resumed(servers: Servers, folder: Path, seed: int, form: str) -> None:
    """A chain is killed several times; the last run completes it."""
    server, chooser = servers.start(latency=(0.02, 0.15)), random.Random(seed)
    job, out, kills = chain(folder, server, format=form), folder / "out", 0
    words: list[object] = ["run", job, "--rate=50", "--batch-size=3"]
    with servers.fork_server() as fork_server:
        for seconds in [*(chooser.uniform(0.2, 1.1) for _ in range(6)), 60.0]:
            ended = fork_server.run(words, seconds=seconds, patches=OFTEN)
            if not ended.killed:
                break
            kills += 1
            if (out / "job.toml").is_file():
                words = ["resume", out]
    assert ended.code == 0, ended.output
    assert_polite(ended.output)
    assert kills > 1
    assert_done(out, server)


def stopped_gently(servers: Servers, folder: Path, signum: signal.Signals) -> None:
    """One signal ends all hops; answers are kept and not requested again."""
    server = servers.start(latency=(0.1, 0.3))
    job, out = chain(folder, server), folder / "out"
    words = ("run", job, "--batch-size=2", "--rate=50")
    with running(*words, err=folder / "err", patches=OFTEN) as command:
        wait_until(lambda: sum("linkname" in e.names for e in server.log) > 15, "hop 2 asks")
        command.signal(signum)
        ended = command.ended(12.0)
    assert ended.code == 128 + signum, ended.err
    assert_polite(ended.err)
    assert f"harvester resume {out}" in ended.err
    said = status_command(out)
    assert said["state"] == "interrupted"
    assert said["uids"]["done"] == sum(entry.ids for entry in server.log)
    resumed = servers.harvester("resume", out, patches=OFTEN)
    assert resumed.code == 0, resumed.err
    uids = assert_done(out, server)
    assert sum(entry.ids for entry in server.log) == sum(map(len, uids))


def status_while_it_runs(servers: Servers, folder: Path) -> None:
    """The status of a chain has all keys of the status of one harvest."""
    server = servers.start(latency=(0.2,))
    job, out = chain(folder, server), folder / "out"
    with running("run", job, "--rate=10", err=folder / "err", patches=OFTEN) as command:
        wait_until(lambda: sum("linkname" in e.names for e in server.log) > 2, "hop 2 asks")
        said = status_command(out)
        assert command.alive
    assert said["state"] == "running"
    assert len(said["hops"]) == 3
    assert said["hops"][0].keys() <= said.keys()
    assert said["rate"]["limit"] == 10.0
    assert said["uids"]["total"] >= len(UIDS)


def another_chain(servers: Servers, folder: Path) -> None:
    """Another chain and a plain job are refused; no request is sent, no file changes."""
    server = servers.start()
    out = folder / "out"
    assert servers.harvester("run", chain(folder, server)).code == 0
    asked, kept = len(server.log), (out / "job.toml").read_bytes()
    for hops in (CHAIN[:2], (CHAIN[0], ("protein", "pubmed"))):
        refused = servers.harvester("run", chain(folder, server, hops))
        assert refused.code == 2
        assert f"{out} holds a chain of other hops" in refused.err
    changed = servers.harvester("run", chain(folder, server), "--format=jsonl")
    assert changed.code == 2
    assert "another source or output" in changed.err
    plain = servers.harvester(
        "run", "--ids", folder / "ids", "--dbfrom=gene", "--db=protein", "-o", out,
        "--base-url", server.base_url,
    )  # fmt: skip
    assert plain.code == 2, plain.err
    assert str(out) in plain.err
    assert len(server.log) == asked
    assert (out / "job.toml").read_bytes() == kept
    assert_done(out, server)


def a_plain_harvest_is_no_chain(servers: Servers, folder: Path) -> None:
    server, out = servers.start(), folder / "out"
    job = chain(folder, server)
    plain = servers.harvester(
        "run", "--ids", folder / "ids", "--dbfrom=gene", "--db=protein", "-o", out,
        "--base-url", server.base_url,
    )  # fmt: skip
    assert plain.code == 0, plain.err
    asked, kept = len(server.log), (out / "job.toml").read_bytes()
    refused = servers.harvester("run", job)
    assert refused.code == 2
    assert len(server.log) == asked
    assert (out / "job.toml").read_bytes() == kept


def a_hop_to_nowhere(servers: Servers, folder: Path) -> None:
    """A hop must follow links that lead to records."""
    server = servers.start()
    for hops in (
        (CHAIN[0], ("structure", "taxonomy")),
        (CHAIN[0], ("pubmed", "pmc"), ("pmc", "pubmed")),
    ):
        refused = servers.harvester("run", chain(folder, server, hops))
        assert refused.code == 2
        assert "hop 1 leads to protein, but the next starts from" in refused.err
    job = chain(folder, server)
    for cmd, word in (("acheck", "acheck"), ("neighbor_history", "neighbor_history")):
        text = job.read_text().replace('dbfrom = "gene"', f'dbfrom = "gene"\ncmd = "{cmd}"')
        (folder / "wrong.toml").write_text(text)
        refused = servers.harvester("run", folder / "wrong.toml")
        assert refused.code == 2
        assert f"hop 1: cmd {word} leads to no records" in refused.err
    text = job.read_text().replace('linkname = "structure_taxonomy"', 'cmd = "ncheck"')
    (folder / "wrong.toml").write_text(text)
    refused = servers.harvester("run", folder / "wrong.toml", "--passes=2")
    assert refused.code == 2, refused.err
    assert "passes" in refused.err
    assert not server.log.entries
    assert not (folder / "out").exists()


def nothing_found(servers: Servers, folder: Path) -> None:
    """A hop without links leaves the next one without input; both are complete."""
    server, out = servers.start(), folder / "out"
    job = chain(folder, server, CHAIN[:2])
    text = job.read_text().replace('db = "protein"', 'db = "protein"\nlinkname = "gene_protein_x"')
    job.write_text(text)
    finished = servers.harvester("run", job)
    assert finished.code == 0, finished.err
    said = status_command(out)
    assert said["state"] == "complete"
    assert [hop["uids"]["total"] for hop in said["hops"]] == [len(UIDS), 0]
    for kind in ("links", "uids"):  # a folder without a file is an error to most readers
        assert rows(out / "hop-2", kind).num_rows == 0
        assert len(list((out / "hop-2" / kind).iterdir())) == 1
    asked = sum(entry.utility == "elink" for entry in server.log)
    assert servers.harvester("resume", out).code == 0
    assert sum(entry.utility == "elink" for entry in server.log) == asked


def union_of_two_passes_is_followed(servers: Servers, folder: Path) -> None:
    """With two passes at a server that loses links, the union is the input of the next hop.

    The run is killed after both passes are read, before they are merged and before the next hop has
    committed.
    """
    server, out = servers.start(faults=("lost-blocks:0.3",), latency=(0.05,)), folder / "out"
    words: list[object] = ["run", chain(folder, server, CHAIN[:2]), "--passes=2"]
    with servers.fork_server() as fork_server:
        kill_point = KillPoint("mkdir out/hop-N/sweeps/slices", 1, "before")
        assert fork_server.run(words, kill_point, root=str(folder)).killed
        ended = fork_server.run(words)
    assert ended.code == 0, ended.output
    found = set(rows(out / "hop-1", "links")["to_uid"].to_pylist())
    assert found == set(rows(out / "hop-2", "uids")["from_uid"].to_pylist())


def fails_and_is_retried(servers: Servers, folder: Path) -> None:
    """Failures of a hop are listed in it; `--retry-failed` adds their links and what follows."""
    sick = servers.start(faults=("poison@7",))
    job, out = chain(folder, sick, CHAIN[:2]), folder / "out"
    finished = servers.harvester("run", job, "--max-attempts=2")
    assert finished.code == 3, finished.err
    assert (out / "hop-1" / "unanswered.txt").read_text() == "7\n"
    assert status_command(out)["state"] == "complete_with_failures"
    servers.stop(sick)
    well = servers.start(port=sick.port)
    again = servers.harvester("run", chain(folder, well, CHAIN[:2]), "--retry-failed")
    assert again.code == 0, again.err
    assert_done(out, well, CHAIN[:2])


def a_chain_has_no_pipe(servers: Servers, folder: Path) -> None:
    server = servers.start()
    refused = harvester("run", chain(folder, server), "-o", "-")
    assert refused.code == 2
    assert "needs a folder" in refused.err
    assert refused.out == ""
    assert not server.log.entries


def verified_hop_by_hop(servers: Servers, folder: Path) -> None:
    """Each hop is checked by name; damage to one hop or its state does not hide the others."""
    server = servers.start()
    job, out = chain(folder, server, CHAIN[:2]), folder / "out"
    assert servers.harvester("run", job).code == 0
    files = [len([*(hop / "links").iterdir(), *(hop / "uids").iterdir()]) for hop in hops_of(out)]
    sound = verify_command(servers, out)
    assert [(hop["hop"], len(hop["files"])) for hop in sound["hops"]] == [
        ("hop-1", files[0] + 2), ("hop-2", files[1] + 2),
    ]  # fmt: skip
    assert len(sound["files"]) == sum(files) + 2 * 2 + 2, "those of the chain, too"
    told = servers.harvester("verify", out, "--resample=100%")
    assert told.code == 0, told.err
    assert told.output.count("0 are gone, 0 are new") == 2
    part = next((out / "hop-2" / "links").iterdir())
    kept = part.read_bytes()
    part.write_bytes(kept[:-1])
    damaged = verify_command(servers, out, 1)
    assert [hop["ok"] for hop in damaged["hops"]] == [True, False]
    assert wrong_in(damaged) == [f"hop-2/links/{part.name}"]
    part.write_bytes(kept)
    (out / "hop-1" / "state.sqlite").write_bytes(b"damaged" * 1000)
    damaged = verify_command(servers, out, 1)
    assert wrong_in(damaged) == ["hop-1/state.sqlite"]
    (out / "hop-1" / "state.sqlite").unlink()
    lost = servers.harvester("verify", out)
    assert lost.code == 1
    assert f"{out / 'hop-1' / 'state.sqlite'} is missing" in lost.err


def links_differ_in_one_hop(servers: Servers, folder: Path) -> None:
    """The exit code is the worst of all hops."""
    server = servers.start()
    job, out = chain(folder, server, CHAIN[:2]), folder / "out"
    assert servers.harvester("run", job).code == 0
    servers.stop(server)
    servers.start(port=server.port, seed=99, faults=("lost-blocks:0.9",))
    differing = verify_command(servers, out, 3, "--resample=100%")
    assert any(hop["resampled"]["lost"] for hop in differing["hops"])


def parsed_again_hop_by_hop(servers: Servers, folder: Path) -> None:
    server = servers.start()
    job, out = chain(folder, server, CHAIN[:2]), folder / "out"
    assert servers.harvester("run", job, "--keep-raw").code == 0
    asked, before = len(server.log), [rows(hop, "links") for hop in hops_of(out)]
    again = servers.harvester("reparse", out)
    assert again.code == 0, again.err
    for hop, links in zip(hops_of(out), before, strict=True):
        assert links.num_rows
        assert f" in {hop}, from the answers in {hop / 'raw'}" in again.err
        assert rows(hop, "links").sort_by(ORDER).equals(links.sort_by(ORDER))
    assert len(server.log) == asked


def verify_command(servers: Servers, out: Path, code: int = 0, *options: str) -> Any:
    """Return what `harvester verify --json` prints."""
    finished = servers.harvester("verify", out, "--json", "-q", *options)
    assert finished.code == code, finished.output
    return json.loads(finished.output)


def wrong_in(said: Any) -> list[str]:
    """Return the files that `verify` reports."""
    return [file["name"] for file in said["files"] if not file["ok"]]


def hops_of(out: Path) -> list[Path]:
    return sorted(out.glob("hop-*"))


SCENARIOS = [
    Scenario(three_hops, "parquet"),
    Scenario(three_hops, "jsonl", *FAULTS),
    *(Scenario(killed_and_resumed, seed, form) for seed, form in ((1, "parquet"), (2, "jsonl"))),
    Scenario(stopped_gently, signal.SIGINT),
    *(
        Scenario(case)
        for case in (
            status_while_it_runs, another_chain, a_plain_harvest_is_no_chain, a_hop_to_nowhere,
            verified_hop_by_hop, links_differ_in_one_hop, parsed_again_hop_by_hop,
            nothing_found, union_of_two_passes_is_followed, fails_and_is_retried,
            a_chain_has_no_pipe,
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_each_hop_of_a_chain_is_exact(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
