"""The E-utilities one by one: each is awaited, and all of them keep to one limit."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Self, overload

from harvester.api.arguments import (
    DateFields,
    FetchFields,
    HistorySet,
    LinkFields,
    SearchFields,
    Uid,
    Uids,
    comma_list,
    counted,
    fields_of,
    named,
    read_accessions,
    read_ids,
    read_uids,
    records_of,
    see_text,
)
from harvester.api.connection import Connection
from harvester.api.links import Linked, ask_links
from harvester.api.summaries import ask_summaries
from harvester.client.catalogue import together
from harvester.client.check_names import check_names
from harvester.client.search_counts import search_counts, suggestion
from harvester.errors import BadInput, printable
from harvester.eutils import ecitmatch, epost, esearch, espell
from harvester.eutils import efetch as documents
from harvester.eutils.ecitmatch import Citation
from harvester.eutils.esearch import PastCap, SetLost
from harvester.model import uids
from harvester.sources.search import Search

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from typing import Unpack

    from harvester.eutils.ecitmatch import Match
    from harvester.eutils.egquery import Hits
    from harvester.eutils.einfo import DbInfo
    from harvester.eutils.epost import Posted
    from harvester.eutils.esearch import Found
    from harvester.eutils.esummary import DocSum


class Eutils:
    """The E-utilities of one server, each to be awaited singly, many at once if wished.

    All requests go through one limiter, which they share with every harvest on this machine that
    asks with the same key. Requests that fail are put again after pauses.

    Args:
        email: your address, for NCBI; else from the environment, `NCBI_EMAIL`.
        api_key: else from the environment, `NCBI_API_KEY`.
        base_url: any server that speaks E-utilities; NCBI, or `HARVESTER_BASE_URL`, by default.
        rate: requests a second; default 3, with a key 10.
        rate_granted: NCBI has granted you a higher rate than that.
        timeout: seconds for one request.
        tool: name of your software, without blanks, for NCBI.

    Raises:
        BadInput: an argument is wrong, or NCBI would be asked without an email address.

    Every method raises:
        BadInput: an argument is wrong; nothing was asked about it.
        Refused: the server refuses us (bad API key, blocked address).
        HarvestError: no whole answer came, after several attempts.

    Example:
        ```
        async with Eutils(email="you@example.org") as e:
            linked = await e.elink("pubmed", [20210808, 12345678], db="gene")
            print(linked.by_uid("pubmed_gene"))
        ```
    """

    def __init__(
        self,
        email: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        rate: float | None = None,
        *,
        rate_granted: bool = False,
        timeout: float = 60.0,
        tool: str | None = None,
    ) -> None:
        settings = {
            "contact": _given({"email": email, "tool": tool}),
            "server": _given({"base_url": base_url}),
            "limits": _given({"rate": rate, "rate_granted": rate_granted, "timeout": timeout}),
        }
        self._at = Connection(settings, os.environ | _given({"NCBI_API_KEY": api_key}))

    def __repr__(self) -> str:
        """Show the server; the API key stays out."""
        return f"Eutils({self._at.base_url!r})"

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._at.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Disconnect."""
        await self._at.close()

    # --- links ------------------------------------------------------------------------------

    async def elink(
        self,
        dbfrom: str,
        ids: Uids | HistorySet,
        db: str | list[str] = "all",
        *,
        cmd: str = "neighbor",
        linkname: str | list[str] | None = None,
        **fields: Unpack[LinkFields],
    ) -> Linked:
        """ELink: what records are linked to, by any of its cmds.

        A set on the History server is read first, and its UIDs are asked for by id: ELink itself
        merges the links of a set, so that nobody can tell whose they are.

        Args:
            dbfrom: database of the UIDs.
            ids: UIDs, or accessions with `idtype="acc"`; 20,000 at most.
            db: databases to link to.
            cmd: neighbor, neighbor_score, neighbor_history, acheck, ncheck, lcheck, llinks,
                llinkslib or prlinks.
            linkname: keep only these.
            fields: see `LinkFields`.

        Returns:
            Links and outcomes, as a harvest has them in `links/` and `uids/`.

        Example:
            ```
            linked = await e.elink("gene", [7157, 672], db="protein", linkname="gene_protein")
            linked.links      # pyarrow.Table
            linked.by_uid()   # {672: [...], 7157: [...]}
            ```
        """
        asked = {"dbfrom": dbfrom, "db": db, "cmd": cmd, "linkname": linkname, **fields}
        job = self._at.job(_given(asked))
        link, client = job.link, self._at.client
        acc = link.idtype == "acc"
        read = read_accessions if acc else partial(read_uids, link.dbfrom)
        listed: list[Any] = [] if isinstance(ids, HistorySet) else read(ids)
        doubts = [*link.doubts(), *await check_names(client, link)]
        if isinstance(ids, HistorySet):
            listed = await self._members(link.dbfrom, ids, accessions=acc)
        linked = await ask_links(client, job, listed if acc else uids.as_set(listed))
        return replace(linked, doubts=tuple(doubts))

    async def _members(self, db: str, kept: HistorySet, *, accessions: bool) -> list[Any]:
        """The UIDs of a set."""
        names = named(kept)
        search = Search(
            self._at.client,
            db,
            webenv=names["WebEnv"],
            query_key=names["query_key"],
            accessions=accessions,
        )
        return [uid async for uid in _each(search)]

    # --- searches ---------------------------------------------------------------------------

    async def esearch(
        self,
        db: str,
        term: str,
        *,
        retstart: int = 0,
        retmax: int = 20,
        usehistory: bool = False,
        within: HistorySet | None = None,
        **fields: Unpack[SearchFields],
    ) -> Found:
        """ESearch: how many records match a query, and one page of them.

        Args:
            db: the database.
            term: the query.
            retstart: how many records to pass over; of PubMed, 9,998 at most.
            retmax: ids to give; of PubMed, 9,999 at most. For all, see `search_all`.
            usehistory: keep the whole result on the History server, for `elink`, `esummary`,
                `efetch` and `within`.
            within: only records of this set.
            fields: more parameters of ESearch: sort, field, datetype, mindate, maxdate, reldate,
                idtype.

        Example:
            ```
            found = await e.esearch("pubmed", "asthma[mesh]", usehistory=True)
            print(found.count, found.ids[:3])
            ```
        """
        see_text("term", term)
        await self._at.see_db(db)
        form = {
            **fields_of(fields, SearchFields.__annotations__),
            "db": db,
            "term": term,
            "retmode": "json",
            "retstart": counted("retstart", retstart),
            "retmax": counted("retmax", retmax),
            "usehistory": "y" if usehistory else None,
            **(named(within) if within else {}),
        }
        return await self._at.ask("ESearch", esearch.PATH, form, _searched)

    async def search_all(
        self, db: str, term: str, **fields: Unpack[DateFields]
    ) -> AsyncIterator[Uid]:
        """ESearch: every record that matches a query, each once, past the cap of 9,999 of PubMed.

        Args:
            db: the database.
            term: the query.
            fields: datetype, mindate, maxdate, reldate, or `idtype="acc"` for accessions.

        Raises:
            BadInput: nothing matches; tells how the query may have been meant.

        Example:
            ```
            pmids = [pmid async for pmid in e.search_all("pubmed", "asthma[mesh] AND 2024[PDAT]")]
            ```
        """
        see_text("term", term)
        await self._at.see_db(db)
        more = fields_of(fields, DateFields.__annotations__)
        search = Search(
            self._at.client,
            db,
            term,
            accessions=more.pop("idtype", "uid") == "acc",
            fields=more,
            suggest=partial(suggestion, self._at.client),
        )
        async for uid in _each(search):
            yield uid

    async def egquery(self, term: str) -> list[Hits]:
        """EGQuery: how many records of each database match a query, the most first.

        Where it is no more (NCBI retired it in 2024), ESearch is asked about each database.

        Example:
            ```
            print([(hits.db, hits.count) for hits in await e.egquery("BRCA1")][:3])
            ```
        """
        see_text("term", term)
        asking = search_counts(self._at.client, term, self._at.catalogue)
        return await self._at.answer("EGQuery", asking)

    async def espell(self, db: str, term: str) -> str | None:
        """ESpell: how a query may have been meant; None where there is nothing to correct.

        Example:
            ```
            print(await e.espell("pubmed", "asthmaa"))
            ```
        """
        see_text("term", term)
        await self._at.see_db(db)
        return await self._at.ask("ESpell", espell.PATH, {"db": db, "term": term}, espell.read)

    async def ecitmatch(self, citations: Iterable[Citation]) -> list[Match]:
        """ECitMatch: the PMIDs of citations.

        Args:
            citations: as much as is known of each article.

        Returns:
            What was found for each, in their order: one article, candidates, or nothing.

        Example:
            ```
            from harvester import Citation

            pnas = Citation("proc natl acad sci u s a", 1991, 88, 3248, "mann bj")
            (match,) = await e.ecitmatch([pnas])
            print(match.pmid or match.said)
            ```
        """
        listed = list(citations)
        if not all(isinstance(one, Citation) for one in listed):
            raise BadInput("citations should be a list of harvester.Citation.")
        starts = range(0, len(listed), ecitmatch.MOST)
        pages = [listed[start : start + ecitmatch.MOST] for start in starts]
        found = await together(map(self._matches, pages))
        return [match for page in found for match in page]

    async def _matches(self, page: list[Citation]) -> list[Match]:
        form = {"db": "pubmed", "retmode": "xml", "bdata": ecitmatch.bdata(page)}
        read = partial(ecitmatch.read, count=len(page))
        return await self._at.ask("ECitMatch", ecitmatch.PATH, form, read)

    # --- sets and records -------------------------------------------------------------------

    async def epost(self, db: str, ids: Uids, webenv: str | None = None) -> Posted:
        """EPost: put UIDs on the History server, for `esummary`, `efetch`, `elink` and `within`.

        Args:
            db: the database.
            ids: UIDs, of the sequence databases accessions too; 10,000 at most.
            webenv: of sets that this one shall stand beside.

        Example:
            ```
            posted = await e.epost("pubmed", [20210808, 12345678])
            found = await e.esearch("pubmed", "2010[PDAT]", within=posted)
            ```
        """
        await self._at.see_db(db)
        listed = comma_list(read_ids(db, ids))
        form = {"db": db, "WebEnv": webenv, "id": listed}
        return await self._at.ask("EPost", epost.PATH, form, epost.read)

    async def esummary(self, db: str, ids: Uids | HistorySet) -> dict[Uid, DocSum]:
        """ESummary: the document summaries of UIDs.

        Args:
            db: the database.
            ids: UIDs, accessions, or a set; 10,000 at most.

        Returns:
            UID (an int; an accession as it was given) → its summary as NCBI's JSON has it. Where
            there is none, `{"uid": ..., "error": ...}` says why. No UID is left out.

        Example:
            ```
            summaries = await e.esummary("pubmed", [20210808])
            print(summaries[20210808]["title"])
            ```
        """
        await self._at.see_db(db)
        return await ask_summaries(self._at, db, ids)

    async def efetch(
        self,
        db: str,
        ids: Uids | HistorySet,
        rettype: str | None = None,
        retmode: str | None = None,
        **fields: Unpack[FetchFields],
    ) -> str:
        """EFetch: records in one of the forms that NCBI has for a database (NBK25499, table 1).

        Args:
            db: the database.
            ids: UIDs, accessions, or a set; 10,000 at most.
            rettype: such as medline, abstract, uilist, fasta, gb, acc.
            retmode: such as text or xml.
            fields: more parameters of EFetch: retstart, retmax, strand, seq_start, seq_stop,
                complexity.

        Returns:
            The answer as it is.

        Example:
            ```
            print(await e.efetch("pubmed", [20210808], "medline", "text"))
            ```
        """
        await self._at.see_db(db)
        wanted = records_of(db, ids)
        more = fields_of(fields, FetchFields.__annotations__)
        form = {**more, "db": db, "rettype": rettype, "retmode": retmode, **wanted}
        return await self._at.ask("EFetch", documents.PATH, form, documents.read)

    # --- databases --------------------------------------------------------------------------

    @overload
    async def einfo(self) -> list[str]: ...

    @overload
    async def einfo(self, db: str) -> DbInfo: ...

    async def einfo(self, db: str | None = None) -> list[str] | DbInfo:
        """EInfo: the databases, or what is known of one. Answers are kept for a day.

        Args:
            db: the database; none lists them all.

        Example:
            ```
            info = await e.einfo("pubmed")
            print(info.count, [link.name for link in info.links])
            ```
        """
        if db is None:
            return await self._at.answer("EInfo", self._at.catalogue.databases())
        await self._at.see_db(db)
        info = await self._at.answer("EInfo", self._at.catalogue.info(db))
        if info is None:
            raise BadInput(f"EInfo knows no database '{printable(db)}'.")
        return info


async def _each(search: Search) -> AsyncIterator[Uid]:
    async for block in search.blocks():
        for uid in block if isinstance(block, list) else block.tolist():
            yield uid


def _searched(body: bytes) -> Found | PastCap | SetLost:
    """What ESearch found; no second try brings a page past the cap, or a set that is gone."""
    try:
        return esearch.read(body)
    except (PastCap, SetLost) as error:
        return error


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Those that have a value."""
    return {name: value for name, value in values.items() if value is not None}
