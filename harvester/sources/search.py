"""UIDs that match a query, or of a History set, also beyond ESearch's cap.

For PubMed, ESearch returns at most 9,999 records per query and no further pages. The query is
repeated for ranges of UIDs, `(query) AND low:high[UID]`, as NCBI's own EDirect does. For other
databases ESearch returns all pages; the set stays on the History server while they are fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harvester.errors import BadInput, Fault, HarvestError, RequestFailed, printable
from harvester.eutils import esearch
from harvester.eutils.esearch import MOST, PastCap, SetLost
from harvester.model import uids
from harvester.sources.distinct import Distinct
from harvester.sources.uid_ranges import Known, next_range

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from harvester.client.client import CanCall
    from harvester.eutils.esearch import Found
    from harvester.eutils.identity import Fields
    from harvester.model.uids import UidArray
    from harvester.sources.distinct import Block
    from harvester.sources.uid_ranges import Range

_SHORT_ANSWERS = 2
"""Retries of an answer with fewer ids than its count; the next one is accepted."""

_RENEWALS = 2
"""Number of times that a lost set is made again before one of its pages must arrive."""

_ENOUGH = 0.1
"""Share of the expected ids below which an answer is never accepted."""

_UNKNOWN_TOP = 1 << 32
"""First guess of the highest UID if answers hold accessions; most databases are below it."""


@dataclass(frozen=True, slots=True)
class _Page:
    found: Found
    block: Block


class Search:
    """Query, or set on the History server, as a source of UIDs.

    Args:
        client: sends the requests.
        db: database.
        term: query; with a set, only its records that match.
        webenv: WebEnv of a set on the History server.
        query_key: query key of that set.
        accessions: Return accessions instead of UIDs (`idtype=acc`).
        fields: further parameters of ESearch, such as datetype, mindate and maxdate.
        warn: called with a sentence for each oddity that does not stop the search.
        suggest: returns a better spelling for a database and a query that finds nothing.

    Example:
        ```
        search = Search(client, "pubmed", "asthma[mesh] OR wheeze")
        print(await search.count())
        async for block in search.blocks():
            ...
        ```
    """

    def __init__(
        self,
        client: CanCall,
        db: str,
        term: str | None = None,
        *,
        webenv: str | None = None,
        query_key: str | None = None,
        accessions: bool = False,
        fields: Fields | None = None,
        warn: Callable[[str], None] = lambda _: None,
        suggest: Callable[[str, str], Awaitable[str | None]] | None = None,
    ) -> None:
        if query_key:
            self._term = f"#{query_key} AND ({term})" if term else f"#{query_key}"
            self._set = f"the set #{printable(query_key)} on the History server"
            self._name = f"the query '{printable(term)}' in {self._set}" if term else self._set
        else:
            self._set = ""
            self._term = (term or "").strip()
            self._name = f"the query '{printable(self._term)}'"
        if not self._term:
            raise BadInput("The query is empty: give what to search for with --query TERM.")
        self._client = client
        self._db = db
        self._webenv = webenv
        self._is_set = bool(query_key)
        self._accessions = accessions
        self._fields = dict(fields or {})
        self._warn = warn
        self._suggest = None if query_key else suggest
        self._first: _Page | None = None

    async def count(self) -> int:
        """Return the number of records; the first call sends a request.

        Raises:
            BadInput: There are no records, or the query names an unknown field.
            HarvestError: ESearch does not answer.
        """
        return (await self._first_page()).found.count

    async def blocks(self) -> AsyncIterator[Block]:
        """Yield all UIDs as they arrive, each once, in no particular order.

        Raises:
            BadInput, HarvestError: As for `count`.
        """
        first = await self._first_page()
        met = Distinct()
        yield met.add(first.block)
        if len(first.found.idlist) < first.found.count:
            async for block in self._rest(first):
                yield met.add(block)
        if len(met) != first.found.count:
            await self._compare_count(len(met))

    async def _first_page(self) -> _Page:
        """Return the first page; the first call requests and checks it."""
        if self._first is None:
            usehistory = None if self._is_set or self._db == "pubmed" else "y"
            page = await self._ask(self._term, usehistory=usehistory)
            await self._check_query(page.found)
            self._first = page
        return self._first

    async def _check_query(self, found: Found) -> None:
        """Check the first answer's report about the query.

        Raises:
            BadInput: The query names an unknown field, or finds nothing.
        """
        if found.fields_not_found:
            field = printable(found.fields_not_found[0])
            raise BadInput(
                f"{self._db} has no field [{field}], so NCBI would "
                f"search all fields: correct {self._name}."
            )
        phrases = ", ".join(f"'{printable(phrase)}'" for phrase in found.phrases_not_found[:5])
        if found.count:
            if phrases:
                self._warn(f"NCBI does not know {phrases} and left it out of {self._name}.")
            for said in found.warnings:
                self._warn(f"NCBI says about {self._name}: {printable(said).rstrip('.')}.")
            return
        if self._is_set and self._name == self._set:
            raise BadInput(f"{self._set[0].upper()}{self._set[1:]} is empty.")
        better = await self._suggest(self._db, self._term) if self._suggest else None
        hint = f" (did you mean '{better}'?)" if better else ""
        if phrases and not better:
            hint = f" (unknown: {phrases})"
        raise BadInput(f"No record of {self._db} matches {self._name}{hint}.")

    async def _rest(self, first: _Page) -> AsyncIterator[Block]:
        """Yield the UIDs that the first page does not hold."""
        if self._db != "pubmed" and (self._is_set or first.found.webenv):
            try:
                async for block in self._pages(first):
                    yield block
            except (PastCap, SetLost):
                pass
            else:
                return
        async for block in self._ranges(first):
            yield block

    async def _pages(self, first: _Page) -> AsyncIterator[Block]:
        """Yield the pages after the first.

        A set of a query that is lost is made again: sets live for about 8 hours (users' reports).

        Raises:
            PastCap, SetLost: The server returns no further pages.
        """
        term = self._term if self._is_set else f"#{first.found.query_key}"
        webenv = self._webenv if self._is_set else first.found.webenv
        start, renewals = len(first.found.idlist), 0
        while start < first.found.count:
            try:
                page = await self._ask(term, webenv=webenv, start=start)
            except SetLost:
                if self._is_set or renewals == _RENEWALS:
                    raise
                renewals += 1
                renewed = (await self._ask(self._term, usehistory="y")).found
                term, webenv = f"#{renewed.query_key}", renewed.webenv
                continue
            renewals = 0
            yield page.block
            start += max(len(page.found.idlist), 1)

    async def _ranges(self, first: _Page) -> AsyncIterator[Block]:
        """Yield the records of one range of UIDs after the other; see `uid_ranges`."""
        high = _UNKNOWN_TOP if self._accessions else int(np.max(first.block))
        known = Known(first.found.count, high, max(len(first.found.idlist), 1))
        term = self._term if self._is_set else f"({self._term})"
        while (bounds := next_range(known)) is not None:
            page = await self._ask(f"{term} AND {bounds.low}:{bounds.high}[UID]", bounds=bounds)
            count = page.found.count
            if count > known.most and bounds.low == bounds.high:
                raise HarvestError(
                    f"ESearch counts {count} records under one UID of {self._db}. "
                    f"Its answers for {self._name} contradict each other; the search was stopped."
                )
            if page.found.idlist and count <= known.most:
                yield page.block
            known = known.with_count(bounds, count)

    async def _compare_count(self, met: int) -> None:
        """Ask for the count again if it differs from what arrived; warn if it still does."""
        now = await self._ask(self._term, rettype="count")
        if now.found.count != met:
            self._warn(
                f"NCBI counts {now.found.count} records for {self._name} but returned {met}; "
                "the harvest uses those."
            )

    async def _ask(
        self,
        term: str,
        *,
        webenv: str | None = None,
        start: int = 0,
        bounds: Range | None = None,
        **more: str | None,
    ) -> _Page:
        """Send one request to ESearch.

        Raises:
            PastCap: ESearch does not return this page.
            SetLost: The set that holds the query on the History server is gone.
            BadInput: The user's set is gone, or the database is unknown.
            HarvestError: No answer came.
        """
        retries = _SHORT_ANSWERS

        def read(body: bytes) -> _Page | PastCap | SetLost:
            nonlocal retries
            try:
                found = esearch.read(body)
            except (PastCap, SetLost) as error:  # a retry does not help
                return error
            if bounds and found.fields_not_found:
                raise RequestFailed(Fault.BODY, f"{self._db} cannot be searched by UID")
            due = 0 if "rettype" in more else min(found.count - start, MOST)
            if len(found.idlist) < due and (retries > 0 or len(found.idlist) < due * _ENOUGH):
                retries -= 1
                raise RequestFailed(Fault.BODY, f"{len(found.idlist)} of {due} ids")
            return _Page(found, self._block(found.idlist, bounds))

        fields: dict[str, str | int | None] = {
            **self._fields,
            "db": self._db,
            "term": term,
            "WebEnv": webenv or self._webenv,
            "retmode": "json",
            "retmax": MOST,
            "retstart": start,
            "idtype": "acc" if self._accessions else None,
            **more,
        }
        try:
            page = await self._client.call(esearch.PATH, fields, read)
        except RequestFailed as failure:
            raise self._given_up(failure) from failure
        if isinstance(page, SetLost) and self._is_set:
            raise BadInput(
                f"{self._set[0].upper()}{self._set[1:]} does not exist or has expired "
                "(after about 8 hours): search again, or give the search itself with --query."
            ) from page
        if isinstance(page, RequestFailed):
            raise page
        return page

    def _block(self, ids: list[str], bounds: Range | None) -> Block:
        """Return the ids of a page.

        Raises:
            RequestFailed: Some are not UIDs, or lie outside the range asked for.
        """
        if self._accessions:
            return ids
        try:
            block: UidArray = np.array(ids, np.str_).astype(np.int64)
        except (ValueError, OverflowError) as error:
            raise RequestFailed(Fault.BODY, "ids that are not UIDs") from error
        low, high = bounds or (1, uids.MAX_UID)
        if len(block) and not low <= block.min() <= block.max() <= high:
            raise RequestFailed(Fault.BODY, "UIDs outside the requested range")
        return block

    def _given_up(self, failure: RequestFailed) -> HarvestError:
        """Return the error for a request that failed after all retries."""
        reason = failure.reason.rstrip(".")
        if "Invalid db name" in reason:
            return BadInput(f"ESearch knows no database '{printable(self._db)}'.")
        return HarvestError(f"ESearch gave no complete answer for {self._name}: {reason}.")
