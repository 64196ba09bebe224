"""EFetch: parts of sequences by seq_start, seq_stop and strand (NBK25499), read by Biopython."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from Bio import SeqIO

from harvester.emulator import Emulator, EmulatorConfig

from .conftest import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp


@pytest.fixture
async def client(session: aiohttp.ClientSession) -> AsyncIterator[Client]:
    async with Emulator(EmulatorConfig(rate=None)) as server:
        yield Client(session, server)


async def fetch(client: Client, form: str, query: str = "", db: str = "nuccore") -> Any:
    rettype = {"fasta": "fasta", "genbank": "gb"}[form]
    _, body = await client.raw("efetch", f"db={db}&id=7&rettype={rettype}&retmode=text{query}")
    return SeqIO.read(StringIO(body.decode()), form)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("form", ["fasta", "genbank"])
async def test_a_part_of_either_strand(client: Client, form: str) -> None:
    whole = await fetch(client, form)
    plus = await fetch(client, form, "&seq_start=3&seq_stop=12")
    minus = await fetch(client, form, "&seq_start=3&seq_stop=12&strand=2")
    assert plus.seq == whole.seq[2:12]
    assert minus.seq == whole.seq[2:12].reverse_complement()
    if form == "fasta":
        assert (plus.id, minus.id) == (f"{whole.id}:3-12", f"{whole.id}:c12-3")


async def test_one_end_is_enough(client: Client) -> None:
    whole = await fetch(client, "fasta")
    assert (await fetch(client, "fasta", "&seq_start=9")).seq == whole.seq[8:]
    assert (await fetch(client, "fasta", "&seq_stop=9")).seq == whole.seq[:9]
    assert (await fetch(client, "fasta", "&seq_stop=99999")).seq == whole.seq


async def test_proteins_have_one_strand(client: Client) -> None:
    whole = await fetch(client, "fasta", db="protein")
    part = await fetch(client, "fasta", "&seq_start=2&seq_stop=5&strand=2", db="protein")
    assert part.seq == whole.seq[1:5]
