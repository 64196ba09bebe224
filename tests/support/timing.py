"""Constants of the program that tests shorten, each named once, and frequent sets of them.

Tests pass them as `patches`; see `support.patched`. A name that the program no longer has is an
error there.
"""

from __future__ import annotations

COMMIT = "harvester.store.committer.COMMIT_SECONDS"
"""Between commits."""
TICK = "harvester.store.committer.TICK_SECONDS"
"""Between looks at whether to commit."""
BACKOFF = "harvester.client.backoff.BACKOFF_SECONDS"
"""Before the first retry of a request."""
FIRST_PROBE = "harvester.client.backoff.FIRST_SECONDS"
LONGEST_PROBE = "harvester.client.backoff.LONGEST_SECONDS"
"""Between probes during an outage: the first interval, and the longest."""
DRAIN = "harvester.engine.engine.DRAIN_SECONDS"
"""For answers in flight once a run is stopped."""
NAP = "harvester.engine.engine._NAP_SECONDS"
"""Between looks at the wall clock."""

OFTEN: dict[str, float] = {COMMIT: 0.2, TICK: 0.05}
"""Commit several times a second, so that a run killed after one has committed something."""

ALWAYS: dict[str, float] = {COMMIT: 0.05, TICK: 0.02}
"""Commit nearly every answer by itself."""

IMPATIENT: dict[str, float] = {BACKOFF: 0.02}
"""Retry nearly at once."""

SOON: dict[str, float] = {FIRST_PROBE: 0.3, LONGEST_PROBE: 0.6}
"""Probe often during an outage."""
