"""Real lists of UIDs and real links from a table: the rows on disk equal the table."""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pytest
from support.harness import LINKS, assert_exact, emulate, harvester
from support.real_lists import DATA
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers


class Family(NamedTuple):
    """A table that holds the links of one linkname, and its two columns."""

    table: str
    dbfrom: str
    dbto: str
    linkname: str
    reversed: bool = False


REFS = Family("pubmed_pubmed_refs.tsv", "pubmed", "pubmed", "pubmed_pubmed_refs")
CITED_IN = Family("pubmed_pubmed_refs.tsv", "pubmed", "pubmed", "pubmed_pubmed_citedin", True)
OF_GENES = Family("gene_pubmed.tsv", "gene", "pubmed", "gene_pubmed")
GENES = Family("gene_pubmed.tsv", "pubmed", "gene", "pubmed_gene", True)


def links(data: Path, family: Family) -> list[tuple[int, int]]:
    """Return the pair of UIDs of each link, in table order, each once."""
    with (data / family.table).open(newline="") as stream:
        rows = list(csv.reader(stream, delimiter="\t"))[1:]
    pairs = [(int(left), int(right)) for left, right in rows]
    return list(dict.fromkeys((b, a) if family.reversed else (a, b) for a, b in pairs))


def as_table(family: Family, pairs: list[tuple[int, int]]) -> pa.Table:
    """Return the rows that a harvest must have; the rank is the place in the UID's list."""
    seen: dict[int, int] = defaultdict(int)
    ranks = []
    for source, _ in pairs:
        ranks.append(seen[source])
        seen[source] += 1
    count = len(pairs)
    columns = [
        [family.dbfrom] * count, [source for source, _ in pairs], [family.dbto] * count,
        [family.linkname] * count, [target for _, target in pairs], pa.nulls(count, pa.int64()),
        pa.array(ranks, pa.int32()),
    ]  # fmt: skip
    return pa.table(columns, schema=LINKS)


def served(path: Path, data: Path, families: list[Family]) -> Path:
    """Write the tables in the form of `harvester emulate --links`."""
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t")
        writer.writerow(("dbfrom", "from_uid", "dbto", "linkname", "to_uid"))
        for family in families:
            for source, target in links(data, family):
                writer.writerow((family.dbfrom, source, family.dbto, family.linkname, target))
    return path


def of_articles(servers: Servers, folder: Path, listed: str, form: str) -> None:
    """Three linknames of thousands of articles."""
    del servers
    families = [REFS, CITED_IN, GENES]
    table = served(folder / "links.tsv", DATA, families)
    ids = DATA / listed
    uids = {int(line) for line in ids.read_text().split()}
    assert len(uids) > 40_000
    with emulate("--no-limit", f"--links={table}", "--latency=0.02") as base_url:
        finished = harvester(
            "run", "--ids", ids, "--dbfrom=pubmed", "--db=pubmed,gene", "--base-url", base_url,
            "--rate=300", "--batch-size=500", f"--format={form}", "-o", folder / "out",
        )  # fmt: skip
    assert finished.code == 0, finished.err
    expected = []
    for family in families:
        pairs = [pair for pair in links(DATA, family) if pair[0] in uids]
        assert len(pairs) > 100
        expected.append(as_table(family, pairs))
    assert_exact(folder / "out", "pubmed", uids, pa.concat_tables(expected))


def of_genes(servers: Servers, folder: Path) -> None:
    """The articles of each gene, in XML; some genes have none."""
    del servers
    table = served(folder / "links.tsv", DATA, [OF_GENES, GENES])
    pairs = links(DATA, OF_GENES)
    uids = sorted({source for source, _ in pairs})
    uids += range(uids[-1] + 1, uids[-1] + 200)
    ids = folder / "genes.txt"
    ids.write_text(", ".join(map(str, uids)))
    with emulate("--no-limit", f"--links={table}") as base_url:
        finished = harvester(
            "run", "--ids", ids, "--dbfrom=gene", "--db=pubmed", "--retmode=xml",
            "--base-url", base_url, "--rate=100", "-o", folder / "out",
        )  # fmt: skip
    assert finished.code == 0, finished.err
    assert_exact(folder / "out", "gene", uids, as_table(OF_GENES, pairs))


SCENARIOS = [
    Scenario(of_articles, "pmids_all.txt", "parquet"),
    Scenario(of_articles, "dendritic_cell_pmids.txt", "jsonl"),
    Scenario(of_genes),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_real_links(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    """Run one scenario; its docstring says what is proved."""
    if not DATA.is_dir():
        pytest.skip("set REAL_LISTS to a folder of real lists")
    run_scenario(scenario)
