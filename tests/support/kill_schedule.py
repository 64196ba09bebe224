"""Many runs, each in a folder of its own: which ones to lead, and some of them at a time."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import TYPE_CHECKING, TypeVar

from harvester.errors import HarvestError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from support.fork_server import Nursery
    from support.servers import Servers

T = TypeVar("T")

SIDES = 4
"""Lives led at a time: they wait for answers and for the disk."""


def spread(found: Iterable[T], count: int, kind: Callable[[T], Hashable]) -> list[T]:
    """So many of what was found: of each kind in turn, chosen by lot, and the same each time."""
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


def lead(servers: Servers, lives: Sequence[T], survive: Callable[[T, int, Nursery], int]) -> int:
    """Lead all lives.

    Args:
        servers: for nurseries.
        lives: what befalls each.
        survive: leads one, given its number and a nursery, and returns how many deaths it died;
            an error says what is wrong in the end.

    Returns:
        How many deaths they died.
    """

    def one_after_another(side: int) -> tuple[int, list[str]]:
        died, wrong = 0, []
        with servers.nursery() as nursery:
            for number in range(side, len(lives), SIDES):
                try:
                    died += survive(lives[number], number, nursery)
                except (AssertionError, OSError, HarvestError) as error:
                    wrong.append(f"{lives[number]}: {error}")
        return died, wrong

    with ThreadPoolExecutor(SIDES) as pool:
        ends = list(pool.map(one_after_another, range(SIDES)))
    wrong = [why for _, side in ends for why in side]
    assert not wrong, f"{len(wrong)} of {len(lives)} went wrong; " + "\n".join(wrong[:5])
    return sum(died for died, _ in ends)
