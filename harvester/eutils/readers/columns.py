"""What every neighbor reader hands over: an answer's LinkSets as columns, nothing judged yet."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

_DIGITS = b"0123456789"


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
    to_uid: pa.Array = field(default_factory=lambda: pa.array([], pa.int64()))
    """int64, one a link."""
    score: pa.Array | None = None
    """int64 with nulls, one a link; None where no link has a score."""


class Unreadable(ValueError):
    """The body is not a whole answer in the form that was asked for; the text says how."""


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
