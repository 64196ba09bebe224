"""The rate after a 429."""

from __future__ import annotations

import pytest

from harvester.client.pacing.slowed import Slowed, slowed_by


def test_the_first_429_takes_the_small_step() -> None:
    assert slowed_by(None, 0.0, 10.0, None, 0.1) == Slowed(9.5, 10.0)


def test_another_one_soon_takes_the_large_step() -> None:
    slowed = slowed_by(Slowed(9.5, 10.0), 5.0, 10.0, None, 0.1)
    assert slowed is not None
    assert slowed.rate == pytest.approx(8.0)
    assert slowed.ceiling == 10.0


def test_a_request_sent_before_the_rate_fell_changes_nothing() -> None:
    assert slowed_by(Slowed(9.5, 10.0), 1.0, 10.0, None, 0.1) is None
    assert slowed_by(Slowed(9.5, 10.0), 5.0, 10.0, None, 4.0) is None


def test_a_stated_limit_binds_at_once_if_it_is_lower() -> None:
    assert slowed_by(None, 0.0, 10.0, 6.0, 0.1) == Slowed(6.0, 6.0)
    assert slowed_by(Slowed(4.0, 4.0), 20.0, 10.0, 6.0, 0.1) == Slowed(3.8, 4.0)


def test_the_rate_never_falls_below_one_per_second_unless_less_is_wanted() -> None:
    assert slowed_by(Slowed(1.0, 10.0), 2.0, 10.0, None, 0.1) == Slowed(1.0, 10.0)
    assert slowed_by(None, 0.0, 0.5, None, 0.1) == Slowed(0.5, 0.5)


def test_the_rate_rises_to_its_ceiling_and_a_limit_is_forgotten_in_ten_minutes() -> None:
    slowed = Slowed(8.0, 9.0)
    assert slowed.rate_after(0.5, 10.0) == 8.0
    assert slowed.rate_after(5.5, 10.0) == pytest.approx(8.5)
    assert slowed.rate_after(100.0, 10.0) == 9.0
    assert slowed.rate_after(601.0, 10.0) == 10.0
    assert slowed.rate_after(100.0, 3.0) == 3.0
