"""The error tree: exit codes, and texts fit to be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester import errors
from harvester.errors import HarvestError, Interrupted, nearest, printable


def test_each_error_leaves_with_the_documented_code() -> None:
    codes = {error.__name__: error.exit_code for error in HarvestError.__subclasses__()}
    assert codes["BadInput"] == 2
    assert codes["Refused"] == 4
    assert codes["WindowClosed"] == 75
    assert codes["FolderError"] == 1
    assert errors.FolderInUse.exit_code == 5


@pytest.mark.parametrize(("signum", "status"), [(2, 130), (15, 143)])
def test_a_signal_leaves_with_128_and_its_number(signum: int, status: int) -> None:
    assert Interrupted(signum).exit_status == status


@given(st.text(max_size=300), st.integers(2, 200))
def test_somebody_elses_text_becomes_one_printable_short_line(text: str, limit: int) -> None:
    line = printable(text, limit)
    assert len(line) <= limit + 1  # where it is cut, an ellipsis says so
    assert line.isprintable()
    assert line == " ".join(line.split())
    if text.isascii() and text.isalnum() and len(text) <= limit:
        assert line == text


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\nb", "a\u202eb", "a\0b", "\x9b31m", "\ud800"])
def test_nothing_in_it_can_move_a_cursor(text: str) -> None:
    assert not set(printable(text)) & set("\x1b\n\u202e\0\x9b\ud800")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("pubmd", " (did you mean 'pubmed'?)"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_a_misspelt_name_gets_the_nearest_one(word: str, hint: str) -> None:
    assert nearest(word, ["gene", "pubmed", "pubmed_pmc"]) == hint


def test_a_failed_request_keeps_its_reason_and_its_wait() -> None:
    failure = errors.RequestFailed(errors.Fault.SERVER, "HTTP 503", 7.0)
    assert (str(failure), failure.reason, failure.retry_after) == ("HTTP 503", "HTTP 503", 7.0)
    limited = errors.RateLimited(2.0, 6.0)
    assert isinstance(limited, errors.RequestFailed)
    assert (limited.retry_after, limited.limit) == (2.0, 6.0)
