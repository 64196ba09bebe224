"""The E-utilities without `await`."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harvester import Eutils
from harvester.api.portal import Portal
from harvester.api.sync_eutils import SyncEutils
from harvester.errors import BadInput, HarvestError
from harvester.testing import Reply, ScriptedTransport, elink_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.testing import SentRequest

GENES = {1: {"pubmed_gene": [11, 12]}}
FOUND = (
    b'{"esearchresult": {"count": "3", "retmax": "3", "retstart": "0", "idlist": ["7", "8", "9"],'
    b' "webenv": "W", "querykey": "1"}}'
)


def _answer(request: SentRequest) -> bytes:
    return elink_answer("pubmed", GENES) if "elink" in request.path else FOUND


@pytest.fixture
def script() -> Iterator[ScriptedTransport]:
    script = ScriptedTransport(_answer)
    with script.installed():
        yield script


def _sync(**more: Any) -> SyncEutils:
    return Eutils.sync(base_url="http://scripted/", **more)


def _portals() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "harvester portal"]


def test_calls_return_their_results(script: ScriptedTransport) -> None:
    with _sync() as eutils:
        assert eutils.elink("pubmed", 1, db="gene").by_uid() == {1: [11, 12]}
        assert eutils.esearch("pubmed", "asthma").ids == [7, 8, 9]
        assert list(eutils.search_all("pubmed", "asthma")) == [7, 8, 9]
    assert not _portals()


def test_every_method_of_eutils_is_there() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(SyncEutils) == public(Eutils) - {"sync"}
    assert SyncEutils.elink.__doc__ == Eutils.elink.__doc__


def test_it_prints_its_server() -> None:
    assert repr(_sync(api_key="0" * 36)) == "SyncEutils('http://scripted/')"


async def test_it_works_beside_a_running_loop(script: ScriptedTransport) -> None:
    """As in a notebook."""
    asyncio.get_running_loop()
    with _sync() as eutils:
        assert eutils.elink("pubmed", 1, db="gene").by_uid() == {1: [11, 12]}


def test_several_threads_may_ask(script: ScriptedTransport) -> None:
    found: list[dict[Any, Any]] = []
    with _sync() as eutils:

        def ask() -> None:
            found.append(eutils.elink("pubmed", 1, db="gene").by_uid())

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [{1: [11, 12]}] * 4


def test_errors_are_those_of_eutils() -> None:
    script = ScriptedTransport(lambda _: Reply(400, {}, b'{"error":"API key invalid"}'))
    with script.installed(), _sync() as eutils:
        with pytest.raises(BadInput, match="not a UID"):
            eutils.elink("pubmed", "x", db="gene")
        with pytest.raises(HarvestError, match="API key"):
            eutils.elink("pubmed", 1, db="gene")
    assert not _portals()


def test_outside_of_its_block_it_is_not_connected(script: ScriptedTransport) -> None:
    eutils = _sync()
    for _ in range(2):
        with pytest.raises(BadInput, match=r"use it inside `with Eutils.sync\(...\) as e:`"):
            eutils.elink("pubmed", 1, db="gene")
        with eutils:
            assert eutils.elink("pubmed", 1, db="gene").links().num_rows == 2


def test_a_search_may_be_left_early(script: ScriptedTransport) -> None:
    with _sync() as eutils:
        assert next(eutils.search_all("pubmed", "asthma")) == 7
    assert not _portals()


@pytest.mark.skipif(sys.platform == "win32", reason="no signal can be sent to a thread there")
def test_an_interrupt_ends_the_call_and_its_requests() -> None:
    asked, cancelled = threading.Event(), threading.Event()

    async def wait() -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    def interrupt() -> None:
        asked.wait()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with Portal() as portal:
        with pytest.raises(KeyboardInterrupt):
            portal.call(wait())
        assert cancelled.is_set()
        assert portal.call(asyncio.sleep(0, "goes on")) == "goes on"
    thread.join()
    assert not _portals()
