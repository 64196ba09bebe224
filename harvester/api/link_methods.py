"""ELink as a method of `Eutils`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harvester.api.arguments import HistorySet, Uids, read_accessions, read_uids
from harvester.api.connection import Connected
from harvester.api.history_sets import members
from harvester.api.links import Linked, ask_links
from harvester.client.check_names import check_names
from harvester.model import uids

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Unpack

    from harvester.job.cmds import Cmd
    from harvester.job.keys import LinkFields


class LinkMethods(Connected):
    """ELink."""

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
        job = self._at.job({key: value for key, value in asked.items() if value is not None})
        link, client = job.link, self._at.client
        acc = link.idtype == "acc"
        read = read_accessions if acc else partial(read_uids, link.dbfrom)
        warnings = [*link.warnings()]
        listed: list[Any] = [] if isinstance(ids, HistorySet) else read(ids, warnings.append)
        warnings += await check_names(client, link)
        if isinstance(ids, HistorySet):
            listed = [uid async for uid in members(self._at, link.dbfrom, ids, accessions=acc)]
        return await ask_links(client, job, listed if acc else uids.as_set(listed), warnings)
