"""Many runs, each in its own folder: choose a sample, then run several at once."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import TYPE_CHECKING, TypeVar

from harvester.errors import HarvestError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from support.fork_server import ForkServer
    from support.servers import Servers

T = TypeVar("T")

SIDES = 4
"""Runs at once. They mostly wait for answers and for the disk."""


def spread(found: Iterable[T], count: int, kind: Callable[[T], Hashable]) -> list[T]:
    """Choose `count` items: of each kind in turn, at random, and the same each time."""
    piles: dict[Hashable, list[T]] = {}
    for one in found:
        piles.setdefault(kind(one), []).append(one)
    chooser, chosen = random.Random(len(piles)), list[T]()
    order = list(piles.values())
    chooser.shuffle(order)
    for pile in order:
        chooser.shuffle(pile)
    for pile in cycle(order):
        if len(chosen) >= min(count, sum(map(len, order)) + len(chosen)):
            break
        if pile:
            chosen.append(pile.pop())
    return chosen


def run_all(servers: Servers, cases: Sequence[T], run: Callable[[T, int, ForkServer], int]) -> int:
    """Run all cases.

    Args:
        servers: lends fork servers.
        cases: what happens to each run.
        run: called with a case, its number and a fork server; returns how many kills there
            were, and raises AssertionError if the result is wrong.

    Returns:
        The number of kills.
    """

    def one_after_another(side: int) -> tuple[int, list[str]]:
        kills, wrong = 0, []
        with servers.fork_server() as fork_server:
            for number in range(side, len(cases), SIDES):
                try:
                    kills += run(cases[number], number, fork_server)
                except (AssertionError, OSError, HarvestError) as error:
                    wrong.append(f"{cases[number]}: {error}")
        return kills, wrong

    with ThreadPoolExecutor(SIDES) as pool:
        ends = list(pool.map(one_after_another, range(SIDES)))
    wrong = [why for _, side in ends for why in side]
    assert not wrong, f"{len(wrong)} of {len(cases)} went wrong; " + "\n".join(wrong[:5])
    return sum(kills for kills, _ in ends)
