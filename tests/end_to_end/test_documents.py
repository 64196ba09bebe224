"""EFetch over a socket: error texts are not records, and omitted records are missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from support.harness import write_uids
from support.malicious_server import Request, response
from support.scenarios import Scenario

from harvester import Eutils
from harvester.errors import HarvestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

UIDS = range(1, 21)
UNKNOWN = 5007
"""Linked to, but EFetch does not know it."""

NOT_UNDERSTOOD = (
    b"Error: F a i l e d  t o  u n d e r s t a n d  i d :  N O T _ A _ R E A L _ I D \n\n\n"
)
"""EFetch's answer with status 200 (recorded 2026-09)."""

PROXIED = (
    b"Error: CEFetchPApplication::proxy_stream(): Error: F a i l e d  t o  r e t r i e v e  "
    b"s e q u e n c e :  N G _ 9 9 9 9 9 9 \n"
)
"""EFetch's answer with status 400 (recorded 2026-09)."""


def _links(request: Request) -> bytes:
    """Link each UID to itself plus 5,000."""
    link = {"dbto": "nuccore", "linkname": "pubmed_nuccore"}
    found = [
        {"ids": [str(uid)], "linksetdbs": [link | {"links": [str(uid + 5000)]}]}
        for uid in sorted(request.uids)
    ]
    return response(json.dumps({"linksets": found}).encode())


def _text(uid: int, form: str) -> str:
    match form:
        case "fasta/text":
            return f">NM_{uid}.1 record\nACGT\n\n"
        case "gb/text":
            return f"LOCUS       NM_{uid}\nVERSION     NM_{uid}.1\nORIGIN\n//\n\n"
        case "acc/text":
            return f"NM_{uid}.1\n"
        case "/xml":
            return f"<TSeq><TSeq_gi>{uid}</TSeq_gi></TSeq>"
    raise AssertionError(form)


def _records(form: str, uids: list[int]) -> bytes:
    text = "".join(_text(uid, form) for uid in uids)
    return (f"<TSeqSet>{text}</TSeqSet>" if form == "/xml" else text or "\n").encode()


def _server(
    servers: Servers, form: str, unknown: Callable[[list[int]], bytes | None]
) -> tuple[str, list[Request]]:
    """Start a server whose EFetch answers `unknown` to requests that contain the unknown UID."""

    def respond(request: Request) -> bytes | None:
        match request.utility:
            case "elink.fcgi":
                return _links(request)
            case "efetch.fcgi":
                uids = [int(one) for one in request.value("id").split(",")]
                special = unknown(uids) if UNKNOWN in uids else None
                return special or response(_records(form, uids), kind="text/plain")
        return None

    server = servers.malicious_server(servers.start(), respond)
    return server.base_url, server.requests


def _harvested(
    servers: Servers, folder: Path, base_url: str, form: str
) -> tuple[int, dict[int, tuple[str, str | None]], list[str]]:
    """Run `records --as form`; return exit code, outcomes and texts."""
    out = folder / "out"
    ended = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=nuccore",
        "--linkname=pubmed_nuccore", "--rate=200", "--max-attempts=3", "--base-url", base_url,
        "-o", out,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    ended = servers.harvester("records", out, f"--as={form}")
    (records,) = (out / "records").iterdir()
    outcomes = {
        row["from_uid"]: (row["outcome"], row["reason"])
        for row in pq.read_table(records / "uids").to_pylist()
    }
    rows = pq.read_table(records / "records").to_pylist()
    assert sorted(uid for row in rows for uid in row["uids"]) == sorted(
        uid for uid, (outcome, _) in outcomes.items() if outcome == "linked"
    )
    return ended.code, outcomes, [row["text"] for row in rows]


