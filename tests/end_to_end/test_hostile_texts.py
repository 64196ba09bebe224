"""Texts that mean harm to whoever reads them: none is shown, kept or logged as it came."""

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
    """An ERROR of the whole, of a LinkSet, of a LinkSetDb, and a name, for one UID each."""
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


def assert_tame(text: str, but: str = "\n") -> None:
    """No control character but those expected, none of direction, none without a width."""
    wild = {char for char in text if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")}
    assert wild <= set(but), (wild, text)


def words(folder: Path, base_url: str, *options: object) -> list[object]:
    """A harvest of UIDs of which four have no good answer."""
    return [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", base_url, "--rate=200", "--batch-size=1", "--max-attempts=2",
        "-o", folder / "out", *options,
    ]  # fmt: skip


def assert_reasons_tame(out: Path) -> None:
    """The reasons that are kept tell of the texts, in a form that can be shown."""
    reasons = {row["from_uid"]: row["reason"] for row in rows(out, "uids").to_pylist()}
    assert {uid for uid, reason in reasons.items() if reason} == {11, 12, 13, 14}
    for uid in (11, 12, 13):
        assert "evil" in reasons[uid]
        assert "bold" in reasons[uid]
    for reason in filter(None, reasons.values()):
        assert_tame(reason, but="")
    for row in rows(out, "links").to_pylist():
        assert row["linkname"].isidentifier()


def in_lines(servers: Servers, folder: Path, *talk: str) -> None:
    """As plain lines, or as JSON; and in what `status` says afterwards."""
    malicious = servers.malicious_server(servers.start(), evil)
    finished = servers.harvester(*words(folder, malicious.base_url, *talk))
    assert finished.code == 3, finished.err
    assert "evil" in finished.err
    assert_tame(finished.output)
    for line in finished.err.splitlines() if "--log-json" in talk else ():
        assert_tame(json.dumps(json.loads(line), ensure_ascii=False))
    assert_reasons_tame(folder / "out")
    for form in ((), ("--json",)):
        assert_tame(harvester("status", folder / "out", *form).out)


def on_a_terminal(servers: Servers, folder: Path) -> None:
    """The display draws with escapes of its own; none is the server's."""
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
        command(*words(folder, malicious.base_url, "-v")),
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
    assert_reasons_tame(folder / "out")


def while_it_waits(servers: Servers, folder: Path) -> None:
    """What is said of an outage, also by `status`, is what the server said, made tame."""
    error = json.dumps({"linksets": [], "ERROR": EVIL}).encode()
    down = {"elink.fcgi": response(error), "einfo.fcgi": response(b"", status="503 No")}
    malicious = servers.malicious_server(servers.start(), lambda request: down[request.utility])
    soon = {FIRST_PROBE: 0.2}
    with running(*words(folder, malicious.base_url), err=folder / "err", patches=soon) as command:
        wait_until(lambda: "not answering" in command.stderr(), "it waits")
        wait_until(lambda: status(folder / "out")["waiting"], "status says so")
        assert_tame(status(folder / "out")["waiting"], but="")
        command.signal(signal.SIGINT)
        ended = command.ended(30.0)
    assert ended.code == 130, ended.err
    assert "evil" in ended.err
    assert_tame(ended.err)


def of_einfo(servers: Servers, folder: Path) -> None:
    """The names that EInfo tells, where one of them is the nearest to a misspelt one."""

    def names(request: Request) -> bytes:
        linked = [{"name": f"pubmed_pmc{EVIL[:3]}", "dbto": f"pmc{EVIL}"}]
        found = {
            "dblist": ["pubmed", "pmc", f"gnee{EVIL[:4]}"],
            "dbinfo": [{"dbname": "pubmed", "linklist": linked}],
        }
        return response(json.dumps({"einforesult": found}).encode())

    malicious = servers.malicious_server(servers.start(), names)
    for option in ("--db=gnee", "--linkname=pubmed_pmcc"):
        refused = servers.harvester(*words(folder, malicious.base_url, option))
        assert refused.code == 2, refused.err
        assert option.partition("=")[2] in refused.err
        assert_tame(refused.err)


SCENARIOS = [
    Scenario(in_lines, "-v"),
    Scenario(in_lines, "-v", "--log-json"),
    Scenario(on_a_terminal),
    Scenario(while_it_waits),
    Scenario(of_einfo),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_it_is_tame(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
