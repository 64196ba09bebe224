"""The job: what to harvest, from which UIDs, into which folder, within which limits.

Each field is both an option of `harvester run` and a key of the job file; its description is the
option's help. The API key is no field: it lives in the environment alone (`NCBI_API_KEY`).
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from harvester.job.fields import Group, PathName, PathNames
from harvester.job.link import Link

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Contact", "Job", "Limits", "Link", "Output", "Server", "Source"]

RECORDS_FORM = re.compile(r"[\w-]+(/\w+)?|/\w+", re.ASCII)
"""`summary`, or RETTYPE, RETTYPE/RETMODE or /RETMODE of EFetch."""

NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"
"""The address all E-utility requests begin with (NBK25497)."""

STDIN = STDOUT = "-"
"""In place of a path: standard input, standard output."""

RATE_WITHOUT_KEY, RATE_WITH_KEY = 3.0, 10.0
"""Requests per second NCBI permits, counted over all E-utilities (NBK25497)."""


SourceKind: TypeAlias = Literal["ids", "search", "run"]
"""Lists of UIDs, a search (a query, a History set, or both), or an earlier harvest."""

Format: TypeAlias = Literal["parquet", "jsonl"]
Codec: TypeAlias = Literal["zstd", "gzip", "none"]

DEFAULT_CODEC: Mapping[Format, Codec] = {"parquet": "zstd", "jsonl": "none"}


class Source(Group):
    """Where the UIDs come from: lists, or one of the others."""

    ids: PathNames = Field(
        default=[],
        description="file of UIDs, plain or .gz/.zst/.xz/.bz2, or .csv/.tsv/.parquet; again for "
        "more; - is stdin",
    )
    ids_column: str | None = Field(default=None, description="column of a table of UIDs")
    query: str | None = Field(
        default=None,
        description="all records of dbfrom that match this; with webenv, those of that set",
    )
    webenv: str | None = Field(default=None, description="a set on the History server, with ...")
    query_key: str | None = Field(default=None, description="... its number there")
    run: PathName | None = Field(
        default=None, description="the distinct to_uids of an earlier harvest"
    )
    shard: str = Field(
        default="1/1", description="I/N: only the I-th of N equal shares of the UIDs"
    )

    @field_validator("ids")
    @classmethod
    def _stdin_once(cls, value: list[str]) -> list[str]:
        if value.count(STDIN) > 1:
            raise ValueError("standard input (-) can be read only once")
        return value

    @field_validator("query_key", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("query", "webenv", "query_key", "ids_column")
    @classmethod
    def _says_something(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("it is empty; leave it out")
        if value and info.field_name == "query_key" and not re.fullmatch(r"[0-9]+", value):
            raise ValueError(f"'{value}' is not the number of a set, like 1")
        return value

    @model_validator(mode="after")
    def _one(self) -> Source:
        kinds = [key for key in ("ids", "query", "webenv", "run") if getattr(self, key)]
        if len(kinds) > 1 and kinds != ["query", "webenv"]:
            raise ValueError(f"{' and '.join(kinds)} are different sources; give one of them")
        if (self.webenv is None) != (self.query_key is None):
            raise ValueError("webenv and query_key go together: they name a History set")
        if self.ids_column and not self.ids:
            raise ValueError("ids_column is for tables of UIDs, given with ids")
        return self

    @property
    def kind(self) -> SourceKind | None:
        """What reads the UIDs; None if the job names no source."""
        if self.query is not None or self.webenv is not None:
            return "search"
        if self.run is not None:
            return "run"
        return "ids" if self.ids else None

    @property
    def is_remote(self) -> bool:
        """Whether the server has to be asked for the UIDs."""
        return self.kind == "search"

    @field_validator("shard")
    @classmethod
    def _share(cls, value: str) -> str:
        found = re.fullmatch(r"(\d+)/(\d+)", value, re.ASCII)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ValueError(f"'{value}' is not a share; write I/N with I from 1 to N, like 2/8")
        return value

    @property
    def share(self) -> tuple[int, int]:
        """The shard as (I, N)."""
        index, count = self.shard.split("/")
        return int(index), int(count)


class Output(Group):
    """The harvest's folder and the form of its files.

    A relative path, in a job file too, is one of the folder the command runs in; ~ is the home.
    """

    path: PathName = Field(
        description="the harvest's folder; run again with it to resume "
        "(-: links as JSON lines on stdout, nothing kept)"
    )
    format: Format = Field(default="parquet", description="form of the tables")
    compression: Codec | None = Field(
        default=None, description="default: zstd for parquet, none for jsonl"
    )
    records: str | None = Field(
        default=None,
        description="then get the records linked to, too: summary, or RETTYPE/RETMODE of EFetch",
    )
    keep_raw: bool = Field(
        default=False, description="also keep every answer as it came, compressed, in OUT/raw"
    )

    @field_validator("records")
    @classmethod
    def _form(cls, value: str | None) -> str | None:
        if value is not None and not RECORDS_FORM.fullmatch(value):
            raise ValueError(f"'{value}': write summary, RETTYPE or RETTYPE/RETMODE")
        return value

    @property
    def codec(self) -> Codec:
        """The compression with its default filled in."""
        return self.compression or DEFAULT_CODEC[self.format]


class Limits(Group):
    """How fast, how many at once, how often again, and when."""

    rate: float | None = Field(
        default=None, gt=0, le=10_000, description="requests a second; default 3, with a key 10"
    )
    rate_granted: bool = Field(
        default=False, description="NCBI has granted us the higher rate asked for"
    )
    concurrency: Literal["auto"] | Annotated[int, Field(ge=1, le=10_000)] = Field(
        default="auto", description="requests in flight"
    )
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1, le=5_000)] = Field(
        default="auto", description="UIDs a request"
    )
    timeout: float = Field(default=60.0, gt=0, le=3600, description="seconds for one request")
    max_attempts: int = Field(
        default=6, ge=1, le=100, description="tries of one UID before it counts as failed"
    )
    window: Literal["auto", "off-peak", "always"] = Field(
        default="auto",
        description="when to ask; auto: more than 100 requests to NCBI wait for its off-peak "
        "hours (weekends, and 21:00-05:00 Eastern time)",
    )
    stop_at_window_end: bool = Field(
        default=False, description="leave with exit code 75 when the hours end, to be resumed"
    )
    passes: int = Field(
        default=1,
        ge=1,
        le=100,
        description="read every UID so often, in sweeps apart in time, and keep all links found: "
        "NCBI silently drops some at times",
    )
    confirm_empty: int = Field(
        default=0, ge=0, le=100, description="ask again, so often, for UIDs without links"
    )

    def permitted(self, *, with_key: bool) -> float:
        """Requests per second: as asked for, else what NCBI permits with or without a key."""
        return self.rate or (RATE_WITH_KEY if with_key else RATE_WITHOUT_KEY)


class Contact(Group):
    """Who asks; NCBI wants to know before it has to block anybody (NBK25497)."""

    email: str | None = Field(default=None, description="your address, for NCBI")
    tool: str = Field(default="elink-harvester", description="name of the software, for NCBI")

    @field_validator("email")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
            raise ValueError(f"'{value}' is not an email address, like you@example.org")
        return value

    @field_validator("tool")
    @classmethod
    def _no_spaces(cls, value: str) -> str:
        if not re.fullmatch(r"\S+", value):
            raise ValueError(f"'{value}': NCBI wants a tool name without spaces")
        return value


class Server(Group):
    """Whom to ask."""

    base_url: str = Field(
        default=NCBI, description="any server that speaks E-utilities; default NCBI"
    )

    @field_validator("base_url")
    @classmethod
    def _http(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            sound = parts.port != 0 and parts.hostname and re.fullmatch(r"[!-~]+", value)
        except ValueError:
            sound = None
        if not sound or parts.scheme not in ("http", "https"):
            raise ValueError(f"'{value}' is not an address; it begins like http://localhost:8080/")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("the address may hold no user, query or fragment")
        return value.rstrip("/") + "/"

    @property
    def is_ncbi(self) -> bool:
        """Whether NCBI's own rules (hours, rate, email) hold for it."""
        host = (urlsplit(self.base_url).hostname or "").rstrip(".")
        return host == "ncbi.nlm.nih.gov" or host.endswith(".ncbi.nlm.nih.gov")


