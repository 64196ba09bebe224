"""The options of `harvester run`, made from the fields of the job: each is stated once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from harvester.job.load import Settings

PANELS = {
    "link": "Which links",
    "source": "From which UIDs",
    "output": "Into which folder",
    "limits": "How fast, and when",
    "contact": "Who asks",
    "server": "Whom to ask",
}
_OTHER_NAMES = {"output.path": ["-o", "--out"], "source.run": ["--from-run"]}
"""Options that are not called like their key."""

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
    "base_url": "URL",
    "email": "ADDRESS",
    "tool": "NAME",
    "reldate": "DAYS",
    "mindate": "DATE",
    "maxdate": "DATE",
    "rate": "N",
    "concurrency": "N",
    "batch_size": "N",
    "max_attempts": "N",
    "passes": "N",
    "confirm_empty": "N",
}


class JobCommand(click.RichCommand):
    """A command with an option for each field of the job, made when they are first needed."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters and those of the job."""
        argument, *own = super().get_params(ctx)
        return [argument, *_job_options(), *own]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; an unknown option gets the nearest one."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            hint = f" (did you mean {error.possibilities[0]}?)" if error.possibilities else ""
            if name.endswith("key") and "query" not in name:
                hint = ": the API key is read from the environment variable NCBI_API_KEY alone"
            raise click.UsageError(f"There is no option {name}{hint}.", ctx) from None


class AskingCommand(JobCommand):
    """A command without a job that asks a server: it has the options of who asks whom."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own parameters, and those of the groups contact and server."""
        own = super(JobCommand, self).get_params(ctx)
        return [*own[:-1], *_job_options("contact", "server"), own[-1]]


def settings(values: dict[str, Any]) -> Settings:
    """The options that were given, as groups and keys of a job file."""
    from harvester.job.load import GROUPS
    from harvester.job.model import Job

    found: Settings = {}
    for group in GROUPS:
        info = Job.model_fields[group]
        for key in info.annotation.model_fields:  # type: ignore[union-attr]
            value = values.get(f"{group}_{key}")
            if value not in (None, ()):
                found.setdefault(group, {})[key] = list(value) if key == "ids" else value
    return found


def _job_options(*groups: str) -> list[click.Parameter]:
    """Those of some groups, or of all."""
    from harvester.job.load import GROUPS
    from harvester.job.model import Job

    return [
        _option(group, key, field)
        for group in groups or GROUPS
        for key, field in Job.model_fields[group].annotation.model_fields.items()  # type: ignore[union-attr]
    ]


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


def _option(group: str, key: str, field: Any) -> click.Parameter:
    names = _option_names(f"{group}.{key}")
    flag = field.annotation is bool
    choices = getattr(field.annotation, "__args__", ())
    words = [str(choice) for choice in choices if isinstance(choice, str)]
    default = field.get_default()
    shown = ",".join(default) if isinstance(default, list) else default
    attributes: dict[str, Any] = {"is_flag": True, "default": None} if flag else {}
    if not flag:
        attributes["metavar"] = _METAVARS.get(key, "|".join(words) or "TEXT")
        attributes["multiple"] = key == "ids"
    text = field.description
    if shown and not flag and "default" not in text and not field.is_required():
        text += f" [default: {str(shown).removesuffix('.0')}]"
    return click.RichOption(
        [f"{group}_{key}", *names], help=text, panel=PANELS[group], **attributes
    )
