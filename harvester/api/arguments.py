"""Arguments of the methods of `Eutils`: UIDs in all accepted forms, History sets, and texts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict, TypeVar

from harvester.errors import BadInput, nearest, printable
from harvester.eutils.epost import Posted
from harvester.eutils.esearch import Found
from harvester.job.databases import SEQUENCES
from harvester.job.in_memory import InMemory, UidsInMemory
from harvester.job.model import Job
from harvester.sources.memory import read_in_order
from harvester.sources.notation import UidParser, parse_accession

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from harvester.job.keys import IdType
    from harvester.sources.rejected import Warn

T = TypeVar("T")

Uid: TypeAlias = int | str
"""A UID, or an accession."""

Uids: TypeAlias = UidsInMemory
"""One UID or several, in any iterable; a text may hold several, separated by commas."""

HistorySet: TypeAlias = Found | Posted
"""A set on the History server, returned by `esearch(..., usehistory=True)` or `epost`."""


def check_job(job: object) -> None:
    """Check that a Job was given, not the name of its file or its keys.

    Raises:
        BadInput: it was not.
    """
    if not isinstance(job, Job):
        raise BadInput(
            f"job: {printable(repr(job), 60)} is not a Job. Give harvester.Job(link={{...}}, ...); "
            "a job file becomes one by Job(**tomllib.loads(text))."
        )


MOST = 10_000
"""Maximum records per EPost, ESummary or EFetch (NBK25499, retmax; users' reports)."""


class DateFields(TypedDict, total=False):
    """Parameters of ESearch besides the query (NBK25499)."""

    datetype: str
    mindate: str
    maxdate: str
    reldate: int
    idtype: IdType


class SearchFields(DateFields, total=False):
    """Parameters of ESearch for a single page of results (NBK25499)."""

    sort: str
    field: str


class FetchFields(TypedDict, total=False):
    """The less common parameters of EFetch (NBK25499)."""

    retstart: int
    retmax: int
    strand: int
    seq_start: int
    seq_stop: int
    complexity: int
    idtype: Literal["acc"]


def read_uids(db: str, ids: Uids, warn: Warn) -> list[int]:
    """Return UIDs of a database as numbers, each once, in order.

    Args:
        db: the database.
        ids: the UIDs.
        warn: called with a sentence if a column of them has gaps.

    Raises:
        BadInput: one is not a UID.
    """
    return _read(ids, UidParser(db), warn)


def read_accessions(ids: Uids, warn: Warn) -> list[str]:
    """Return accessions as texts, each once; GIs are accepted as well. Otherwise as `read_uids`."""
    return _read(ids, parse_accession, warn)


def read_ids(db: str, ids: Uids) -> list[Uid]:
    """Return UIDs of a database, and accessions if its records have them, each once.

    Gaps in a column are left out, with a warning in the log.

    Raises:
        BadInput: one is neither.
    """
    read = UidParser(db)

    def either(word: str) -> Uid:
        is_number = word.isascii() and word.isdigit()
        return read(word) if is_number or db not in SEQUENCES else parse_accession(word)

    return _read(ids, either, logging.getLogger("harvester").warning)


def comma_list(ids: Collection[Uid]) -> str:
    """Return UIDs as one request parameter.

    Raises:
        BadInput: there are none, or more than `MOST`.
    """
    if not ids:
        raise BadInput("ids is empty: give one UID at least.")
    if len(ids) > MOST:
        raise BadInput(f"{len(ids):,} UIDs are too many for one request: {MOST:,} at most.")
    return ",".join(map(str, ids))


def set_parameters(kept: HistorySet) -> dict[str, str]:
    """Return the request parameters that name a History set.

    Raises:
        BadInput: the result of the search was not kept.
    """
    if not (kept.webenv and kept.query_key):
        raise BadInput(
            "That search is not on the History server: search with usehistory=True, "
            "or give its ids."
        )
    return {"WebEnv": kept.webenv, "query_key": kept.query_key}


def check_text(name: str, text: object) -> None:
    """Check that an argument is a text that is not empty.

    Raises:
        BadInput: it is not.
    """
    if not (isinstance(text, str) and text.strip()):
        raise BadInput(f"{name} is empty: it should be a text.")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadInput(f"{name} is not valid Unicode.")


def fields_of(given: Mapping[str, Any], known: Collection[str]) -> dict[str, str]:
    """Return further parameters of a utility; it would ignore unknown ones (NBK25497).

    Raises:
        BadInput: one is unknown, or neither a text nor a whole number.
    """
    for name, value in given.items():
        if name not in known:
            raise BadInput(f"There is no parameter '{printable(name)}'{nearest(name, known)}.")
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise BadInput(f"{name} should be a text or a whole number.")
    return {name: str(value) for name, value in given.items()}


def count_parameter(name: str, value: object) -> str:
    """Return a whole number, 0 or more, as a request parameter.

    Raises:
        BadInput: it is not a whole number, or negative.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadInput(f"{name} should be a whole number, 0 or more.")
    return str(value)


def _read(ids: Uids, parse: Callable[[str], T], warn: Warn) -> list[T]:
    try:
        values = InMemory(ids).values
    except ValueError as error:
        raise BadInput(f"ids: {error}.") from None
    return read_in_order(values, parse, warn=warn)
