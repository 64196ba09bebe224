"""ESearch, EGQuery, ESpell and ECitMatch as methods of `Eutils`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from harvester.api.arguments import (
    DateFields,
    HistorySet,
    SearchFields,
    Uid,
    check_text,
    count_parameter,
    fields_of,
    set_parameters,
)
from harvester.api.connection import Connected
from harvester.api.history_sets import each
from harvester.client.catalogue import together
from harvester.client.search_counts import search_counts, suggestion
from harvester.errors import BadInput
from harvester.eutils import ecitmatch, esearch, espell
from harvester.eutils.ecitmatch import Citation
from harvester.sources.search import Search

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from typing import Unpack

    from harvester.eutils.ecitmatch import Match
    from harvester.eutils.egquery import Hits
    from harvester.eutils.esearch import Found


class SearchMethods(Connected):
    """The utilities that find records."""

    async def esearch(
        self,
        db: str,
        term: str = "",
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
            term: the query; with `within` it can be left out: the members of the set.
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
        if term or within is None:
            check_text("term", term)
        await self._at.check_db(db)
        form = {
            **fields_of(fields, SearchFields.__annotations__),
            "db": db,
            "term": term or None,
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
