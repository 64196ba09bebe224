"""Receivers of a run's events: the caller's listeners, a display, or by default the log."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from harvester.api.log import log_to
from harvester.errors import BadInput, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from harvester.events import Listener


@contextmanager
def listening(listeners: Iterable[Listener], *, progress: bool) -> Iterator[list[Listener]]:
    """Context manager. Return the listeners of a run.

    Args:
        listeners: those of the caller.
        progress: whether to show a display as well.

    Returns:
        Context: the listeners; without any, the one that writes to the logger `harvester`.

    Raises:
        BadInput: they are no list of functions.
    """
    given = _functions(listeners)
    if progress:
        with show_progress() as display:
            yield [*given, display]
    else:
        yield given or [log_to()]


def _functions(listeners: object) -> list[Listener]:
    """Return the functions in a list of them."""
    given = list(listeners) if isinstance(listeners, Iterable) else None
    if given is None or not all(map(callable, given)):
        raise BadInput(
            f"listeners: {printable(repr(listeners), 60)} is not a list of functions that are "
            "called with each event; one function is given as [function]."
        )
    return given


def show_progress() -> AbstractContextManager[Listener]:
    """Return the display for the output: a notebook, a terminal, or a file."""
    from harvester.api.display.lines import make_display  # noqa: PLC0415 - if one is wanted
    from harvester.api.display.notebook import NotebookDisplay, in_notebook  # noqa: PLC0415

    if in_notebook():
        return nullcontext(NotebookDisplay())
    return make_display(sys.stderr, quiet=False, verbose=False, as_json=False, says_end=True)
