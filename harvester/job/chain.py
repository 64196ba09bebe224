"""The hops of a job: each starts from the database that the previous one leads to."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harvester.job.link import fill_db

if TYPE_CHECKING:
    from harvester.job.link import Link


@dataclass(frozen=True, slots=True)
class Chain:
    """The links of all hops, one at least."""

    links: tuple[Link, ...]

    def validate(self, *, records: bool = False, passes: int = 1) -> None:
        """Check that the hops fit each other and what follows them.

        Args:
            records: whether the records at the end of the chain are downloaded.
            passes: how often each UID is read.

        Raises:
            ValueError: a hop does not start where the previous one ends, or its links are of a
                kind that cannot be followed or compared.
        """
        self._validate_hops()
        last = self.links[-1]
        if records and not last.leads_to_records:
            raise ValueError(f"records: links of cmd {last.cmd} lead to none")
        if passes > 1:
            self._validate_passes()

    def _validate_hops(self) -> None:
        for number, (hop, following) in enumerate(itertools.pairwise(self.links), 1):
            if not hop.leads_to_records:
                raise ValueError(f"hop {number}: cmd {hop.cmd} leads to no records")
            if following.dbfrom not in hop.db and hop.db != ["all"]:
                raise ValueError(
                    f"hop {number} leads to {', '.join(hop.db)}, but the next starts from "
                    f"{following.dbfrom}"
                )

    def _validate_passes(self) -> None:
        for link in self.links:
            if link.repeat > 1:
                raise ValueError("passes and repeat cannot be combined; use confirm_empty")
            if not link.leads_to_records:
                raise ValueError(f"passes compare lists of links, and cmd {link.cmd} gives none")
            if link.targets_only:
                raise ValueError("passes compare lists of links, and targets_only keeps none")


def fill_hops(job: dict[str, Any]) -> dict[str, Any]:
    """Fill in keys that a job may omit: the link if there are hops, and the dbfrom of each hop.

    Args:
        job: groups as plain values, not validated yet.

    Returns:
        The job, in which the first hop has become the link if there was none, and each further
        hop starts from the one database that the previous hop leads to.
    """
    hops = job.get("hop")
    if not isinstance(hops, list):
        return job
    job = dict(job)
    link, hops = first_hop(job.get("link") or {}, hops)
    job["link"] = link
    job["hop"] = filled = list[Any]()
    for hop in hops:
        if isinstance(hop, dict) and "dbfrom" not in hop:
            filled.append({"dbfrom": _only_db(link), **hop})
        else:
            filled.append(hop)
        link = filled[-1]
    return job


def first_hop(link: Any, hops: list[Any]) -> tuple[Any, list[Any]]:
    """Return the link of the first hop, which is the first of the hops if none was given.

    Args:
        link: keys that were given for the link.
        hops: further hops, or all.

    Returns:
        The link, and the hops that follow it.
    """
    if hops and isinstance(link, dict) and "dbfrom" not in link and isinstance(hops[0], dict):
        return {**hops[0], **link}, hops[1:]
    return link, hops


def _only_db(link: Any) -> str:
    """Return the database that a link leads to if it is exactly one, else an empty text."""
    if isinstance(link, dict):
        link = fill_db(link)
    db = link.get("db") if isinstance(link, dict) else getattr(link, "db", None)
    names = db.split(",") if isinstance(db, str) else db
    return names[0] if isinstance(names, list) and len(names) == 1 else ""
