"""The number of requests a server holds, learnt from its refusals."""

from __future__ import annotations

import math

from harvester.engine.refusals import Ceiling


def learnt(held: int) -> Ceiling:
    """Return a ceiling found while a server held `held` requests."""
    ceiling = Ceiling()
    for number in (held + 1, held + 2):
        ceiling.refused(number, held + 1)
    ceiling.answered(1, 1)
    return ceiling


def test_nothing_is_known_at_first() -> None:
    assert Ceiling().most == math.inf


def test_one_refusal_is_chance() -> None:
    ceiling = Ceiling()
    ceiling.refused(9, 9)
    assert ceiling.most == math.inf


def test_after_two_no_more_are_sent_than_the_server_held_beside_them() -> None:
    ceiling = Ceiling()
    ceiling.refused(9, 9)
    ceiling.refused(10, 9)
    assert ceiling.most == 8
    ceiling.answered(1, 1)
    assert ceiling.most == 8


def test_refusals_that_do_not_depend_on_what_is_in_flight_set_no_ceiling() -> None:
    ceiling = Ceiling()
    ceiling.refused(3, 3)
    ceiling.refused(8, 7)  # the server held more meanwhile
    ceiling.answered(9, 8)
    ceiling.refused(20, 7)
    assert ceiling.most == math.inf


def test_refusals_in_an_outage_are_forgotten_with_the_first_answer() -> None:
    ceiling = Ceiling()
    for number in range(1, 9):
        ceiling.refused(number, 9 - number)
    assert ceiling.most == 1  # never less
    ceiling.answered(9, 1)
    assert ceiling.most == math.inf


def test_one_more_is_tried_after_a_rest_that_grows() -> None:
    ceiling, rests = learnt(8), []
    for _ in range(4):
        answers = 0
        while ceiling.most == 8:
            ceiling.answered(100, 8)
            answers += 1
        rests.append(answers)
        ceiling.refused(200, 9)
        ceiling.answered(199, 8)
    assert rests == [8, 32, 128, 512]


def test_a_server_that_holds_more_now_is_sent_more() -> None:
    ceiling = learnt(8)
    for _ in range(8 + 9 + 10):
        ceiling.answered(100, 8)
    assert ceiling.most == 11
