"""ESummary over a socket: batches of 500, responses broken by one record, and large sets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.harness import write_uids
from support.malicious_server import Request, response
from support.scenarios import Scenario

from harvester import Eutils
from harvester.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

TOO_MANY = (
    b'{"header":{"type":"esummary","version":"0.3"},"error":"Too many UIDs in request. Maximum '
    b'number of UIDs is 500 for JSON format output."}'
)
"""NCBI's answer to more than 500 UIDs in JSON (recorded 2020 to 2026)."""

BREAKS = {
    "bare": b'"status":suppressed',
    "tab": b'"status":"a\tb"',
    "control": b'"status":"a\x01b"',
    "surrogate": b'"status":"\\ud83d"',
    "escape": b'"status":"5\\\' end"',
    "quote": b'"status":"5" end"',
}
"""What one record may hold that JSON does not allow (users' reports, 2015 and later). Only the last
one cannot be repaired."""


def _links(request: Request) -> bytes:
    """Link each UID to itself plus 5,000."""
    link = {"dbto": "gene", "linkname": "pubmed_gene"}
    found = [
        {
            "dbfrom": "pubmed",
            "ids": [str(uid)],
            "linksetdbs": [{**link, "links": [str(uid + 5000)]}],
        }
        for uid in sorted(request.uids)
    ]
    return response(json.dumps({"linksets": found}).encode())


def _summaries(request: Request, broken: bytes = b"") -> bytes:
    """Return summaries as NCBI writes them; the JSON of 5007 may be broken."""
    ids = request.value("id").split(",")
    if request.value("retmode") == "xml":
        assert request.value("version") == "2.0"
        docs = "".join(
            f'<DocumentSummary uid="{uid}"><Title>t {uid}</Title></DocumentSummary>' for uid in ids
        )
        body = (
            '<?xml version="1.0" encoding="UTF-8" ?><eSummaryResult><DocumentSummarySet '
            f'status="OK">{docs}</DocumentSummarySet></eSummaryResult>'
        )
        return response(body.encode(), kind="text/xml")
    if len(ids) > 500:
        return response(TOO_MANY)
    members = b",".join(
        b'"%b":{"uid":"%b","title":"t %b",%b}'
        % (uid, uid, uid, broken if broken and uid == b"5007" else b'"status":"live"')
        for uid in (one.encode() for one in ids)
    )
    return response(b'{"result":{"uids":%b,%b}}' % (json.dumps(ids).encode(), members))


def _respond(broken: bytes = b"") -> Callable[[Request], bytes | None]:
    def respond(request: Request) -> bytes | None:
        match request.utility:
            case "elink.fcgi":
                return _links(request)
            case "esummary.fcgi":
                return _summaries(request, broken)
        return None

    return respond


def _records(out: Path) -> dict[int, dict[str, Any]]:
    (folder,) = (out / "records").iterdir()
    rows = [
        json.loads(line)
        for path in sorted((folder / "records").iterdir())
        for line in path.read_text().splitlines()
    ]
    return {row["uid"]: json.loads(row["record"]) for row in rows}


def of_a_harvest(servers: Servers, folder: Path, broken: str, *options: str) -> None:
    """`records` sends at most 500 UIDs per request; a broken record costs few more requests."""
    uids = range(1, 1201)
    server = servers.malicious_server(servers.start(), _respond(BREAKS.get(broken, b"")))
    out = folder / "out"
    ended = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", uids), "--dbfrom=pubmed", "--db=gene",
        "--linkname=pubmed_gene", "--rate=100", "--format=jsonl", "--base-url", server.base_url,
        "-o", out, *options,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    ended = servers.harvester("records", out)
    assert ended.code == 0, ended.err
    records = _records(out)
    assert sorted(records) == [uid + 5000 for uid in uids]
    assert all(record["title"] == f"t {uid}" for uid, record in records.items())
    asked = [one for one in server.requests if one.utility == "esummary.fcgi"]
    assert max(len(one.value("id").split(",")) for one in asked) <= 500
    in_xml = [one for one in asked if one.value("retmode") == "xml"]
    assert [one.value("id") for one in in_xml] == (["5007"] if broken == "quote" else [])
    assert len(asked) <= 12


SCENARIOS = [
    Scenario(of_a_harvest, "no"),
    Scenario(of_a_harvest, "no", "--batch-size=2000"),
    Scenario(of_a_harvest, "bare"),
    Scenario(of_a_harvest, "quote"),
    Scenario(of_a_harvest, "control"),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_every_record_is_summarized(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)


@pytest.mark.parametrize("broken", BREAKS)
async def test_the_library_reads_past_a_broken_record(servers: Servers, broken: str) -> None:
    server = servers.malicious_server(servers.start(), _respond(BREAKS[broken]))
    async with Eutils(base_url=server.base_url, rate=300) as e:
        found = await e.esummary("gene", range(5000, 5020))
    assert list(found) == list(range(5000, 5020))
    assert all(one["title"] == f"t {uid}" for uid, one in found.items())
    forms = [one.value("retmode") for one in server.requests if one.utility == "esummary.fcgi"]
    assert forms == (["json", "xml"] if broken == "quote" else ["json"])


@pytest.mark.parametrize("db", ["pubmed", "gene"])
async def test_a_set_is_paged_to_its_end(servers: Servers, db: str) -> None:
    """More than 500 records (one JSON answer) and more than 10,000 (one request)."""

    def respond(request: Request) -> bytes | None:
        return _summaries(request) if request.utility == "esummary.fcgi" else None

    server = servers.malicious_server(servers.start(), respond)
    async with Eutils(base_url=server.base_url, rate=2000) as e:
        kept = await e.esearch(db, "1:10500[UID]", usehistory=True, retmax=0)
        assert kept.count == 10_500
        found = await e.esummary(db, kept)
        texts = await e.efetch(db, kept, "uilist", "text")
    assert sorted(found) == list(range(1, 10_501))
    assert sorted(map(int, texts.split())) == sorted(found)


async def test_a_set_alone_can_be_searched(servers: Servers) -> None:
    """ESearch accepts a set without a query (NBK25499); neither of both is refused."""
    server = servers.start()
    async with Eutils(base_url=server.base_url, rate=100) as e:
        posted = await e.epost("pubmed", range(1, 31))
        found = await e.esearch("pubmed", within=posted, retmax=10)
        assert found.count == 30
        assert len(found.ids) == 10
        assert set(found.ids) <= set(range(1, 31))
        with pytest.raises(BadInput, match="term is empty"):
            await e.esearch("pubmed")
