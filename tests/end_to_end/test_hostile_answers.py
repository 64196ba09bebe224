"""Malicious responses: one UID fails with a reason; other UIDs and the machine are unaffected."""

from __future__ import annotations

import gzip
import itertools
import subprocess
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from support.harness import assert_same, command, environment, expected_links, rows, write_uids
from support.malicious_server import Bytes, Request, response
from support.refusals import UnusedServer
from support.scenarios import Scenario

from harvester.client.transport import MAX_BODY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.servers import Servers

UIDS = range(1, 41)
VICTIM = 13
PROGRAM_MB = 200
LARGEST_MB = 32
"""Of an answer that is taken; eight times as much outside of tests."""

LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
unit = 1024 if sys.platform == "darwin" else 1
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // unit)
sys.exit(code)
"""
"""Runs a command and prints its peak of memory in kB, to which a process that starts another
otherwise adds its own."""

ROOT = '<?xml version="1.0"?>{}<eLinkResult><LinkSet><DbFrom>pubmed</DbFrom><IdList><Id>13</Id>'
ROOT += "</IdList><LinkSetDb><DbTo>{}</DbTo><LinkName>{}</LinkName><Link><Id>7</Id></Link>"
ROOT += "</LinkSetDb><ERROR>{}</ERROR></LinkSet></eLinkResult>"


def _document(doctype: str, name: str = "pmc", text: str = "") -> bytes:
    return response(ROOT.format(doctype, name, "pubmed_pmc", text).encode(), kind="text/xml")


def _laughs() -> bytes:
    names = "abcdefghij"
    inner = "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in itertools.pairwise(names)
    )
    return _document(f'<!DOCTYPE eLinkResult [<!ENTITY a "ha">{inner}]>', text="&j;")


def _quadratic() -> bytes:
    return _document(f'<!DOCTYPE eLinkResult [<!ENTITY a "{"a" * 200_000}">]>', text="&a;" * 20_000)


def _endless() -> Iterator[bytes]:
    """Return an endless list of ids."""
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b'{"linksets":[{"dbfrom":"pubmed","ids":["13"],"linksetdbs":[{"links":["'
    while True:
        yield b"%x\r\n%b\r\n" % (len(chunk), chunk)
        chunk = b'1234567","' * 6000


def _bomb() -> bytes:
    """Return a gzip file of 10 GB of repeated text."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    blanks = b" " * (10 << 20)
    start = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    head = gzip.compress(b"")[:10]
    return response(head + start + again * 1000, "Content-Encoding: gzip")


def _endless_head() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X-Header: %b\r\n" % (b"x" * 4000)


@dataclass(frozen=True)
class Case:
    """A response for one UID, and the start of the reason of its failure."""

    name: str
    answer: Callable[[], Bytes]
    reason: str
    retmode: str = "json"

    def __str__(self) -> str:
        return f"{self.name}-{self.retmode}"


CASES = [
    Case("endless", _endless, "an answer of more than 32 MiB"),
    Case("bomb", _bomb, "an answer of more than 32 MiB"),
    Case("endless-head", _endless_head, "the answer breaks the rules of HTTP"),
    Case("laughs", _laughs, "the answer is", "xml"),
    Case("quadratic", _quadratic, "the answer is", "xml"),
    Case("deep-json", lambda: response(b"[" * 10_000_000), "the answer is not"),
    Case("deep-xml", lambda: response(b"<Link>" * 1_000_000), "the answer is", "xml"),
    Case("huge-score", lambda: response(
        b'{"linksets":[{"dbfrom":"pubmed","ids":["13"],"linksetdbs":[{"dbto":"pmc","linkname":'
        b'"pubmed_pmc","links":[{"id":"7","score":9223372036854775808}]}]}]}'
    ), "the answer is"),
]  # fmt: skip


