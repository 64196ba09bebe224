"""Explain an invalid job in one sentence: the place, the problem, and the remedy.

pydantic lists every problem, with its own wording. The first problem is reported, or the first
unknown key, since a misspelt key also explains a missing one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from harvester.errors import BadInput, nearest, printable
from harvester.job.model import Job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


_MISSING = "{name} is missing: give {{field}}, or {key} under [{group}] in the job file."
_UNKNOWN = "unknown key {name}{hint}."
_RULE = "{name}: {rule}."
_RULE_OF_JOB = "{rule}."
_VALUE = "{name}{given}: should be {wanted}{hint}."


@dataclass(frozen=True, slots=True)
class Place:
    """Place of a problem in a job.

    Attributes:
        group: group of the key; `link` within a hop; empty if the whole job is meant.
        key: key within the group; empty if the whole group is meant.
        hop: number of the hop, from 1; 0 outside of hops.
    """

    group: str = ""
    key: str = ""
    hop: int = 0

    @classmethod
    def of(cls, problem: ErrorDetails) -> Place:
        """Return the place of a problem by its `loc`."""
        match problem["loc"]:
            case ("hop", int(number), *rest):
                return cls("link", str(rest[0]) if rest else "", number + 1)
            case (group, key, *_):
                return cls(str(group), str(key))
            case (group,):
                return cls(str(group))
        return cls()

    @property
    def name(self) -> str:
        """Name for the user: `limits.rate`, `limits`, `hop 2: db`, `hop 2`, or nothing."""
        if self.hop:
            return f"hop {self.hop}: {self.key}" if self.key else f"hop {self.hop}"
        return f"{self.group}.{self.key}" if self.key else self.group

    @property
    def field(self) -> str:
        """The field that an option sets, or nothing: keys of hops have no option."""
        return "" if self.hop or not self.key else f"{self.group}.{self.key}"

    def origin(self, origins: Mapping[tuple[str, ...], str]) -> str:
        """Return the origin of the value; by default, the job file."""
        place = (self.group, self.key) if self.key else (self.group,)
        return origins.get(() if self.hop else place, origins.get((), ""))


def explain(
    error: ValidationError, origins: Mapping[tuple[str, ...], str] | None = None
) -> BadInput:
    """Return the error that names the first problem of a job.

    Args:
        error: what validation found.
        origins: (group, key), (group,) or () → text that names where the value comes from, like
            `job.toml: `; () is for all others.
    """
    found = sorted(
        error.errors(include_url=False), key=lambda one: one["type"] != "extra_forbidden"
    )
    place = Place.of(found[0])
    same = [one for one in found if Place.of(one) == place]
    sentence = _EXPLAIN.get(same[0]["type"], _explain_value)(place, same)
    field = "" if same[0]["type"] == "extra_forbidden" else place.field
    return BadInput(place.origin(origins or {}) + sentence, field=field)


def _explain_missing(place: Place, _: Sequence[ErrorDetails]) -> str:
    return _MISSING.format(name=place.name, key=place.key, group=place.group)


def _explain_unknown(place: Place, _: Sequence[ErrorDetails]) -> str:
    return _UNKNOWN.format(
        name=printable(place.name), hint=nearest(place.key, _keys_of(place.group))
    )


def _explain_rule(place: Place, problems: Sequence[ErrorDetails]) -> str:
    """Return the message of one of our own validators."""
    rule = printable(str(problems[0]["ctx"]["error"]))
    return (_RULE if place.name else _RULE_OF_JOB).format(name=place.name, rule=rule)


def _explain_value(place: Place, problems: Sequence[ErrorDetails]) -> str:
    """Return the expected value; a union has a problem for each of its members."""
    value = problems[0]["input"]
    return _VALUE.format(
        name=place.name,
        given=_given(value),
        wanted=" or ".join(map(_wanted, problems)),
        hint=nearest(value, _words(problems)) if isinstance(value, str) else "",
    )


_EXPLAIN: Mapping[str, Callable[[Place, Sequence[ErrorDetails]], str]] = {
    "missing": _explain_missing,
    "extra_forbidden": _explain_unknown,
    "value_error": _explain_rule,
}
"""pydantic's error type → what explains it; all others are values of a wrong type or range."""


def _wanted(problem: ErrorDetails) -> str:
    """Return the expected value from pydantic's message."""
    return re.sub(r"^Input should be |, (unable|got) .*|\.$", "", problem["msg"])


def _words(problems: Sequence[ErrorDetails]) -> list[str]:
    """Return the accepted words."""
    expected = [str(problem.get("ctx", {}).get("expected", "")) for problem in problems]
    return re.findall("'([^']+)'", " ".join(expected))


def _given(value: Any) -> str:
    """Return a wrong value in printable form; other types than plain values may hold a secret."""
    if isinstance(value, str):
        return f" = '{printable(value, 60)}'"
    return f" = {value}" if isinstance(value, int | float) else ""


def _keys_of(group: str) -> list[str]:
    model = Job.model_fields[group].annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return list(model.model_fields)
