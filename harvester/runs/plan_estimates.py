"""Estimates for a harvest before it runs: UIDs, links, bytes, and the time to read its input.

Pure: no I/O, no clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harvester.engine.batch_trials import MOST, MOST_MERGED
from harvester.engine.forecast import LATENCIES, Assumed
from harvester.job.formats import FORMATS
from harvester.job.link_averages import averages_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.job.link import Link
    from harvester.job.model import Job

Basis = Literal["average", "probe", "unknown"]

_FOLDER_BYTES = 30_000
"""Bytes of a small harvest apart from its tables: the state, the job and the manifest."""

_RAW_SHARE = 0.2
"""Ratio of a kept, compressed response to the bytes received."""

_PAGE = 9_999
"""UIDs per answer of ESearch (for PubMed; other databases: 10,000)."""

_PAGE_FULL = 0.92
"""Share of a page that a range of PubMed's UIDs aims at; see `sources.uid_ranges`."""

_SEARCH_SECONDS = (LATENCIES[1] - LATENCIES[0]) / math.log(LATENCIES[1] / LATENCIES[0])
"""Mean latency assumed for ESearch, in seconds; pages are requested one after the other."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Links and sizes per UID, as known before the harvest.

    Attributes:
        links: links per UID; None if not known.
        basis: origin of the number.
        why: the same as sentences.
        response_bytes: bytes of a response per UID, uncompressed.
        latencies: seconds per response, lowest and highest.
    """

    links: float | None
    basis: Basis
    why: tuple[str, ...] = ()
    response_bytes: float | None = None
    latencies: tuple[float, float] = LATENCIES


@dataclass(frozen=True, slots=True)
class Input:
    """The input UIDs of a job.

    Attributes:
        total: number of distinct UIDs.
        left: number of them without an outcome.
        searched: whether they come from ESearch, page by page.
    """

    total: int
    left: int
    searched: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One harvest of the job: all of it, or one hop of a chain.

    Attributes:
        link: the links it requests.
        uids: number of UIDs to request; None if not known before the harvest.
        is_estimate: whether `uids` is an upper estimate from the links of the hop before.
        expected: links per UID.
    """

    link: Link
    uids: int | None
    is_estimate: bool
    expected: Expected

    @property
    def links(self) -> int | None:
        """Links to expect."""
        if self.uids is None or self.expected.links is None:
            return None
        return round(self.uids * self.expected.links)


def expected_of(link: Link) -> Expected:
    """Return the built-in averages for the links of a job."""
    averages = averages_of(link)
    if not averages:
        return Expected(None, "unknown")
    why = tuple(f"{name} {one.links:g} ({one.source})" for name, one in averages.items())
    return Expected(sum(one.links for one in averages.values()), "average", why)


def assumed_of(step: Step, job: Job) -> Assumed:
    """Return the assumptions of a forecast about the responses of a harvest."""
    links = step.expected.links or 0.0
    per_link, per_uid = (11.0, 100.0) if job.link.retmode == "json" else (40.0, 250.0)
    size = step.expected.response_bytes or per_uid + per_link * links
    most = MOST_MERGED if step.link.is_merged else MOST
    return Assumed(step.expected.latencies, size, most)


def source_seconds(job: Job, counted: Input, rate: float) -> float:
    """Return the seconds in which ESearch returns all UIDs, one page after the other."""
    if not counted.searched:
        return 0.0
    per_page = _PAGE * _PAGE_FULL if job.link.dbfrom == "pubmed" else _PAGE + 1
    pages = math.ceil(counted.total / per_page) if counted.total > _PAGE else 1
    return pages * max(_SEARCH_SECONDS, 1 / rate)


def bytes_of(job: Job, steps: Sequence[Step]) -> int | None:
    """Return the bytes of the folder of a finished harvest."""
    total = 0.0
    for step in steps:
        if step.links is None or step.uids is None:
            return None
        spec = FORMATS[job.output.format]
        total += _FOLDER_BYTES + step.links * spec.link_bytes[job.output.codec]
        total += step.uids * spec.uid_bytes
        if job.output.keep_raw:
            total += step.uids * assumed_of(step, job).bytes_per_uid * _RAW_SHARE
    return round(total)
