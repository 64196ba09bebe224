"""EPost, ESummary and EFetch as methods of `Eutils`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.api.arguments import (
    FetchFields,
    HistorySet,
    Uid,
    Uids,
    comma_list,
    fields_of,
    read_ids,
)
from harvester.api.connection import Connected
from harvester.api.documents import ask_documents
from harvester.api.summaries import ask_summaries
from harvester.eutils import epost

if TYPE_CHECKING:
    from typing import Unpack

    from harvester.eutils.epost import Posted
    from harvester.eutils.esummary import DocSum


class RecordMethods(Connected):
    """The utilities that keep and return records."""

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
