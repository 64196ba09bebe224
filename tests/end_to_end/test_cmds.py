"""Each cmd of ELink, compared with the emulator's graph and LinkOut lists."""

from __future__ import annotations

import urllib.parse
import urllib.request
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from support.harness import assert_exact, expected_links, write_uids
from support.scenarios import Scenario
from support.tables import NAME, TEXT, TEXTS, UID, keyed, outcomes, table
from support.timing import IMPATIENT

from harvester.emulator.utilities.linkout import addresses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator
    from harvester.emulator.answers.linksets import ObjUrl

UIDS = range(1, 301)
FAULTS = (
    "500:0.02", "cut:0.02", "short:0.02", "doubled:0.01", "alien:0.01", "id-0:0.01",
    "bad-utf8:0.01", "error-backend:0.01", "error-in-linkset:0.01",
)  # fmt: skip

FROM = [("dbfrom", NAME), ("from_uid", UID)]
CHECKS = [
    *FROM, ("dbto", NAME), ("linkname", NAME), ("menutag", TEXT), ("htmltag", TEXT), ("url", TEXT),
    ("priority", pa.int32()),
]  # fmt: skip
ADDRESSES = [
    *FROM, ("url", TEXT), ("iconurl", TEXT), ("linkname", NAME), ("subject_types", TEXTS),
    ("categories", TEXTS), ("attributes", TEXTS), ("provider_name", TEXT),
    ("provider_abbr", TEXT), ("provider_id", TEXT), ("provider_url", TEXT),
]  # fmt: skip
SETS = [
    ("dbfrom", NAME), ("dbto", NAME), ("linkname", NAME), ("webenv", TEXT), ("query_key", TEXT),
    ("from_uids", pa.list_(UID)),
]  # fmt: skip

KINDS = [("json", "parquet"), ("json", "jsonl"), ("xml", "parquet"), ("xml", "jsonl")]


def harvest(
    servers: Servers, folder: Path, server: Emulator, retmode: str, form: str, *options: str
) -> Path:
    """Harvest with a response format and an output format; assert success."""
    finished = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--rate=300",
        "--batch-size=10", f"--retmode={retmode}", f"--format={form}",
        "--base-url", server.base_url, "-o", folder / "out", *options, patches=IMPATIENT,
    )  # fmt: skip
    assert finished.code == 0, finished.err
    return folder / "out"


def assert_outcomes(out: Path, counts: dict[int, int]) -> None:
    """Assert that each UID is linked or empty according to its number of rows."""
    told = {row["from_uid"]: row for row in table(out / "uids", outcomes())}
    assert sorted(told) == list(UIDS)
    for uid, row in told.items():
        links = counts.get(uid, 0)
        assert (row["outcome"], row["links"]) == ("linked" if links else "empty", links), uid
        assert (row["dbfrom"], row["reason"]) == ("pubmed", None)


def scores(servers: Servers, folder: Path, retmode: str, form: str) -> None:
    server = servers.start(faults=FAULTS)
    options = ("--cmd=neighbor_score", "--db=pubmed,pmc")
    out = harvest(servers, folder, server, retmode, form, *options)
    truth = expected_links(server.graph, "pubmed", UIDS, ("pubmed", "pmc"), scores=True)
    assert truth["score"].null_count < truth.num_rows
    assert_exact(out, "pubmed", UIDS, truth)


def kinds_of_links(servers: Servers, folder: Path, retmode: str, form: str) -> None:
    server = servers.start(faults=FAULTS)
    out = harvest(servers, folder, server, retmode, form, "--cmd=acheck")
    truth = []
    for family in server.graph.families("pubmed"):
        counts = server.graph.batch(family, np.array(UIDS, np.uint64)).counts
        tag = family.dbto.title()
        truth += [
            ("pubmed", uid, family.dbto, family.linkname, f"{tag} Links", tag, 128)
            for uid, count in zip(UIDS, counts.tolist(), strict=True)
            if count
        ]
    truth += [
        ("pubmed", uid, "LinkOut", "ExternalLink", "LinkOut", "LinkOut", 255)
        for uid in UIDS
        if addresses("pubmed", uid)
    ]
    found = table(out / "links", CHECKS)
    names = [name for name, _ in CHECKS if name != "url"]
    assert keyed(found, *names) == sorted(truth, key=repr)
    assert not any(row["url"] for row in found)
    assert_outcomes(out, Counter(row[1] for row in truth))


