"""ESearch: AND, OR and NOT, fields, dates and orders (NBK25499, NBK3837)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from harvester.emulator import Emulator, EmulatorConfig

from .conftest import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

KNOWN = "1:200000[UID]"
"""Keeps results short enough to be read whole."""


@pytest.fixture
async def client(session: aiohttp.ClientSession) -> AsyncIterator[Client]:
    async with Emulator(EmulatorConfig(rate=None)) as server:
        yield Client(session, server)


async def search(client: Client, term: str, **fields: str) -> dict[str, Any]:
    query = urlencode({"db": "gene", "term": term, "retmax": "100000", **fields})
    result: dict[str, Any] = (await client.json(query, "esearch"))["esearchresult"]
    assert int(result["count"]) == len(result["idlist"])
    return result


async def uids(client: Client, term: str, **fields: str) -> set[int]:
    listed = [int(uid) for uid in (await search(client, term, **fields))["idlist"]]
    assert listed == sorted(listed, reverse=True)
    return set(listed)


async def test_words_are_joined_as_sets(client: Client) -> None:
    part = "1:90000[UID]"
    a = await uids(client, f"kinase AND {part}")
    b = await uids(client, f"asthma AND {part}")
    first = await uids(client, "1:500[UID]")
    assert a
    assert b
    assert a != b
    assert await uids(client, f"({part} AND kinase) OR ({part} AND asthma)") == a | b
    assert await uids(client, f"({part} AND kinase) NOT ({part} AND asthma)") == a - b
    assert await uids(client, f"(kinase OR asthma) AND {part}") == a | b
    assert await uids(client, f"{part} AND (kinase OR asthma) NOT 1:500[UID]") == (a | b) - first


async def test_operators_apply_from_left_to_right(client: Client) -> None:
    """`1:3 OR 5:9 AND 1:6` is `(1:3 OR 5:9) AND 1:6`."""
    term = "1:3[UID] OR 5:9[UID] AND 1:6[UID]"
    assert await uids(client, term) == {1, 2, 3, 5, 6}
    assert await uids(client, "8:9[UID] OR (5:9[UID] AND 1:6[UID])") == {5, 6, 8, 9}
    assert await uids(client, "1:9[UID] NOT 2:3[UID] OR 3[UID]") == {1, 3, 4, 5, 6, 7, 8, 9}
    assert await uids(client, "1:9[UID] NOT (2:3[UID] OR 4[UID])") == {1, 5, 6, 7, 8, 9}


async def test_a_word_narrows_a_union(client: Client) -> None:
    wide = await uids(client, f"(kinase OR asthma) AND {KNOWN}")
    narrow = await uids(client, f"(kinase OR asthma) AND human AND {KNOWN}")
    assert set() < narrow < wide


async def test_operators_in_phrases_and_in_small_letters_are_words(client: Client) -> None:
    for term in ('"trial or error"', "trial or error", '"trial OR error"[ti]'):
        found = await search(client, f"{term} AND {KNOWN}")
        assert found["querytranslation"].startswith(term.removesuffix("[ti]"))


async def test_the_translation_keeps_operators_and_parentheses(client: Client) -> None:
    found = await search(client, "(a1[titl] OR b1) AND 1:9000[UID] NOT c1")
    assert found["querytranslation"] == (
        "((a1[titl] OR b1[All Fields]) AND 1:9000[UID]) NOT c1[All Fields]"
    )
    stack = [one if isinstance(one, str) else one["term"] for one in found["translationstack"]]
    assert stack == [
        "a1[titl]", "b1[All Fields]", "OR", "1:9000[UID]", "AND", "c1[All Fields]", "NOT", "GROUP",
    ]  # fmt: skip


async def test_sets_are_joined(client: Client) -> None:
    kept = (await search(client, "1:6[UID]", usehistory="y"))["webenv"]
    again = await search(client, "5:9[UID]", usehistory="y", WebEnv=kept)
    assert again["webenv"] == kept
    for term, expected in (
        ("#1 AND #2", {5, 6}), ("#1 OR #2", set(range(1, 10))), ("#1 NOT #2", {1, 2, 3, 4}),
        ("(#1 OR #2) AND 6:7[UID]", {6, 7}),
    ):  # fmt: skip
        assert await uids(client, term, WebEnv=kept) == expected, term
    lost = await client.json(urlencode({"term": "#1 OR #7", "WebEnv": kept}), "esearch")
    assert "query #7" in str(lost)


async def test_a_field_holds_for_all_words_without_one(client: Client) -> None:
    written = await search(client, f"kinase[titl] AND {KNOWN}")
    given = await search(client, f"kinase AND {KNOWN}", field="titl")
    assert given["idlist"] == written["idlist"] != []
    assert given["querytranslation"] == written["querytranslation"]
    unknown = await search(client, f"kinase AND {KNOWN}", field="bar")
    assert unknown["errorlist"]["fieldsnotfound"] == ["bar"]


@pytest.mark.parametrize("datetype", ["", "pdat", "edat", "mdat"])
async def test_dates_restrict_a_union(client: Client, datetype: str) -> None:
    """All dates of a generated record are the same day."""
    dates = {"mindate": "1960/01/02", "maxdate": "1960/01/03", "datetype": datetype}
    found = await uids(client, "1:2000[UID] OR 3000[UID] OR 90000[UID]", **dates)
    assert found == {*range(1691, 2001), 3000}


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("pub_date", lambda uid: -(1960 + uid % 66)),
        ("pub date", lambda uid: -(1960 + uid % 66)),
        ("Author", lambda uid: str(uid % 1000)),
        ("title", str),
        ("", lambda uid: -uid),
        ("no such order", lambda uid: -uid),
    ],
)
async def test_results_come_in_the_order_asked_for(client: Client, sort: str, key: Any) -> None:
    found = await search(client, "1:3000[UID]", sort=sort)
    listed = [int(uid) for uid in found["idlist"]]
    assert listed == sorted(range(3000, 0, -1), key=key)


async def test_relevance_is_another_order(client: Client) -> None:
    plain = (await search(client, "1:3000[UID]"))["idlist"]
    ordered = (await search(client, "1:3000[UID]", sort="relevance"))["idlist"]
    assert ordered != plain
    assert sorted(ordered) == sorted(plain)
