"""Fetch the records of one side of a harvest's links with ESummary or EFetch."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harvester import events
from harvester.errors import BadInput, FolderInUse
from harvester.eutils.efetch import Documents
from harvester.eutils.elink.commands import schema_of
from harvester.eutils.esummary import Summaries
from harvester.job.cmds import CMDS
from harvester.job.databases import answer_name
from harvester.job.groups import RECORDS_FORM
from harvester.job.link import Link
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.model.row_schemas import DOCUMENTS, SUMMARIES
from harvester.runs.run import Kind
from harvester.store.folder import RECORDS, is_locked
from harvester.store.identity import check_server
from harvester.store.reader import HarvestReader
from harvester.store.unfinished import check_complete

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.eutils.question import Question
    from harvester.job.model import Job
    from harvester.model.identifiers import Identifiers, Listed
    from harvester.runs.run import Result, Runner

Side = Literal["from", "to"]
SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Records:
    """Choice of the records of a harvest, and their form.

    Attributes:
        side: `to`, the linked records, or `from`, the input.
        form: `summary` for ESummary, else RETTYPE/RETMODE of EFetch.
    """

    side: Side = "to"
    form: str = SUMMARY

    @property
    def holds(self) -> dict[str, str]:
        """The value of `holds` in the identity of their folder."""
        return {"kind": RECORDS, "form": self.form, "side": self.side}

    def question(self, db: str, identifiers: Identifiers) -> Question:
        """Return the request to make for each batch."""
        if self.form == SUMMARY:
            return Summaries(db, identifiers)
        return Documents(db, self.form, identifiers)


async def get_records(
    runner: Runner, job: Job, records: Records, *, partial: bool = False
) -> dict[str, Result]:
    """Fetch the records of a harvest into OUT/records/DB for each database.

    Args:
        runner: runs the harvest of each database.
        job: job kept in the harvest's folder, with absolute paths.
        records: which records, in which form.
        partial: accept an unfinished harvest.

    Returns:
        Database → result.

    Raises:
        BadInput: the harvest has no UIDs on that side, or EFetch has no such form.
        HarvestError: as `harvester.harvest` says.
    """
    if not RECORDS_FORM.fullmatch(records.form):
        raise BadInput(
            f"'{records.form}' is not a form of records. Write summary, RETTYPE or "
            "RETTYPE/RETMODE, for example medline/text."
        )
    folder = Path(job.output.path)
    if is_locked(folder):
        raise FolderInUse(f"A harvest is running in {folder}. Get the records once it has ended.")
    found = HarvestReader.open(folder)
    found.check_links()
    emit = events.to_all(runner.listeners)
    check_complete(found, lambda text: emit(events.Warned(text)), partial=partial)
    runner = replace(runner, whole=found.complete, refresh=None)
    schema = SUMMARIES if records.form == SUMMARY else DOCUMENTS
    results = {}
    for db, listed in linked(job, found, records.side).items():
        path = Path(job.output.path) / RECORDS / folder_name(job.link, db, records)
        output = job.output.model_copy(
            update={"path": str(path), "keep_raw": False, "records": None}
        )
        link = Link(dbfrom=db, idtype=job.link.idtype)
        limits = job.limits.model_copy(update={"passes": 1, "confirm_empty": 0})
        update = {"link": link, "output": output, "limits": limits, "hop": []}
        kind = Kind(schema, functools.partial(records.question, db), RECORDS, records.holds)
        results[db] = await runner.run(job.model_copy(update=update), listed, kind=kind)
    return results


def folder_name(link: Link, db: str, records: Records) -> str:
    """Return the name of the folder for some records of a database: `DB-FORM`.

    Where the links may lead back to the database of the input, the records of the input are in
    `DB-FORM-from`, so that the two sides do not mix.

    Example:
        >>> link = Link(dbfrom="pubmed", db=["pubmed", "pmc"])
        >>> folder_name(link, "pubmed", Records("from", "medline/text"))
        'pubmed-medline-text-from'
    """
    name = f"{db}-" + re.sub(r"\W", "-", records.form)
    led_to = {answer_name(one) for one in link.db} if CMDS[link.cmd].leads_to_records else set()
    both = bool(led_to & {"all", answer_name(link.dbfrom)})
    return f"{name}-from" if records.side == "from" and both else name


def linked(job: Job, found: HarvestReader, side: Side) -> Mapping[str, Listed]:
    """Return the distinct UIDs on one side of a harvest's links, by database; none without links.

    Raises:
        BadInput: there are none, or they are of another server.
        FolderError: it is damaged.
    """
    folder, link = Path(job.output.path), job.link
    if found.identity is not None:
        check_server(folder, found.identity, job.server.base_url)
    if side == "to" and not {"dbto", "to_uid"} <= set(schema_of(link).names):
        raise BadInput(f"{folder}: the links of cmd {link.cmd} name no linked records.")
    if side == "from":
        if not found.wanted:
            raise BadInput(f"{folder} has no input UIDs yet.")
        return {link.dbfrom: found.listed(found.wanted)}
    texts: dict[str, set[str]] = {}
    sets: dict[str, Listed] = {}
    for table in found.links("dbto", "to_uid"):
        for db in pc.unique(table["dbto"]).to_pylist():
            tos = table.filter(pc.equal(table["dbto"], db))["to_uid"]
            if link.idtype == "acc":
                texts.setdefault(db, set()).update(pc.unique(tos).to_pylist())
                sets[db] = texts[db]
            else:
                sets[db] = sets.get(db, uids.as_set()) | uids.as_set(pc.unique(tos).to_numpy())
    return sets
