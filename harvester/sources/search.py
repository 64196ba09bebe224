"""The UIDs that match a query, or that lie on the History server, past ESearch's cap.

Of PubMed, ESearch gives 9,999 records a query and no page beyond them, so the query is asked again
for ranges of UIDs, `(query) AND low:high[UID]`, as NCBI's own EDirect does. Of other databases
all pages are given, and the set is kept on the History server while they are fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np

from harvester.errors import BadInput, Fault, HarvestError, RequestFailed, printable
from harvester.eutils import esearch
from harvester.eutils.esearch import MOST, PastCap, SetLost
from harvester.model import uids
from harvester.sources.distinct import Distinct
from harvester.sources.uid_ranges import Slices

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from harvester.eutils.esearch import Found
    from harvester.eutils.identity import Fields, Identity
    from harvester.model.uids import UidArray
    from harvester.sources.distinct import Block

T = TypeVar("T")

_PATIENCE = 2
"""Answers in a row with fewer ids than they count, until one is taken for what it is."""

_ENOUGH = 0.1
"""Part of the ids due, below which no answer is taken."""

_UNKNOWN_TOP = 1 << 32
"""Below it lie all UIDs of most databases."""


class Asks(Protocol):
    """What puts a single question to a utility, and puts it again while its failure may pass."""

    identity: Identity

    async def call(
        self, path: str, fields: Fields, read: Callable[[bytes], T], attempts: int = ...
    ) -> T:
        """See `harvester.client.client.Client.call`."""


@dataclass(frozen=True, slots=True)
class _Page:
    found: Found
    block: Block


class Search:
    """One query, or one set on the History server, as a source of UIDs.

    Args:
        client: asks ESearch.
        db: the database.
        term: the query; of a set, only what matches it as well.
        webenv: of a set on the History server.
        query_key: of that set.
        accessions: whether accessions are wanted in place of UIDs (`idtype=acc`).
        fields: more parameters of ESearch, such as datetype, mindate and maxdate.
        doubt: told, in a sentence, what is odd about the answers but no reason to stop.
        suggest: database and query to a better spelling, for a query that finds nothing.

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
        client: Asks,
        db: str,
        term: str | None = None,
        *,
        webenv: str | None = None,
        query_key: str | None = None,
        accessions: bool = False,
        fields: Fields | None = None,
        doubt: Callable[[str], None] = lambda _: None,
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
        self._doubt = doubt
        self._suggest = None if query_key else suggest
        self._first: _Page | None = None

    async def count(self) -> int:
        """How many records there are; asked once.

        Raises:
            BadInput: there are none, or the query has a field in it that does not exist.
            HarvestError: ESearch does not answer.
        """
        return (await self._begun()).found.count

    async def blocks(self) -> AsyncIterator[Block]:
        """All UIDs, each once, in no certain order, as they come in.

        Raises:
            BadInput, HarvestError: as for `count`.
        """
        first = await self._begun()
        met = Distinct()
        yield met.new(first.block)
        if len(first.found.ids) < first.found.count:
            async for block in self._rest(first):
                yield met.new(block)
        if len(met) != first.found.count:
            await self._weigh(len(met))

    async def _begun(self) -> _Page:
        """The first answer, and what it says of the query."""
        if self._first is None:
            usehistory = None if self._is_set or self._db == "pubmed" else "y"
            page = await self._ask(self._term, usehistory=usehistory)
            await self._see_sound(page.found)
            self._first = page
        return self._first

    async def _see_sound(self, found: Found) -> None:
        told = self._client.identity.told
        if found.fields_not_found:
            raise BadInput(
                f"There is no field [{told(found.fields_not_found[0])}] in {self._db}, so NCBI "
                f"would search all fields: correct {self._name}."
            )
        phrases = ", ".join(f"'{told(phrase)}'" for phrase in found.phrases_not_found[:5])
        if found.count:
            if phrases:
                self._doubt(f"NCBI does not know {phrases} and left that out of {self._name}.")
            return
        if self._is_set and self._name == self._set:
            raise BadInput(f"There is nothing in {self._set}.")
        better = await self._suggest(self._db, self._term) if self._suggest else None
        hint = f" (did you mean '{told(better)}'?)" if better else ""
        if phrases and not better:
            hint = f" (not known: {phrases})"
        raise BadInput(f"No record of {self._db} matches {self._name}{hint}.")

    async def _rest(self, first: _Page) -> AsyncIterator[Block]:
        """What the first answer did not hold."""
        if self._db != "pubmed" and (self._is_set or first.found.webenv):
            try:
                async for block in self._pages(first):
                    yield block
            except (PastCap, SetLost):
                pass
            else:
                return
        async for block in self._slices(first):
            yield block

    async def _pages(self, first: _Page) -> AsyncIterator[Block]:
        """The pages after the first.

        Raises:
            PastCap, SetLost: the server gives no more of them.
        """
        term = self._term if self._is_set else f"#{first.found.query_key}"
        webenv = self._webenv if self._is_set else first.found.webenv
        start = len(first.found.ids)
        while start < first.found.count:
            page = await self._ask(term, webenv=webenv, start=start)
            yield page.block
            start += max(len(page.found.ids), 1)

    async def _slices(self, first: _Page) -> AsyncIterator[Block]:
        """Range after range of UIDs; see `Slices`."""
        most = max(len(first.found.ids), 1)
        high = _UNKNOWN_TOP if self._accessions else int(np.max(first.block))
        slices = Slices(first.found.count, high, most)
        while (bounds := slices.next()) is not None:
            low, high = bounds
            term = self._term if self._is_set else f"({self._term})"
            page = await self._ask(f"{term} AND {low}:{high}[UID]", bounds=bounds)
            if slices.answered(high, page.found.count):
                if page.found.ids:
                    yield page.block
            elif low == high:
                raise HarvestError(
                    f"ESearch counts {page.found.count} records under one UID of {self._db}: its "
                    f"answers for {self._name} make no sense, so nothing more is asked."
                )

    async def _weigh(self, met: int) -> None:
        """Whether the count has changed, where it is not what came in."""
        now = await self._ask(self._term, rettype="count")
        if now.found.count != met:
            self._doubt(
                f"NCBI counts {now.found.count} records for {self._name} but gave {met}: "
                "those are taken."
            )

    async def _ask(
        self,
        term: str,
        *,
        webenv: str | None = None,
        start: int = 0,
        bounds: tuple[int, int] | None = None,
        **more: str | None,
    ) -> _Page:
        """One question to ESearch.

        Raises:
            PastCap: it gives no such page.
            SetLost: the set is gone that the query was kept as.
            BadInput: the set is gone that was given, or there is no such database.
            HarvestError: no answer came.
        """
        patience = _PATIENCE

        def read(body: bytes) -> _Page | PastCap | SetLost:
            nonlocal patience
            try:
                found = esearch.read(body)
            except (PastCap, SetLost) as error:  # asking again does not help
                return error
            if bounds and found.fields_not_found:
                raise RequestFailed(Fault.BODY, f"{self._db} cannot be searched by UID")
            due = 0 if "rettype" in more else min(found.count - start, MOST)
            if len(found.ids) < due and (patience > 0 or len(found.ids) < due * _ENOUGH):
                patience -= 1
                raise RequestFailed(Fault.BODY, f"{len(found.ids)} of {due} ids")
            return _Page(found, self._block(found.ids, bounds))

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
                f"{self._set[0].upper()}{self._set[1:]} is not there, or no longer (sets live "
                "for about 8 hours): search again, or give the search itself with --query."
            ) from page
        if isinstance(page, RequestFailed):
            raise page
        return page

    def _block(self, ids: list[str], bounds: tuple[int, int] | None) -> Block:
        """The ids of a page.

        Raises:
            RequestFailed: some are none, or were not asked for.
        """
        if self._accessions:
            return ids
        try:
            block: UidArray = np.array(ids, np.str_).astype(np.int64)
        except (ValueError, OverflowError) as error:
            raise RequestFailed(Fault.BODY, "ids that are no UIDs") from error
        low, high = bounds or (1, uids.MAX_UID)
        if len(block) and not low <= block.min() <= block.max() <= high:
            raise RequestFailed(Fault.BODY, "UIDs outside the range that was asked for")
        return block

    def _given_up(self, failure: RequestFailed) -> HarvestError:
        reason = self._client.identity.told(failure.reason).rstrip(".")
        if "Invalid db name" in reason:
            return BadInput(f"ESearch knows no database '{printable(self._db)}'.")
        return HarvestError(f"ESearch gave no whole answer for {self._name}: {reason}.")
