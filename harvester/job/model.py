"""The job: what to harvest, from which UIDs, into which folder, within which limits.

The API key is not part of it: it is read from the environment variable NCBI_API_KEY only.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator

from harvester.errors import BadInput
from harvester.job.chain import Chain, fill_hops
from harvester.job.fields import Group
from harvester.job.groups import Contact, Limits, Output, Run, Server, Source
from harvester.job.in_memory import InMemory
from harvester.job.link import Link

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harvester.job.in_memory import UidsInMemory
    from harvester.job.keys import (
        ContactKeys,
        LimitsKeys,
        LinkKeys,
        OutputKeys,
        RunKeys,
        ServerKeys,
        SourceKeys,
    )

HOLDS_LINKS: Mapping[str, str] = MappingProxyType({"kind": "links"})

IDENTITY_VERSION = 2
"""Version of `Job.identity`; version 1 had neither `holds` nor `server`."""


class Job(Group):
    """A whole job. Each group is an object of its class, like `Link(...)`, or a plain dict.

    Example:
        >>> job = Job(link={"dbfrom": "pubmed", "db": "pmc"}, output={"path": "out"})
        >>> job.link.db
        ['pmc']

    Raises:
        pydantic.ValidationError: a value is wrong.
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            link: Link | LinkKeys | Mapping[str, Any],
            output: Output | OutputKeys | Mapping[str, Any],
            source: Source | SourceKeys | Mapping[str, Any] = ...,
            hop: Sequence[Link | Mapping[str, Any]] = ...,
            limits: Limits | LimitsKeys | Mapping[str, Any] = ...,
            contact: Contact | ContactKeys | Mapping[str, Any] = ...,
            server: Server | ServerKeys | Mapping[str, Any] = ...,
            run: Run | RunKeys | Mapping[str, Any] = ...,
        ) -> None: ...

    link: Link
    hop: list[Link] = Field(default=[], description="further hops, each from where the last leads")
    source: Source = Source()
    output: Output
    limits: Limits = Limits()
    contact: Contact = Contact()
    server: Server = Server()
    run: Run = Run()

    @model_validator(mode="before")
    @classmethod
    def _fill_hops(cls, value: Any) -> Any:
        return fill_hops(value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _fits_together(self) -> Job:
        if self.source.shard != "1/1" and any(one.repeat > 1 for one in self.chain.links):
            raise ValueError("shard and repeat cannot be combined: the rounds would overlap")
        self.chain.validate(records=bool(self.output.records), passes=self.limits.passes)
        return self

    def with_uids(self, uids: UidsInMemory) -> Job:
        """Return the job with UIDs in memory as its source.

        Raises:
            BadInput: they are no list of UIDs, or the job names another source.
        """
        if self.source.kind is not None:
            raise BadInput(f"The job has a source already ({self.source.kind}); leave out ids=.")
        try:
            source = self.source.model_copy(update={"uids": InMemory(uids)})
        except ValueError as error:
            raise BadInput(f"ids: {error}.") from None
        return self.model_copy(update={"source": source})

    @property
    def chain(self) -> Chain:
        """The links of all hops."""
        return Chain((self.link, *self.hop))

    def identity(self, holds: Mapping[str, str] = HOLDS_LINKS) -> dict[str, Any]:
        """Return what the rows of a folder depend on; a rerun must agree with it.

        Args:
            holds: content of the folder: its `kind`, and `form` and `side` of records.
        """
        link = self.link.model_dump(mode="json", exclude={"retmode", "repeat"})
        link |= {key: sorted(link[key]) for key in ("db", "linkname")}
        if self.link.repeat > 1:  # more rounds may be requested later
            link["repeat"] = True
        output = {
            "format": self.output.format,
            "compression": self.output.codec,
            "keep_raw": self.output.keep_raw,
        }
        # Lists may grow; a search is made once.
        keys = ("query", "webenv", "query_key")
        source = {key: getattr(self.source, key) for key in keys if getattr(self.source, key)}
        return {
            "version": IDENTITY_VERSION,
            "holds": dict(holds),
            "server": {"base_url": self.server.base_url},
            "shards": {"rule": "hash"},
            "link": link,
            "output": output,
            "source": source,
        }
