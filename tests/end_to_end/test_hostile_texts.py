"""Malicious texts in responses: never shown, stored or logged unescaped."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import threading
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from support.harness import (
    command,
    environment,
    harvester,
    rows,
    running,
    status,
    wait_until,
    write_uids,
)
from support.malicious_server import Request, response
from support.scenarios import Scenario
from support.timing import FIRST_PROBE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

EVIL = (
    "\x1b]0;owned\x07\x1b[5;31m\x1b[2Jevil \x9b5m\x07\x08\x00<b onclick='x'>bold</b>\r\na line\n"
    "\u202eesrever\u2066\u200b\ufeff\u2028[red]mark[/red]{0}%s"
)
"""Escapes for terminals, with the 8-bit one too; HTML, line ends, controls of direction, markup."""

UIDS = range(11, 31)


def evil(request: Request) -> bytes | None:
    """Malicious text in an ERROR of all, of a LinkSet, of a LinkSetDb, and in a name."""
    if request.utility != "elink.fcgi" or not request.uids & {11, 12, 13, 14}:
        return None
    found: dict[str, Any] = {"dbfrom": "pubmed", "ids": [str(min(request.uids))]}
    links: dict[str, Any] = {"dbto": "pmc", "linkname": "pubmed_pmc", "links": ["7"]}
    if 11 in request.uids:
        return response(json.dumps({"linksets": [], "ERROR": EVIL}).encode())
    match min(request.uids):
        case 12:
            found["ERROR"] = EVIL
        case 13:
            found["linksetdbs"] = [{"dbto": "pmc", "linkname": "pubmed_pmc", "ERROR": EVIL}]
        case 14:
            found["linksetdbs"] = [links | {"linkname": EVIL}]
    return response(json.dumps({"linksets": [found]}).encode())


def assert_printable(text: str, but: str = "\n") -> None:
    """Assert that there are no control characters but `expected`, and none without width or of
    direction.
    """
    wild = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")}
    assert wild <= set(but), (wild, text)


def command_line(folder: Path, base_url: str, *options: object) -> list[object]:
    """Return the command line of a harvest in which four UIDs have malicious answers."""
    return [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", base_url, "--rate=200", "--batch-size=1", "--max-attempts=2",
        "-o", folder / "out", *options,
    ]  # fmt: skip


def assert_reasons_printable(out: Path) -> None:
    """Assert that the stored reasons quote the texts in printable form."""
    reasons = {row["from_uid"]: row["reason"] for row in rows(out, "uids").to_pylist()}
    assert {uid for uid, reason in reasons.items() if reason} == {11, 12, 13, 14}
    for uid in (11, 12, 13):
        assert "evil" in reasons[uid]
        assert "bold" in reasons[uid]
    for reason in filter(None, reasons.values()):
        assert_printable(reason, but="")
    for row in rows(out, "links").to_pylist():
        assert row["linkname"].isidentifier()


def in_lines(servers: Servers, folder: Path, *talk: str) -> None:
    """Plain lines, JSON lines and `status` are printable."""
    malicious = servers.malicious_server(servers.start(), evil)
    finished = servers.harvester(*command_line(folder, malicious.base_url, *talk))
    assert finished.code == 3, finished.err
    assert "evil" in finished.err
    assert_printable(finished.output)
    for line in finished.err.splitlines() if "--log-json" in talk else ():
        assert_printable(json.dumps(json.loads(line), ensure_ascii=False))
    assert_reasons_printable(folder / "out")
    for form in ((), ("--json",)):
        assert_printable(harvester("status", folder / "out", *form).out)


def on_a_terminal(servers: Servers, folder: Path) -> None:
    """The display has its own escape sequences and none of the server's."""
    malicious = servers.malicious_server(servers.start(), evil)
    ours, theirs = pty.openpty()
    seen = bytearray()

    def watch() -> None:
        try:
            while data := os.read(ours, 1 << 16):
                seen.extend(data)
        except OSError:
            pass  # the other side is closed

    watcher = threading.Thread(target=watch)
    watcher.start()
    done = subprocess.run(
        command(*command_line(folder, malicious.base_url, "-v")),
        stdin=subprocess.DEVNULL, stderr=theirs, timeout=300, check=False,
        env=environment(TERM="xterm-256color", COLUMNS="200"),
    )  # fmt: skip
    os.close(theirs)
    watcher.join(30)
    os.close(ours)
    assert done.returncode == 3
    text = seen.decode("utf-8", "replace")
    assert "evil" in text
    for part in ("\x1b]0", "\x1b[5", "\x1b[2J", "\x07", "\x08", "\x9b", "\x00", "\u202e", "\u2066"):
        assert part not in text, part
    assert "[red]mark[/red]" in text, "markup was understood"
    assert_reasons_printable(folder / "out")


def while_it_waits(servers: Servers, folder: Path) -> None:
    """The reason of an outage is printable, also in `status`."""
    error = json.dumps({"linksets": [], "ERROR": EVIL}).encode()
    down = {"elink.fcgi": response(error), "einfo.fcgi": response(b"", status="503 No")}
    malicious = servers.malicious_server(servers.start(), lambda request: down[request.utility])
    soon = {FIRST_PROBE: 0.2}
    with running(
        *command_line(folder, malicious.base_url), err=folder / "err", patches=soon
    ) as command:
        wait_until(lambda: "not answering" in command.stderr(), "it waits")
        wait_until(lambda: status(folder / "out")["waiting"], "status says so")
        assert_printable(status(folder / "out")["waiting"], but="")
        command.signal(signal.SIGINT)
        ended = command.ended(30.0)
    assert ended.code == 130, ended.err
    assert "evil" in ended.err
    assert_printable(ended.err)


def of_einfo(servers: Servers, folder: Path) -> None:
    """A malicious name from EInfo is printable where it is suggested for a misspelt one."""

    def names(request: Request) -> bytes:
        linked = [{"name": f"pubmed_pmc{EVIL[:3]}", "dbto": f"pmc{EVIL}"}]
        found = {
            "dblist": ["pubmed", "pmc", f"gnee{EVIL[:4]}"],
            "dbinfo": [{"dbname": "pubmed", "linklist": linked}],
        }
        return response(json.dumps({"einforesult": found}).encode())

    malicious = servers.malicious_server(servers.start(), names)
    for option in ("--db=gnee", "--linkname=pubmed_pmcc"):
        refused = servers.harvester(*command_line(folder, malicious.base_url, option))
        assert refused.code == 2, refused.err
        assert option.partition("=")[2] in refused.err
        assert_printable(refused.err)


SCENARIOS = [
    Scenario(in_lines, "-v"),
    Scenario(in_lines, "-v", "--log-json"),
    Scenario(on_a_terminal),
    Scenario(while_it_waits),
    Scenario(of_einfo),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_malicious_texts_are_printable(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
