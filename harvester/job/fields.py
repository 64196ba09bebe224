"""The kinds of value that a job's keys take, in all the spellings that people use."""

from __future__ import annotations

import re
from datetime import date, time
from pathlib import PurePath
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    field_validator,
)

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def sound(value: object, *, switch: bool) -> object:
    """A value, unless pydantic alone would let pass what cannot be meant, or not explain it.

    Args:
        value: as it was given.
        switch: whether it is to be true or false.

    Raises:
        ValueError: it is true for 1, a date of TOML's own kind, or a name no text file can hold.
    """
    wrong = None
    if isinstance(value, bool) and not switch:
        wrong = "a switch (true or false) stands where another value belongs"
    elif isinstance(value, date | time):
        wrong = 'write it in quotes; a date is like "2001/01/31"'
    elif not all(map(_is_utf8, value if isinstance(value, list) else [value])):
        wrong = "the name is not valid UTF-8; rename it"
    if wrong:
        raise ValueError(wrong)
    return value


def _is_utf8(value: object) -> bool:
    """Python hands on names of Linux that are not, with lone surrogates in them."""
    try:
        return not isinstance(value, str) or value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def _words(value: object) -> object:
    """A comma list as its members, so that `pmc,gene` and `["pmc", "gene"]` are the same."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


def _text(value: object) -> object:
    """Paths are taken as paths, too."""
    if isinstance(value, list | tuple):
        return [_text(one) for one in value]
    return str(value) if isinstance(value, PurePath) else value


def _listed(value: object) -> object:
    value = _text(value)
    return [value] if isinstance(value, str) else value


def _path(name: str) -> str:
    """A name that a file can have, and that can be shown on one line."""
    if not name.strip():
        raise ValueError("a name is empty; a path belongs there")
    if _CONTROLS.search(name):
        raise ValueError("a name holds control characters; rename it")
    return name


def _paths(names: list[str]) -> list[str]:
    return [_path(name) for name in names]


Names = Annotated[list[str], BeforeValidator(_words)]
"""Names of NCBI's, or a text with commas between them."""

PathName = Annotated[str, BeforeValidator(_text), AfterValidator(_path)]
"""One path, as a text or a path."""

PathNames = Annotated[list[str], BeforeValidator(_listed), AfterValidator(_paths)]
"""Several paths, or one."""


class Group(BaseModel):
    """Keys that belong together; an unknown one is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _sound(cls, value: object, info: ValidationInfo) -> object:
        """As `sound` says."""
        field = cls.model_fields[info.field_name or ""]
        return sound(value, switch=field.annotation is bool)
