"""The bytes of requests, as a proxy between client and server records them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.harness import assert_exact, expected_links, harvester, rows, write_uids
from support.wiretap import Wiretap

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers
    from support.wiretap import Connection, Request

KEY = "5ecre7f00d5ecre7f00d5ecre7f00d5ecre7"


def elinks(tap: Wiretap | Connection) -> list[Request]:
    """Return the ELink requests; at the end of a harvest EInfo is requested, too."""
    requests = tap.requests if isinstance(tap, Wiretap) else tap.requests()
    return [request for request in requests if "/elink." in request.target]


def test_requests_follow_ncbis_rules(servers: Servers, tmp_path: Path) -> None:
    """POST, one `id` per UID, tool and email, key in the body only, no cookies, gzip accepted.

    Several linknames are not sent as a list, which NCBI does not document.
    """
    server = servers.start(seed=1)
    tap = servers.tap(server)
    uids = range(1, 500)
    finished = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", uids), "--dbfrom=pubmed", "--db=pmc,gene",
        "--linkname=pubmed_pmc,pubmed_gene", "--base-url", tap.base_url, "--rate=50",
        "--concurrency=1", "--batch-size=50", "--tool=a-tool", "--email=some.one@example.org",
        "-o", tmp_path / "out", env={"NCBI_API_KEY": KEY},
    )  # fmt: skip
    assert finished.code == 0, finished.err
    names = ("pubmed_pmc", "pubmed_gene")
    truth = expected_links(server.graph, "pubmed", uids, ("pmc", "gene"), names)
    assert_exact(tmp_path / "out", "pubmed", uids, truth)

    assert tap.cookies > 1, "the server gave cookies that a jar would have kept"
    requests = elinks(tap)
    assert len(requests) == 10
    asked: list[str] = []
    for request in requests:
        assert request.method == "POST"
        assert request.target == "/entrez/eutils/elink.fcgi"
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert "gzip" in request.headers["accept-encoding"]
        assert "cookie" not in request.headers
        assert KEY not in repr(request.headers)
        form = dict(request.form)
        del form["id"]
        assert form == {
            "dbfrom": "pubmed", "db": "pmc,gene", "cmd": "neighbor",
            "retmode": "json", "tool": "a-tool", "email": "some.one@example.org", "api_key": KEY,
        }  # fmt: skip
        assert len(request.values("id")) <= 50
        assert all(uid.isascii() and uid.isdigit() for uid in request.values("id"))
        asked += request.values("id")
    assert sorted(map(int, asked)) == list(uids)
    # Keep-alive: one connection does for requests that follow each other.
    carried = [one.requests() for one in tap.connections]
    assert sum("/elink." in requests[0].target for requests in carried) == 1


def test_all_databases_are_asked_for_by_name(servers: Servers, tmp_path: Path) -> None:
    """Without `db` NCBI uses pubmed, so `db=all` is sent; no empty parameter is sent."""
    server = servers.start()
    tap = servers.tap(server)
    finished = harvester(
        "run", "--ids=-", "--dbfrom=gene", "--cmd=neighbor_score", "--retmode=xml",
        "--linkname=gene_pubmed",
        "--base-url", tap.base_url, "-o", tmp_path / "out", stdin=b"676\n",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    (request,) = elinks(tap)
    assert request.form == [
        ("dbfrom", "gene"), ("db", "all"), ("cmd", "neighbor_score"),
        ("linkname", "gene_pubmed"), ("retmode", "xml"), ("id", "676"), ("tool", "elink-harvester"),
    ]  # fmt: skip
    assert rows(tmp_path / "out", "links").num_rows > 0


def test_a_connection_serves_40_requests_at_most(servers: Servers, tmp_path: Path) -> None:
    """NCBI closes a connection after 40 requests; this server would not."""
    server = servers.start(keepalive_requests=100_000, keepalive_timeout=60.0)
    tap = servers.tap(server)
    finished = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", range(1, 131)), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", tap.base_url, "--rate=400", "--concurrency=1", "--batch-size=1",
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    carried = [elinks(connection) for connection in tap.connections]
    served = [len(requests) for requests in carried if requests]
    assert sum(served) == 130
    assert 30 < max(served) <= 40, served
    assert len(served) == 4, served


def test_an_idle_connection_is_not_used_again(servers: Servers, tmp_path: Path) -> None:
    """NCBI closes a connection that was idle for 4 s; this server waits a minute."""
    server = servers.start(keepalive_requests=100_000, keepalive_timeout=60.0)
    tap = servers.tap(server)
    finished = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", (1, 2)), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", tap.base_url, "--rate=0.17", "--batch-size=1", "-o", tmp_path / "out",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    first, second = elinks(tap)
    assert second.arrived - first.arrived > 4.0
    assert [len(connection.requests()) for connection in tap.connections] == [1, 1]


def test_a_server_that_cuts_as_ncbi_does_costs_no_request(servers: Servers, tmp_path: Path) -> None:
    """The server closes each connection after 40 requests; each UID is requested once."""
    server = servers.start(latency=(0.005, 0.02), keepalive_requests=40)
    uids = range(1, 301)
    finished = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", uids), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=400", "--concurrency=4", "--batch-size=1",
        "-o", tmp_path / "out",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    assert max(entry.nth for entry in server.log) > 30
    assert sum(entry.ids for entry in server.log) == 300
    truth = expected_links(server.graph, "pubmed", uids, ("pmc",))
    assert_exact(tmp_path / "out", "pubmed", uids, truth)
