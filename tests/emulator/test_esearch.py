"""ESearch: fields, translations and History sets in the shapes of recordings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from harvester.emulator import Emulator, EmulatorConfig

from .conftest import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import aiohttp


@pytest.fixture
async def client(session: aiohttp.ClientSession) -> AsyncIterator[Client]:
    async with Emulator(EmulatorConfig(rate=None)) as server:
        yield Client(session, server)


async def search(client: Client, query: str) -> dict[str, Any]:
    result: dict[str, Any] = (await client.json(query, "esearch"))["esearchresult"]
    return result


async def test_a_field_that_does_not_exist(client: Client) -> None:
    found = await search(client, "db=pubmed&term=cancer[bar]+AND+1:9999999[UID]")
    assert found["errorlist"] == {"phrasesnotfound": [], "fieldsnotfound": ["bar"]}
    assert found["querytranslation"] == "cancer[All Fields] AND 1:9999999[UID]"
    plain = await search(client, "db=pubmed&term=cancer+AND+1:9999999[UID]")
    assert found["idlist"] == plain["idlist"] != []
    xml = await client.xml("db=pubmed&term=cancer[bar]", "esearch")
    assert xml.findtext("ErrorList/FieldNotFound") == "bar"


@pytest.mark.parametrize(
    "field", ["mesh", "MeSH Terms", "tiab", "Title/Abstract", "orgn", "Organism", "sb", "mh:noexp"]
)
async def test_fields_that_exist(client: Client, field: str) -> None:
    assert "errorlist" not in await search(client, f"db=pubmed&term=cancer[{field}]")


async def test_ids_are_listed_in_a_term(client: Client) -> None:
    """`166780,615560[UID]` was answered in 2023."""
    found = await search(client, "db=gene&term=7157,672,999999999999[UID]")
    assert (found["count"], found["idlist"]) == ("2", ["7157", "672"])
    texts = {"NP_000537.3", "1TUP_A"}
    query = "db=protein&term=NP_000537.3[ACCN]+OR+1TUP_A+[ACCN]"
    assert set((await search(client, f"{query}&idtype=acc"))["idlist"]) == texts
    for text in texts:  # EDirect sends a bare accession
        found = await search(client, f"db=protein&term={text}&idtype=acc")
        assert found["idlist"] == [text]
    assert (await search(client, f"{query}+AND+1:2[UID]"))["count"] == "0"


@pytest.mark.parametrize("value", ["y", "n"])
async def test_any_usehistory_stores_a_set(client: Client, value: str) -> None:
    """`usehistory=n` returned QueryKey and WebEnv in 2020."""
    found = await search(client, f"term=1:5[UID]&usehistory={value}")
    again = await search(client, f"term=%231&WebEnv={found['webenv']}")
    assert again["idlist"] == ["5", "4", "3", "2", "1"]
    assert "webenv" not in await search(client, "term=1:5[UID]")


TERMS = {
    "ncbi-GeneGPT/esearch_gene_1006c951.json": "db=gene&term=LMP10",
    "ncbi-GeneGPT/esearch_nucleotide_f3bfbc37.json": "db=nucleotide&term=human+genome",
    "galaxyproject-tools-iuc/esearch.gene.hist.2026.json": "db=gene&term=118502329[UID]",
    "ncbi-GeneGPT/esearch_snp_552bf66e.json": "db=snp&term=none",
}


@pytest.mark.parametrize("name", TERMS)
async def test_translations_have_the_form_of_the_recording(
    client: Client, recorded: Path, name: str
) -> None:
    theirs = json.loads((recorded / name).read_text())["esearchresult"]
    history = "&usehistory=y" if "webenv" in theirs else ""
    ours = await search(client, TERMS[name] + history)
    assert list(ours) == list(theirs)
    stacks = [re.sub(r'"count":"\d+"', "", dump(one)) for one in (theirs, ours)]
    assert stacks[0] == stacks[1]
    word = theirs.get("errorlist", {}).get("phrasesnotfound", ["none"])[0]
    assert ours["querytranslation"] == theirs["querytranslation"].replace(word, "none")


def dump(result: dict[str, Any]) -> str:
    return json.dumps(result.get("translationstack"), separators=(",", ":"))


async def test_the_stack_has_one_form_in_xml(client: Client, recorded: Path) -> None:
    theirs = (recorded / "biocommons-eutils" / "test_esearch__0.xml").read_text()
    _, body = await client.raw("esearch", "db=gene&term=OCRL")
    start = "<TranslationSet/>"
    ours = re.sub(r"<Count>\d+</Count>", "", body.decode().partition(start)[2])
    assert ours.strip() == re.sub(r"<Count>\d+</Count>", "", theirs.partition(start)[2]).strip()


async def test_counts_of_words_are_those_of_a_search_not_of_a_database(client: Client) -> None:
    for word in ("TP53", "cancer", "BRCA1", "asthma", "kinase"):
        for db in ("pubmed", "gene", "nuccore"):
            count = int((await search(client, f"db={db}&term={word}&rettype=count"))["count"])
            assert 100 < count <= 45_000
