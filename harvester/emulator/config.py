"""All settings of the emulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.emulator.graph.base import Graph


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorConfig:
    """Settings of an emulator. The defaults are NCBI's, without delays and faults.

    Attributes:
        host: address to listen on (default: loopback).
        port: port to listen on; 0 takes any free one.
        seed: seed of the generated graph, the service times and the faults.
        graph: graph to serve; overrides `links` and `seed`.
        links: file of links to serve (see `TableGraph`) instead of the generated graph.
        links_per_uid: exact number of links per UID in every generated family; None varies them.
        rate: requests per second without an API key; None is no limit.
        rate_with_key: requests per second with a key.
        retry_after: seconds sent as Retry-After with a 429 (2 in a probe of 2026-09-25); None sends
            no header, as in other probes of 2026.
        api_keys: the accepted keys; empty accepts all.
        latency: service time of a request in seconds: numbers of which one is drawn, or
            `lognormal:MEDIAN,P99` (see `read_latency`).
        latency_per_uid: additional seconds per UID.
        workers: requests served at a time: N, or `N,M@FROM-TO` in seconds after the start (see
            `Capacity.read`); None is no limit.
        queue: requests that may wait for a worker; None is no limit.
        queue_status: status of requests beyond the queue, 503 or 429.
        max_uids: UIDs of one request, above which its service ends in an error 500; None is no
            limit.
        restart: (every, down) in seconds: the server loses all requests every `every` seconds and
            refuses connections for the next `down` seconds; None never restarts.
        faults: as on the command line, `NAME:P`, `NAME@UID,UID` or `NAME*N`.
        fault_seconds: seconds that `hang` holds a connection at most.
        drip_seconds: seconds between two bytes of the fault `drip`.
        keepalive_timeout: seconds after which an idle connection is closed.
        keepalive_requests: requests per connection; the last is answered `Connection: close`.
        max_uri: characters of a GET request, above which it is answered 414 (NCBI accepted 234
            PMIDs and rejected 300 to 468).
        history_life: seconds that a WebEnv lives.
        history_limit: UIDs of a History set that ELink accepts (1000 in 2018, over 4000 in 2025);
            None is no limit.
        max_hits: hits of words in a search at most (default: within `history_limit`). Ranges of
            UIDs and `all` are not limited. None is no limit.
        llinkslib: whether ELink supports cmd=llinkslib, which NCBI removed in 2026.
        egquery: whether EGQuery exists, which NCBI ended in 2024.
        gzip: whether answers are compressed for clients that accept it.
        outage: (from, to) in seconds after the start between which all requests fail.
        log: file that gets one JSON object per request.
    """

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    graph: Graph | None = None
    links: str | Path | None = None
    links_per_uid: int | None = None
    rate: int | None = 3
    rate_with_key: int = 10
    retry_after: int | None = 2
    api_keys: tuple[str, ...] = ()
    latency: tuple[float, ...] | str = ()
    latency_per_uid: float = 0.0
    workers: int | str | None = None
    queue: int | None = None
    queue_status: int = 503
    max_uids: int | None = None
    restart: tuple[float, float] | None = None
    faults: tuple[str, ...] = ()
    fault_seconds: float = 3600.0
    drip_seconds: float = 1.0
    keepalive_timeout: float = 4.0
    keepalive_requests: int = 40
    max_uri: int = 3000
    history_life: float = 8 * 3600.0
    history_limit: int | None = 50_000
    max_hits: int | None = 45_000
    llinkslib: bool = False
    egquery: bool = False
    gzip: bool = True
    outage: tuple[float, float] | None = None
    log: str | Path | None = None
