"""Faults that damage the bytes of a right answer, by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.emulator.answers.answer import Answer
    from harvester.emulator.faults.draws import Draw


def _cut(answer: Answer, draw: Draw) -> Answer:
    """Cut the body at a random place, in a response that is complete for HTTP."""
    return replace(answer, body=answer.body[: draw.random.randrange(len(answer.body) or 1)])


def _insert(noise: bytes) -> Callable[[Answer, Draw], Answer]:
    def damage(answer: Answer, draw: Draw) -> Answer:
        place = draw.random.randrange(len(answer.body) + 1)
        return replace(answer, body=answer.body[:place] + noise + answer.body[place:])

    return damage


BODIES: dict[str, Callable[[Answer, Draw], Answer]] = {
    "cut": _cut,
    "control-chars": _insert(b"\x00\x0b\x1f"),
    "bad-utf8": _insert(b"\xc3\x28\xff"),
}
