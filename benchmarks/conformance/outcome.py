"""What a client returned. Standard library only: the clients' own environment imports it."""

from __future__ import annotations

from dataclasses import dataclass, field

DBFROM = DB = "pubmed"
LINKNAME = "pubmed_pubmed"
"""The requested links: related articles, which every client can request."""

KEY = "c0nf0rmance0key0that0nobody0may0see00"
"""An API key that is searched in everything a client writes."""


@dataclass
class Outcome:
    """Links as returned by a client, with its errors.

    Attributes:
        groups: (from UIDs, to UIDs); one from UID if the client keeps pairs.
        failure: the client's own report of a failure, if it neither raised nor exited.
        shown: an ERROR in its data beside the links.
        named: UIDs it names as not answered.
    """

    groups: list[tuple[list[str], list[str]]] = field(default_factory=list)
    failure: str = ""
    shown: str = ""
    named: list[str] = field(default_factory=list)
