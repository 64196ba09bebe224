"""The groups of a job apart from its links: source, output, limits, contact and server.

Each field is an option of `harvester run` and a key of the job file; its description is the help
text of the option.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harvester.job import ncbi
from harvester.job.fields import Duration, Group, PathName, PathNames
from harvester.job.formats import FORMATS, Codec, Format
from harvester.job.in_memory import InMemory
from harvester.job.redis_url import redis_url
from harvester.model.place import folder_of, is_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from harvester.job.keys import (
        ContactKeys,
        LimitsKeys,
        OutputKeys,
        RunKeys,
        ServerKeys,
        SourceKeys,
    )

SourceKind: TypeAlias = Literal["ids", "uids", "search", "run"]
"""Files of UIDs, UIDs in memory, a search (query, History set, or both), or an earlier harvest."""

KIND_OF: Mapping[str, SourceKind] = {
    "ids": "ids",
    "uids": "uids",
    "query": "search",
    "webenv": "search",
    "run": "run",
}
"""Key that names a source → its kind."""

RECORDS_FORM = re.compile(r"[\w-]+(/\w+)?|/\w+", re.ASCII)
"""`summary`, or RETTYPE, RETTYPE/RETMODE or /RETMODE of EFetch."""

STDIN = STDOUT = "-"
"""Stands for standard input or standard output in place of a path."""


class Source(Group):
    """Source of the UIDs: lists, a search, or an earlier harvest."""

    if TYPE_CHECKING:

        def __init__(self, **keys: Unpack[SourceKeys]) -> None: ...

    ids: PathNames = Field(
        default=[],
        description="file of UIDs: text, .csv, .tsv or .parquet, also as .gz, .zst, .xz or .bz2 "
        "(repeatable; -: standard input)",
    )
    uids: Any = Field(
        default=None,
        exclude=True,  # the state of the folder keeps them
        description="UIDs in memory: a list, or an array or column of numpy, pandas, polars or "
        "pyarrow (from Python only)",
    )
    ids_column: str | None = Field(
        default=None,
        description="column of the UIDs in a table (CSV, TSV or Parquet): its name, or its number "
        "from 1",
    )
    skip_bad: bool = Field(
        default=False,
        description="leave out entries that are not UIDs, and list them in OUT/rejected.tsv",
    )
    query: str | None = Field(
        default=None, description="ESearch query in dbfrom; with --webenv, within that set"
    )
    webenv: str | None = Field(
        default=None, description="History server WebEnv (requires --query-key)"
    )
    query_key: str | None = Field(
        default=None, description="query key of the History set (requires --webenv)"
    )
    run: PathName | None = Field(
        default=None, description="folder of an earlier harvest; its distinct to_uids are the input"
    )
    shard: str = Field(default="1/1", description="share of the UIDs: the I-th of N equal shares")

    @field_validator("ids")
    @classmethod
    def _stdin_once(cls, value: list[str]) -> list[str]:
        if value.count(STDIN) > 1:
            raise ValueError("standard input (-) can be read only once")
        return value

    @field_validator("uids", mode="before")
    @classmethod
    def _in_memory(cls, value: object) -> InMemory | None:
        return value if value is None or isinstance(value, InMemory) else InMemory(value)

    @field_validator("ids", mode="before")
    @classmethod
    def _files(cls, value: object) -> object:
        listed = value if isinstance(value, list | tuple) else [value]
        if numbers := [one for one in listed if isinstance(one, int)]:
            raise ValueError(
                f"{numbers[0]} is not the name of a file; Python code gives UIDs as uids"
            )
        return value

    @field_validator("query_key", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("query", "webenv", "query_key", "ids_column")
    @classmethod
    def _not_empty(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("it is empty; leave it out")
        if value and info.field_name == "query_key" and not re.fullmatch(r"[0-9]+", value):
            raise ValueError(f"'{value}' is not the number of a set, like 1")
        return value

    @field_validator("shard")
    @classmethod
    def _share(cls, value: str) -> str:
        found = re.fullmatch(r"(\d+)/(\d+)", value, re.ASCII)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ValueError(f"'{value}' is not a share; write I/N with I from 1 to N, like 2/8")
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Source:
        given = [key for key in KIND_OF if getattr(self, key)]
        if len({KIND_OF[key] for key in given}) > 1:
            raise ValueError(f"{' and '.join(given)} are different sources; give one of them")
        if (self.webenv is None) != (self.query_key is None):
            raise ValueError("webenv and query_key go together: they name a History set")
        if self.ids_column and not self.ids:
            raise ValueError("ids_column is for tables of UIDs, given with ids")
        return self

    @property
    def kind(self) -> SourceKind | None:
        """The kind of the source; None if the job names no source."""
        return next((kind for key, kind in KIND_OF.items() if getattr(self, key)), None)

    @property
    def is_remote(self) -> bool:
        """True if the UIDs are requested from the server."""
        return self.kind == "search"

    @property
    def share(self) -> tuple[int, int]:
        """The shard as (I, N)."""
        index, count = self.shard.split("/")
        return int(index), int(count)


class Output(Group):
    """Folder of the harvest and the form of its files.

    A relative path, also in a job file, is relative to the working directory; ~ is the home
    directory.
    """

    if TYPE_CHECKING:

        def __init__(self, **keys: Unpack[OutputKeys]) -> None: ...

    path: PathName = Field(
        description="folder of the harvest, or s3://BUCKET/NAME (gs, az); an unfinished harvest in "
        "it is resumed (-: links as JSON lines on standard output, nothing kept)"
    )
    format: Format = Field(default="parquet", description="file format of the tables")
    compression: Codec | None = Field(
        default=None,
        description="compression of the tables; default: "
        + ", ".join(f"{spec.codec} for {name}" for name, spec in FORMATS.items()),
    )
    records: str | None = Field(
        default=None,
        description="also download the linked records: summary (ESummary), or RETTYPE/RETMODE of "
        "EFetch",
    )
    keep_raw: bool = Field(
        default=False, description="also keep every raw answer, compressed, in OUT/raw"
    )

    @field_validator("path")
    @classmethod
    def _folder(cls, value: str) -> str:
        if is_url(value):
            folder_of(value)
        return value

    @field_validator("records")
    @classmethod
    def _form(cls, value: str | None) -> str | None:
        if value is not None and not RECORDS_FORM.fullmatch(value):
            raise ValueError(f"'{value}': write summary, RETTYPE or RETTYPE/RETMODE")
        return value

    @property
    def codec(self) -> Codec:
        """The compression with its default filled in."""
        return self.compression or FORMATS[self.format].codec


class Limits(Group):
    """Pace, concurrency, retries and hours."""

    if TYPE_CHECKING:

        def __init__(self, **keys: Unpack[LimitsKeys]) -> None: ...

    rate: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="requests per second; default: 3, with an API key 10",
    )
    rate_granted: bool = Field(default=False, description="NCBI has granted this higher rate")
    limiter: str | None = Field(
        default=None,
        description="Redis that keeps one rate limit for several machines, redis://HOST:PORT/DB "
        "(its password: HARVESTER_REDIS_PASSWORD); default: this machine's own limit",
    )
    concurrency: Literal["auto"] | Annotated[int, Field(ge=1, le=10_000)] = Field(
        default="auto", description="requests in flight"
    )
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1, le=5_000)] = Field(
        default="auto", description="UIDs per request, at most 5,000"
    )
    timeout: float = Field(default=60.0, gt=0, le=3600, description="seconds per request")
    max_attempts: int = Field(
        default=6, ge=1, le=100, description="attempts per UID before it counts as failed"
    )
    window: Literal["auto", "off-peak", "always"] = Field(
        default="auto",
        description="hours of requests: always, off-peak (weekends, and weekdays 21:00-05:00 US "
        "Eastern time) or auto (off-peak for jobs of more than 100 requests to NCBI)",
    )
    stop_at_window_end: bool = Field(
        default=False, description="exit with code 75 at the end of the off-peak hours; resumable"
    )
    passes: int = Field(
        default=1,
        ge=1,
        le=100,
        description="passes over all UIDs, apart in time; the links of all are kept, because NCBI "
        "sometimes drops links silently",
    )
    confirm_empty: int = Field(
        default=0, ge=0, le=100, description="repeated requests for UIDs without links"
    )

    give_up_after: Duration | None = Field(
        default=None,
        gt=0,
        description="time without any answer after which the run ends with exit code 69, like 30m "
        "or 2h; default: never",
    )

    @field_validator("limiter")
    @classmethod
    def _redis(cls, value: str | None) -> str | None:
        return None if value is None else redis_url(value)

    def permitted(self, *, with_key: bool) -> float:
        """Return the requests per second: as set, else NCBI's limit."""
        return self.rate or ncbi.permitted_rate(with_key=with_key)


