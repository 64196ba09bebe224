"""Signals: the first stops a harvest gently, also on a loop without signal handlers (Windows)."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest
from support.engines import linked, uids_of

from harvester import Job, harvest
from harvester.errors import Interrupted
from harvester.testing import ScriptedTransport, Timed

if TYPE_CHECKING:
    from pathlib import Path

    from harvester import Result
    from harvester.testing import Answer, SentRequest


class LoopWithoutSignals(asyncio.SelectorEventLoop):
    """Raises as every event loop does on Windows."""

    def add_signal_handler(self, *args: object) -> None:
        raise NotImplementedError

    def remove_signal_handler(self, sig: int) -> bool:
        raise NotImplementedError


LOOPS = [
    asyncio.SelectorEventLoop,
    LoopWithoutSignals,
]
Loop = type[asyncio.SelectorEventLoop]


def job_in(folder: Path) -> Job:
    """Return a job of 40 UIDs, 100 per second."""
    (folder / "uids").write_text("\n".join(map(str, range(1, 41))))
    return Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pmc"},
            "source": {"ids": str(folder / "uids")},
            "output": {"path": str(folder / "out")},
            "limits": {"rate": 100, "batch_size": 1},
            "server": {"base_url": "http://scripted/"},
        }
    )


@pytest.mark.parametrize("loop", LOOPS)
def test_a_harvest_with_signal_handlers_runs_to_its_end(loop: Loop, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with ScriptedTransport(linked).installed(), asyncio.Runner(loop_factory=loop) as runner:
        result: Result = runner.run(harvest(job_in(tmp_path), signals=True))
    assert result.outcomes == {"linked": 40}
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("loop", LOOPS)
def test_the_first_signal_keeps_the_answers_in_flight(
    loop: Loop, signum: signal.Signals, tmp_path: Path
) -> None:
    """The resumed harvest requests exactly the UIDs that were never requested."""
    requested: list[int] = []

    def answer(request: SentRequest) -> Answer:
        requested.extend(uids_of(request))
        if len(requested) == 5:
            signal.raise_signal(signum)
        return Timed(linked(request), answering=0.2)

    job = job_in(tmp_path)
    with ScriptedTransport(answer).installed(), asyncio.Runner(loop_factory=loop) as runner:
        with pytest.raises(Interrupted) as caught:
            runner.run(harvest(job, signals=True))
        assert caught.value.exit_status == 128 + signum
        assert len(requested) < 40
        result: Result = runner.run(harvest(job, signals=True))
    assert sorted(requested) == list(range(1, 41))
    assert result.outcomes == {"linked": 40}
