"""The options of `harvester run`, made from the fields of the job: each is stated once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args, get_origin

import rich_click as click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.job.load import Settings

PANELS = {
    "link": "Links",
    "source": "Input UIDs",
    "output": "Output",
    "limits": "Pace and hours",
    "contact": "Contact",
    "server": "Server",
    "run": "Workers",
}
"""Group of the job → title of its options in the help."""

_OTHER_NAMES = {"output.path": ["-o", "--out"], "source.run": ["--from-run"]}
"""Options whose name is not that of their key."""

_METAVARS = {
    "dbfrom": "DB",
    "db": "DB[,DB]",
    "linkname": "NAME[,NAME]",
    "cmd": "CMD",
    "ids": "PATH",
    "ids_column": "NAME",
    "query": "TERM",
    "webenv": "W",
    "query_key": "K",
    "run": "OUT",
    "holding": "NAME",
    "path": "DIR",
    "records": "FORM",
    "shard": "I/N",
    "timeout": "S",
    "window": "HOURS",
    "base_url": "URL",
    "email": "ADDRESS",
    "tool": "NAME",
    "term": "TERM",
    "datetype": "TYPE",
    "reldate": "N",
    "mindate": "DATE",
    "maxdate": "DATE",
    "rate": "N",
    "limiter": "URL",
    "concurrency": "N|auto",
    "batch_size": "N|auto",
    "max_attempts": "N",
    "passes": "N",
    "repeat": "N",
    "confirm_empty": "N",
    "give_up_after": "DURATION",
    "scheduler": "ADDRESS",
    "workers": "N",
}


class JobCommand(click.RichCommand):
    """A command with an option for each field of the job, made when they are first needed."""

    groups: tuple[str, ...] = tuple(PANELS)
    """Groups of the job that are options of the command."""

    of_run = ""
    """What to say of an option of `run` that the command does not take."""

    own_first = False
    """True if the options of the command itself are listed before those of the job."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters of the command and those of the job."""
        own = super().get_params(ctx)
        arguments = [one for one in own if isinstance(one, click.Argument)]
        options = [one for one in own if not isinstance(one, click.Argument)]
        job = list(_job_options(self.groups))
        return [*arguments, *(options + job if self.own_first else job + options)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; for an unknown option, name the nearest one."""
        for word in args:
            if _looks_long(word, self.get_params(ctx)):
                raise click.UsageError(f"There is no option {word} (did you mean -{word}?).", ctx)
        has_ids = "--ids" in args  # a shell turns `--ids *.txt` into `--ids A B C`
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            hint = f" (did you mean {error.possibilities[0]}?)" if error.possibilities else ""
            if self.of_run and any(name in one.opts for one in _job_options(tuple(PANELS))):
                hint = self.of_run
            if name.endswith("key") and "query" not in name:
                hint = ": the API key is read from the environment variable NCBI_API_KEY alone"
            raise click.UsageError(f"There is no option {name}{hint}.", ctx) from None
        except click.UsageError as error:
            if not has_ids or "extra argument" not in error.message:
                raise
            hint = "--ids takes one file: repeat it for each, --ids A --ids B"
            raise click.UsageError(f"{error.message}; {hint}", ctx) from None


def _looks_long(word: str, params: list[click.Parameter]) -> bool:
    """Return whether a long option lacks a hyphen: click reads `-out` as `-o ut`."""
    name = word.partition("=")[0]
    return len(name) > 2 and any(f"-{name}" in param.opts for param in params)


class ResumingCommand(JobCommand):
    """A command that goes on with a kept job; its job options do not change what is asked."""

    groups = ("limits", "run")
    of_run = ": what a harvest asks for stays as its folder keeps it"
    own_first = True


class AskingCommand(JobCommand):
    """A command without a job that asks a server; its job options are contact and server."""

    groups = ("contact", "server")
    own_first = True


def settings(values: dict[str, Any]) -> Settings:
    """Return the options that were given, as groups and keys of a job file."""
    found: Settings = {}
    for group in PANELS:
        for key in _fields_of(group):
            value = values.get(f"{group}_{key}")
            if value in (None, ()):
                continue
            if isinstance(value, tuple):  # a file name may hold commas, a name does not
                value = list(value) if key == "ids" else ",".join(value)
            found.setdefault(group, {})[key] = value
    return found


def option_name(field: str) -> str:
    """Return the option that sets a field of the job.

    Example:
        >>> option_name("limits.batch_size"), option_name("output.path")
        ('--batch-size', '--out')
    """
    return _option_names(field)[-1]


def _option_names(field: str) -> list[str]:
    key = field.rpartition(".")[2]
    return _OTHER_NAMES.get(field, [f"--{key.replace('_', '-')}"])


def _fields_of(group: str) -> dict[str, Any]:
    from harvester.job.model import Job

    model: Any = Job.model_fields[group].annotation
    return {key: field for key, field in model.model_fields.items() if not field.exclude}


def _job_options(groups: tuple[str, ...]) -> Iterator[click.Parameter]:
    for group in groups:
        for key, field in _fields_of(group).items():
            yield _option(group, key, field)


def _option(group: str, key: str, field: Any) -> click.Parameter:
    flag = field.annotation is bool
    attributes: dict[str, Any] = {"is_flag": True, "default": None} if flag else {}
    if not flag:
        words = list(_words(field.annotation))
        attributes["metavar"] = _METAVARS.get(key) or "|".join(words)
        attributes["shell_complete"] = partial(_starting, words)
        attributes["multiple"] = get_origin(field.annotation) is list
    return click.RichOption(
        [f"{group}_{key}", *_option_names(f"{group}.{key}")],
        help=_help(field),
        panel=PANELS[group],
        **attributes,
    )


def _starting(
    words: list[str], _: click.Context, __: click.Parameter, incomplete: str
) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def _help(field: Any) -> str:
    """Return the description with the default, unless it says it or there is none."""
    text: str = field.description
    default = field.get_default()
    if field.is_required() or default in (None, False, []) or "default" in text:
        return text
    shown = ",".join(default) if isinstance(default, list) else str(default).removesuffix(".0")
    return f"{text} [default: {shown}]"


def _words(annotation: Any) -> Iterator[str]:
    """Yield the words that a field accepts."""
    for one in get_args(annotation):
        if isinstance(one, str):
            yield one
        else:
            yield from _words(one)