class Contact(Group):
    """Sender of the requests. NCBI writes to this address before blocking one (NBK25497)."""

    if TYPE_CHECKING:

        def __init__(self, **keys: Unpack[ContactKeys]) -> None: ...

    email: str | None = Field(
        default=None, description="contact email, required by NCBI; default: NCBI_EMAIL"
    )
    tool: str = Field(default="elink-harvester", description="name of the software, sent to NCBI")

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
            raise ValueError(f"'{value}': NCBI requires a tool name without spaces")
        return value


class Server(Group):
    """The server that receives the requests."""

    if TYPE_CHECKING:

        def __init__(self, **keys: Unpack[ServerKeys]) -> None: ...

    base_url: str = Field(
        default=ncbi.BASE_URL,
        description="URL of an E-utilities server; default: HARVESTER_BASE_URL, else NCBI",
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
        """True if NCBI's own rules (hours, rate, email) apply."""
        return ncbi.is_ncbi(self.base_url)


class Run(Group):
    """Choice of the processes that send the requests."""

    if TYPE_CHECKING:

        def __init__(self, **keys: Unpack[RunKeys]) -> None: ...

    runner: Literal["local", "dask"] = Field(
        default="local", description="this process, or workers of a Dask cluster"
    )
    scheduler: str | None = Field(
        default=None,
        description="address of the Dask scheduler; default: a new cluster on this machine",
    )
    workers: int | None = Field(
        default=None, ge=1, le=1000, description="workers of the new Dask cluster; default: 2"
    )

    @model_validator(mode="after")
    def _of_dask(self) -> Run:
        if self.runner == "local" and (self.scheduler or self.workers):
            given = "scheduler" if self.scheduler else "workers"
            raise ValueError(f"run.{given} is for the runner dask; add --runner dask")
        if self.scheduler and self.workers:
            raise ValueError("a scheduler has workers of its own; leave out run.workers")
        return self


class Access(Group):
    """Connection settings: contact, server and limits."""

    contact: Contact = Contact()
    server: Server = Server()
    limits: Limits = Limits()
