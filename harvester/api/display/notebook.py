"""The display in a notebook: one output of the cell, replaced as the run goes on."""

from __future__ import annotations

import html
import sys
import time
from importlib import import_module
from typing import Any

from harvester import events
from harvester.wording import for_python, line, opening, waiting

_SECONDS = 0.5
"""Seconds between updates: each is a message to the browser, and is stored in the notebook."""

_WARNINGS = 5
"""Maximum number of warnings shown."""


def in_notebook() -> bool:
    """Return whether this code runs in a kernel, whose outputs a notebook shows."""
    interactive: Any = sys.modules.get("IPython")
    shell = interactive and interactive.get_ipython()
    return getattr(shell, "kernel", None) is not None


class NotebookDisplay:
    """Listener that shows the running counts; needs IPython, which every kernel has."""

    def __init__(self) -> None:
        self._tally = events.Tally(time.monotonic)
        self._opening = ""
        self._state = ""
        self._warnings: list[str] = []
        self._handle: Any = None
        self._next = 0.0

    def __call__(self, event: events.Event) -> None:
        """Count one event, and replace the output if that is due."""
        self._tally(event)
        match event:
            case events.RunStarted():
                self._opening = opening(event)
            case events.Warned():
                self._warnings = [*self._warnings, event.text][-_WARNINGS:]
            case events.RunEnded():
                self._state = event.state
            case events.Waiting() | events.Resumed():
                pass
            case _ if time.monotonic() < self._next:
                return
        self._show()

    def _show(self) -> None:
        self._next = time.monotonic() + _SECONDS
        if self._handle is None:
            ipython: Any = import_module("IPython.display")  # only notebooks have IPython
            self._handle = ipython.display(self, display_id=True)
        else:
            self._handle.update(self)

    def _lines(self) -> list[str]:
        tally = self._tally
        found = [self._opening, line(tally) if tally.server else "", *self._warnings]
        if tally.waiting is not None:
            found.append(for_python(waiting(tally.waiting)))
        return [text for text in [*found, self._state] if text]

    def __repr__(self) -> str:
        """Return the text for outputs without HTML."""
        return "\n".join(self._lines())

    def _repr_html_(self) -> str:
        """Return a bar and the lines; texts of the server are escaped."""
        tally = self._tally
        bar = f'<progress max="{max(tally.total, 1)}" value="{tally.done}" style="width: 100%">'
        return f"{bar}</progress><pre>{html.escape(repr(self))}</pre>"
