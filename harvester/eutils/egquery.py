"""EGQuery: the number of records in each database that match a query. XML only.

NCBI retired it: since 2024 it returns 301 to a host that does not resolve. Other servers may still
have it.
"""

from __future__ import annotations

from dataclasses import dataclass

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.parsing import xml_root

PATH = "egquery.fcgi"

NOT_FOUND = "Term or Database is not found"
"""Status of a database in which nothing matches (recorded in 2008)."""


@dataclass(frozen=True, slots=True)
class Hits:
    """The number of records in one database that match a query.

    Attributes:
        db: name of the database.
        count: records that match; None if the search failed.
        status: `Ok`, `NOT_FOUND`, or the reason of the failure.
    """

    db: str
    count: int | None
    status: str = "Ok"


def read(body: bytes) -> list[Hits]:
    """Return the numbers of an answer, in its order.

    Raises:
        RequestFailed: the body is not an answer of EGQuery.
    """
    found = xml_root(body, "Result", "EGQuery").findall("eGQueryResult/ResultItem")
    if not found:
        raise RequestFailed(Fault.BODY, "EGQuery names no database")
    return [_hits(*(printable(item.findtext(tag, "")) for tag in _TAGS)) for item in found]


_TAGS = ("DbName", "Count", "Status")


def _hits(db: str, count: str, status: str) -> Hits:
    number = int(count) if count.isascii() and count.isdigit() and len(count) < 19 else None
    return Hits(db, number, status or ("Ok" if number is not None else "no count"))
