"""Types of values in a job, accepted in all usual spellings."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    field_validator,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def checked(value: object, *, switch: bool) -> object:
    """Return a value unless it is a mistake that pydantic would accept or not explain.

    Args:
        value: the value given.
        switch: whether the field is true or false.

    Raises:
        ValueError: a truth value for another field (pydantic takes true for 1), a date of TOML's
            own type, or text that is not valid UTF-8.
    """
    wrong = None
    if isinstance(value, bool) and not switch:
        wrong = "true or false is given where another value is needed"
    elif isinstance(value, date | time):
        wrong = 'write it in quotes; a date is like "2001/01/31"'
    elif not all(map(_is_utf8, value if isinstance(value, list) else [value])):
        wrong = "the name is not valid UTF-8; rename it"
    if wrong:
        raise ValueError(wrong)
    return value


def _is_utf8(value: object) -> bool:
    """Return whether text can be encoded; Linux file names may hold lone surrogates."""
    try:
        return not isinstance(value, str) or value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def _words(value: object) -> object:
    """Split a comma list, so that `pmc,gene` and `["pmc", "gene"]` are the same."""
    if not isinstance(value, str):
        return value
    words = [word.strip() for word in value.split(",") if word.strip()]
    if not words:
        raise ValueError("it holds no name; leave it out to ask for all")
    return words


_DURATION = re.compile(r"(?:(\d+)\s*h)?\s*(?:(\d+)\s*m(?:in)?)?\s*(?:(\d+)\s*s)?", re.ASCII)


def _seconds(value: object) -> object:
    """Return the seconds of a duration such as `2h`, `30m`, `90s` or `1h30m`."""
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value.strip().lower())
    if not found or not any(found.groups()):
        raise ValueError(f"'{value}' is not a duration; write it like 90s, 30m or 2h")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return 3600.0 * hours + 60 * minutes + seconds


def _text(value: object) -> object:
    """Turn paths into texts, in lists too."""
    if isinstance(value, list | tuple):
        return [_text(one) for one in value]
    return str(value) if isinstance(value, PurePath) else value


def _listed(value: object) -> object:
    """Turn one path into a list of paths."""
    value = _text(value)
    return [value] if isinstance(value, str) else value


def _path(name: str) -> str:
    """Return a name if a file can have it and it can be shown on one line."""
    if not name.strip():
        raise ValueError("a name is empty; give a path")
    if _CONTROLS.search(name):
        raise ValueError("a name holds control characters; rename it")
    return name


def _paths(names: list[str]) -> list[str]:
    return [_path(name) for name in names]


Names = Annotated[list[str], BeforeValidator(_words)]
"""Names of NCBI's, as a list or as text separated by commas."""

PathName = Annotated[str, BeforeValidator(_text), AfterValidator(_path)]
"""A path, as text or `pathlib.Path`."""

PathNames = Annotated[list[str], BeforeValidator(_listed), AfterValidator(_paths)]
"""Several paths, or one."""


class Group(BaseModel):
    """Keys that belong together; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Show the keys that differ from their defaults."""
        fields = type(self).model_fields
        for name, value in super().__repr_args__():
            if name not in fields or value != fields[name].get_default():
                yield name, value

    @field_validator("*", mode="before")
    @classmethod
    def _checked(cls, value: object, info: ValidationInfo) -> object:
        field = cls.model_fields[info.field_name or ""]
        return checked(value, switch=field.annotation is bool)


Duration = Annotated[float, BeforeValidator(_seconds)]
"""Seconds; also as text with units, like `2h`."""
