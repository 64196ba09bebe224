"""Which links a job asks for, in ELink's own parameters."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harvester.job import dates
from harvester.job.cmds import CMDS, Cmd, cmds_that_take
from harvester.job.fields import Group, Names
from harvester.model.batch import Retmode

IdType: TypeAlias = Literal["uid", "acc"]
"""How records are named: by UID, or by accession.version (sequence databases only)."""


class Link(Group):
    """Which links to ask for; the names are ELink's own parameters."""

    dbfrom: str = Field(description="database of the input UIDs, for example pubmed")
    db: Names = Field(
        default=["all"],
        description="database(s) to link to, separated by commas; `all` asks for every one",
    )
    linkname: Names = Field(
        default=[], description="keep only these link names, for example pubmed_pmc"
    )
    cmd: Cmd = Field(default="neighbor", description=f"ELink command: {', '.join(CMDS)}")
    term: str | None = Field(default=None, description="keep links whose records match this query")
    datetype: str | None = Field(default=None, description="kind of date, for example pdat")
    mindate: str | None = Field(default=None, description="first date, YYYY[/MM[/DD]]")
    maxdate: str | None = Field(default=None, description="last date, YYYY[/MM[/DD]]")
    reldate: int | None = Field(default=None, ge=1, description="only the last so many days")
    holding: str | None = Field(
        default=None, description="LinkOut addresses of this provider (NameAbbr) only"
    )
    idtype: IdType = Field(default="uid", description="acc: accession.version in and out")
    targets_only: bool = Field(
        default=False,
        description="only the distinct linked records of the whole set, not who links to whom: "
        "much smaller answers",
    )
    retmode: Retmode = Field(
        default="json", description="form of the answers; what JSON cannot carry is asked in XML"
    )

    @field_validator("dbfrom", "db", "linkname")
    @classmethod
    def _one_word(cls, value: str | list[str]) -> str | list[str]:
        for name in [value] if isinstance(value, str) else value:
            if not re.fullmatch(r"\w+", name, re.ASCII):
                raise ValueError(f"'{name}' is not a name; NCBI's names are like pubmed_pmc")
        return value

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
    def _says_something(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("an empty text filters nothing; leave it out")
        return value

    @model_validator(mode="after")
    def _taken(self) -> Link:
        """Reject what the cmd does not take; NCBI would silently ignore it (NBK25499)."""
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

    @property
    def leads_to_records(self) -> bool:
        """Whether each row of links names a linked record."""
        return CMDS[self.cmd].leads_to_records

    @property
    def is_merged(self) -> bool:
        """Whether one answer covers all UIDs of a batch together, asked for as a comma list."""
        return CMDS[self.cmd].merged or self.targets_only

    def doubts(self) -> list[str]:
        """What NCBI will not do, and say nothing of it; a sentence each."""
        if self.term and set(self.db) != {self.dbfrom}:
            return [
                "ELink keeps to a term only where db is dbfrom (NBK25499); elsewhere it ignores it."
            ]
        return []
