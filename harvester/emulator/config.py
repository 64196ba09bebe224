"""All settings of the emulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.emulator.graph.base import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorConfig:
    """Settings of an emulator; the defaults are NCBI's, without its slowness and its faults.

    Attributes:
        host: address to listen on; loopback unless told otherwise.
        port: 0 takes any free one.
        seed: of the seeded graph, the latencies and the faults.
        graph: a graph to serve, before `links` and `seed`.
        links: a file of links to serve (see `TableGraph`) instead of the seeded graph.
        links_per_uid: exactly so many links in every seeded family; None spreads them.
        rate: requests a second without an API key; None is no limit at all.
        rate_with_key: requests a second with a key.
        retry_after: seconds that a 429 tells in Retry-After; None leaves the header out.
        api_keys: the keys that are accepted; empty accepts all.
        latency: seconds before an answer; of several one is drawn for each request.
        latency_per_uid: seconds more for each UID asked for.
        faults: as on the command line, `NAME:P`, `NAME@UID,UID` or `NAME*N`.
        fault_seconds: what `hang` holds a connection for at most.
        drip_seconds: between two bytes of the fault `drip`.
        keepalive_timeout: seconds after which an idle connection is closed.
        keepalive_requests: requests on one connection, the last is answered `Connection: close`.
        max_uri: characters of a GET request, above which it is answered 414 (NCBI took 234 PMIDs
            and refused 300 to 468).
        history_life: seconds that a WebEnv lives.
        history_limit: UIDs of a History set that ELink takes (1000 in 2018, over 4000 in 2025);
            None takes all.
        gzip: whether answers are compressed for clients that accept it.
        outage: seconds after the start between which all requests fail, as (from, to).
        log: a file that gets one JSON object a request.
    """

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    graph: Graph | None = None
    links: str | Path | None = None
    links_per_uid: int | None = None
    rate: int | None = 3
    rate_with_key: int = 10
    retry_after: int | None = None
    api_keys: tuple[str, ...] = ()
    latency: tuple[float, ...] = ()
    latency_per_uid: float = 0.0
    faults: tuple[str, ...] = ()
    fault_seconds: float = 3600.0
    drip_seconds: float = 1.0
    keepalive_timeout: float = 4.0
    keepalive_requests: int = 40
    max_uri: int = 3000
    history_life: float = 8 * 3600.0
    history_limit: int | None = 50_000
    gzip: bool = True
    outage: tuple[float, float] | None = None
    log: str | Path | None = None
