"""The E-utilities one by one: each is awaited, and all of them share one rate limit."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any, Self, overload

from harvester.api.arguments import (
    DateFields,
    FetchFields,
    HistorySet,
    SearchFields,
    Uid,
    Uids,
    check_text,
    comma_list,
    count_parameter,
    fields_of,
    read_accessions,
    read_ids,
    read_uids,
    set_parameters,
)
from harvester.api.connection import Connection
from harvester.api.databases import describe_all, list_links
from harvester.api.documents import ask_documents
from harvester.api.history_sets import each, members
from harvester.api.links import Linked, ask_links
from harvester.api.summaries import ask_summaries
from harvester.client.catalogue import together
from harvester.client.check_names import check_names
from harvester.client.client import ATTEMPTS
from harvester.client.search_counts import search_counts, suggestion
from harvester.errors import BadInput, printable
from harvester.eutils import ecitmatch, epost, esearch, espell
from harvester.eutils.ecitmatch import Citation
from harvester.eutils.egquery import Hits
from harvester.eutils.einfo import DbInfo, DbLink
from harvester.model import uids
from harvester.sources.search import Search

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence
    from typing import Unpack

    from harvester.eutils.ecitmatch import Match
    from harvester.eutils.epost import Posted
    from harvester.eutils.esearch import Found
    from harvester.eutils.esummary import DocSum
    from harvester.job.cmds import Cmd
    from harvester.job.keys import LinkFields


__all__ = ["Citation", "DbInfo", "DbLink", "Eutils", "Hits", "Linked"]


class Eutils:
    """The E-utilities of one server; each call is awaited, and calls can run at the same time.

    All requests share one rate limit with every harvest on this machine that uses the same API
    key. Failed requests are retried with backoff.

    Args:
        email: contact email, required by NCBI; default: the environment variable `NCBI_EMAIL`.
        api_key: default: the environment variable `NCBI_API_KEY`.
        base_url: URL of an E-utilities server; default: the environment variable
            `HARVESTER_BASE_URL`, else NCBI.
        rate: requests per second; default: 3, with an API key 10.
        rate_granted: whether NCBI has granted a higher rate than that.
        timeout: seconds per request.
        attempts: requests per answer, at most; `elink` retries as a harvest does.
        tool: name of the software without spaces, sent to NCBI.

    Raises:
        BadInput: an argument is wrong, or NCBI does not permit the request (email, https, rate).

    Every method raises:
        BadInput: an argument is wrong; no request was sent for it.
        Refused: the server rejects all requests (bad API key, blocked address).
        HarvestError: no complete answer came after several attempts.

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
        attempts: int = ATTEMPTS,
        tool: str | None = None,
    ) -> None:
        settings = {
            "contact": _given({"email": email, "tool": tool}),
            "server": _given({"base_url": base_url}),
            "limits": _given({"rate": rate, "rate_granted": rate_granted, "timeout": timeout}),
        }
        self._at = Connection(settings, os.environ | _given({"NCBI_API_KEY": api_key}), attempts)

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
        db: str | Sequence[str] = "all",
        *,
        cmd: Cmd = "neighbor",
        linkname: str | Sequence[str] | None = None,
        **fields: Unpack[LinkFields],
    ) -> Linked:
        """ELink: the links of records, by any of its cmds.

        A History set is read first, and its UIDs are sent as ids: ELink itself merges the links
        of a set, so that it is unknown which UID they belong to.

        Args:
            dbfrom: database of the UIDs.
            ids: UIDs, or accessions with `idtype="acc"`; at most 20,000.
            db: databases to link to.
            cmd: neighbor, neighbor_score, neighbor_history, acheck, ncheck, lcheck, llinks,
                llinkslib or prlinks.
            linkname: linknames to keep; default: all.
            fields: see `LinkFields`.

        Returns:
            Links and outcomes, with the columns of a harvest's `links/` and `uids/`.

        Example:
            ```
            linked = await e.elink("gene", [7157, 672], db="protein", linkname="gene_protein")
            linked.links()    # pyarrow.Table
            linked.by_uid()   # {672: [...], 7157: [...]}
            ```
        """
        asked = {"dbfrom": dbfrom, "db": db, "cmd": cmd, "linkname": linkname, **fields}
        job = self._at.job(_given(asked))
        link, client = job.link, self._at.client
        acc = link.idtype == "acc"
        read = read_accessions if acc else partial(read_uids, link.dbfrom)
        listed: list[Any] = [] if isinstance(ids, HistorySet) else read(ids)
        warnings = [*link.warnings(), *await check_names(client, link)]
        if isinstance(ids, HistorySet):
            listed = [uid async for uid in members(self._at, link.dbfrom, ids, accessions=acc)]
        return await ask_links(client, job, listed if acc else uids.as_set(listed), warnings)

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
        """ESearch: the number of records that match a query, and one page of them.

        Args:
            db: the database.
            term: the query.
            retstart: records to skip; for PubMed at most 9,998.
            retmax: ids to return; for PubMed at most 9,999. `search_all` returns all.
            usehistory: keep the whole result on the History server, for `elink`, `esummary`,
                `efetch` and `within`.
            within: search only the records of this set.
            fields: more parameters of ESearch: sort, field, datetype, mindate, maxdate, reldate,
                idtype.

        Example:
            ```
            found = await e.esearch("pubmed", "asthma[mesh]", usehistory=True)
            print(found.count, found.ids[:3])
            ```
        """
        check_text("term", term)
        await self._at.check_db(db)
        form = {
            **fields_of(fields, SearchFields.__annotations__),
            "db": db,
            "term": term,
            "retmode": "json",
            "retstart": count_parameter("retstart", retstart),
            "retmax": count_parameter("retmax", retmax),
            "usehistory": "y" if usehistory else None,
            **(set_parameters(within) if within else {}),
        }
        return await self._at.ask("ESearch", esearch.PATH, form, esearch.read_or_error)

    async def search_all(
        self, db: str, term: str, **fields: Unpack[DateFields]
    ) -> AsyncIterator[Uid]:
        """ESearch: every record that matches a query, each once, beyond PubMed's cap of 9,999.

        Args:
            db: the database.
            term: the query.
            fields: datetype, mindate, maxdate, reldate, or `idtype="acc"` for accessions.

        Raises:
            BadInput: nothing matches; suggests a correction of the query.

        Example:
            ```
            pmids = [pmid async for pmid in e.search_all("pubmed", "asthma[mesh] AND 2024[PDAT]")]
            ```
        """
        check_text("term", term)
        await self._at.check_db(db)
        more = fields_of(fields, DateFields.__annotations__)
        search = Search(
            self._at.client,
            db,
            term,
            accessions=more.pop("idtype", "uid") == "acc",
            fields=more,
            suggest=partial(suggestion, self._at.client),
        )
        async for uid in each(search):
            yield uid

    async def egquery(self, term: str) -> list[Hits]:
        """EGQuery: the number of records that match a query in each database, largest first.

        Servers without EGQuery (NCBI retired it in 2024) get one ESearch per database.

        Example:
            ```
            print([(hits.db, hits.count) for hits in await e.egquery("BRCA1")][:3])
            ```
        """
        check_text("term", term)
        asking = search_counts(self._at.client, term, self._at.catalogue)
        return await self._at.answer("EGQuery", asking)

    async def espell(self, db: str, term: str) -> str | None:
        """ESpell: a correction of a query; None if there is nothing to correct.

        Example:
            ```
            print(await e.espell("pubmed", "asthmaa"))
            ```
        """
        check_text("term", term)
        await self._at.check_db(db)
        return await self._at.ask("ESpell", espell.PATH, {"db": db, "term": term}, espell.read)

    async def ecitmatch(self, citations: Iterable[Citation]) -> list[Match]:
        """ECitMatch: the PMIDs of citations.

        Args:
            citations: what is known about each article.

        Returns:
            A result for each citation, in order: one article, candidates, or nothing.

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
            ids: UIDs, or accessions of sequence databases; at most 10,000.
            webenv: WebEnv of an existing set, to which this one is added.

        Example:
            ```
            posted = await e.epost("pubmed", [20210808, 12345678])
            found = await e.esearch("pubmed", "2010[PDAT]", within=posted)
            ```
        """
        await self._at.check_db(db)
        listed = comma_list(read_ids(db, ids))
        form = {"db": db, "WebEnv": webenv, "id": listed}
        return await self._at.ask("EPost", epost.PATH, form, epost.read)

    async def esummary(self, db: str, ids: Uids | HistorySet) -> dict[Uid, DocSum]:
        """ESummary: the document summaries of UIDs.

        Args:
            db: the database.
            ids: UIDs or accessions, at most 10,000; or a History set of any size.

        Returns:
            UID (an int; an accession as given) → its summary in NCBI's JSON form. If there is
            none, `{"uid": ..., "error": ...}` holds the reason. No UID is left out.

        Example:
            ```
            summaries = await e.esummary("pubmed", [20210808])
            print(summaries[20210808]["title"])
            ```
        """
        await self._at.check_db(db)
        return await ask_summaries(self._at, db, ids)

    async def efetch(
        self,
        db: str,
        ids: Uids | HistorySet,
        rettype: str | None = None,
        retmode: str | None = None,
        **fields: Unpack[FetchFields],
    ) -> str:
        """EFetch: records in one of the formats of their database (NBK25499, table 1).

        Args:
            db: the database.
            ids: UIDs or accessions, at most 10,000; or a History set of any size.
            rettype: for example medline, abstract, uilist, fasta, gb or acc.
            retmode: for example text or xml.
            fields: more parameters of EFetch: retstart, retmax, strand, seq_start, seq_stop,
                complexity.

        Returns:
            The answer, unchanged; the answers for a set above 10,000 joined into one text.

        Example:
            ```
            print(await e.efetch("pubmed", [20210808], "medline", "text"))
            ```
        """
        await self._at.check_db(db)
        more = fields_of(fields, FetchFields.__annotations__)
        form = {**more, "db": db, "rettype": rettype, "retmode": retmode}
        return await ask_documents(self._at, db, ids, form)

    # --- databases --------------------------------------------------------------------------

    @overload
    async def einfo(self) -> list[str]: ...

    @overload
    async def einfo(self, db: str) -> DbInfo: ...

    async def einfo(self, db: str | None = None) -> list[str] | DbInfo:
        """EInfo: the names of all databases, or a description of one. Cached for a day.

        Args:
            db: the database; None lists all.

        Example:
            ```
            info = await e.einfo("pubmed")
            print(info.count, [link.name for link in info.links])
            ```
        """
        if db is None:
            return await self._at.answer("EInfo", self._at.catalogue.databases())
        await self._at.check_db(db)
        info = await self._at.answer("EInfo", self._at.catalogue.info(db))
        if info is None:
            raise BadInput(f"EInfo knows no database '{printable(db)}'.")
        return info

    async def einfo_all(
        self, before: Callable[[int], None] | None = None
    ) -> dict[str, DbInfo | None]:
        """EInfo: a description of every database. Cached for a day.

        Args:
            before: called with the number of requests about to be sent, unless there are none.

        Returns:
            Name → description; None if the server lists the database but does not describe it.

        Example:
            ```
            infos = await e.einfo_all()
            print(sum(len(info.links) for info in infos.values() if info))
            ```
        """
        return await describe_all(self._at, before)

    async def linknames(self, dbfrom: str, db: str | None = None) -> list[DbLink]:
        """EInfo: the linknames that start from a database. Cached for a day.

        ELink returns some linknames that EInfo does not list.

        Args:
            dbfrom: database that the links start from.
            db: database that they lead to; default: all.

        Example:
            ```
            print([link.name for link in await e.linknames("gene", db="protein")])
            ```
        """
        return await list_links(self._at, dbfrom, db)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that have a value."""
    return {name: value for name, value in values.items() if value is not None}
