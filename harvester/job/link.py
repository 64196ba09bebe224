"""Which links a job asks for: ELink's own parameters, and which cmd takes which."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harvester.job import dates
from harvester.job.fields import Group, Names
from harvester.model.batch import Retmode

Cmd: TypeAlias = Literal[
    "neighbor", "neighbor_score", "neighbor_history", "acheck", "ncheck", "lcheck", "llinks",
    "llinkslib", "prlinks",
]  # fmt: skip
"""ELink's commands (NBK25499)."""

_NEIGHBORS = ("neighbor", "neighbor_score", "neighbor_history")

TAKEN_BY: dict[str, tuple[str, ...]] = {
    "linkname": (*_NEIGHBORS, "acheck"),  # of acheck's rows, those of other names are dropped here
    "term": _NEIGHBORS,
    "datetype": _NEIGHBORS,
    "mindate": _NEIGHBORS,
    "maxdate": _NEIGHBORS,
    "reldate": _NEIGHBORS,
    "holding": ("llinks", "llinkslib"),
    "targets_only": ("neighbor",),
}
"""Which cmds take which parameter (NBK25499); the others are taken by all."""


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
    cmd: Cmd = Field(
        default="neighbor",
        description="ELink command: neighbor, neighbor_score, neighbor_history, acheck, ncheck, "
        "lcheck, llinks, llinkslib or prlinks",
    )
    term: str | None = Field(default=None, description="keep links whose records match this query")
    datetype: str | None = Field(default=None, description="kind of date, for example pdat")
    mindate: str | None = Field(default=None, description="first date, YYYY[/MM[/DD]]")
    maxdate: str | None = Field(default=None, description="last date, YYYY[/MM[/DD]]")
    reldate: int | None = Field(default=None, ge=1, description="only the last so many days")
    holding: str | None = Field(
        default=None, description="LinkOut addresses of this provider (NameAbbr) only"
    )
    idtype: Literal["uid", "acc"] = Field(
        default="uid", description="acc: accession.version in and out"
    )
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
        """NCBI ignores what a cmd does not take (NBK25499); here it is an error."""
        for key, cmds in TAKEN_BY.items():
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

    def doubts(self) -> list[str]:
        """What NCBI will not do, and say nothing of it; a sentence each."""
        if self.term and set(self.db) != {self.dbfrom}:
            return [
                "ELink keeps to a term only where db is dbfrom (NBK25499); elsewhere it ignores it."
            ]
        return []
