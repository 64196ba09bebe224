"""A block of starts: each is used once, at its time or a little later, within the block."""

from __future__ import annotations

import pytest

from harvester.client.pacing.block import GRACE_SECONDS, Block


def starts(block: Block, now: float) -> list[float]:
    found = []
    while (start := block.take(now)) is not None:
        found.append(start.at)
    return found


def test_starts_are_evenly_spaced_and_each_is_taken_once() -> None:
    block = Block(first=10.0, distance=0.25, count=4)
    assert starts(block, 9.0) == [10.0, 10.25, 10.5, 10.75]
    assert (block.used, block.missed, block.left) == (4, 0, 0)


def test_starts_that_are_over_are_missed() -> None:
    block = Block(first=10.0, distance=0.25, count=4)
    assert starts(block, 10.3) == [10.5, 10.75]
    assert (block.used, block.missed) == (2, 2)


def test_a_start_may_be_a_little_late() -> None:
    assert starts(Block(10.0, 1.0, 1), 10.0 + GRACE_SECONDS * 0.99) == [10.0]
    assert starts(Block(10.0, 1.0, 1), 10.0 + GRACE_SECONDS * 1.01) == []


@pytest.mark.parametrize("late", [0.0, 0.005, 0.02, 0.11, 0.5, 3.0])
def test_a_block_that_may_be_late_ends_before_the_next_one(late: float) -> None:
    """If Redis meant a first start `late` seconds sooner, the next block begins at 11.0 - late."""
    block = Block(first=10.0, distance=0.1, count=10, late=late)
    found = []
    while (start := block.take(0.0)) is not None:
        found.append(start.until)
    assert all(until <= 11.0 - late - 0.1 + 0.02 + 1e-9 for until in found)
    assert len(found) >= 9 - 10 * late


def test_an_empty_block_has_nothing() -> None:
    assert Block().take(0.0) is None
    assert Block().left == 0
