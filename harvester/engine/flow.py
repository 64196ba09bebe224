"""The number of requests in flight and the UIDs per request.

Both have one goal: the most UIDs per second that this server can deliver. The permitted rate limits
the requests per second, and the server limits the rest. The rules:

1. *Start optimistically.* Until something is known, as many requests are in flight as a latency of
   13 s (the worst of NCBI) needs at the permitted rate, and never more than half the timeout
   permits.
2. *Tell our own queueing from the server's latency.* Requests form rounds. If a round had more
   requests in flight than the one before and took longer in proportion, requests queue behind each
   other; if it took as long as before, the latency is the server's own and is accepted.
3. *Keep the server busy, not more.* If the window limits, it becomes the server's answers per
   second times the latency without queueing, plus 25 %. If no request queues, the window grows by
   half per round. From time to time a round has half the window, to measure the latency without
   queueing.
4. *Send nothing that will not be answered in time.* At most as many requests are in flight as will
   be answered within half the timeout, at the current pace of answers.
5. *An abandoned request still keeps the server busy.* It counts as in flight until a later request
   is answered, or for as long again as the client waited for it.
6. *Do not send what the server refuses.* The refusals show how many requests the server accepts at
   a time; one more is tried after a pause, which grows.
7. *Try larger batches, two at a time.* While the rate limits, larger is better. While the server
   limits, a larger batch must deliver more UIDs per second (see `batch_trials`).
8. *Answers fit into memory.* Answers in flight, estimated from the bytes per UID so far, and
   answers on their way to disk stay within a budget; one request is always permitted if no other
   is sent.

The method is that of BBR (Cardwell and others, ACM Queue 2016): the window is the delivery rate
times the latency without load. BBR takes that latency from the shortest round trip. NCBI's varies
from 0.8 to 13 s at equal load, so the shortest says nothing about the usual one. Here it comes
from comparing rounds with more and fewer requests in flight, and from rounds with half the window.
(Envoy's adaptive concurrency also measures it with few requests in flight.) Controllers that
compare latency with its minimum or its average (TCP Vegas, CoDel, Netflix's gradient limit) would
take such a change for a queue. Controllers that wait for losses (TCP Reno, AWS's adaptive retries)
find the limit by time-outs, and each time-out wastes a minute of the server's work.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Literal

from harvester.engine.batch_trials import MOST, BatchTrials
from harvester.engine.in_flight import LEAST_ROUND, MOST_ROUND, Limit, Round, Sent, Window
from harvester.engine.refusals import Ceiling
from harvester.errors import Fault

LATENCY_SECONDS = 13.0
"""Longest latency of NCBI, in seconds, at ordinary load (probe of March 2026); see rule 1."""

MOST_IN_FLIGHT = 1000
"""Requests in flight if nothing else limits them: each needs a connection."""

BUDGET_BYTES = 64 << 20
"""Bytes of answers in flight and on their way to disk."""

_RESERVE = 1.1  # latency varies
_IN_TIME = 0.5  # share of the timeout
_GROWS = 1.1  # factor of what was in flight: more is sent than comes back
_BYTES_RISE, _BYTES_FALL = 0.5, 0.05  # weights of an answer that is larger, or smaller
# share of the rate, and seconds: a pace that may exceed what the server permits
_RATE_SHARE, _RATE_SECONDS = 0.5, 1.0
_RECENT = 32  # answers from which the pace of answers is computed
_BATCHES_IN_BUDGET = 8  # a batch is at most an eighth of the budget, so that some are in flight


class Flow:
    """Decides when to send and how many UIDs. Pure: every time is passed in.

    Call `may_send`, `batch_size` and `sent` for each request, and then one of `answered`,
    `timed_out`, `refused`, `rate_limited`, `failed` and `dropped` with what `sent` returned.

    Args:
        rate: requests per second permitted.
        timeout: seconds after which a request is given up.
        batch_size: UIDs per request, or `auto`.
        concurrency: requests in flight at most, or `auto`.
        most: UIDs per request at most, where the batch size is `auto`.
        budget: bytes of answers in flight and on their way to disk.
    """

    def __init__(
        self,
        rate: float,
        timeout: float,
        batch_size: int | Literal["auto"] = "auto",
        concurrency: int | Literal["auto"] = "auto",
        most: int = MOST,
        budget: int = BUDGET_BYTES,
    ) -> None:
        self._timeout, self._budget = timeout, budget
        self._auto = concurrency == "auto"
        in_flight = MOST_IN_FLIGHT if concurrency == "auto" else concurrency
        start = math.ceil(rate * min(_RESERVE * LATENCY_SECONDS, _IN_TIME * timeout))
        self._window = Window(max(1, start), in_flight)
        self._ceiling = Ceiling()
        self._size = BatchTrials(batch_size, timeout, most)
        self._live: set[Sent] = set()
        self._given_up: deque[tuple[int, float]] = deque()  # number, and when it is forgotten
        self._uids = 0  # in flight
        self._number = 0
        self._round: Round | None = None
        self._changed_after = 0  # rounds sent before the last decision are not judged
        self._held, self._held_at = False, -1
        self._short_of_memory_at = self._short_of_window_at = -_RECENT
        self._bytes = 0.0  # of an answer, per UID
        self._spans: deque[float] = deque(maxlen=_RECENT)
        self._answered_at = -math.inf
        self._sent_at: deque[float] = deque(maxlen=math.ceil(rate * _RATE_SHARE))

    def __repr__(self) -> str:
        """Show requests in flight, their limit and its cause."""
        given_up = f" and {len(self._given_up)} given up" if self._given_up else ""
        return (
            f"Flow({self.in_flight}{given_up} in flight of {self._window.size:.1f}, "
            f"{self._size.now} UIDs, limited by {self.limited_by})"
        )

    @property
    def in_flight(self) -> int:
        """Requests sent that have not ended."""
        return len(self._live)

    @property
    def limited_by(self) -> str:
        """Cause of the limit: `rate`, `server`, `concurrency`, `memory` or `unknown`."""
        if self._number - self._short_of_window_at < _RECENT:
            return "server"
        return self._limit

    @property
    def _limit(self) -> str:
        """The same, without refusals and late answers."""
        if self._number - self._short_of_memory_at < _RECENT:
            return "memory"
        if self._window.limit is Limit.SERVER and self._window.size >= self._window.most:
            return "server" if self._auto else "concurrency"
        return self._window.limit.value

    def limit(self, now: float) -> int:
        """Return how many requests may be in flight; at least one."""
        while self._given_up and self._given_up[0][1] <= now:
            self._given_up.popleft()
        most = min(self._window.size, self._ceiling.most, self._in_time(now))
        return max(1, int(most) - len(self._given_up))

    def may_send(self, now: float, pending: int = 0) -> bool:
        """Return whether to send a request now. Call it only if there is one to send.

        Args:
            now: the time.
            pending: bytes of answers on their way to disk.
        """
        expected = (self._uids + self._size.now) * self._bytes
        if pending + expected > self._budget and (self._live or pending):
            self._short_of_memory_at = self._number
            return False
        if len(self._live) >= self.limit(now):
            self._held, self._held_at = True, self._number
            if len(self._live) < int(self._window.size):
                self._short_of_window_at = self._number
            return False
        return True

    def batch_size(self, fresh: int, now: float) -> int:
        """Return the UIDs for the next batch, given how many are left."""
        may_try = self._limit == "rate" or self._window.idle
        most = self._budget / _BATCHES_IN_BUDGET / self._bytes if self._bytes else math.inf
        return self._size.cut(fresh, most, now, may_try=may_try)

    def sent(self, uids: int, now: float) -> Sent:
        """Record a request that is sent; pass the returned value on when it ends."""
        self._number += 1
        in_flight = len(self._live) + len(self._given_up) + 1
        if self._round is None or self._round.full:
            want = min(max(in_flight, LEAST_ROUND), MOST_ROUND)
            self._round = Round(want + 2 * self._window.idle, self._number)
        usual = self._size.is_usual(uids)
        joined = self._round if usual or self._window.idle else None
        if joined is not None:
            joined.add(held=self._held)
        self._held = False
        self._sent_at.append(now)
        sent = Sent(self._number, uids, now, in_flight, joined, usual)
        self._live.add(sent)
        self._uids += uids
        return sent

    def answered(self, sent: Sent, size: int, now: float) -> None:
        """Record an answer of `size` bytes."""
        self._end(sent)
        if sent.usual or not self._bytes:
            each = size / sent.uids
            weight = _BYTES_RISE if each > self._bytes else _BYTES_FALL
            self._bytes += (each - self._bytes) * (weight if self._bytes else 1.0)
        while self._given_up and self._given_up[0][0] < sent.number:
            self._given_up.popleft()
        self._spans.append(now - max(self._answered_at, sent.at))
        self._answered_at = now
        self._ceiling.answered(sent.number, sent.in_flight)
        self._size.answered(sent.uids, now - sent.at, now)
        self._judge(sent, now - sent.at, now)

    def timed_out(self, sent: Sent, now: float) -> None:
        """Record a request that timed out: the server may still be working on it."""
        self._end(sent)
        self._given_up.append((sent.number, now + self._timeout))
        self._size.failed(sent.uids, Fault.TIMEOUT, now)
        self._judge(sent, now - sent.at, now)

    def rate_limited(self, sent: Sent, now: float) -> None:
        """Record a request above the rate (HTTP 429), or above the server's capacity.

        The limiter handles the rate. If few requests were sent lately, the rate was not the reason.
        """
        full_pace = len(self._sent_at) == self._sent_at.maxlen
        if full_pace and sent.at - self._sent_at[0] <= _RATE_SECONDS:
            self.dropped(sent, now)
        else:
            self.refused(sent, now)

    def refused(self, sent: Sent, now: float) -> None:
        """Record a request refused for lack of capacity (HTTP 503)."""
        self._ceiling.refused(sent.number, sent.in_flight)
        if self._size.is_trial(sent.uids):
            self._size.failed(sent.uids, Fault.SERVER, now)
        self.dropped(sent, now)

    def failed(self, sent: Sent, fault: Fault, now: float) -> None:
        """Record any other failure; it does not change the limits."""
        self._size.failed(sent.uids, fault, now)
        self.dropped(sent, now)

    def dropped(self, sent: Sent, now: float) -> None:
        """Record a request that ended without a result, such as a cancelled one."""
        self._end(sent)
        self._judge(sent, None, now)

    def _end(self, sent: Sent) -> None:
        self._live.discard(sent)
        self._uids -= sent.uids

    def _judge(self, sent: Sent, seconds: float | None, now: float) -> None:
        """Add a request to its round; once the round is over, adapt the limits."""
        done = sent.round
        if done is None:
            return
        if seconds is not None and sent.usual:
            done.end(sent.in_flight, seconds)
        else:
            done.others += 1
        if not done.over or done.first <= self._changed_after:
            return
        before = self._window.size
        if self._decide(done, now) or self._window.size != before:
            self._changed_after, self._round = self._number, None

    def _decide(self, done: Round, now: float) -> bool:
        """Change the window or the batch size according to a round.

        Returns:
            Whether a new round is to begin even if the window is the same.
        """
        window, size = self._window, self._size
        if window.idle:
            taken = size.compare(done.latencies, now)
            if taken:
                window.rebase(size.latency)
            elif taken is False:
                window.restore(now)
            return True
        if window.halved and size.is_due(now) and window.clear(done):
            return True
        piled_up = self.in_flight > _GROWS * done.in_flight + 2
        window.judge(done, grows=piled_up or self._held_at >= done.first)
        per_second = size.now * done.in_flight / done.seconds
        if window.limit is Limit.RATE and size.accept(per_second, now):
            window.rebase(size.latency)
            return True
        if window.settled and size.leave_if_slower(per_second, now):
            window.rebase(done.seconds)
            return True
        if window.may_halve and (window.test_is_due(now) or size.is_due(now)):
            size.abandon()
            window.halve(now)
        return False

    def _in_time(self, now: float) -> float:
        """Return how many requests are answered within half the timeout at the current pace.

        The longest span between answers is left out: one pause does not make a slow server.
        While there are few answers, the time since the last counts.
        """
        if not self._spans:
            return math.inf
        spans = len(self._spans) - 1
        seconds = sum(self._spans) - max(self._spans)
        if spans < LEAST_ROUND:
            spans, seconds = spans + 1, seconds + now - self._answered_at
        per_second = spans / max(seconds, 1e-3)
        unloaded = self._window.unloaded if math.isfinite(self._window.unloaded) else 0.0
        return per_second * max(_IN_TIME * self._timeout, 1.25 * unloaded) + 1
