"""The API key never leaves the client, wherever the server repeats it."""

from __future__ import annotations

import asyncio
import html
import json
import time
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, quote_plus

import numpy as np
import pytest

from harvester.client.backoff import backoff
from harvester.client.catalogue import Catalogue
from harvester.client.client import Client
from harvester.client.pacing.limiter import Limiter
from harvester.client.redaction import MIN_LENGTH, Redactor
from harvester.client.reply import Reply
from harvester.client.search_counts import search_counts, suggestion
from harvester.errors import Refused, RequestFailed
from harvester.eutils import ecitmatch, efetch, egquery, einfo, epost, esearch, espell
from harvester.eutils.efetch import Documents
from harvester.eutils.elink.commands import Elink
from harvester.eutils.esummary import Summaries
from harvester.eutils.identity import Identity
from harvester.job.groups import Contact
from harvester.job.link import Link
from harvester.model.batch import Batch
from harvester.model.identifiers import Uids
from harvester.sources.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harvester.client.transport import OnSent, Transport
    from harvester.eutils.einfo import DbInfo
    from harvester.eutils.question import Question

KEY = "5ec2e7" * 6
ODD = "5ec/re+7=%&<k>" * 3
"""NCBI's keys are hexadecimal; this one is spelt differently in each encoding."""


class Server:
    """A transport that returns the same reply to every request."""

    base_url = "http://server/"

    def __init__(self, body: bytes, status: int = 200, **headers: str) -> None:
        self._reply = Reply(status, headers, body)

    async def post(self, path: str, form: bytes, on_sent: OnSent) -> Reply:
        assert quote_plus(KEY).encode() in form or quote_plus(ODD).encode() in form
        on_sent()
        return self._reply


def _client(server: Server, key: str = KEY) -> Client:
    limiter = Limiter(10_000, clock=time.monotonic)
    return Client(cast("Transport", server), limiter, Identity(Contact(), key))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harvester.client.client.backoff", lambda tries: backoff(tries, lambda: 0))


@pytest.mark.parametrize(
    "spelt",
    [
        ODD, quote(ODD), quote(ODD, ""), quote_plus(ODD), json.dumps(ODD)[1:-1],
        ODD.replace("/", "\\/"), html.escape(ODD), html.escape(ODD, quote=False),
    ],
)  # fmt: skip
def test_every_spelling_is_redacted(spelt: str) -> None:
    redactor = Redactor(ODD)
    assert redactor.text(f"a {spelt} b {spelt}") == "a *** b ***"
    assert redactor.body(f"a {spelt} b".encode()) == b"a *** b"


def test_without_a_key_nothing_changes() -> None:
    redactor = Redactor(None)
    assert redactor.text("None, null") == "None, null"
    assert redactor.body(b"None, null") == b"None, null"


def test_a_short_key_does_not_damage_data() -> None:
    """A key that could be a UID is redacted in error texts only."""
    key = "1" * (MIN_LENGTH - 1)
    body = b'{"linksets":[{"ids":["%b"]}]}' % key.encode()
    assert Redactor(key).body(body) == body
    assert Redactor(key).text(f"the key {key} is invalid") == "the key *** is invalid"


def test_a_body_without_the_key_is_not_copied() -> None:
    body = b"x" * 1000
    assert Redactor(KEY).body(body) is body


def test_no_repr_shows_the_key() -> None:
    client = _client(Server(b""))
    assert "http://server/" in repr(client)
    assert KEY not in repr(client) + repr(Redactor(KEY)) + repr(vars(Redactor(KEY)).keys())


_XML = f"<x><ERROR>{KEY}</ERROR></x>"
READERS: Mapping[str, tuple[Callable[[bytes], object], str]] = {
    "esearch": (
        esearch.read,
        f'{{"esearchresult":{{"count":"0","errorlist":{{"phrasesnotfound":["{KEY}"]}}}}}}',
    ),
    "esearch, error": (esearch.read, f'{{"esearchresult":{{"ERROR":"key {KEY}"}}}}'),
    "einfo": (
        einfo.read_info,
        f'{{"einforesult":{{"dbinfo":[{{"dbname":"a","description":"{KEY}"}}]}}}}',
    ),
    "einfo, error": (einfo.read_info, f"<eInfoResult><ERROR>{KEY}</ERROR></eInfoResult>"),
    "einfo, names": (einfo.read_databases, f'{{"einforesult":{{"dblist":["{KEY}"]}}}}'),
    "espell": (
        espell.read,
        f"<eSpellResult><CorrectedQuery>{KEY}</CorrectedQuery></eSpellResult>",
    ),
    "egquery": (
        egquery.read,
        f"<Result><eGQueryResult><ResultItem><DbName>a</DbName><Status>{KEY}</Status>"
        "</ResultItem></eGQueryResult></Result>",
    ),
    "epost": (epost.read, f"<ePostResult><ERROR>{KEY}</ERROR></ePostResult>"),
    "ecitmatch": (lambda body: ecitmatch.read(body, 1), f"|||||key0|{KEY}"),
    "efetch": (efetch.read, f"a record of {KEY}"),
    "efetch, error": (efetch.read, f"<eFetchResult><ERROR>{KEY}</ERROR></eFetchResult>"),
}


