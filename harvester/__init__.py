"""Harvest links between NCBI records by the million: every link once, or an outcome that says why.

Job, Link, Source, Output, Limits, Contact, Server    what to harvest, and its groups of keys
harvest, run       run a job into a folder, resumable: with `await`, and without an event loop
records            get the linked records, too (ESummary, EFetch)
stream             the links as pyarrow tables, one per answered batch, nothing written
read               open a harvest: links and outcomes for pyarrow, pandas and polars
Eutils             each E-utility by itself, for some records; `Eutils.sync` without `await`
Result, Harvest, Linked    what these return
Citation, Found, Posted, Uid    arguments and results of `Eutils`
log_to             a listener for `logging`; more of them in docs/library.md
errors, events     what can go wrong; what a run reports

Example:
    ```
    from harvester import Eutils, Job, harvest, stream

    job = Job(
        link={"dbfrom": "pubmed", "db": "pmc"},
        source={"ids": "pmids.txt"},
        output={"path": "out"},
        contact={"email": "you@example.org"},
    )
    result = await harvest(job)              # into a folder, resumable
    async for table in stream(job): ...      # pyarrow.Table per answered batch
    harvester.run(job)                       # the same as harvest, without an event loop

    async with Eutils(email="you@example.org") as e:
        linked = await e.elink("pubmed", [20210808], db="gene")    # each utility, one by one
    ```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harvester import errors, events
    from harvester.api.arguments import Uid
    from harvester.api.eutils import Eutils
    from harvester.api.harvest import Result, harvest, records, run
    from harvester.api.links import Linked
    from harvester.api.log import log_to
    from harvester.api.read import Harvest, read
    from harvester.api.stream import stream
    from harvester.eutils.ecitmatch import Citation
    from harvester.eutils.epost import Posted
    from harvester.eutils.esearch import Found
    from harvester.job.groups import Contact, Limits, Output, Server, Source
    from harvester.job.link import Link
    from harvester.job.model import Job

    __version__: str

    # Not at run time: with it, `help(harvester)` would print every class whole.
    __all__ = [
        "Citation",
        "Contact",
        "Eutils",
        "Found",
        "Harvest",
        "Job",
        "Limits",
        "Link",
        "Linked",
        "Output",
        "Posted",
        "Result",
        "Server",
        "Source",
        "Uid",
        "__version__",
        "errors",
        "events",
        "harvest",
        "log_to",
        "read",
        "records",
        "run",
        "stream",
    ]

_MODULES = {
    "api.arguments": "Uid",
    "api.eutils": "Eutils",
    "api.harvest": "Result harvest records run",
    "api.links": "Linked",
    "api.log": "log_to",
    "api.read": "Harvest read",
    "api.stream": "stream",
    "eutils.ecitmatch": "Citation",
    "eutils.epost": "Posted",
    "eutils.esearch": "Found",
    "job.groups": "Contact Limits Output Server Source",
    "job.link": "Link",
    "job.model": "Job",
}
"""Module → the public names in it."""

_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first used: `harvester --help` needs none."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - only when it is used

        return version("elink-harvester")
    from importlib import import_module  # noqa: PLC0415 - only when a name is used

    if name in ("errors", "events"):
        return import_module(f"harvester.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'harvester' has no attribute '{name}'")
    return getattr(import_module(f"harvester.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*sorted(_HOMES), "errors", "events", "__doc__", "__version__"]
