"""Counts of a running harvest for Prometheus, over HTTP."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, get_args

from harvester import events
from harvester.errors import BadInput

try:
    from prometheus_client import CollectorRegistry, Histogram, start_http_server
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
except ImportError as error:
    raise ImportError(
        "Metrics need the package prometheus-client: pip install 'elink-harvester[metrics]'."
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from harvester.events import Event, Listener

_ANSWER_SECONDS = (0.25, 0.5, 1, 2, 4, 8, 15, 30, 60)
_COMMIT_SECONDS = (0.01, 0.05, 0.1, 0.5, 1, 5, 10)


@contextmanager
def serve_metrics(port: int, host: str = "127.0.0.1") -> Iterator[tuple[Listener, str]]:
    """Serve the metrics of a run while the context lasts.

    Args:
        port: port to listen on; 0 for any free one.
        host: address to listen on; by default only this machine can read the metrics.

    Yields:
        The listener for the run's events, and the URL of the metrics.

    Raises:
        BadInput: the port cannot be used.

    Example:
        ```
        with serve_metrics(9400) as (listener, url):
            await harvest(job, listeners=[listener])
        ```
    """
    registry = CollectorRegistry()
    listener = _Metrics(registry)
    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"The metrics cannot be served at {host}:{port}: {reason}.") from None
    try:
        yield listener, f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Metrics:
    """Counts events; the server reads the counts on request."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tally = events.Tally(time.monotonic)
        self._answers = Histogram(
            "harvester_answer_seconds",
            "Seconds from a request to its whole answer",
            buckets=_ANSWER_SECONDS,
            registry=registry,
        )
        self._commits = Histogram(
            "harvester_commit_seconds",
            "Seconds of a commit to disk",
            buckets=_COMMIT_SECONDS,
            registry=registry,
        )
        registry.register(self)

    def __call__(self, event: Event) -> None:
        """Count one event."""
        self._tally(event)
        match event:
            case events.BatchAnswered():
                self._answers.observe(event.seconds)
            case events.PartCommitted():
                self._commits.observe(event.seconds)

    def collect(self) -> Iterator[Metric]:
        """Yield the current counts; runs in the server's thread."""
        tally = self._tally
        outcomes = GaugeMetricFamily(
            "harvester_uids", "UIDs by outcome, earlier runs included", labels=["outcome"]
        )
        for outcome, number in dict(tally.outcomes).items():
            outcomes.add_metric([outcome], number)
        yield outcomes
        limits = GaugeMetricFamily(
            "harvester_limited_by", "1 for what keeps the harvest from being faster", labels=["by"]
        )
        for name in (*get_args(events.Limit), *get_args(events.WaitCause)):
            limits.add_metric([name], name == tally.limited_by)
        yield limits
        for name, text, value in (
            ("input_uids", "Distinct input UIDs that are known", tally.total),
            ("links", "Links found, earlier runs included", tally.links),
            ("requests_in_flight", "Requests that wait for their answer", tally.in_flight),
            ("permitted_rate", "Permitted requests per second", tally.rate),
            ("pass", "Pass over the UIDs, from 1", tally.pass_number),
        ):
            yield GaugeMetricFamily(f"harvester_{name}", text, value=value)
        for name, text, number in (
            ("requests_sent", "Requests sent by this process", tally.sent),
            ("requests_answered", "Whole answers", tally.ok),
            ("requests_retried", "Batches requested again", tally.retried),
            ("requests_rate_limited", "Answers with status 429", tally.rate_limited),
        ):
            yield CounterMetricFamily(f"harvester_{name}", text, value=number)
