"""Types of the keys of a job as they may be given, for type checkers and editors.

A job holds them in one form each: lists for `db` and `ids`, texts for paths.
"""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING, Literal, Required, TypeAlias, TypedDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.job.cmds import Cmd
    from harvester.job.formats import Codec, Format
    from harvester.job.in_memory import UidsInMemory
    from harvester.model.batch import Retmode

IdType: TypeAlias = Literal["uid", "acc"]
"""How records are named: by UID, or by accession.version (sequence databases only)."""

Path: TypeAlias = str | PathLike[str]


class LinkFields(TypedDict, total=False):
    """The less common parameters of ELink; each is also a key of `Job.link`."""

    term: str | None
    datetype: str | None
    mindate: str | None
    maxdate: str | None
    reldate: int | None
    holding: str | None
    idtype: IdType
    targets_only: bool
    retmode: Retmode


class LinkKeys(LinkFields, total=False):
    """Keys of `Link`."""

    dbfrom: Required[str]
    db: str | Sequence[str]
    linkname: str | Sequence[str]
    cmd: Cmd
    repeat: int


class SourceKeys(TypedDict, total=False):
    """Keys of `Source`."""

    ids: Path | Sequence[Path]
    uids: UidsInMemory | None
    ids_column: str | None
    skip_bad: bool
    query: str | None
    webenv: str | None
    query_key: str | int | None
    run: Path | None
    shard: str


class OutputKeys(TypedDict, total=False):
    """Keys of `Output`."""

    path: Required[Path]
    format: Format
    compression: Codec | None
    records: str | None
    keep_raw: bool


class LimitsKeys(TypedDict, total=False):
    """Keys of `Limits`."""

    rate: float | None
    rate_granted: bool
    limiter: str | None
    concurrency: int | Literal["auto"]
    batch_size: int | Literal["auto"]
    timeout: float
    max_attempts: int
    window: Literal["auto", "off-peak", "always"]
    stop_at_window_end: bool
    passes: int
    confirm_empty: int
    give_up_after: float | str | None


class ContactKeys(TypedDict, total=False):
    """Keys of `Contact`."""

    email: str | None
    tool: str


class ServerKeys(TypedDict, total=False):
    """Keys of `Server`."""

    base_url: str


class RunKeys(TypedDict, total=False):
    """Keys of the group `run`."""

    runner: Literal["local", "dask"]
    scheduler: str | None
    workers: int | None
