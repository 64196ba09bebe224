"""What every neighbor reader hands over: an answer's LinkSets as columns, nothing judged yet."""

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
    """The LinkSets of one answer, flattened.

    `ids[i]` and `errors[i]` belong to the i-th LinkSet; `owner[j]`, `dbto[j]`, `linkname[j]` and
    `counts[j]` to the j-th LinkSetDb, whose links are the next `counts[j]` of `to_uid`.
    """

    error: str | None = None
    """The ERROR of the answer as a whole."""
    ids: list[list[str]] = field(default_factory=list)
    errors: list[str | None] = field(default_factory=list)
    """The first ERROR in each LinkSet, its own or one of its LinkSetDbs'."""
    owner: list[int] = field(default_factory=list)
    dbto: list[str] = field(default_factory=list)
    linkname: list[str] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    to_uid: pa.Array = field(default_factory=lambda: _NO_UIDS)
    """int64, or strings where accessions were asked for; one a link."""
    score: pa.Array | None = None
    """int64 with nulls, one a link; None where no link has a score."""


ToIds: TypeAlias = "Callable[[list[str]], pa.Array]"
"""Makes the column to_uid of the texts in an answer: `uid_array` or `accession_array`."""


def accession_array(texts: list[str]) -> pa.Array:
    """Accessions, or UIDs where a database has none, as strings.

    Raises:
        Unreadable: something is neither.
    """
    try:
        strings = pa.array(texts, pa.string())
    except (pa.ArrowException, TypeError) as error:
        raise Unreadable("an ELink answer with ids that are no texts") from error
    if len(strings) and not pc.all(pc.match_substring_regex(strings, _ACCESSION)).as_py():
        raise Unreadable("an ELink answer with ids that are no accessions")
    return strings


def uid_array(texts: list[str]) -> pa.Array:
    """UIDs as int64, from their decimal digits and nothing else.

    Raises:
        Unreadable: something is not a UID. (Arrow alone would take a sign, or hexadecimal.)
    """
    try:
        strings = pa.array(texts, pa.string())
        _, _, data = strings.buffers()
        if strings.null_count or (
            data is not None and bytes(data).strip(b"\0").translate(None, _DIGITS)
        ):
            raise Unreadable("an ELink answer with ids that are no numbers")
        return strings.cast(pa.int64())
    except (pa.ArrowException, TypeError) as error:
        raise Unreadable("an ELink answer with ids that are no numbers") from error
