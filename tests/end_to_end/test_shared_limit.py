"""`--limiter`: harvests that share one limit through a real Redis, measured at the server."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from support.harness import assert_exact, expected_links, running, status, wait_until, write_uids
from support.redis_server import RedisServer, redis_server, require_redis

from harvester.errors import BadInput

from .test_rate import busiest_second
from .test_together import split_mix

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

RATE, BATCH, SHARES = 20, 4, 3
KEY = {"NCBI_API_KEY": "the-same"}


def test_three_harvests_keep_one_limit_while_redis_comes_and_goes(
    servers: Servers, tmp_path: Path
) -> None:
    require_redis()
    server = servers.start(rate=RATE, latency=(0.1,), seed=4)
    uids = range(1, RATE * BATCH * 6 + 1)
    ids = write_uids(tmp_path / "ids", uids)
    outs = [tmp_path / str(number) for number in range(1, SHARES + 1)]
    redis = RedisServer(tmp_path)
    with ExitStack() as stack:
        stack.callback(redis.kill)
        runs = [
            stack.enter_context(
                running(
                    "run", "--ids", ids, f"--shard={out.name}/{SHARES}", "--dbfrom=pubmed",
                    "--db=pmc", "--base-url", server.base_url, f"--rate={RATE}",
                    f"--batch-size={BATCH}", "--limiter", redis.url, "--log-json", "-v", "-o", out,
                    err=tmp_path / f"{out.name}.err", env=KEY,
                )
            )
            for out in outs
        ]  # fmt: skip

        def have(text: str, times: int = 1) -> bool:
            return all(run.stderr().count(text) >= times for run in runs)

        wait_until(lambda: have('"cause": "limiter"'), "all wait for Redis", seconds=300)
        assert len(server.log) == 0
        redis.start()
        wait_until(
            lambda: len(server.log) > RATE and have('"RequestSent"'), "all send", seconds=300
        )
        redis.kill()
        wait_until(lambda: have('"cause": "limiter"', 2), "all wait once more", seconds=300)
        wait_until(
            lambda: {status(out)["state"] for out in outs} == {"waiting"}, "status says so, too",
            seconds=300,
        )  # fmt: skip
        assert {status(out)["limited_by"] for out in outs} == {"limiter"}
        sent = len(server.log)
        redis.start()
        assert len(server.log) == sent, "requests were sent without Redis"
        finished = [run.ended(300) for run in runs]
    assert [one.code for one in finished] == [0] * SHARES, finished[0].err
    assert busiest_second(sorted(entry.arrived for entry in server.log)) <= RATE
    for number, out in enumerate(outs, 1):
        share = [uid for uid in uids if split_mix(uid) % SHARES + 1 == number]
        assert_exact(out, "pubmed", share, expected_links(server.graph, "pubmed", share, ("pmc",)))
        said = [json.loads(line) for line in runs[number - 1].stderr().splitlines()]
        waits = [one["event"] for one in said if one["event"] in ("Waiting", "Resumed")]
        assert waits == ["Waiting", "Resumed"] * 2


def test_the_names_in_redis_hold_no_api_key_and_no_host(servers: Servers, tmp_path: Path) -> None:
    require_redis()
    import redis as client

    server = servers.start(rate=RATE)
    with redis_server(tmp_path, "--requirepass", "hunter2") as redis:
        redis.settle()
        run = (
            "run", "--ids", write_uids(tmp_path / "ids", range(1, 5)), "--dbfrom=pubmed",
            "--db=pmc", "--base-url", server.base_url, "--limiter", redis.url,
        )  # fmt: skip
        refused = servers.harvester(*run, "-o", tmp_path / "refused", env=KEY)
        password = {"HARVESTER_REDIS_PASSWORD": "hunter2"}
        wrong = servers.harvester(
            *run, "-o", tmp_path / "wrong", env=KEY | {"HARVESTER_REDIS_PASSWORD": "hunter3"}
        )
        assert len(server.log) == 0
        finished = servers.harvester(*run, "-o", tmp_path / "out", env=KEY | password)
        with client.Redis(port=redis.port, password="hunter2") as connection:
            names = [name.decode() for name in connection.keys("*")]
    assert (refused.code, wrong.code, finished.code) == (2, 2, 0), finished.err
    for said in (refused.err, wrong.err):
        assert "HARVESTER_REDIS_PASSWORD" in said
        assert "hunter" not in said
    assert all(name.startswith("harvester:") for name in names)
    assert not any("the-same" in name or "127.0.0.1" in name for name in names)
    kept = (tmp_path / "out" / "job.toml").read_text()
    assert f'limiter = "{redis.url}"' in kept
    assert "hunter2" not in kept


async def test_a_redis_that_is_emptied_is_noticed(tmp_path: Path) -> None:
    """As by FLUSHALL or an eviction: it still runs, and has lost its count."""
    require_redis()
    import redis as client

    from harvester.client.pacing.redis_counter import RedisCounter

    with redis_server(tmp_path) as redis, client.Redis(port=redis.port) as connection:
        counters = [RedisCounter(redis.url, None, "127.0.0.1", key) for key in ("a", "a", "b")]
        lives = [(await counter.look()).life for counter in counters]
        assert lives[0] == lives[1] == (await counters[0].look()).life
        connection.flushall()
        after = [(await counter.look()).life for counter in counters]
        assert after[0] == after[1]
        assert all(one != other for one, other in zip(lives, after, strict=True))
        for counter in counters:
            await counter.close()


async def test_a_redis_that_cannot_be_written_is_refused_with_its_own_words(
    tmp_path: Path,
) -> None:
    require_redis()
    from harvester.client.pacing.redis_counter import RedisCounter

    with redis_server(tmp_path, "--replicaof", "127.0.0.1 1") as redis:
        counter = RedisCounter(redis.url, None, "127.0.0.1", None)
        with pytest.raises(BadInput, match="read only replica") as refused:
            await counter.look()
        assert "PASSWORD" not in str(refused.value)
        await counter.close()


def test_a_redis_that_is_not_there_is_waited_for_or_given_up(
    servers: Servers, tmp_path: Path
) -> None:
    require_redis()
    server = servers.start(rate=RATE)
    finished = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", range(1, 5)), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--limiter", "redis://127.0.0.1:1", "--give-up-after=1s",
        "-o", tmp_path / "out", env=KEY,
    )  # fmt: skip
    assert finished.code == 69
    assert "The shared rate limit is not answering" in finished.err
    assert "no request is sent until it does" in finished.err
    assert "resume" not in finished.err, "there is no folder yet"
    assert len(server.log) == 0


def test_what_is_no_redis_is_refused(servers: Servers, tmp_path: Path) -> None:
    require_redis()
    server = servers.start(rate=RATE)
    host = server.base_url.split("/")[2]
    finished = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", range(1, 5)), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--limiter", f"redis://{host}", "--give-up-after=3s",
        "-o", tmp_path / "out", env=KEY,
    )  # fmt: skip
    assert finished.code in (2, 69)
    assert len(server.log) == 0
