"""Simulated machines: network namespaces with different clocks, joined to one hub."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HUB_ADDRESS = "10.77.0.1"
"""Of the hub, as all hosts see it."""


@dataclass(frozen=True)
class Host:
    """One simulated machine.

    Attributes:
        prefix: command that runs another one on it.
    """

    prefix: tuple[str, ...]


def require_hosts() -> None:
    """Skip the test if no namespaces can be made."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    for tool in ("ip", "unshare", "faketime"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (Debian: iproute2, util-linux, faketime)")
    if subprocess.run(["unshare", "-n", "-T", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system permits no namespaces")


@contextmanager
def hosts(number: int) -> Iterator[tuple[Host, list[Host]]]:
    """Yield a hub and hosts that reach it. All monotonic and wall clocks differ."""
    require_hosts()
    names = [f"hub{os.getpid()}", *(f"h{index}-{os.getpid()}" for index in range(number))]
    hub = names[0]
    with ExitStack() as stack:
        for name in names:
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", hub, "address", "add", f"{HUB_ADDRESS}/32", "dev", "lo")
        for index, name in enumerate(names[1:], 1):
            near, far = f"10.77.{index}.1", f"10.77.{index}.2"
            _ip("link", "add", "up0", "netns", name, "type", "veth", "peer", f"down{index}",
                "netns", hub)  # fmt: skip
            for where, device, own in ((hub, f"down{index}", near), (name, "up0", far)):
                _ip("-n", where, "address", "add", f"{own}/24", "dev", device)
                _ip("-n", where, "link", "set", device, "up")
            _ip("-n", name, "route", "add", "default", "via", near)
        yield (
            Host(("ip", "netns", "exec", hub)),
            [
                Host(
                    (
                        "ip", "netns", "exec", name,
                        "unshare", "-T", f"--monotonic={86_400 * 3 * index}",
                        "env", "FAKETIME_DONT_FAKE_MONOTONIC=1",
                        "faketime", "-f", f"{5 * index - 7:+d}h",
                    )
                )
                for index, name in enumerate(names[1:])
            ],
        )  # fmt: skip


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