def harvest_with(
    servers: Servers,
    folder: Path,
    answer: Callable[[Request], Bytes],
    *options: str,
    largest: int = LARGEST_MB,
) -> str:
    """Harvest with such responses for one UID; return the reason of its failure.

    Its neighbours must be right, and the memory taken must be within bounds.
    """
    server = servers.start()
    malicious = servers.malicious_server(
        server, lambda request: answer(request) if VICTIM in request.uids else None
    )
    words = command(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", malicious.base_url, "--rate=200", "--batch-size=8", "--max-attempts=2",
        "--timeout=20", "-o", folder / "out", *options,
        patches={"harvester.client.transport.MAX_BODY": largest << 20},
    )  # fmt: skip
    with (folder / "err").open("wb") as err:
        launched = subprocess.run(
            [sys.executable, "-c", LAUNCHER, *words], stdout=subprocess.PIPE, stderr=err,
            env=environment(), timeout=120, check=False,
        )  # fmt: skip
    assert launched.returncode == 3, (folder / "err").read_text()
    assert int(launched.stdout) >> 10 < PROGRAM_MB + 3 * largest
    expected = expected_links(
        server.graph, "pubmed", [uid for uid in UIDS if uid != VICTIM], ("pmc",)
    )
    assert_same(rows(folder / "out", "links"), expected)
    lost = [row for row in rows(folder / "out", "uids").to_pylist() if row["reason"]]
    assert [(row["from_uid"], row["outcome"]) for row in lost] == [(VICTIM, "failed")]
    return str(lost[0]["reason"])


def one_answer(servers: Servers, folder: Path, case: Case) -> None:
    """A malicious response makes only its own UID fail."""
    reason = harvest_with(servers, folder, lambda _: case.answer(), f"--retmode={case.retmode}")
    assert reason.startswith(case.reason)


# --- external entities -------------------------------------------------------------------------

ELSEWHERE = {
    "general": '<!DOCTYPE eLinkResult [<!ENTITY x SYSTEM "{}">]>',
    "parameter": '<!DOCTYPE eLinkResult [<!ENTITY % y SYSTEM "{}"> %y;<!ENTITY x "">]>',
    "public": '<!DOCTYPE eLinkResult [<!ENTITY x PUBLIC "-//NLM//DTD x//EN" "{}">]>',
}


def external_entities(servers: Servers, folder: Path, kind: str, where: str) -> None:
    """External entities are never read, from a local file or over the network."""
    hidden = folder / "hidden"
    hidden.write_text("what the server wants to know")
    with UnusedServer() as unused:
        address = {"file": hidden.as_uri(), "http": unused.base_url}[where]
        document = _document(ELSEWHERE[kind].format(address), text="&x;")
        reason = harvest_with(servers, folder, lambda _: document, "--retmode=xml")
        assert unused.connections() == 0
    assert reason.startswith("the answer is")
    for path in (*(folder / "out").rglob("*"), folder / "err"):
        if path.is_file():
            assert hidden.read_bytes() not in path.read_bytes(), path


def a_dtd_of_another_server(servers: Servers, folder: Path) -> None:
    """A DTD named in a response is never fetched; NCBI's own responses name one."""
    with UnusedServer() as unused:
        doctype = f'<!DOCTYPE eLinkResult SYSTEM "{unused.base_url}elink.dtd">'
        document = _document(doctype).replace(b"<ERROR></ERROR>", b"")
        document = response(document.partition(b"\r\n\r\n")[2], kind="text/xml")
        malicious = servers.malicious_server(servers.start(), lambda _: document)
        finished = servers.harvester(
            "run", "--ids", write_uids(folder / "ids", [VICTIM]), "--dbfrom=pubmed", "--db=pmc",
            "--base-url", malicious.base_url, "--retmode=xml", "-o", folder / "out",
        )  # fmt: skip
        assert finished.code == 0, finished.err
        assert unused.connections() == 0
    assert rows(folder / "out", "links")["to_uid"].to_pylist() == [7]


SCENARIOS = [Scenario(one_answer, case) for case in CASES]
SCENARIOS += [
    Scenario(external_entities, kind, where) for kind in ELSEWHERE for where in ("file", "http")
]
SCENARIOS += [Scenario(a_dtd_of_another_server)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_malicious_responses_fail_one_uid_only(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)


@pytest.mark.torture
@pytest.mark.parametrize("answer", [_endless, _bomb])
def test_the_largest_answer_fits_the_memory(
    servers: Servers, tmp_path: Path, answer: Callable[[], Bytes]
) -> None:
    reason = harvest_with(servers, tmp_path, lambda _: answer(), largest=MAX_BODY >> 20)
    assert reason.startswith("an answer of more than 256 MiB")
