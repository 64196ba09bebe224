"""The engine's report of what limits a harvest, on simulated time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from support.engines import engine_run, linked

from harvester import events
from harvester.testing import Reply, Timed, fake_seconds, run_in_fake_time

if TYPE_CHECKING:
    from support.engines import EngineRun

    from harvester.testing import Answer, SentRequest


def said(run: EngineRun) -> list[str]:
    """Return what limited the run, in order, without repetition."""
    found = ["rate"]
    for event in run.events:
        if isinstance(event, events.LimitChanged):
            by = f"{event.by}, slowed" if event.slowed else event.by
            found += [by] if by != found[-1] else []
    return found


def test_a_server_that_keeps_up_leaves_the_rate_as_the_limit() -> None:
    async def script() -> None:
        run = engine_run(
            lambda request: Timed(linked(request), answering=0.5), range(1, 301), rate=20
        )
        await run.drive()
        assert said(run) == ["rate"]

    run_in_fake_time(script())


def test_a_lower_limit_that_the_server_states_is_said() -> None:
    stated = Reply(429, {"x-ratelimit-limit": "3"}, b"")

    async def script() -> None:
        answers = Counter[bool]()

        def answer(request: SentRequest) -> Answer:
            answers[True] += 1
            return stated if answers[True] == 20 else linked(request)

        run = engine_run(answer, range(1, 301), rate=20)
        await run.drive()
        assert said(run) == ["rate", "rate, slowed"]

    run_in_fake_time(script())


def test_a_chance_429_is_not_called_a_slower_rate() -> None:
    async def script() -> None:
        answers = Counter[bool]()

        def answer(request: SentRequest) -> Answer:
            answers[True] += 1
            return Reply(429, {}, b"") if answers[True] == 100 else linked(request)

        run = engine_run(answer, range(1, 601), rate=20)
        await run.drive()
        assert said(run) == ["rate"]

    run_in_fake_time(script())


def test_a_server_that_refuses_all_but_a_few_requests_is_the_limit() -> None:
    """It answers four at a time, each in a second, and refuses the fifth at once."""

    async def script() -> None:
        busy_until: list[float] = []

        def answer(request: SentRequest) -> Answer:
            now = fake_seconds()
            busy_until[:] = [end for end in busy_until if end > now]
            if len(busy_until) >= 4:
                return Reply(503, {}, b"")
            busy_until.append(now + 1.0)
            return Timed(linked(request), answering=1.0)

        run = engine_run(answer, range(1, 301), rate=20)
        await run.drive()
        assert said(run)[:2] == ["rate", "server"]
        assert said(run)[-1] == "server"

    run_in_fake_time(script())
