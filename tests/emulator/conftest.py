"""Shared fixtures: client session, recorded answers of NCBI, readers of answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias
from xml.etree import ElementTree as ET

import aiohttp
import pytest
from Bio import Entrez
from support.recorded_answers import RECORDED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from harvester.emulator import Emulator

Ask: TypeAlias = "Callable[..., Any]"

NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"


@pytest.fixture
def recorded() -> Path:
    """Return the folder of recorded answers."""
    return RECORDED


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


class Client:
    """Client of one emulator."""

    def __init__(self, session: aiohttp.ClientSession, server: Emulator) -> None:
        self._session = session
        self._server = server

    async def raw(self, utility: str, query: str, *, post: bool = False) -> tuple[int, bytes]:
        """Return status and body of an answer."""
        url = f"{self._server.base_url}{utility}.fcgi"
        if post:
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            sent = self._session.post(url, data=query.encode(), headers=form)
        else:
            sent = self._session.get(f"{url}?{query}")
        async with sent as response:
            return response.status, await response.read()

    async def json(self, query: str, utility: str = "elink") -> dict[str, Any]:
        status, body = await self.raw(utility, f"retmode=json&{query}")
        assert status == 200
        answer: dict[str, Any] = json.loads(body)
        return answer

    async def xml(self, query: str, utility: str = "elink") -> ET.Element:
        status, body = await self.raw(utility, query)
        assert status == 200
        return ET.fromstring(body)


Row = tuple[str, str, str, str]
"""From UID, dbto, linkname, to UID."""


def rows_of_json(answer: dict[str, Any]) -> list[Row]:
    """Return the links of a by-id answer, in its order."""
    return [
        (linkset["ids"][0], db["dbto"], db["linkname"], uid)
        for linkset in answer["linksets"]
        for db in linkset.get("linksetdbs", ())
        for uid in db["links"]
    ]


def rows_of_xml(answer: ET.Element) -> list[Row]:
    """Return the links of a by-id answer, in its order."""
    return [
        (
            linkset.findtext("IdList/Id", ""),
            db.findtext("DbTo", ""),
            db.findtext("LinkName", ""),
            link.findtext("Id", ""),
        )
        for linkset in answer.findall("LinkSet")
        for db in linkset.findall("LinkSetDb")
        for link in db.findall("Link")
    ]


@pytest.fixture
def ask(server: Emulator, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return a function that sends a request with Biopython and parses the answer, validating."""
    build: Any = Entrez._build_request
    read: Any = Entrez.read

    def build_here(cgi: str, *args: Any, **options: Any) -> Any:
        Entrez._open.previous = 0  # no pause between requests on this machine
        return build(cgi.replace(NCBI, server.base_url), *args, **options)

    monkeypatch.setattr(Entrez, "_build_request", build_here)
    monkeypatch.setattr(Entrez, "email", "test@example.org")

    def ask(utility: str, **parameters: Any) -> Any:
        with getattr(Entrez, utility)(**parameters) as handle:
            return read(handle, validate=True)

    return ask


@pytest.fixture
def fetch(ask: Ask) -> Ask:
    """Return a function that sends a request with Biopython and returns the text."""

    def fetch(utility: str, **parameters: Any) -> str:
        with getattr(Entrez, utility)(**parameters) as handle:
            text = handle.read()
            return text if isinstance(text, str) else text.decode()

    return fetch
