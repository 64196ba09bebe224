"""LinkSets of an answer as columns, returned by the neighbor readers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa

from harvester.eutils.parsing import Unreadable
from harvester.model import lazy_compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

_DIGITS = b"0123456789"
_NO_UIDS = pa.array([], pa.int64())
_ACCESSION = r"^[A-Za-z0-9_.|:-]{1,64}$"


@dataclass(slots=True)
class LinkSets:
    """The LinkSets of one answer as columns.

    `ids[i]` and `errors[i]` belong to the i-th LinkSet; `owner[j]`, `dbto[j]`, `linkname[j]` and
    `counts[j]` to the j-th LinkSetDb, whose links are the next `counts[j]` of `to_uid`.
    """

    error: str | None = None
    """ERROR about the whole answer."""
    ids: list[list[str]] = field(default_factory=list)
    errors: list[str | None] = field(default_factory=list)
    """First ERROR in each LinkSet, its own or one of its LinkSetDbs'."""
    owner: list[int] = field(default_factory=list)
    dbto: list[str] = field(default_factory=list)
    linkname: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    to_uid: pa.Array = field(default_factory=lambda: _NO_UIDS)
    """int64, or strings if accessions were requested; one per link."""
    score: pa.Array | None = None
    """int64 with nulls, one per link; None if no link has a score."""


ToIds: TypeAlias = "Callable[[list[str]], pa.Array]"
"""Function from the texts in an answer to the column to_uid."""


def accession_array(texts: list[str]) -> pa.Array:
    """Return accessions as strings; UIDs, for a database without accessions.

    Raises:
        Unreadable: a text is neither.
    """
    try:
        strings = pa.array(texts, pa.string())
    except (pa.ArrowException, TypeError) as error:
        raise Unreadable("an ELink answer with ids that are not texts") from error
    if len(strings) and not pc.all(pc.match_substring_regex(strings, _ACCESSION)).as_py():
        raise Unreadable("an ELink answer with ids that are not accessions")
    return strings


def uid_array(texts: list[str]) -> pa.Array:
    """Return UIDs as int64, from decimal digits only.

    Raises:
        Unreadable: a text is not a UID. (Arrow alone would accept a sign, or hexadecimal.)
    """
    try:
        strings = pa.array(texts, pa.string())
        _, _, data = strings.buffers()
        if strings.null_count or (
            data is not None and bytes(data).strip(b"\0").translate(None, _DIGITS)
        ):
            raise Unreadable("an ELink answer with ids that are not numbers")
        return strings.cast(pa.int64())
    except (pa.ArrowException, TypeError) as error:
        raise Unreadable("an ELink answer with ids that are not numbers") from error