def an_error(servers: Servers, folder: Path, form: str, body: bytes, status: str) -> None:
    """NCBI's text is the reason of the UID it concerns; all others have their records."""
    base_url, _ = _server(servers, form, lambda _: response(body, status=status, kind="text/plain"))
    code, outcomes, texts = _harvested(servers, folder, base_url, form)
    assert code == 3
    outcome, reason = outcomes.pop(UNKNOWN)
    assert outcome == "failed"
    assert reason is not None
    assert "Failed to " in reason
    assert set(outcomes.values()) == {("linked", None)}
    assert not any("Error" in text for text in texts)


def left_out(servers: Servers, folder: Path, form: str) -> None:
    """A UID that every answer omits is missing."""

    def unknown(uids: list[int]) -> bytes:
        known = [uid for uid in uids if uid != UNKNOWN]
        return response(_records(form, known), kind="text/plain")

    base_url, requests = _server(servers, form, unknown)
    code, outcomes, texts = _harvested(servers, folder, base_url, form)
    assert code == 3
    assert outcomes.pop(UNKNOWN) == ("missing", "left out of every answer")
    assert set(outcomes.values()) == {("linked", None)}
    assert len(outcomes) == len(UIDS) - 1
    marks = {"fasta/text": ">NM_", "gb/text": "VERSION ", "acc/text": "NM_", "/xml": "<TSeq>"}
    assert sum(text.count(marks[form]) for text in texts) == len(outcomes)
    assert sum(one.utility == "efetch.fcgi" for one in requests) < 40


def cut_xml(servers: Servers, folder: Path) -> None:
    """Truncated XML is discarded; the second answer is whole."""
    seen: list[int] = []

    def unknown(uids: list[int]) -> bytes | None:
        seen.append(len(uids))
        return response(_records("/xml", uids)[:-20]) if len(seen) == 1 else None

    base_url, _ = _server(servers, "/xml", unknown)
    code, outcomes, texts = _harvested(servers, folder, base_url, "/xml")
    assert code == 0
    assert set(outcomes.values()) == {("linked", None)}
    assert all(text.endswith("</TSeqSet>\n") for text in texts)
    assert len(seen) > 1


SCENARIOS = [
    Scenario(an_error, "gb/text", NOT_UNDERSTOOD, "200 OK"),
    Scenario(an_error, "gb/text", PROXIED, "400 Bad Request"),
    Scenario(an_error, "fasta/text", NOT_UNDERSTOOD, "200 OK"),
    Scenario(left_out, "fasta/text"),
    Scenario(left_out, "gb/text"),
    Scenario(left_out, "acc/text"),
    Scenario(left_out, "/xml"),
    Scenario(cut_xml),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_only_records_are_records(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)


@pytest.mark.parametrize(
    ("body", "status"), [(NOT_UNDERSTOOD, "200 OK"), (PROXIED, "400 Bad Request")]
)
async def test_the_library_raises_ncbis_words_at_once(
    servers: Servers, body: bytes, status: str
) -> None:
    base_url, requests = _server(
        servers, "gb/text", lambda _: response(body, status=status, kind="text/plain")
    )
    async with Eutils(base_url=base_url, rate=100) as e:
        with pytest.raises(HarvestError, match=r"EFetch .* Failed to (understand id|retrieve)"):
            await e.efetch("nuccore", [UNKNOWN], "gb", "text")
    assert sum(one.utility == "efetch.fcgi" for one in requests) == 2


@pytest.mark.parametrize(("form", "kept"), [("/xml", -20), ("gb/text", -5)])
async def test_the_library_returns_no_text_that_is_cut(
    servers: Servers, form: str, kept: int
) -> None:
    sent: list[int] = []

    def unknown(uids: list[int]) -> bytes | None:
        sent.append(len(uids))
        return response(_records(form, uids)[:kept]) if len(sent) == 1 else None

    base_url, _ = _server(servers, form, unknown)
    rettype, _, retmode = form.partition("/")
    async with Eutils(base_url=base_url, rate=100) as e:
        text = await e.efetch("nuccore", [UNKNOWN, 5008], rettype or None, retmode)
    assert text == _records(form, [UNKNOWN, 5008]).decode()
    assert sent == [2, 2]
