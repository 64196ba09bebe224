"""The course of a run is recorded in the timeline of its harvest."""

from __future__ import annotations

from datetime import UTC, datetime

from harvester import events
from harvester.runs.timeline import SAVE_SECONDS, STALL_SECONDS, TimelineRecorder
from harvester.store.timeline import Timeline

BEGIN = 1_790_000_000.0
SENT, ENDED = events.RequestSent(50), events.RequestEnded()


class Recording:
    """A recorder whose clocks a test moves."""

    def __init__(self, timeline: Timeline | None = None) -> None:
        self.now, self.slept, self.rate = BEGIN, 0.0, 10.0
        self.timeline = timeline or Timeline()
        self.recorder = TimelineRecorder(
            self.timeline, lambda: self.rate, lambda: self.now, lambda: self.now - self.slept
        )

    def after(self, seconds: float, *events_: events.Event) -> None:
        """Move the clocks with a copy per second, as a running harvest does, then record events."""
        while seconds > 0:
            self.now += min(seconds, 1.0)
            seconds -= 1.0
            self.recorder.copy()
        for event in events_:
            self.recorder(event)


def waiting(cause: events.WaitCause, reason: str = "") -> events.Waiting:
    return events.Waiting(cause, datetime.now(UTC), reason)


def test_requests_answers_and_outcomes_are_counted_when_they_happen() -> None:
    recording = Recording()
    recording.after(0, SENT, SENT)
    recording.after(2, ENDED, events.BatchAnswered(2.0, 0), events.UidsSettled({"linked": 48}, 700))
    recording.after(0, ENDED, events.BatchRetried(50, "HTTP 502", 1.0), events.SlowedDown(5.0))
    first, third = recording.timeline.at(BEGIN), recording.timeline.at(BEGIN + 2)
    assert (first.sent, first.asked, first.ok, first.most_in_flight) == (2, 100, 0, 2)
    assert (third.ok, third.settled, third.links, third.rate_limited) == (1, 48, 700, 1)
    assert third.retried == {recording.timeline.reason("HTTP 502"): 1}
    assert sum(third.latency.values()) == 1


def test_time_is_spread_over_the_buckets_it_belongs_to() -> None:
    recording = Recording()
    recording.after(0.5, SENT)
    recording.after(2.75, events.LimitChanged("server"), ENDED)
    recording.after(0.5)
    seconds = [round(bucket.seconds, 6) for _, bucket in recording.timeline.in_order()]
    assert seconds == [0.5, 1, 1, 0.25 + 0.5]
    whole = recording.timeline.total()
    assert round(whole.in_flight, 6) == 2.75
    assert whole.limited == {"rate": 2.75, "server": 0.5}
    assert round(whole.permitted, 6) == 32.5


def test_the_permitted_rate_follows_the_limiter() -> None:
    recording = Recording()
    recording.after(0, SENT)
    recording.after(3)
    recording.rate = 4.0
    recording.after(2)
    assert round(recording.timeline.total().permitted, 6) == 3 * 10 + 1 * 10 + 1 * 4


def test_a_wait_for_hours_is_a_span_and_takes_no_buckets() -> None:
    recording = Recording()
    recording.after(0, SENT)
    recording.after(1, ENDED, waiting("hours"))
    recording.after(40_000, events.Resumed(), SENT)
    assert len(recording.timeline.buckets) == 2
    _, wait = recording.timeline.spans
    assert (wait.kind, wait.start, wait.end) == ("hours", BEGIN + 1, BEGIN + 40_001)


def test_the_probes_of_one_outage_are_one_span() -> None:
    recording = Recording()
    recording.after(0, SENT)
    for reason in ("HTTP 502", "connection refused"):
        recording.after(5, waiting("outage", reason), SENT, ENDED)
    recording.after(5, events.Resumed())
    _, outage = recording.timeline.spans
    assert (outage.start, outage.end) == (BEGIN + 5, BEGIN + 15)
    assert outage.text == "connection refused"
    assert round(recording.timeline.total().limited["outage"], 6) == 10


def test_time_in_which_the_machine_slept_is_not_counted() -> None:
    recording = Recording()
    recording.after(0, SENT)
    recording.now += 7200
    recording.slept = 7195  # the monotonic clock stands while a machine sleeps
    recording.after(0, ENDED)
    recording.now += STALL_SECONDS  # the process was stopped: both clocks go on
    recording.after(0, ENDED)
    assert recording.timeline.total().seconds == 5


def test_a_clock_that_is_set_back_does_no_harm() -> None:
    recording = Recording()
    recording.after(3, SENT)
    recording.now -= 3600
    recording.after(0, SENT)
    recording.after(2, SENT)
    assert recording.timeline.total().seconds >= 2
    assert recording.timeline.total().sent == 3


def test_a_copy_is_due_after_a_commit_after_some_seconds_and_at_the_end() -> None:
    recording = Recording()
    assert recording.recorder.copy() is None, "nothing was sent"
    recording.after(0, SENT)
    assert recording.recorder.copy() is not None
    recording.now += 1
    assert recording.recorder.copy() is None
    recording.recorder(events.PartCommitted(1, 1, 0.1))
    assert recording.recorder.copy() is not None
    recording.now += SAVE_SECONDS
    assert recording.recorder.copy() is not None
    recording.recorder.end("complete")
    kept = Timeline.load(recording.recorder.copy())
    assert kept is not None
    assert [(run.end, run.text) for run in kept.spans] == [(recording.now, "complete")]


def test_a_killed_run_ends_with_its_last_copy_and_the_next_goes_on() -> None:
    recording = Recording()
    recording.after(0, SENT)
    recording.now += SAVE_SECONDS
    kept = Timeline.load(recording.recorder.copy())
    assert kept is not None
    recording = Recording(kept)  # the process was killed, and another opens the folder
    recording.now += 100
    recording.after(0, SENT)
    recording.recorder.end("complete")
    killed, second = kept.spans
    assert (killed.end, killed.text) == (BEGIN + SAVE_SECONDS, "")
    assert (second.start, second.text) == (BEGIN + 100, "complete")
    assert kept.total().sent == 2


def test_a_run_that_had_nothing_to_ask_is_not_recorded() -> None:
    recording = Recording()
    recording.after(2, events.InputGrew(5))
    recording.recorder.end("complete")
    assert recording.recorder.copy() is None
    assert recording.timeline == Timeline()
