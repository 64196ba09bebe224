"""Which jobs keep NCBI's hours, and the message to a waiting user."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest

from harvester.engine.off_peak import Hours
from harvester.job.model import Job
from harvester.job.ncbi import BASE_URL as NCBI
from harvester.wording import off_peak

NOON = datetime(2026, 7, 8, 16, 0, tzinfo=UTC)  # a Wednesday, 12:00 in New York
NIGHT = datetime(2026, 7, 8, 6, 0, tzinfo=UTC)
SERVERS = {"ncbi": NCBI, "www": "https://www.ncbi.nlm.nih.gov/entrez/eutils/"}
LOCAL = "http://localhost:8080/"


def _hours(window: str, server: str, requests: int, at: datetime = NOON) -> Hours:
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed"},
            "output": {"path": "unused"},
            "limits": {"window": window},
            "server": {"base_url": server},
        }
    )
    return Hours.of(job, requests, lambda: at)


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS.keys())
@pytest.mark.parametrize(
    ("window", "requests", "bound"),
    [
        ("auto", 101, True),
        ("auto", 100, False),
        ("auto", 1, False),
        ("off-peak", 1, True),
        ("off-peak", 10**6, True),
        ("always", 10**6, False),
    ],
)
def test_large_jobs_to_ncbi_keep_its_hours(
    server: str, window: str, requests: int, bound: bool
) -> None:
    assert _hours(window, server, requests).closed is bound
    assert _hours(window, server, requests, NIGHT).closed is False


@pytest.mark.parametrize(("window", "bound"), [("auto", False), ("off-peak", True)])
@pytest.mark.parametrize(
    "server", [LOCAL, "https://eutils.example.org/", "https://ncbi.nlm.nih.gov.example.org/"]
)
def test_another_server_is_asked_at_once(server: str, window: str, bound: bool) -> None:
    assert _hours(window, server, 10**6).closed is bound


def test_a_host_with_the_root_dot_is_ncbi_too() -> None:
    assert _hours("auto", "https://eutils.ncbi.nlm.nih.gov./entrez/eutils/", 10**6).closed


def test_the_end_of_the_wait_is_the_next_opening() -> None:
    assert _hours("off-peak", LOCAL, 1).opens_at() == datetime(2026, 7, 9, 1, 0, tzinfo=UTC)


def test_a_waiting_user_reads_until_when_here_and_there_and_how_to_override(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        why = off_peak(_hours("off-peak", LOCAL, 1).opens_at())
    finally:
        monkeypatch.undo()
        time.tzset()
    assert re.search(r"Thu 10:00 (JST|\+09)", why)
    assert "Wed 21:00 Eastern time" in why
    assert "--window always" in why


@pytest.mark.parametrize("leave", [True, False])
def test_leaving_at_the_end_is_the_jobs_choice(leave: bool) -> None:
    job = Job.model_validate(
        {
            "link": {"dbfrom": "pubmed"},
            "output": {"path": "unused"},
            "limits": {"stop_at_window_end": leave},
        }
    )
    assert Hours.of(job, 1).leave is leave
