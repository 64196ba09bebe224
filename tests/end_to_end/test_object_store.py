"""Harvests in an object store, killed at each write, and run by two processes at once."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    assert_polite,
    command,
    environment,
    expected_links,
    harvester,
    rows,
    running,
    write_uids,
)
from support.manifests import assert_exact_manifest
from support.object_store import Proxy, download, login, objects, s3_server
from support.timing import OFTEN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 61)
PLACE = "s3://harvests/night"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def store(s3: str) -> Iterator[Proxy]:
    with Proxy(s3) as proxy:
        yield proxy


def _words(folder: Path, server: Emulator, place: str, uids: range = UIDS) -> list[str]:
    ids = write_uids(folder / f"ids-{len(uids)}", uids)
    return [
        "run", "--ids", str(ids), "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
        "--rate=100", "--batch-size=5", "-o", place,
    ]  # fmt: skip


def _assert_whole(s3: str, place: str, folder: Path, server: Emulator, uids: range = UIDS) -> None:
    """Assert that the store holds the exact harvest and no other object."""
    truth = expected_links(server.graph, "pubmed", uids, ["pmc"])
    laid = download(s3, place, folder)
    assert_exact(laid, "pubmed", uids, truth)
    assert_exact_manifest(laid)


def test_the_store_is_the_harvest_and_the_copy_can_be_lost(
    s3: str, store: Proxy, servers: Servers, tmp_path: Path
) -> None:
    server, place = servers.start(), f"{PLACE}/lost"
    here, there = login(store.url, tmp_path / "here"), login(store.url, tmp_path / "there")
    done = harvester(*_words(tmp_path, server, place), env=here, patches=OFTEN)
    assert done.code == 0, done.err
    assert f"in {place}" in done.err
    assert str(tmp_path / "here") not in done.err
    _assert_whole(s3, place, tmp_path / "first", server)
    asked = len(server.log)
    shutil.rmtree(tmp_path / "here")
    status = harvester("status", place, "--json", env=there)
    assert json.loads(status.out)["state"] == "complete"
    assert json.loads(status.out)["uids"]["done"] == len(UIDS)
    verified = harvester("verify", place, env=here)
    assert verified.code == 0, verified.err
    again = harvester("resume", place, env=here)
    assert again.code == 0, again.err
    assert len(server.log) == asked
    csv = tmp_path / "links.csv"
    assert harvester("export", place, "--to", "csv", csv, env=there).code == 0
    truth = expected_links(server.graph, "pubmed", UIDS, ["pmc"])
    assert len(csv.read_text().splitlines()) == truth.num_rows + 1
    longer = range(1, 91)
    more = harvester(*_words(tmp_path, server, place, longer), env=there)
    assert more.code == 0, more.err
    _assert_whole(s3, place, tmp_path / "second", server, longer)


def test_a_chain_and_its_records_are_kept_there(
    s3: str, store: Proxy, servers: Servers, tmp_path: Path
) -> None:
    server, place = servers.start(), f"{PLACE}/chain"
    ids = write_uids(tmp_path / "ids", range(1, 11))
    job = tmp_path / "job.toml"
    job.write_text(
        f'[source]\nids = "{ids}"\n[output]\npath = "{place}"\nrecords = "summary"\n'
        f'[limits]\nrate = 100\n[server]\nbase_url = "{server.base_url}"\n'
        '[[hop]]\ndbfrom = "gene"\ndb = "protein"\nlinkname = "gene_protein"\n'
        '[[hop]]\ndb = "structure"\nlinkname = "protein_structure"\n'
    )
    env = login(store.url, tmp_path / "here")
    done = harvester("run", job, env=env)
    assert done.code == 0, done.err
    first = expected_links(server.graph, "gene", range(1, 11), ["protein"], ["gene_protein"])
    proteins = sorted(set(first["to_uid"].to_pylist()))
    second = expected_links(server.graph, "protein", proteins, ["structure"], ["protein_structure"])
    laid = download(s3, place, tmp_path / "laid")
    assert rows(laid / "hop-2", "links").num_rows == second.num_rows
    assert "manifest.json" in objects(s3, place)
    assert any("records/structure-summary/records/part-" in name for name in objects(s3, place))
    shutil.rmtree(tmp_path / "here")
    asked = len(server.log)
    again = harvester("resume", place, env=env)
    assert again.code == 0, again.err
    assert len(server.log) == asked
    status = harvester("status", place, "--json", env=env)
    assert [hop["links"] for hop in json.loads(status.out)["hops"]] == [
        first.num_rows,
        second.num_rows,
    ]


def _killed_at(
    number: int, done: bool, s3: str, store: Proxy, server: Emulator, folder: Path, place: str
) -> bool:
    """Kill a run before or after its n-th write, then complete it; return whether it was killed."""
    env = environment(**login(store.url, folder / "here"))
    words = command(*_words(folder, server, place), patches=OFTEN)
    with (folder / "err").open("wb") as err, subprocess.Popen(words, env=env, stderr=err) as run:

        def act(write: int, after: bool) -> None:
            if (write, after) == (number, done):
                os.kill(run.pid, signal.SIGKILL)

        store.writes, store.act = 0, act
        code = run.wait(120)
        store.act = lambda _number, _done: None
    assert_polite((folder / "err").read_text())
    assert code in (0, -signal.SIGKILL), (folder / "err").read_text()
    if number % 2:
        shutil.rmtree(folder / "here")
    before = download(s3, place, folder / "before") if objects(s3, place) else None
    if before is not None and (before / "manifest.json").exists():
        assert_exact_manifest(before)
    finished = harvester(*_words(folder, server, place), env=login(store.url, folder / "here"))
    assert finished.code == 0, finished.err
    _assert_whole(s3, place, folder / "laid", server)
    return code != 0


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("number", [1, 7])
def test_killed_at_a_write(
    number: int, done: bool, s3: str, store: Proxy, servers: Servers, tmp_path: Path
) -> None:
    place = f"{PLACE}/killed-{number}-{done}"
    assert _killed_at(number, done, s3, store, servers.start(), tmp_path, place)


@pytest.mark.torture
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_killed_at_every_write(
    done: bool, s3: str, store: Proxy, servers: Servers, tmp_path: Path
) -> None:
    number = 0
    killed = True
    while killed:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        place = f"{PLACE}/every-{done}-{number}"
        killed = _killed_at(number, done, s3, store, servers.start(), folder, place)
    assert number > 8


@pytest.mark.parametrize("number", [*range(2, 9), pytest.param(12, marks=pytest.mark.torture)])
def test_a_writer_that_was_taken_over_stops(
    number: int, s3: str, store: Proxy, servers: Servers, tmp_path: Path
) -> None:
    """It is paused after a write; another process completes the harvest; then it must not write."""
    place, server = f"{PLACE}/two-{number}", servers.start(latency=(0.2,))
    words = [*_words(tmp_path, server, place), "--concurrency=1", "--batch-size=1"]
    one_env, two_env = (login(store.url, tmp_path / name) for name in ("one", "two"))
    stopped = threading.Event()
    with running(*words, err=tmp_path / "err", env=one_env, patches=OFTEN) as one:

        def act(write: int, after: bool) -> None:
            if (write, after) == (number, True):
                one.signal(signal.SIGSTOP)
                stopped.set()

        store.writes, store.act = 0, act
        assert stopped.wait(60)
        store.act = lambda _number, _done: None
        two = harvester("run", *words[1:], "--concurrency=10", "--rate=100", env=two_env)
        assert two.code == 0, two.err
        one.signal(signal.SIGCONT)
        ended = one.ended()
    assert ended.code == 5, ended.err
    assert "taken over by another process" in ended.err
    _assert_whole(s3, place, tmp_path / "laid", server)


def test_both_begin_at_once(s3: str, store: Proxy, servers: Servers, tmp_path: Path) -> None:
    place, server = f"{PLACE}/at-once", servers.start()
    words = _words(tmp_path, server, place)
    draw = random.Random(3)
    with (
        running(*words, err=tmp_path / "a", env=login(store.url, tmp_path / "one")) as one,
        running(*words, err=tmp_path / "b", env=login(store.url, tmp_path / "two")) as two,
    ):
        codes = sorted(run.ended().code for run in draw.sample([one, two], 2))
    assert codes in ([0, 0], [0, 5])  # one may begin after the other has ended
    _assert_whole(s3, place, tmp_path / "laid", server)


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("ftp://host/x", "s3://, gs://, az://"),
        ("s3://bucket", "s3://BUCKET/NAME"),
        ("s3://user:secret@bucket/x", "login"),
        ("s3://bucket/../x", "s3://BUCKET/NAME"),
        ("file:///tmp/x", "s3://, gs://, az://"),
    ],
)
def test_a_wrong_place_is_refused(place: str, why: str, servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    for words in (_words(tmp_path, server, place), ["status", place], ["verify", place]):
        refused = harvester(*words, env={"XDG_CACHE_HOME": str(tmp_path)})
        assert refused.code == 2, refused.err
        assert why in refused.err
        assert "secret" not in refused.err
    assert not server.log


def test_a_missing_bucket_or_store_is_said(store: Proxy, servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    env = login(store.url, tmp_path / "here")
    missing = harvester(*_words(tmp_path, server, "s3://nothing-here/x"), env=env)
    assert missing.code == 1, missing.err
    assert "s3://nothing-here/x" in missing.err
    assert not server.log


@pytest.mark.parametrize(
    "words",
    ["merge {} a b", "diff a b -o {}", "around a pubmed:1 --to graphml {}", "demo -o {}"],
    ids=str,
)
def test_a_result_that_no_store_takes_is_refused(words: str, tmp_path: Path) -> None:
    """A local folder called `s3:` must not be made."""
    for name in "ab":
        (tmp_path / name).mkdir()
    refused = harvester(*words.format("s3://bucket/x").split(), cwd=tmp_path)
    assert refused.code == 2, refused.err
    assert "'s3://bucket/x' is a URL" in refused.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