def one_kind_of_links(servers: Servers, folder: Path) -> None:
    """acheck restricted to some databases and linknames."""
    server = servers.start()
    options = ("--cmd=acheck", "--db=pmc,gene", "--linkname=pubmed_pmc,pubmed_gene")
    out = harvest(servers, folder, server, "json", "parquet", *options)
    links = expected_links(
        server.graph, "pubmed", UIDS, ("pmc", "gene"), ("pubmed_pmc", "pubmed_gene")
    )
    pairs = set(zip(links["from_uid"].to_pylist(), links["linkname"].to_pylist(), strict=True))
    assert keyed(table(out / "links", CHECKS), "from_uid", "linkname") == sorted(pairs, key=repr)


def related_or_not(servers: Servers, folder: Path, retmode: str, form: str) -> None:
    server = servers.start(faults=FAULTS)
    out = harvest(servers, folder, server, retmode, form, "--cmd=ncheck", "--dbfrom=structure")
    found = table(out / "links", [*FROM, ("has_neighbor", pa.bool_())])
    linked = set(
        expected_links(server.graph, "structure", UIDS, ("structure",))["from_uid"].to_pylist()
    )
    inside = {family.dbto for family in server.graph.families("structure")}
    truth = [("structure", uid, "structure" in inside and uid in linked) for uid in UIDS]
    assert keyed(found, "dbfrom", "from_uid", "has_neighbor") == sorted(truth, key=repr)
    told = {row["from_uid"]: row["outcome"] for row in table(out / "uids", outcomes())}
    assert told == {uid: "linked" if has else "empty" for _, uid, has in truth}


def linked_out_or_not(servers: Servers, folder: Path, retmode: str, form: str) -> None:
    server = servers.start(faults=FAULTS)
    out = harvest(servers, folder, server, retmode, form, "--cmd=lcheck")
    found = table(out / "links", [*FROM, ("has_linkout", pa.bool_())])
    truth = {uid: bool(addresses("pubmed", uid)) for uid in UIDS}
    assert {row["from_uid"]: row["has_linkout"] for row in found} == truth
    assert len(found) == len(UIDS)
    assert_outcomes(out, {uid: int(has) for uid, has in truth.items()})


def linkout(
    servers: Servers, folder: Path, cmd: str, retmode: str, form: str, *options: str
) -> None:
    server = servers.start(faults=FAULTS, llinkslib=cmd == "llinkslib")
    out = harvest(servers, folder, server, retmode, form, f"--cmd={cmd}", *options)
    truth: list[tuple[Any, ...]] = []
    for uid in UIDS:
        urls = addresses("pubmed", uid, libraries=cmd == "llinkslib")
        for option in options:
            urls = [url for url in urls if url.provider.abbreviation == option.partition("=")[2]]
        truth += [("pubmed", uid, *_row(url)) for url in (urls[:1] if cmd == "prlinks" else urls)]
    found = table(out / "links", ADDRESSES)
    names = [name for name, _ in ADDRESSES if name not in ("linkname", "provider_url")]
    assert truth
    assert keyed(found, *names) == sorted(truth, key=repr)
    urls_told = {row["provider_abbr"]: row["provider_url"] or "" for row in found}
    expected = {
        url.provider.abbreviation: url.provider.url
        for uid in UIDS
        for url in addresses("pubmed", uid, libraries=True)
    }
    assert all(expected[name] == url for name, url in urls_told.items())
    assert_outcomes(out, Counter(row[1] for row in truth))


def _row(url: ObjUrl) -> tuple[Any, ...]:
    """Return a LinkOut row without linkname and provider URL, which may be absent."""
    provider = url.provider
    return (
        url.url, url.iconurl, tuple(url.subject_types), tuple(url.categories),
        tuple(url.attributes), provider.name, provider.abbreviation, provider.id,
    )  # fmt: skip


def history(servers: Servers, folder: Path, retmode: str, form: str) -> None:
    """Each row is a History set; it holds the links of all its UIDs."""
    server = servers.start(faults=(*FAULTS, "doubled:0.2"))
    options = ("--cmd=neighbor_history", "--db=pmc,pubmed")
    out = harvest(servers, folder, server, retmode, form, *options)
    found = table(out / "links", SETS)
    links = expected_links(server.graph, "pubmed", UIDS, ("pmc", "pubmed"))
    targets: dict[tuple[str, str, int], set[int]] = {}
    for row in links.to_pylist():
        key = (row["dbto"], row["linkname"], row["from_uid"])
        targets.setdefault(key, set()).add(row["to_uid"])
    met: Counter[tuple[str, str, int]] = Counter()
    for row in found:
        name = (row["dbto"], row["linkname"])
        union = set().union(*(targets.get((*name, uid), set()) for uid in row["from_uids"]))
        assert fetched(server, row["dbto"], row["webenv"], row["query_key"]) == union, row
        assert row["dbfrom"] == "pubmed"
        met.update((*name, uid) for uid in row["from_uids"])
    assert set(targets) <= set(met), "all links are in some set"
    assert set(met.values()) == {1}, "and no UID asked about twice"
    assert {row["outcome"] for row in table(out / "uids", outcomes())} <= {"linked", "empty"}
    assert sorted(row["from_uid"] for row in table(out / "uids", outcomes())) == list(UIDS)


