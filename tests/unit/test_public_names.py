"""What `help`, `dir` and `import` show of the package."""

from __future__ import annotations

import inspect
import pydoc

import harvester


def test_help_fits_on_two_screens_and_names_everything_public() -> None:
    text = pydoc.plain(pydoc.render_doc(harvester))
    assert len(text.splitlines()) <= 80
    for name in dir(harvester):
        assert name.startswith("__") or name in text, name


def test_dir_shows_the_public_names_alone_and_each_can_be_imported() -> None:
    names = [name for name in dir(harvester) if name != "__doc__"]
    for name in names:
        assert getattr(harvester, name) is not None
    source = inspect.getsource(harvester)
    typed = source.partition("__all__ = [")[2].partition("]")[0]
    assert sorted(names) == sorted(word.strip('", ') for word in typed.split() if word)
