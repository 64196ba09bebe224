"""Load a job from its four origins: option, environment, job file, default, in this order.

Every error becomes one sentence that names the thing and the remedy, before any request.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import tomli_w
from pydantic import ValidationError

from harvester.errors import BadInput, nearest, printable
from harvester.job.chain import first_hop
from harvester.job.environment import VARIABLES, with_environment
from harvester.job.explain import explain
from harvester.job.fields import Group
from harvester.job.groups import STDIN, Access
from harvester.job.model import Job
from harvester.model.place import folder_of, is_url, url_of

if TYPE_CHECKING:
    from collections.abc import Mapping

M = TypeVar("M", bound=Group)

Settings = dict[str, dict[str, Any]]
"""Group → key → value, as in a job file."""

GROUPS = tuple(name for name in Job.model_fields if name != "hop")
"""The groups whose keys are options as well."""

_API_KEY = re.compile(r"^(ncbi[-_ ]?)?key$|api[-_ ]?key", re.IGNORECASE)


def load(path: Path) -> Settings:
    """Return the settings of a TOML job file.

    Raises:
        BadInput: unreadable, not TOML, an unknown group or key, or an API key in it.
    """
    name = printable(str(path))
    found = _read_toml(path, name)
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
        elif group == "source" and "uids" in keys:
            raise BadInput(
                f"{name}: source.uids is for Python; write the UIDs into a file, for source.ids."
            )
    return found


def build(
    options: Settings | None = None,
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Job:
    """Return the job that options, the environment and a job file describe.

    Raises:
        BadInput: a value is wrong or missing; names it and the remedy.
    """
    merged, hops = _Merged(GROUPS), list[Any]()
    if path:
        found = load(path)
        hops = found.pop("hop", hops)  # type: ignore[assignment]
        if hops:  # now, so that options change the first hop and do not add one
            found["link"], hops = first_hop(found.get("link", {}), hops)
        merged.take_file(path, found)
    merged.take_environment(environ)
    merged.take(options or {})
    return merged.validate(Job, hop=hops)


def build_access(settings: Settings, environ: Mapping[str, str] = os.environ) -> Access:
    """Return the connection settings for work without a job.

    Args:
        settings: of the groups contact, server and limits.
        environ: sets what they do not.

    Raises:
        BadInput: a value is wrong; names it and the remedy.
    """
    merged = _Merged(tuple(Access.model_fields))
    merged.take_environment(environ)
    merged.take(settings)
    return merged.validate(Access)


def resolve(job: Job, environ: Mapping[str, str] = os.environ) -> Job:
    """Return a job with absolute paths and with the settings from the environment.

    Raises:
        BadInput: a path begins with an unknown home directory, or a variable is wrong.
    """
    return absolute(with_environment(job, environ))


def load_kept(path: Path, options: Settings | None = None) -> Job:
    """Return the job kept in a harvest's folder, with that folder as its output.

    Args:
        path: the folder's `job.toml`.
        options: values that replace those that are kept.

    Raises:
        BadInput: it is missing or wrong.
    """
    return absolute(build({**(options or {}), "output": {"path": str(path.parent)}}, path))


def dump(job: Job) -> str:
    """Return the job as TOML, without secrets."""
    exclude = None if job.hop else {"hop"}
    said = job.model_dump(mode="json", exclude_none=True, exclude=exclude)
    for group, key in (("output", "path"), ("source", "run")):
        if path := said[group].get(key):
            said[group][key] = url_of(Path(path)) or path  # otherwise unchanged: `out/`
    return tomli_w.dumps(said)


def absolute(job: Job) -> Job:
    """Return the job with absolute paths.

    Raises:
        BadInput: a path begins with an unknown home directory.
    """

    def whole(name: str) -> str:
        if is_url(name):
            return str(folder_of(name))
        try:
            return name if name == STDIN else str(Path(name).expanduser().absolute())
        except RuntimeError as error:
            raise BadInput(
                f"The home directory in '{name}' does not exist. Use an absolute path."
            ) from error

    ids = [whole(name) for name in job.source.ids]
    run = None if job.source.run is None else whole(job.source.run)
    return job.model_copy(
        update={
            "source": job.source.model_copy(update={"ids": ids, "run": run}),
            "output": job.output.model_copy(update={"path": whole(job.output.path)}),
        }
    )


@dataclass
class _Merged:
    """Settings of several origins; those taken later win.

    Attributes:
        groups: names of the groups to keep.
        settings: group → key → value.
        origins: see `explain`.
    """

    groups: tuple[str, ...]
    settings: Settings = field(default_factory=dict)
    origins: dict[tuple[str, ...], str] = field(default_factory=dict)

    def take(self, settings: Settings, origin: str = "") -> None:
        for group, keys in settings.items():
            self.settings.setdefault(group, {}).update(keys)
            self.origins.update(dict.fromkeys([(group,), *((group, key) for key in keys)], origin))

    def take_file(self, path: Path, settings: Settings) -> None:
        self.origins[()] = f"{printable(str(path))}: "
        self.take(settings, self.origins[()])

    def take_environment(self, environ: Mapping[str, str]) -> None:
        for variable, (group, key) in VARIABLES.items():
            if environ.get(variable):
                self.take({group: {key: environ[variable]}}, f"{variable}: ")

    def validate(self, model: type[M], **more: Any) -> M:
        given = {group: self.settings.get(group, {}) for group in self.groups}
        try:
            return model.model_validate({**given, **more})
        except ValidationError as error:
            raise explain(error, self.origins) from None


def _read_toml(path: Path, name: str) -> Settings:
    if path.is_dir():
        raise BadInput(
            f"{name} is a folder, not a job file. If it holds a harvest, go on with it: "
            f"harvester resume {name}"
        )
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        if path.suffix.lower() != ".toml":
            raise BadInput(
                f"{name} is not a job file (a TOML file). To read UIDs from it, write --ids {name}."
            ) from error
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


def _holds_api_key(found: object) -> bool:
    """Return whether a key at any depth is named API key, or an address contains one."""
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