class Job(Group):
    """A whole job. Groups may be given as plain dicts.

    Example:
        >>> job = Job(link={"dbfrom": "pubmed", "db": "pmc"}, output={"path": "out"})
        >>> job.link.db
        ['pmc']

    Raises:
        pydantic.ValidationError: a value is wrong; `job.load.build` makes it one sentence.
    """

    link: Link
    hop: list[Link] = Field(default=[], description="further hops, each from where the last leads")
    source: Source = Source()
    output: Output
    limits: Limits = Limits()
    contact: Contact = Contact()
    server: Server = Server()

    @model_validator(mode="before")
    @classmethod
    def _chained(cls, value: Any) -> Any:
        """The first of several hops is the link, where there is none; each leads to the next."""
        if not isinstance(value, dict) or not isinstance(value.get("hop"), list):
            return value
        hops, link = value["hop"], value.get("link") or {}
        if hops and isinstance(link, dict) and "dbfrom" not in link and isinstance(hops[0], dict):
            value = {**value, "link": {**hops[0], **link}}
            hops = hops[1:]
        before, chained = value.get("link"), []
        for hop in hops:
            if isinstance(hop, dict) and "dbfrom" not in hop:
                hop = {"dbfrom": _only_db(before), **hop}  # noqa: PLW2901
            chained.append(hop)
            before = hop
        return {**value, "hop": chained}

    @model_validator(mode="after")
    def _fits_together(self) -> Job:
        chain = [self.link, *self.hop]
        for number, (one, after) in enumerate(itertools.pairwise(chain), 1):
            if not one.leads_to_records:
                raise ValueError(f"hop {number}: cmd {one.cmd} leads to no records")
            if after.dbfrom not in one.db and one.db != ["all"]:
                raise ValueError(
                    f"hop {number} leads to {', '.join(one.db)}, but the next starts from "
                    f"{after.dbfrom}"
                )
        if self.output.records and not chain[-1].leads_to_records:
            raise ValueError(f"records: links of cmd {chain[-1].cmd} lead to none")
        if self.limits.passes > 1:
            for one in chain:
                if not one.leads_to_records:
                    raise ValueError(f"passes compare lists of links, and cmd {one.cmd} gives none")
                if one.targets_only:
                    raise ValueError("passes compare lists of links, and targets_only keeps none")
        return self

    def rate(self, *, with_key: bool) -> float:
        """Requests per second, as `Limits.permitted` says."""
        return self.limits.permitted(with_key=with_key)

    def identity(self) -> dict[str, Any]:
        """What a folder's rows depend on: a rerun into the folder must agree with it."""
        link = self.link.model_dump(mode="json", exclude={"retmode"})
        output = {
            "format": self.output.format,
            "compression": self.output.codec,
            "keep_raw": self.output.keep_raw,
        }
        # Lists may grow; what a server was asked for is asked once.
        keys = ("query", "webenv", "query_key")
        source = {key: getattr(self.source, key) for key in keys if getattr(self.source, key)}
        return {"link": link, "output": output, "source": source}


def _only_db(link: Any) -> str:
    """The database that a link given as a dict leads to, where it is one; else no name."""
    db = link.get("db") if isinstance(link, dict) else None
    names = db.split(",") if isinstance(db, str) else db
    return names[0] if isinstance(names, list) and len(names) == 1 else ""
