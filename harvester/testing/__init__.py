"""Tools for tests of code that uses this package: scripted answers and simulated time.

`ScriptedTransport` replaces the network: it answers requests from a script and records them.
`run_in_fake_time` runs a coroutine on a clock that jumps to the next timer, so that an hour of
pauses takes milliseconds, and takes the same course on a busy machine.

Example:
    ```
    from harvester import Eutils
    from harvester.testing import ScriptedTransport, elink_answer

    script = ScriptedTransport([elink_answer("pubmed", {20210808: {"pubmed_gene": [672, 675]}})])
    with script.installed():
        async with Eutils(email="you@example.org", base_url="http://scripted/") as e:
            linked = await e.elink("pubmed", [20210808], db="gene")
    assert linked.by_uid("pubmed_gene") == {20210808: [672, 675]}
    assert script.requests[0].values("id") == ["20210808"]
    ```
"""

from harvester.client.reply import Reply
from harvester.errors import Fault, RequestFailed
from harvester.testing.fake_time import FakeClock, FakeTimeLoop, fake_seconds, run_in_fake_time
from harvester.testing.transport import (
    Answer,
    ScriptedTransport,
    SentRequest,
    Timed,
    elink_answer,
)

__all__ = [
    "Answer",
    "FakeClock",
    "FakeTimeLoop",
    "Fault",
    "Reply",
    "RequestFailed",
    "ScriptedTransport",
    "SentRequest",
    "Timed",
    "elink_answer",
    "fake_seconds",
    "run_in_fake_time",
]
