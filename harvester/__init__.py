"""Harvest links between NCBI records by the million: every link once, or an outcome that says why.

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
    from harvester.api.eutils import Eutils
    from harvester.api.harvest import Result, harvest, records, run, stream
    from harvester.api.links import Linked
    from harvester.api.log import log_to
    from harvester.eutils.ecitmatch import Citation
    from harvester.job.model import Job

    __version__: str

__all__ = [
    "Citation",
    "Eutils",
    "Job",
    "Linked",
    "Result",
    "__version__",
    "harvest",
    "log_to",
    "records",
    "run",
    "stream",
]

_HOMES = {"Job": "job.model", "Result": "api.harvest", "harvest": "api.harvest"}
_HOMES |= {"run": "api.harvest", "records": "api.harvest", "stream": "api.harvest"}
_HOMES |= {"Eutils": "api.eutils", "Linked": "api.links"}
_HOMES |= {"Citation": "eutils.ecitmatch", "log_to": "api.log"}


def __getattr__(name: str) -> Any:
    """The public names, imported when they are first used: `harvester --help` needs none."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - only when it is used

        return version("elink-harvester")
    if name not in _HOMES:
        raise AttributeError(f"module 'harvester' has no attribute '{name}'")
    from importlib import import_module  # noqa: PLC0415 - only when a name is used

    return getattr(import_module(f"harvester.{_HOMES[name]}"), name)
