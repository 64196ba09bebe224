"""EGQuery: how many records of each database match a query. XML only.

NCBI has retired it (since 2024 it answers 301 to a host that does not resolve); other servers of
the protocol may still have it.
"""

from __future__ import annotations

from dataclasses import dataclass

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.parsing import xml_root

PATH = "egquery.fcgi"

NOT_FOUND = "Term or Database is not found"
"""The status of a database in which nothing matches (recorded in 2008)."""


@dataclass(frozen=True, slots=True)
class Hits:
    """What a query finds in one database.

    Attributes:
        db: its name.
        count: records that match; None where the search failed.
        status: `Ok`, `NOT_FOUND`, or why it failed.
    """

    db: str
    count: int | None
    status: str = "Ok"


def read(body: bytes) -> list[Hits]:
    """What an answer says of each database, in its order.

    Raises:
        RequestFailed: it is no answer of EGQuery.
    """
    found = xml_root(body, "Result", "EGQuery").findall("eGQueryResult/ResultItem")
    if not found:
        raise RequestFailed(Fault.BODY, "EGQuery names no database")
    return [_hits(*(printable(item.findtext(tag, "")) for tag in _TAGS)) for item in found]


_TAGS = ("DbName", "Count", "Status")


def _hits(db: str, count: str, status: str) -> Hits:
    number = int(count) if count.isascii() and count.isdigit() and len(count) < 19 else None
    return Hits(db, number, status or ("Ok" if number is not None else "no count"))
