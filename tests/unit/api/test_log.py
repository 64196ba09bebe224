"""The listener that writes to a logger."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harvester import events, log_to

if TYPE_CHECKING:
    import pytest

UNTIL = datetime(2026, 7, 9, 1, tzinfo=UTC)


def test_each_event_a_user_must_know_becomes_a_line_of_its_level(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener = log_to("my.harvest")
    with caplog.at_level(logging.DEBUG, "my.harvest"):
        listener(events.RunStarted(10, 0, {}, 0, 3.0, "eutils.ncbi.nlm.nih.gov"))
        listener(events.Warned("No link is named pubmed_pmcx."))
        listener(events.RequestSent(200))
        listener(events.Waiting("outage", UNTIL, "HTTP 503", 5.0))
        listener(events.Resumed())
        listener(events.BatchRetried(200, "HTTP 500", 0.5))
        listener(events.UidsSettled({"linked": 10}, links=7))
        listener(events.RunEnded("complete"))
    found = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert [level for level, _ in found] == ["INFO", "WARNING", "WARNING", "INFO", "DEBUG", "INFO"]
    texts = [text for _, text in found]
    assert texts[0].startswith("10 UIDs to request from eutils.ncbi.nlm.nih.gov")
    assert texts[1] == "No link is named pubmed_pmcx."
    assert texts[2] == "The server is not answering (HTTP 503); next try in 5 s."
    assert texts[4] == "200 UIDs again in 0.5 s: HTTP 500"
    assert texts[5].startswith("complete: 10 of 10 UIDs (100.0 %), 7 links")


def test_a_line_of_progress_comes_with_a_commit_at_most_every_half_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("harvester.api.log.time.monotonic", lambda: now)
    listener = log_to(logging.getLogger("my.harvest"))
    with caplog.at_level(logging.INFO, "my.harvest"):
        for seconds in (1.0, 30.0, 1.0, 30.0):
            now += seconds
            listener(events.PartCommitted(links=1, uids=1, seconds=0.1))
    assert len(caplog.records) == 2
