"""Gather the content of a report from the folder of a harvest or a chain."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyarrow as pa
import tomli_w

from harvester.errors import printable
from harvester.job import ncbi
from harvester.model import lazy_compute as pc
from harvester.model.uids import as_set
from harvester.report.course import course_of
from harvester.report.facts import (
    HarvestFacts,
    LinkCount,
    Reason,
    RecordsFolder,
    Report,
    Round,
    TopTarget,
    TopTargets,
    Unanswered,
    Unseen,
)
from harvester.report.per_uid import distribution
from harvester.store.folder import UNANSWERED, hop_folders, is_chain
from harvester.store.kept_job import read_job
from harvester.store.link_counts import count_families, top_targets
from harvester.store.reader import HarvestReader
from harvester.store.status import chain_status, harvest_status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from harvester.store.link_counts import Family

_LINKNAMES = 40
"""Maximum linknames listed; the rest is added up."""

_FAMILIES = 5
"""Linknames whose top targets are shown, those with the most links."""

_TARGETS = 10
"""Maximum top targets per linkname."""

_LISTED = 1000
"""Maximum failed and missing UIDs listed, over all hops."""

_REASONS = 20
"""Maximum reasons listed; the rest is added up."""

_MOMENTS = 240
"""Moments of the timeline, over all hops together; each takes about 400 bytes of the page."""

_FEWEST_MOMENTS = 40

_PROVIDERS = 100_000
"""Maximum names of providers counted."""

OTHERS = "others"


def gather(folder: Path, *, read_links: bool = True) -> Report:
    """Return the content of the report on a folder.

    Args:
        folder: folder of a harvest or a chain, also while another process runs it.
        read_links: whether to read the files of links, which takes long for hundreds of millions.

    Raises:
        BadInput: the folder holds no harvest.
        FolderError: it is damaged.
    """
    chain = is_chain(folder)
    status = chain_status(folder) if chain else harvest_status(folder)
    hops = hop_folders(folder) if chain else [folder]
    statuses = status.get("hops", [status])
    job = read_job(folder)
    server = str(job.get("server", {}).get("base_url", ncbi.BASE_URL))
    uids, links = status["uids"], status["links"]
    return Report(
        harvester=version("elink-harvester"),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        name=printable(folder.absolute().name),
        state=status["state"],
        waiting=status["waiting"],
        server=server,
        is_ncbi=ncbi.is_ncbi(server),
        job=_job_text(job),
        started_at=min(filter(None, map(_began, hops)), default=status["started_at"]),
        updated_at=status["updated_at"],
        uids=uids,
        links=links,
        requests=status["requests"],
        rate=status["rate"],
        eta_seconds=status["eta_seconds"],
        warnings=[printable(text, 1000) for text in status["warnings"]],
        harvests=[
            _harvest(path, one, path.name if chain else "", len(hops), read_links=read_links)
            for path, one in zip(hops, statuses, strict=True)
        ],
    )


def _began(folder: Path) -> str | None:
    """Return when the first run of a harvest began, if it is known."""
    timeline = HarvestReader.open(folder).timeline
    if timeline is None or not timeline.buckets:
        return None
    runs = [one.start for one in timeline.spans if one.kind == "run"]
    all_kept = len(runs) == timeline.counts["run"]
    began = runs[0] if all_kept else min(timeline.buckets) * timeline.width
    return datetime.fromtimestamp(began, UTC).isoformat(timespec="milliseconds")


def _harvest(
    folder: Path, status: Mapping[str, Any], name: str, hops: int, *, read_links: bool
) -> HarvestFacts:
    found = HarvestReader.open(folder)
    timeline, moments = found.timeline, max(_MOMENTS // hops, _FEWEST_MOMENTS)
    facts = HarvestFacts(
        folder=name,
        title=_title(found),
        dbfrom=found.dbfrom,
        cmd=found.cmd,
        kind=found.kind,
        state=status["state"],
        waiting=status["waiting"],
        uids=status["uids"],
        links=status["links"],
        requests=status["requests"],
        started_at=_began(folder) or status["started_at"],
        updated_at=status["updated_at"],
        unanswered=_unanswered(found, _LISTED // hops),
        course=None if timeline is None else course_of(timeline, moments),
        read_links=read_links,
        records=[_records(path) for path in found.record_folders()],
        rounds=[Round(**one) for one in status.get("rounds", [])],
        unseen=[
            Unseen(printable(name), one["links"], one["low"], one["high"])
            for name, one in status.get("missing_links", {}).items()
        ],
    )
    return with_links(facts, found, max(_FAMILIES // hops, 1)) if read_links else facts


def with_links(facts: HarvestFacts, found: HarvestReader, shown: int) -> HarvestFacts:
    """Return facts with those that the files of links and UIDs hold.

    Args:
        facts: those that the state holds.
        found: the harvest.
        shown: linknames whose top targets are wanted.
    """
    families = _families(found)
    links_to_uids = {"dbto", "linkname", "to_uid", "from_uid"} <= set(found.schema.names)
    top = {}
    if links_to_uids:
        first = Counter(dict(families.most_common(shown)))
        top = top_targets(found, first, _TARGETS)
    shows = ncbi.is_ncbi(str(found.job.get("server", {}).get("base_url", ncbi.BASE_URL)))
    return replace(
        facts,
        read_links=True,
        by_linkname=_by_linkname(families),
        per_uid=distribution(
            table["links"].to_numpy()
            for part in found.parts
            if part.kind == "uids"
            for table in found.read(part, "links")
        )
        if facts.noun == "link"
        else None,
        top=[
            TopTargets(
                printable(dbto),
                printable(linkname),
                [
                    TopTarget(one.uid, one.inputs, _url(dbto, one.uid) if shows else None)
                    for one in targets
                ],
            )
            for (dbto, linkname), targets in top.items()
        ],
    )


def _title(found: HarvestReader) -> str:
    if found.kind == "records":
        return printable(f"{found.dbfrom}, {found.holds.get('form', '')}")
    to = ", ".join(map(str, found.link.get("db", ["all"])))
    leads = "to_uid" in found.schema.names or found.cmd == "neighbor_history"
    return printable(f"{found.dbfrom} → {to}" if leads else f"{found.dbfrom}, {found.cmd}")


def _job_text(job: Mapping[str, Any]) -> str:
    """Return a job file without the contact: a report may be passed on."""
    return tomli_w.dumps({name: group for name, group in job.items() if name != "contact"})


def _families(found: HarvestReader) -> Counter[Family]:
    """Return the rows of each database and linkname, or of what the cmd has in their place."""
    names = found.schema.names
    for column in ("has_neighbor", "has_linkout", "provider_name"):
        if column in names:
            return _values(found, column)
    return count_families(found)


def _values(found: HarvestReader, column: str) -> Counter[Family]:
    """Return the rows of each value of a column."""
    counts: Counter[Family] = Counter()
    for table in found.links(column):
        counted = pc.value_counts(table[column])
        values = counted.field("values").cast(pa.string()).to_pylist()
        for value, count in zip(values, counted.field("counts").to_pylist(), strict=True):
            counts["", value or ""] += count
        if len(counts) > 2 * _PROVIDERS:
            counts = Counter(dict(counts.most_common(_PROVIDERS)))
    return counts


def _by_linkname(families: Counter[Family]) -> list[LinkCount]:
    ranked = families.most_common()
    listed = [LinkCount(printable(to), printable(name), n) for (to, name), n in ranked[:_LINKNAMES]]
    if rest := sum(count for _, count in ranked[_LINKNAMES:]):
        listed.append(LinkCount("", OTHERS, rest))
    return listed


def _url(db: str, uid: int | str) -> str:
    """Return the address of a record at NCBI."""
    match db:
        case "pubmed":
            return f"https://pubmed.ncbi.nlm.nih.gov/{quote(str(uid))}/"
        case "pmc":
            return f"https://www.ncbi.nlm.nih.gov/pmc/articles/PMC{quote(str(uid))}/"
        case _:
            return f"https://www.ncbi.nlm.nih.gov/{quote(db, safe='')}/{quote(str(uid), safe='')}"


def _unanswered(found: HarvestReader, most: int) -> Unanswered:
    together: dict[tuple[str, str], Any] = {}
    for one in found.unanswered:
        key = str(one.outcome), printable(one.reason or "")
        together[key] = together.get(key, as_set()) | one.uids
    ranked = sorted(together.items(), key=lambda item: -len(item[1]))
    reasons = [Reason(*key, len(members)) for key, members in ranked[:_REASONS]]
    for outcome in ("missing", "failed"):
        rest = sum(len(members) for key, members in ranked[_REASONS:] if key[0] == outcome)
        if rest:
            reasons.append(Reason(outcome, "other reasons", rest))
    listed = found.folder / UNANSWERED
    return Unanswered(
        total=sum(map(len, together.values())),
        reasons=reasons,
        first=_first(found, together, most),
        listed_in=UNANSWERED if listed.is_file() else None,
    )


def _first(
    found: HarvestReader, groups: Mapping[tuple[str, str], Any], most: int
) -> list[tuple[str, str, str]]:
    """Return the first UIDs of some groups by number, each with outcome and reason."""

    def numbered(key: tuple[str, str], members: Any) -> Iterable[tuple[int, tuple[str, str]]]:
        return ((number, key) for number in members[:most])

    merged = heapq.merge(*(numbered(*group) for group in groups.items()))
    first = [entry for entry, _ in zip(merged, range(most), strict=False)]
    texts = found.texts(as_set(number for number, _ in first))
    return [(printable(text), *key) for text, (_, key) in zip(texts, first, strict=True)]


def _records(folder: Path) -> RecordsFolder:
    found = HarvestReader.open(folder)
    return RecordsFolder(
        folder=f"{folder.parent.name}/{printable(folder.name)}",
        form=printable(str(found.holds.get("form", ""))),
        state="complete" if found.complete else "unfinished",
        uids={"total": found.total} | {str(name): n for name, n in found.outcomes.items()},
    )
