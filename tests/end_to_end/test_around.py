"""`harvester around`: compared with a breadth-first search over the rows, and read by networkx."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
from support.harness import harvester, rows, write_uids

from harvester.api.around import around
from harvester.errors import BadInput
from harvester.store import neighbours

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from support.servers import Servers

Node = tuple[str, Any]
Link = tuple[str, Any, str, str, Any]


def links_of(*folders: Path) -> list[Link]:
    """Return the links of some harvests: (database, UID), linkname, (database, UID)."""
    return [
        (row["dbfrom"], row["from_uid"], row["linkname"], row["dbto"], row["to_uid"])
        for folder in folders
        for row in rows(folder, "links").to_pylist()
    ]


def by_hand(links: Iterable[Link], center: Node, hops: int) -> tuple[dict[Node, int], set[Link]]:
    """Return the records within some hops with their distances, and the links between them."""
    links, distances = list(links), {center: 0}
    found: set[Link] = set()
    for hop in range(1, hops + 1):
        edge = {node for node, distance in distances.items() if distance == hop - 1}
        for link in links:
            ends = link[:2], link[3:]
            if edge.intersection(ends):
                found.add(link)
                for end in ends:
                    distances.setdefault(end, hop)
    return distances, found


def said_by(servers: Servers, folder: Path, center: str, *options: object) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    ended = servers.harvester("around", folder, center, "--json", "-q", *options)
    assert ended.code == 0, ended.err
    said: dict[str, Any] = json.loads(ended.output)
    return said


def assert_agrees(said: dict[str, Any], links: list[Link], center: Node, hops: int) -> None:
    distances, found = by_hand(links, center, hops)
    assert {(one["db"], one["uid"]): one["distance"] for one in said["nodes"]} == distances
    names = ("dbfrom", "from_uid", "linkname", "dbto", "to_uid")
    listed = [tuple(row[name] for name in names) for row in said["links"]]
    assert len(listed) == len(set(listed))
    assert set(listed) == found
    assert said["nodes"][0] == {"db": center[0], "uid": center[1], "distance": 0}


@pytest.fixture(scope="module")
def out(all_servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Harvest the related articles and PMC articles of articles that are related to each other."""
    folder = tmp_path_factory.mktemp("around")
    with all_servers.group() as servers:
        server = servers.start(seed=4)
        first = folder / "first"
        command = ["run", "--dbfrom=pubmed", "--base-url", server.base_url, "--rate=200"]
        ids = write_uids(folder / "ids", range(1, 4))
        words = [*command, "--db=pubmed", "--linkname=pubmed_pubmed", f"--ids={ids}", "-o", first]
        assert servers.harvester(*words).code == 0
        words = [*command, "--db=pubmed,pmc", "--from-run", first, "-o", folder / "out"]
        assert servers.harvester(*words).code == 0
    return folder / "out"


@pytest.mark.parametrize("hops", [1, 2, 3])
def test_neighbourhood_is_that_of_a_breadth_first_search(
    servers: Servers, out: Path, hops: int
) -> None:
    links = links_of(out)
    for center in (links[0][:2], links[-1][3:]):
        said = said_by(servers, out, f"{center[0]}:{center[1]}", "--hops", hops)
        assert said["center"] == {"db": center[0], "uid": center[1]}
        assert_agrees(said, links, center, hops)


def test_lines_in_a_pipe(out: Path) -> None:
    center = links_of(out)[0][:2]
    ended = harvester("around", out, f"{center[0]}:{center[1]}")
    assert ended.code == 0, ended.err
    lines = [line.split("\t") for line in ended.out.splitlines()]
    _, found = by_hand(links_of(out), center, 1)
    assert {tuple(line[1:6]) for line in lines} == {tuple(map(str, link)) for link in found}
    assert {(len(line), line[0]) for line in lines} == {(7, "1")}


def test_graphml_is_read_by_networkx(out: Path, tmp_path: Path) -> None:
    links = links_of(out)
    center, path = links[0][:2], tmp_path / "graph.graphml"
    command = ("around", out, f"{center[0]}:{center[1]}", "--hops", "2", "--to", "graphml", path)
    ended = harvester(*command)
    assert (ended.code, ended.out) == (0, ""), ended.err
    graph = nx.read_graphml(path, force_multigraph=True)
    distances, found = by_hand(links, center, 2)
    assert set(graph.nodes) == {f"{db}:{uid}" for db, uid in distances}
    assert {(start, data["linkname"], end) for start, end, data in graph.edges(data=True)} == {
        (f"{link[0]}:{link[1]}", link[2], f"{link[3]}:{link[4]}") for link in found
    }
    again = harvester(*command)
    assert again.code == 2
    assert f"{path} exists" in again.err


def test_chain_is_followed_as_a_whole(servers: Servers, tmp_path: Path) -> None:
    """Links of all hops are followed, in both directions."""
    server, out = servers.start(), tmp_path / "out"
    job = tmp_path / "job.toml"
    job.write_text(
        f"[source]\nids = '{write_uids(tmp_path / 'ids', range(1, 8))}'\n"
        f"[output]\npath = '{out}'\n[limits]\nrate = 200\n"
        f"[server]\nbase_url = '{server.base_url}'\n[[hop]]\ndbfrom = 'gene'\ndb = 'protein'\n"
        "[[hop]]\ndbfrom = 'protein'\ndb = 'structure'\n"
    )
    assert servers.harvester("run", job).code == 0
    links = links_of(out / "hop-1", out / "hop-2")
    center = next(link[3:] for link in links if link[3] == "structure")
    said = said_by(servers, out, f"{center[0]}:{center[1]}", "--hops=2")
    assert_agrees(said, links, center, 2)
    assert {one["db"] for one in said["nodes"]} == {"gene", "protein", "structure"}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("20210808", "write DB:UID"),
        ("pubmed:", "write DB:UID"),
        ("pubmd:5", "database 'pubmd' (did you mean 'pubmed'?)"),
        ("pubmed:abc", "'abc' is not a UID"),
    ],
)
def test_record_that_is_none_is_refused(
    servers: Servers, out: Path, record: str, said: str
) -> None:
    refused = servers.harvester("around", out, record)
    assert refused.code == 2
    assert said in refused.err


def test_record_without_links_is_said_to_have_none(out: Path) -> None:
    ended = harvester("around", out, "pmc:999999999")
    assert (ended.code, ended.out) == (0, "")
    assert "has no link from or to pmc:999999999" in ended.err


def test_neighbourhood_that_is_too_large_is_refused(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "MOST_LINKS", 3)
    center = links_of(out)[0][:2]
    with pytest.raises(BadInput, match="more than 3 links within 1 hops"):
        around(out, f"{center[0]}:{center[1]}")