@pytest.mark.parametrize("name", READERS)
async def test_neither_values_nor_errors_of_a_call_hold_it(name: str) -> None:
    read, body = READERS[name]
    client = _client(Server(body.encode()))
    try:
        shown = repr(await client.call("any.fcgi", {}, read, 1))
    except RequestFailed as failure:
        shown = f"{failure} {failure.reason} {failure!r}"
    assert KEY not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    ("question", "body"),
    [
        (Elink(Link(dbfrom="pubmed")), f'{{"linksets":[{{"ids":["1"],"ERROR":"{KEY}"}}]}}'),
        (Elink(Link(dbfrom="pubmed")), f'{{"linksets":[],"ERROR":"{KEY}"}}'),
        (
            Elink(Link(dbfrom="pubmed", cmd="llinks")),
            '{"linksets":[{"idurllist":[{"id":"1","objurls":[{"url":{"value":"http://a/?'
            f'{KEY}"}},"provider":{{"name":"{KEY}"}}}}]}}]}}]}}',
        ),
        (Summaries("gene", Uids()), f'{{"result":{{"uids":["1"],"1":{{"error":"{KEY}"}}}}}}'),
        (Summaries("gene", Uids()), f'{{"result":{{"uids":["1"],"1":{{"title":"{KEY}"}}}}}}'),
        (Documents("gene", "xml", Uids()), f"<a><ERROR>{KEY}</ERROR></a>"),
        (Documents("gene", "text", Uids()), f"1. {KEY}"),
    ],
)
async def test_neither_answers_nor_bodies_of_batches_hold_it(question: Question, body: str) -> None:
    client, batch = _client(Server(body.encode())), Batch(np.array([1], np.int64), "json")
    try:
        answer, kept = await client.ask(question, batch, await client.permit())
    except RequestFailed as failure:
        shown, kept = f"{failure} {failure.reason}", failure.body or b""
    else:
        shown = f"{answer.broken} {answer.rows.to_table().to_pylist()}"
    assert KEY not in shown + kept.decode()
    assert "***" in shown


@pytest.mark.parametrize("key", [KEY, ODD, "short"])
async def test_an_error_spelt_with_escapes_is_redacted_after_it_was_read(key: str) -> None:
    escaped = "".join(f"\\u{ord(char):04x}" for char in key)
    body = f'{{"linksets":[{{"ids":["1"],"ERROR":"the key {escaped}"}}]}}'.encode()
    client = _client_of(key, body)
    answer, _ = await client.ask(
        Elink(Link(dbfrom="pubmed")), Batch(np.array([1], np.int64), "json"), await client.permit()
    )
    assert answer.broken == {1: "the key ***"}


def _client_of(key: str, body: bytes) -> Client:
    class Any(Server):
        async def post(self, path: str, form: bytes, on_sent: OnSent) -> Reply:
            return self._reply

    return _client(Any(body), key)


async def test_the_address_of_a_redirect_is_redacted() -> None:
    server = Server(b"moved", 301, location=f"http://else.where/{KEY}/elink.fcgi?api_key={KEY}")
    with pytest.raises(Refused) as caught:
        await _client(server).call("elink.fcgi", {}, bytes)
    assert KEY not in str(caught.value)
    assert "it has moved to http://else.where/***/elink.fcgi" in str(caught.value)


def test_the_catalogue_neither_returns_nor_stores_it(tmp_path: Path) -> None:
    body = f'{{"einforesult":{{"dbinfo":[{{"dbname":"a","description":"told {KEY}"}}]}}}}'

    async def look() -> DbInfo | None:
        return await Catalogue(_client(Server(body.encode())), tmp_path).info("a")

    info = asyncio.run(look())
    assert info is not None
    assert info.description == "told ***"
    assert len(list(tmp_path.iterdir())) == 1
    assert all(KEY not in path.read_text() for path in tmp_path.iterdir())


async def test_counts_suggestions_and_searches_do_not_show_it() -> None:
    status = f"<DbName>a</DbName><Count>1</Count><Status>{KEY}</Status>"
    found = f"<Result><eGQueryResult><ResultItem>{status}</ResultItem></eGQueryResult></Result>"
    assert [hits.status for hits in await search_counts(_client(Server(found.encode())), "x")] == [
        "***"
    ]
    spelt = f"<eSpellResult><CorrectedQuery>x {KEY}</CorrectedQuery></eSpellResult>"
    assert await suggestion(_client(Server(spelt.encode())), "pubmed", "y") == "x ***"
    doubts: list[str] = []
    missed = '{"esearchresult":{"count":"1","idlist":["1"],"errorlist":{"phrasesnotfound":["%s"]}}}'
    server = Server((missed % KEY).encode())
    assert await Search(_client(server), "gene", "x", warn=doubts.append).count() == 1
    assert doubts == ["NCBI does not know '***' and left it out of the query 'x'."]


def test_a_call_from_a_plain_loop_ends_too() -> None:
    """The redaction of a failure keeps its kind and its text."""
    client = _client(Server(_XML.encode(), 502))
    with pytest.raises(RequestFailed, match="HTTP 502"):
        asyncio.run(client.call("any.fcgi", {}, bytes, 2))
