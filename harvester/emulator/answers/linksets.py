"""ELink answer as values: LinkSets, named as in NCBI's DTD (elink 20101123)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(slots=True)
class LinkSetDb:
    """Links of one linkname, or `info` or `error` instead."""

    dbto: str
    linkname: str
    links: NDArray[np.int64] | list[str] | None = None
    scores: NDArray[np.int64] | None = None
    info: str = ""
    error: str = ""


@dataclass(slots=True)
class LinkSetDbHistory:
    """Linked set on the History server with its `query_key`."""

    dbto: str
    linkname: str
    query_key: str


@dataclass(slots=True)
class LinkInfo:
    """One kind of links of a record (`cmd=acheck`)."""

    dbto: str
    linkname: str
    menutag: str
    htmltag: str
    priority: str
    url: str = ""


@dataclass(slots=True)
class Provider:
    """Provider of a LinkOut address. `url` may be missing (recorded answer of 2025)."""

    name: str
    abbreviation: str
    id: str
    url: str = ""


@dataclass(slots=True)
class ObjUrl:
    """LinkOut address of a record (`cmd=llinks`, `llinkslib`, `prlinks`)."""

    url: str
    provider: Provider
    iconurl: str = ""
    linkname: str = ""
    subject_types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


@dataclass(slots=True)
class LinkSet:
    """One LinkSet. The cmd determines which of the fields after `ids` are used.

    Attributes:
        dbfrom: canonical database of the ids; None omits the element.
        ids: the echoed ids; None omits the list, as for the cmds that check and list URLs.
        dbs: links of neighbor and neighbor_score.
        histories: sets of neighbor_history, together with `webenv`.
        checks: ncheck and lcheck: (id, Y or N) for the attribute `check`.
        infos: acheck: (id, its kinds of links).
        urls: llinks, llinkslib and prlinks: (id, its addresses).
        errors: ERROR texts of the LinkSet itself.
    """

    dbfrom: str | None
    ids: list[str] | None = None
    dbs: list[LinkSetDb] = field(default_factory=list)
    histories: list[LinkSetDbHistory] = field(default_factory=list)
    webenv: str = ""
    check: str = ""
    checks: list[tuple[str, str]] = field(default_factory=list)
    infos: list[tuple[str, list[LinkInfo]]] = field(default_factory=list)
    urls: list[tuple[str, list[ObjUrl]]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def uids(self) -> list[str]:
        """Return every id of the LinkSet, wherever its cmd puts them."""
        return (
            list(self.ids or ())
            + [uid for uid, _ in self.checks]
            + [uid for uid, _ in self.infos]
            + [uid for uid, _ in self.urls]
        )
