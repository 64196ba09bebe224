"""Settings and fixtures of all tests."""

from __future__ import annotations

import inspect
import signal
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import aiohttp
import aioresponses.core
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell ignores it for what runs in the background; the program then does so, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Test servers run in a thread. While another thread computes, they answer 57 requests a second
# with Python's 5 ms, and 500 with this.
sys.setswitchinterval(0.0002)

# No deadline: how long one example takes says more about the machine than about the code.
settings.register_profile("quick", max_examples=60, deadline=None)
settings.register_profile("thorough", max_examples=2000, deadline=None)
settings.load_profile("quick")


class _Response(aiohttp.ClientResponse):
    """aioresponses 0.7.9 knows nothing of the stream writer that aiohttp 3.14 asks for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"stream_writer": Mock(output_size=0), **kwargs})


if "stream_writer" in inspect.signature(aiohttp.ClientResponse.__init__).parameters:
    setattr(aioresponses.core, "ClientResponse", _Response)  # noqa: B010 - it is not exported


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the shared rate limit and caches of the tests apart from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield
