"""`harvester run -o -`: whole lines on standard output, also when a signal ends it."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import zstandard
from support.harness import (
    LINKS,
    assert_polite,
    assert_same,
    expected_links,
    harvester,
    running,
    wait_until,
    write_uids,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 401)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


def _command_line(folder: Path, server: Emulator) -> list[object]:
    """Return the command line of a harvest into a pipe, with about ten requests in flight."""
    return [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=40", "--batch-size=5", "-o", "-",
    ]  # fmt: skip


@pytest.mark.parametrize("signum", CODES)
def test_one_signal_ends_it_with_whole_lines(
    servers: Servers, tmp_path: Path, signum: signal.Signals
) -> None:
    """No new request is sent; links of requests in flight are written in full."""
    server = servers.start(latency=(0.3, 1.2))
    out = tmp_path / "out"
    with (
        out.open("wb") as stream,
        running(
            *_command_line(tmp_path, server), err=tmp_path / "err", out=stream.fileno()
        ) as command,
    ):
        wait_until(lambda: len(server.log) > 30, "many are in flight")
        command.signal(signum)
        time.sleep(0.1)
        asked = len(server.log)
        ended = command.ended(8.0)
    assert ended.code == CODES[signum], ended.err
    assert_polite(ended.err)
    assert "Interrupted; the output is incomplete." in ended.err
    assert len(server.log) == asked, "requests were sent after the signal"
    links = pa.Table.from_pylist(list(map(json.loads, out.read_text().splitlines())), LINKS)
    answered = UIDS[: sum(entry.ids for entry in server.log)]  # asked in this order
    assert len(answered) < len(UIDS), "it had ended before the signal"
    assert_same(links, expected_links(server.graph, "pubmed", answered, ("pmc",)))


def test_a_second_signal_ends_it_at_once(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(latency=(0.1, 30.0))
    with running(*_command_line(tmp_path, server), err=tmp_path / "err") as command:
        wait_until(lambda: len(server.log) > 20, "many are in flight")
        command.signal(signal.SIGTERM)
        time.sleep(0.7)
        assert command.alive
        command.signal(signal.SIGINT)
        ended = command.ended(7.0)
    assert ended.code == 143, ended.err
    assert_polite(ended.err)


@pytest.mark.parametrize("signals", [1, 2])
def test_a_reader_that_stopped_reading_does_not_block_the_end(
    servers: Servers, tmp_path: Path, signals: int
) -> None:
    """The pipe is full: after one signal the run waits some time, after two it ends at once."""
    server = servers.start()
    uids = write_uids(tmp_path / "ids", range(1, 4001))
    words = [
        "run", "--ids", uids, "--dbfrom=pubmed", "--db=pubmed,pmc", "--batch-size=20",
        "--concurrency=5", "--rate=400", "--base-url", server.base_url, "-o", "-",
    ]  # fmt: skip
    reading, writing = os.pipe()
    patches = {"harvester.api.jsonl.READER_SECONDS": 1.0 if signals == 1 else 60.0}
    try:
        with running(*words, err=tmp_path / "err", patches=patches, out=writing) as command:
            wait_until(lambda: len(server.log) > 5, "it asks")
            asked = 0
            while asked != (asked := len(server.log)):  # the pipe is full, and so is the queue
                time.sleep(1.0)
            assert asked < 4000 // 20, "the pipe took everything"
            for _ in range(signals):
                command.signal(signal.SIGTERM)
                time.sleep(0.5)
            ended = command.ended(5.0)
    finally:
        os.close(reading)
        os.close(writing)
    assert ended.code == 143, ended.err
    assert_polite(ended.err)


def test_a_reader_that_has_gone_ends_it_silently(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(latency=(0.1,))
    reading, writing = os.pipe()
    with running(*_command_line(tmp_path, server), err=tmp_path / "err", out=writing) as command:
        os.close(writing)
        os.read(reading, 100)
        os.close(reading)
        ended = command.ended(20.0)
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert len(server.log) < len(UIDS) // 5


def _unzstd(data: bytes) -> bytes:
    """Decompress all frames."""
    reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data), read_across_frames=True)
    return bytes(reader.read())


@pytest.mark.parametrize(
    ("codec", "opened"),
    [("gzip", gzip.decompress), ("zstd", _unzstd)],
)
def test_the_compression_that_was_asked_for_is_that_of_the_pipe(
    servers: Servers, tmp_path: Path, codec: str, opened: Callable[[bytes], bytes]
) -> None:
    words = _command_line(tmp_path, servers.start(seed=4))
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    for path, more in ((plain, ()), (packed, ("--compression", codec, "--batch-size=400"))):
        with (
            path.open("wb") as stream,
            running(*words, *more, err=tmp_path / "err", out=stream.fileno()) as command,
        ):
            assert command.ended(60.0).code == 0
    lines = opened(packed.read_bytes()).splitlines()
    assert sorted(lines) == sorted(plain.read_bytes().splitlines())
    assert lines


@pytest.mark.parametrize(
    "option", ["--keep-raw", "--records=summary", "--retry-failed", "--runner=dask", "--on-end=ls"]
)
def test_what_needs_a_folder_is_refused(servers: Servers, tmp_path: Path, option: str) -> None:
    server = servers.start()
    ended = harvester(*_command_line(tmp_path, server), option)
    assert (ended.code, ended.out) == (2, "")
    assert f"{option.partition('=')[0]} needs a folder" in ended.err
    assert not server.log.entries
