"""Messages of a command on standard error, controlled by -q, -v and --log-json.

The program gives the three options to every command; they may stand before its name, too.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import rich_click as click
from click import get_current_context

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from harvester.events import Listener

DISTRIBUTION = "elink-harvester"
PANEL = "Messages"
LOG_JSON = "--log-json"

_OPTIONS = {
    "quiet": (["-q", "--quiet"], "only errors, and the result on standard output"),
    "verbose": (["-v", "--verbose"], "also a line for each retry, and the time taken"),
    "log_json": ([LOG_JSON], "one JSON object per line on standard error"),
}
"""Attribute of `Messages` → its option and help."""


@dataclass(slots=True)
class Messages:
    """Messages of a command on standard error.

    Attributes:
        quiet: nothing but the error that ends the command.
        verbose: more.
        log_json: JSON lines.
        begun: when the command began, in monotonic seconds.
    """

    quiet: bool = False
    verbose: bool = False
    log_json: bool = False
    begun: float = field(default_factory=time.monotonic)

    @property
    def words(self) -> list[str]:
        """The options that ask another command for the same."""
        return [words[-1] for name, (words, _) in _OPTIONS.items() if getattr(self, name)]

    def note(self, text: str) -> None:
        """Say what the command did."""
        if self.log_json:
            self._write("Note", message=text)
        elif not self.quiet:
            say(text)

    def warn(self, text: str) -> None:
        """Say what a user must know about the result."""
        if self.log_json:
            self._write("Warned", text=text)
        else:
            self.note(f"Note: {text}")

    def summary(self, text: str) -> None:
        """Say what a run came to; the last event of its JSON lines says it as well."""
        if not self.log_json:
            self.note(text)

    def display(self, *, transient: bool = False) -> AbstractContextManager[Listener]:
        """Return the display of the events of a run.

        Args:
            transient: whether a live display is erased at the end.
        """
        from harvester.api.display.lines import make_display

        return make_display(
            sys.stderr,
            quiet=self.quiet,
            verbose=self.verbose,
            as_json=self.log_json,
            transient=transient,
        )

    def end(self) -> None:
        """With -v, say which program it was and how long it took; JSON lines end with RunEnded."""
        if self.verbose and not self.log_json:
            from importlib.metadata import version
            from platform import platform, python_version

            took = f"{time.monotonic() - self.begun:.1f} s"
            system = f"Python {python_version()}, {platform(terse=True)}"
            self.note(f"harvester {version(DISTRIBUTION)} ({system}) took {took}.")

    def _write(self, event: str, **fields: str) -> None:
        if not self.quiet:
            write_json(event, **fields)


def messages() -> Messages:
    """Return what the options of the current command ask for."""
    return _messages_of(get_current_context())


def write_json(event: str, **fields: Any) -> None:
    """Write one line of --log-json."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    say(json.dumps({"time": now, "event": event, **fields}))


def say(text: str) -> None:
    """Write text to standard error."""
    from harvester.api.display.lines import write_line

    write_line(sys.stderr, text)


def add_message_options(command: click.Command) -> None:
    """Give the three options to a command that does not have them yet."""
    known = {param.name for param in command.params}
    for name, (words, text) in _OPTIONS.items():
        if name not in known:
            option = click.RichOption(
                [name, *words],
                is_flag=True,
                help=text,
                panel=PANEL,
                expose_value=False,
                callback=_keep,
            )
            command.params.append(option)


def _keep(context: click.Context, param: click.Parameter, value: bool) -> None:
    """Note one of the options, before or after the name of the command."""
    said = _messages_of(context)
    if value and param.name and not getattr(said, param.name):
        setattr(said, param.name, True)
        if param.name == "verbose":
            context.find_root().call_on_close(said.end)


def _messages_of(context: click.Context) -> Messages:
    said = context.meta.setdefault(f"{__name__}.messages", Messages())
    assert isinstance(said, Messages)
    return said
