"""A job from its four origins: option, environment, job file, default, in this order.

Whatever is wrong becomes one sentence that names the thing and the remedy, before any request.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
from pydantic import BaseModel, ValidationError

from harvester.errors import BadInput, nearest, printable
from harvester.job.groups import STDIN
from harvester.job.model import Job
from harvester.job.ncbi import BASE_URL as NCBI
from harvester.job.ncbi import RATE_WITH_KEY, RATE_WITHOUT_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

Settings = dict[str, dict[str, Any]]
"""Group → key → value, as in a job file."""

GROUPS = tuple(name for name in Job.model_fields if name != "hop")
"""Those whose keys are options, too."""

_API_KEY = re.compile(r"^(ncbi[-_ ]?)?key$|api[-_ ]?key", re.IGNORECASE)
_ENVIRONMENT = {"NCBI_EMAIL": ("contact", "email"), "HARVESTER_BASE_URL": ("server", "base_url")}


def api_key(environ: Mapping[str, str] = os.environ) -> str | None:
    """The key, from `NCBI_API_KEY` alone.

    Raises:
        BadInput: it has blanks or line ends inside; the key itself is not repeated.
    """
    key = environ.get("NCBI_API_KEY", "").strip()
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise BadInput("NCBI_API_KEY holds blanks or other characters that no API key has.")
    return key or None


def load(path: Path) -> Settings:
    """The settings of a TOML job file.

    Raises:
        BadInput: unreadable, not TOML, an unknown group or key, or a key that must not be there.
    """
    name = printable(str(path))
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(
            f"The job file {name} is not valid TOML: {printable(str(error))}."
        ) from error
    except UnicodeDecodeError as error:
        raise BadInput(f"The job file {name} cannot be read: it is not UTF-8 text.") from error
    except RecursionError as error:
        raise BadInput(f"The job file {name} is no job: it is nested too deeply.") from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not the text of a job"
        raise BadInput(f"The job file {name} cannot be read: {why}.") from error
    if _holds_api_key(found):
        raise BadInput(
            f"{name}: an API key does not belong in a job file; "
            "set the environment variable NCBI_API_KEY instead."
        )
    for group, keys in found.items():
        if group not in Job.model_fields:
            hint = nearest(group, Job.model_fields)
            raise BadInput(f"{name}: unknown group [{printable(group)}]{hint}.")
        if group == "hop":
            if not (isinstance(keys, list) and all(isinstance(hop, dict) for hop in keys)):
                raise BadInput(f"{name}: each hop begins with [[hop]] on a line.")
        elif not isinstance(keys, dict):
            raise BadInput(f"{name}: [{group}] is a group of keys, like [{group}] on a line.")
    return found


def build(
    options: Settings | None = None,
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Job:
    """The job of some options, the environment and a job file.

    Raises:
        BadInput: a value is wrong, missing or not permitted; names it and the remedy.
    """
    settings: Settings = {group: {} for group in GROUPS}
    hops: Any = []
    origins: dict[tuple[str, ...], str] = {}

    def take(origin: str, group: str, keys: dict[str, Any]) -> None:
        settings[group].update(keys)
        origins.update(dict.fromkeys([(group,), *((group, key) for key in keys)], origin))

    if path:
        origins[()] = f"{printable(str(path))}: "
        found = load(path)
        hops = found.pop("hop", [])
        for group, keys in found.items():
            take(origins[()], group, keys)
    for variable, (group, key) in _ENVIRONMENT.items():
        if environ.get(variable):
            take(f"{variable}: ", group, {key: environ[variable]})
    for group, keys in (options or {}).items():
        take("", group, keys)
    try:
        job = Job.model_validate({**settings, "hop": hops})
    except ValidationError as error:
        raise BadInput(_sentence(error, origins)) from None
    _permitted(job, with_key=api_key(environ) is not None)
    return job


def load_kept(path: Path) -> Job:
    """Return the job kept in a harvest's folder, with that folder as its output.

    Args:
        path: the folder's `job.toml`.

    Raises:
        BadInput: it is missing or wrong.
    """
    return absolute(build({"output": {"path": str(path.parent)}}, path))


def dump(job: Job) -> str:
    """The job as resolved, as TOML without secrets."""
    exclude = None if job.hop else {"hop"}
    return tomli_w.dumps(job.model_dump(mode="json", exclude_none=True, exclude=exclude))


def absolute(job: Job) -> Job:
    """The job with paths that mean the same from every folder.

    Raises:
        BadInput: a path begins with the home of nobody.
    """

    def whole(name: str) -> str:
        try:
            return name if name == STDIN else str(Path(name).expanduser().absolute())
        except RuntimeError as error:
            raise BadInput(f"{name}: there is no such home; write the path out.") from error

    ids = [whole(name) for name in job.source.ids]
    run = None if job.source.run is None else whole(job.source.run)
    return job.model_copy(
        update={
            "source": job.source.model_copy(update={"ids": ids, "run": run}),
            "output": job.output.model_copy(update={"path": whole(job.output.path)}),
        }
    )


def _permitted(job: Job, *, with_key: bool) -> None:
    if not job.server.is_ncbi:
        return
    if not job.server.base_url.startswith("https:"):
        raise BadInput(
            "server.base_url: NCBI is asked over https, so that nobody on the way reads the "
            f"API key; give {NCBI}, or leave it out."
        )
    if job.contact.email is None:
        raise BadInput(
            "NCBI wants an email address of whoever asks: give --email, "
            "or set the environment variable NCBI_EMAIL."
        )
    allowed = RATE_WITH_KEY if with_key else RATE_WITHOUT_KEY
    if (job.limits.rate or 0) > allowed and not job.limits.rate_granted:
        key = "" if with_key else " without an API key (NCBI_API_KEY)"
        raise BadInput(
            f"NCBI permits {allowed:g} requests a second{key}, not {job.limits.rate:g}; "
            "if it has granted you more, add --rate-granted."
        )


def _holds_api_key(found: object) -> bool:
    """Whether a name at any depth says API key, or an address carries one."""
    waiting = [found]
    while waiting:
        match waiting.pop():
            case dict() as keys:
                if any(_API_KEY.search(key) for key in keys):
                    return True
                waiting += keys.values()
            case list() as values:
                waiting += values
            case str() as text if "api_key=" in text:
                return True
    return False


def _sentence(error: ValidationError, origins: Mapping[tuple[str, ...], str]) -> str:
    """The first thing that is wrong, in one sentence that begins with where it stands."""
    problems = error.errors(include_url=False)
    # A misspelt key explains what is missing.
    first, *others = sorted(problems, key=lambda one: one["type"] != "extra_forbidden")
    place = tuple(map(str, first["loc"]))
    where = origins.get(place[:2], origins.get((), ""))
    group, key = (*place, "", "")[:2]
    name = f"{group}.{key}" if key else group
    if group == "hop" and key:
        group, key = "link", (*place, "")[2]
        name = f"hop {int(place[1]) + 1}: {key}"
    option = f"--{'out' if name == 'output.path' else key.replace('_', '-')}"
    match first["type"]:
        case "missing":
            said = f"{name} is missing: give {option}, or {key} under [{group}] in the job file."
        case "extra_forbidden":
            said = f"unknown key {printable(name)}{nearest(key, _keys(group))}."
        case "value_error":
            said = f"{name}: " if name else ""
            said += f"{printable(str(first['ctx']['error']))}."
        case _:
            same = [first, *(other for other in others if other["loc"][:2] == first["loc"][:2])]
            wanted, words = " or ".join(map(_wanted, same)), _words(same)
            hint = nearest(first["input"], words) if isinstance(first["input"], str) else ""
            said = f"{name}{_given(first['input'])}: should be {wanted}{hint} (option {option})."
    return where + said


def _wanted(problem: ErrorDetails) -> str:
    """What should stand there, without pydantic's account of how it tried."""
    return re.sub(r"^Input should be |, (unable|got) .*|\.$", "", problem["msg"])


def _words(problems: Iterable[ErrorDetails]) -> list[str]:
    """The words that could stand there."""
    expected = [str(problem.get("ctx", {}).get("expected", "")) for problem in problems]
    return re.findall("'([^']+)'", " ".join(expected))


def _given(value: object) -> str:
    """A wrong value as it may be shown; whatever is no plain value may hold anything."""
    if isinstance(value, str):
        return f" = '{printable(value, 60)}'"
    return f" = {value}" if isinstance(value, int | float) else ""


def _keys(group: str) -> list[str]:
    model = Job.model_fields[group].annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return list(model.model_fields)
