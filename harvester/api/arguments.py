"""What the methods of `Eutils` take: UIDs in all the ways they are given, sets, and texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from harvester.errors import BadInput, nearest, printable
from harvester.eutils.epost import Posted
from harvester.eutils.esearch import Found
from harvester.sources.notation import UidParser, parse_accession

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from harvester.job.link import IdType
    from harvester.model.batch import Retmode

Uid: TypeAlias = int | str
"""A UID, or an accession."""

Uids: TypeAlias = Uid | Iterable[Uid]
"""One, or several; a text may hold several with commas between them."""

HistorySet: TypeAlias = Found | Posted
"""A set on the History server, as `esearch(..., usehistory=True)` or `epost` gave it back."""

SEQUENCES = frozenset(("nuccore", "nucleotide", "nucest", "nucgss", "popset", "protein"))
"""Databases whose records have accessions beside UIDs (NBK25497)."""


MOST = 10_000
"""Records of one EPost, ESummary or EFetch (NBK25499, retmax; users' reports)."""


class LinkFields(TypedDict, total=False):
    """The rarer parameters of ELink; each is a key of a job's `link`, too (see `Job`)."""

    term: str
    datetype: str
    mindate: str
    maxdate: str
    reldate: int
    holding: str
    idtype: IdType
    targets_only: bool
    retmode: Retmode


class DateFields(TypedDict, total=False):
    """What ESearch takes beside a query (NBK25499)."""

    datetype: str
    mindate: str
    maxdate: str
    reldate: int
    idtype: IdType


class SearchFields(DateFields, total=False):
    """... and for a single page of its results."""

    sort: str
    field: str


class FetchFields(TypedDict, total=False):
    """The rarer parameters of EFetch (NBK25499)."""

    retstart: int
    retmax: int
    strand: int
    seq_start: int
    seq_stop: int
    complexity: int
    idtype: Literal["acc"]


def read_uids(db: str, ids: Uids) -> list[int]:
    """UIDs of a database.

    Raises:
        BadInput: one is none.
    """
    return _read(ids, UidParser(db))


def read_accessions(ids: Uids) -> list[str]:
    """Accessions, GIs among them.

    Raises:
        BadInput: one is none.
    """
    return _read(ids, parse_accession)


def read_ids(db: str, ids: Uids) -> list[Uid]:
    """UIDs of a database, accessions among them where it has such.

    Raises:
        BadInput: one is none.
    """
    read = UidParser(db)

    def either(word: str) -> Uid:
        is_number = word.isascii() and word.isdigit()
        return read(word) if is_number or db not in SEQUENCES else parse_accession(word)

    return _read(ids, either)


def records_of(db: str, ids: Uids | HistorySet) -> dict[str, str]:
    """The parameters that name records.

    Raises:
        BadInput: they are none, or too many.
    """
    return named(ids) if isinstance(ids, HistorySet) else {"id": comma_list(read_ids(db, ids))}


def comma_list(ids: Collection[Uid]) -> str:
    """As a request has them.

    Raises:
        BadInput: there are none, or more than `MOST`.
    """
    if not ids:
        raise BadInput("ids is empty: give one UID at least.")
    if len(ids) > MOST:
        raise BadInput(f"{len(ids):,} UIDs are more than one request takes: {MOST:,} at most.")
    return ",".join(map(str, ids))


def named(kept: HistorySet) -> dict[str, str]:
    """The parameters that name a set.

    Raises:
        BadInput: it was not kept.
    """
    if not (kept.webenv and kept.query_key):
        raise BadInput(
            "That search is not on the History server: search with usehistory=True, "
            "or give its ids."
        )
    return {"WebEnv": kept.webenv, "query_key": kept.query_key}


def see_text(name: str, text: object) -> None:
    """See that there is a text.

    Raises:
        BadInput: it is empty, or none.
    """
    if not (isinstance(text, str) and text.strip()):
        raise BadInput(f"{name} is empty: it should be a text.")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise BadInput(f"{name} is not valid Unicode.")


def fields_of(given: Mapping[str, Any], known: Collection[str]) -> dict[str, str]:
    """Further parameters of a utility, which would ignore those it does not know (NBK25497).

    Raises:
        BadInput: one is unknown, or no plain value.
    """
    for name, value in given.items():
        if name not in known:
            raise BadInput(f"There is no parameter '{printable(name)}'{nearest(name, known)}.")
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise BadInput(f"{name} should be a text or a whole number.")
    return {name: str(value) for name, value in given.items()}


def counted(name: str, value: object) -> str:
    """A whole number that is not negative, as a text: zero is a value, too.

    Raises:
        BadInput: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadInput(f"{name} should be a whole number, 0 or more.")
    return str(value)


def _read(ids: Uids, read: Callable[[str], Any]) -> list[Any]:
    listed: Iterable[Any] = [ids] if isinstance(ids, int) else ids
    if isinstance(listed, str):
        listed = listed.split(",")
    if not isinstance(listed, Iterable) or isinstance(listed, bytes | Mapping):
        raise BadInput("ids should be a UID or a list of UIDs.")
    try:
        return list(dict.fromkeys(read(str(one).strip()) for one in listed))
    except ValueError as error:
        raise BadInput(f"ids: {error}") from None
