"""ELink's cmds: one table, one row per cmd (NBK25499).

To add a cmd: add its name to `Cmd`, a row to `CMDS`, and a row to
`harvester.eutils.elink.commands.COMMANDS`, with a reader if its answers have a new shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Cmd: TypeAlias = Literal[
    "neighbor", "neighbor_score", "neighbor_history", "acheck", "ncheck", "lcheck", "llinks",
    "llinkslib", "prlinks",
]  # fmt: skip
"""The names of ELink's cmds (NBK25499)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CmdSpec:
    """Properties of one cmd, apart from the format of its answers.

    Attributes:
        help: what the cmd returns, as a noun phrase.
        takes: keys of `Link` that this cmd accepts and others do not. NCBI silently ignores a
            parameter that a cmd does not accept, so the program rejects it.
        leads_to_records: whether each row names a linked record (`to_uid`), so that a further
            hop, a second pass or a download of records can follow.
        merged: whether one answer covers all UIDs of the batch together.
        noun: what one row is, in a report.
    """

    help: str
    takes: frozenset[str] = frozenset()
    leads_to_records: bool = False
    merged: bool = False
    noun: str = "link"


_FILTERS = frozenset(("linkname", "term", "datetype", "mindate", "maxdate", "reldate"))

CMDS: Mapping[str, CmdSpec] = {
    "neighbor": CmdSpec(
        help="linked records",
        takes=_FILTERS | {"targets_only"},
        leads_to_records=True,
    ),
    "neighbor_score": CmdSpec(
        help="linked records, with scores within one database",
        takes=_FILTERS,
        leads_to_records=True,
    ),
    "neighbor_history": CmdSpec(
        help="sets of linked records on the History server",
        takes=_FILTERS,
        merged=True,
        noun="History set",
    ),
    # ELink returns every linkname here; the rows of other linknames are dropped by the program.
    "acheck": CmdSpec(help="linknames of each UID", takes=frozenset(("linkname",))),
    "ncheck": CmdSpec(help="whether a UID has links within its database", noun="answer"),
    "lcheck": CmdSpec(help="whether a UID has LinkOut links", noun="answer"),
    "llinks": CmdSpec(help="LinkOut URLs, without libraries", takes=frozenset(("holding",))),
    "llinkslib": CmdSpec(help="LinkOut URLs, with libraries", takes=frozenset(("holding",))),
    "prlinks": CmdSpec(help="URL of the primary provider"),
}


def cmds_that_take(key: str) -> list[str]:
    """Return the cmds that accept a key of `Link`; all cmds, if no row of the table names it."""
    return [cmd for cmd, spec in CMDS.items() if key in spec.takes] or list(CMDS)
