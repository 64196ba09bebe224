"""The links that a job requests, in ELink's own parameters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harvester.job import dates
from harvester.job.cmds import CMDS, Cmd, cmds_that_take
from harvester.job.databases import answer_name
from harvester.job.fields import Group, Names
from harvester.job.keys import IdType
from harvester.model.batch import Retmode

if TYPE_CHECKING:
    from typing import Unpack

    from harvester.job.keys import LinkKeys


class Link(Group):
    """Links to ask for; the names are ELink's own parameters."""

    if TYPE_CHECKING:

        def __init__(self, **keys: Unpack[LinkKeys]) -> None: ...

    dbfrom: str = Field(description="database of the input UIDs, for example pubmed")
    db: Names = Field(
        default=["all"], description="databases to link to, separated by commas; all: every one"
    )
    linkname: Names = Field(
        default=[],
        description="linknames to keep, separated by commas, for example pubmed_pmc; default: all",
    )
    cmd: Cmd = Field(default="neighbor", description=f"ELink command: {', '.join(CMDS)}")
    term: str | None = Field(default=None, description="query that linked records must match")
    datetype: str | None = Field(
        default=None, description="type of the dates below, for example pdat"
    )
    mindate: str | None = Field(
        default=None, description="first date, YYYY[/MM[/DD]] (requires --maxdate)"
    )
    maxdate: str | None = Field(
        default=None, description="last date, YYYY[/MM[/DD]] (requires --mindate)"
    )
    reldate: int | None = Field(default=None, ge=1, description="only the last N days")
    holding: str | None = Field(
        default=None, description="LinkOut provider (NameAbbr) whose URLs to keep; default: all"
    )
    idtype: IdType = Field(
        default="uid", description="identifiers in and out: UIDs, or accession.version (acc)"
    )
    targets_only: bool = Field(
        default=False,
        description="only the distinct linked records of the whole input, not which UID links to "
        "which; answers are much smaller",
    )
    repeat: int = Field(
        default=1,
        ge=1,
        le=32_767,
        description="rounds: the linked records are requested too, each once, in up to N rounds "
        "(db is dbfrom)",
    )
    retmode: Retmode = Field(
        default="json",
        description="format of the answers; those that JSON cannot carry are requested again as "
        "XML",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_db(cls, value: Any) -> Any:
        return fill_db(value) if isinstance(value, dict) else value

    @field_validator("dbfrom", "db", "linkname")
    @classmethod
    def _one_word(cls, value: str | list[str]) -> str | list[str]:
        for name in [value] if isinstance(value, str) else value:
            if not re.fullmatch(r"\w+", name, re.ASCII):
                raise ValueError(f"'{name}' is not a name; NCBI's names are like pubmed_pmc")
        return value

    @field_validator("db", "linkname")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        return list(dict.fromkeys(names))

    @field_validator("db")
    @classmethod
    def _all_is_enough(cls, names: list[str]) -> list[str]:
        return ["all"] if "all" in names else names

    @field_validator("mindate", "maxdate")
    @classmethod
    def _date(cls, value: str | None) -> str | None:
        if value is not None and dates.first_day(value) is None:
            raise ValueError(f"'{value}' is not a date; write YYYY, YYYY/MM or YYYY/MM/DD")
        return value

    @field_validator("maxdate")
    @classmethod
    def _ordered(cls, value: str | None, info: ValidationInfo) -> str | None:
        mindate = info.data.get("mindate")
        first, last = mindate and dates.first_day(mindate), value and dates.last_day(value)
        if first and last and first > last:
            raise ValueError(f"{value} is before mindate, {mindate}")
        return value

    @field_validator("term", "datetype", "holding")
    @classmethod
    def _not_empty(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("an empty text filters nothing; leave it out")
        return value

    @model_validator(mode="after")
    def _taken(self) -> Link:
        """Reject parameters that the cmd does not accept; NCBI silently ignores them."""
        for key in type(self).model_fields:
            cmds = cmds_that_take(key)
            if getattr(self, key) and self.cmd not in cmds:
                raise ValueError(f"{key} is for cmd {', '.join(cmds)}, not for {self.cmd}")
        return self

    @model_validator(mode="after")
    def _fits(self) -> Link:
        if not self.db:
            raise ValueError("db names no database; leave it out to ask for all")
        if (self.mindate is None) != (self.maxdate is None):
            raise ValueError("mindate and maxdate go together (ELink ignores one alone)")
        dated = self.mindate or self.reldate or self.datetype
        if dated and self.dbfrom != "pubmed":
            raise ValueError("ELink filters by date only where dbfrom is pubmed")
        if self.datetype and not (self.mindate or self.reldate):
            raise ValueError("datetype alone filters nothing; give reldate, or mindate and maxdate")
        return self

    @model_validator(mode="after")
    def _repeats(self) -> Link:
        if self.repeat == 1:
            return self
        if not self.leads_to_records:
            raise ValueError(f"repeat follows links to records, and cmd {self.cmd} gives none")
        if self.targets_only:
            raise ValueError("repeat follows the links of each UID, and targets_only keeps none")
        if [answer_name(db) for db in self.db] != [answer_name(self.dbfrom)]:
            raise ValueError(
                f"repeat stays within one database: db must be {self.dbfrom}, "
                f"not {','.join(self.db)}"
            )
        return self

    @property
    def leads_to_records(self) -> bool:
        """True if each row of links names a linked record."""
        return CMDS[self.cmd].leads_to_records

    @property
    def is_merged(self) -> bool:
        """True if one answer covers all UIDs of a batch together (request by comma list)."""
        return CMDS[self.cmd].merged or self.targets_only

    def warnings(self) -> list[str]:
        """Return a sentence for each parameter that NCBI silently ignores."""
        if self.term and set(self.db) != {self.dbfrom}:
            return [
                "ELink keeps to a term only where db is dbfrom (NBK25499); elsewhere it ignores it."
            ]
        return []


def fill_db(link: dict[str, Any]) -> dict[str, Any]:
    """Return the keys of a link; with `repeat` and without db, its db is its dbfrom."""
    if link.get("repeat", 1) in (1, "1") or "db" in link or "dbfrom" not in link:
        return link
    return {**link, "db": link["dbfrom"]}
