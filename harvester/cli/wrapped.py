"""Lines no wider than the terminal."""

from __future__ import annotations

import shutil
import textwrap

_WIDEST, _NARROWEST = 120, 50


def wrapped(begin: str, text: str) -> list[str]:
    """Return a text in lines, the first after its label, the others below the text.

    Args:
        begin: the label, padded with blanks.
        text: words; none is broken, so that paths and commands stay whole.
    """
    width = min(shutil.get_terminal_size((100, 24)).columns, _WIDEST)
    return textwrap.wrap(
        text,
        max(width, _NARROWEST),
        initial_indent=begin,
        subsequent_indent=" " * len(begin),
        break_long_words=False,
        break_on_hyphens=False,
    )