def fetched(server: Emulator, db: str, webenv: str, query_key: str) -> set[int]:
    """Return a History set, fetched over plain HTTP; retry after a fault."""
    fields = {"db": db, "WebEnv": webenv, "query_key": query_key, "rettype": "uilist"}
    posted = server.history.fetch(webenv, query_key)
    assert posted is not None
    assert posted[0] == db
    for _ in range(10):
        url = f"{server.base_url}efetch.fcgi?{urllib.parse.urlencode(fields)}&retmode=text"
        try:
            with urllib.request.urlopen(url) as answer:
                lines = answer.read().decode().split()
        except (OSError, UnicodeDecodeError):
            continue
        if not server.log.entries[-1].fault:
            assert len(lines) == len(posted[1])
            return set(map(int, lines))
    raise AssertionError("no whole answer in ten")


def parameters(servers: Servers, folder: Path) -> None:
    """Term, dates, linknames and databases restrict the links to exactly those requested."""
    server = servers.start()
    day = 1690  # UIDs of a day, from 1960 on

    def found(name: str, *options: str) -> set[tuple[int, str, int]]:
        (folder / name).mkdir()
        out = harvest(servers, folder / name, server, "json", "parquet", *options)
        columns = [
            *FROM, ("dbto", NAME), ("linkname", NAME), ("to_uid", UID), ("score", pa.int64()),
            ("rank", pa.int32()),
        ]  # fmt: skip
        return set(keyed(table(out / "links", columns), "from_uid", "linkname", "to_uid"))

    def truth(
        db: tuple[str, ...] | None, names: tuple[str, ...] | None = None, low: int = 0,
        high: int = 2**62,
    ) -> set[tuple[int, str, int]]:  # fmt: skip
        links = expected_links(server.graph, "pubmed", UIDS, db, names)
        rows = zip(*(links[n].to_pylist() for n in ("from_uid", "linkname", "to_uid")), strict=True)
        return {row for row in rows if low <= row[2] <= high}

    whole = truth(("pubmed",))
    some = truth(("pubmed",), None, 1000, 20_000_000)
    assert 0 < len(some) < len(whole)
    assert found("term", "--db=pubmed", "--term=1000:20000000[UID]") == some
    first = (np.datetime64("1990-01-01") - np.datetime64("1960-01-01")).astype(int) * day + 1
    last = (np.datetime64("2001-01-01") - np.datetime64("1960-01-01")).astype(int) * day
    dated = truth(("pubmed",), None, int(first), int(last))
    assert 0 < len(dated) < len(whole)
    dates = ("--datetype=pdat", "--mindate=1990", "--maxdate=2000/12/31")
    assert found("dates", "--db=pubmed", *dates) == dated
    names = ("pubmed_pmc", "pubmed_gene")
    assert found("names", f"--linkname={','.join(names)}") == truth(None, names)
    assert found("name", "--linkname=pubmed_pubmed_refs") == truth(None, ("pubmed_pubmed_refs",))
    assert found("dbs", "--db=gene,taxonomy") == truth(("gene", "taxonomy"))
    assert found("all", "--db=all") == truth(None)
    assert found("none", "--cmd=neighbor_score") == truth(None)


ALTERNATING = (scores, kinds_of_links, related_or_not, linked_out_or_not, history)
SCENARIOS = [
    Scenario(case, *kinds)
    for number, case in enumerate(ALTERNATING)
    for kinds in (KINDS[number % 2], KINDS[3 - number % 2])
]
SCENARIOS += [
    Scenario(linkout, cmd, *KINDS[number % 4])
    for number, cmd in enumerate(2 * ("llinks", "llinkslib", "prlinks"))
]
SCENARIOS += [
    Scenario(linkout, "llinkslib", "json", "parquet", "--holding=exunilib"),
    Scenario(one_kind_of_links),
    Scenario(parameters),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario)[:50])
def test_each_cmd_is_harvested_exactly(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
