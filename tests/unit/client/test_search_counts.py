"""Counts and suggestions if a server fails in part or entirely, and how they are shown."""

from __future__ import annotations

import asyncio
import io
import re
import sys
from typing import TYPE_CHECKING, cast

import pytest

from harvester.cli.lookup import show
from harvester.client.catalogue import Catalogue
from harvester.client.search_counts import search_counts, suggestion
from harvester.errors import Fault, HarvestError, Refused, RequestFailed
from harvester.eutils.egquery import Hits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harvester.client.client import Client

DOWN = RequestFailed(Fault.SERVER, "HTTP 502")
LIST = b'{"einforesult":{"dblist":["a","b","c"]}}'
GONE = RequestFailed(Fault.REFUSAL, "it has moved")


class Server:
    """Answers each utility, or each database of ESearch, with a body or an error."""

    base_url = "http://server/"

    def __init__(self, answers: Mapping[str, bytes | Exception]) -> None:
        self._answers = answers

    async def call(
        self, path: str, fields: dict[str, str], read: Callable[[bytes], object], attempts: int
    ) -> object:
        name = path.removesuffix(".fcgi")
        answer = self._answers[f"{name} {fields['db']}" if name == "esearch" else name]
        if isinstance(answer, Exception):
            raise answer
        return read(answer)


def _client(**answers: bytes | Exception) -> Client:
    named = {name.replace("_", " "): answer for name, answer in answers.items()}
    return cast("Client", Server(named))


def _count(client: Client, folder: Path) -> list[Hits]:
    return asyncio.run(search_counts(client, "x", Catalogue(client, folder)))


def _found(count: int) -> bytes:
    return b'{"esearchresult":{"count":"%d"}}' % count


@pytest.mark.parametrize("egquery", [GONE, DOWN, Refused("no"), RequestFailed(Fault.BODY, "?")])
def test_where_egquery_fails_each_database_is_searched(tmp_path: Path, egquery: Exception) -> None:
    client = _client(
        egquery=egquery, einfo=LIST, esearch_a=_found(0), esearch_b=DOWN, esearch_c=_found(3)
    )
    assert _count(client, tmp_path) == [Hits("c", 3), Hits("a", 0), Hits("b", None, "HTTP 502")]


def test_when_no_search_succeeds_there_is_one_sentence(tmp_path: Path) -> None:
    client = _client(egquery=GONE, einfo=LIST, esearch_a=DOWN, esearch_b=DOWN, esearch_c=DOWN)
    with pytest.raises(HarvestError, match=r"No database could be searched: HTTP 502."):
        _count(client, tmp_path)


def test_a_refusal_ends_the_search(tmp_path: Path) -> None:
    refused = Refused("The server refuses us.")
    client = _client(
        egquery=refused, einfo=LIST, esearch_a=_found(1), esearch_b=refused, esearch_c=_found(1)
    )
    with pytest.raises(Refused):
        _count(client, tmp_path)


def test_a_suggestion_is_printable_or_absent() -> None:
    body = "<eSpellResult><CorrectedQuery>x\u202ey</CorrectedQuery></eSpellResult>".encode()
    assert asyncio.run(suggestion(_client(espell=body), "pubmed", "y")) == "x?y"
    for failure in (DOWN, GONE, Refused("no")):
        assert asyncio.run(suggestion(_client(espell=failure), "pubmed", "y")) is None


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_table_with_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    show(("database", "records"), [("pubmed", 41000000), ("[bold]", None)])
    plain = re.sub(r"\x1b\[\d*m", "", terminal.getvalue())
    lines = [line.split() for line in plain.splitlines()]
    assert lines == [["database", "records"], ["pubmed", "41,000,000"], ["[bold]"]]


def test_a_narrow_terminal_folds_names_and_keeps_every_digit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    columns = ("hop", "dbfrom", "from_uid", "linkname", "dbto", "to_uid", "score")
    name = "pubmed_pubmed_reviews_five"
    show(columns, [(1, "pubmed", "30000001", name, "pubmed", "30000002", 2147483647)])
    head, *lines = re.sub(r"\x1b\[\d*m", "", terminal.getvalue()).splitlines()
    assert head.split() == list(columns)
    assert max(map(len, (head, *lines))) <= 60
    assert lines[0].split()[-1] == "2,147,483,647"
    start = head.index("linkname")
    assert "".join(line[start : head.index("dbto")].strip() for line in lines) == name


def test_a_text_cannot_turn_a_terminal_around(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    show(("linkname",), [("\u202eevil\x1b[2J",)])
    assert "\u202e" not in terminal.getvalue()
    assert "\x1b[2J" not in terminal.getvalue()
