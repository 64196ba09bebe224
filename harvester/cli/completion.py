"""Completion in bash, zsh and fish: names and words that an option takes, without any request.

Click completes commands and options. Here are the values of options and arguments, several values
joined by commas, and values after `--option=`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import rich_click as click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    _resolve_context,
    _resolve_incomplete,
    add_completion_class,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Items = list[CompletionItem[str]]

_FORMS = (
    "summary", "/xml", "medline/text", "abstract/text", "uilist/text", "fasta/text", "gb/text",
    "gp/text", "gb/xml", "native/xml", "acc/text", "ft/text", "docsum/xml",
)  # fmt: skip
"""Forms of records, from NBK25499 table 1."""


def register() -> None:
    """Make click use the completions of this module."""
    for shell in (_Bash, _Zsh, _Fish):
        add_completion_class(shell)


# --- values -----------------------------------------------------------------------------------


def _databases(ctx: click.Context) -> Iterable[str]:
    from harvester.api.known_names import known_databases

    return [*known_databases(), *(["all"] if ctx.info_name == "run" else [])]


def _linknames(ctx: click.Context) -> Iterable[str]:
    """Return linknames of the database that the command line names; of those, to its `--db`."""
    from harvester.api.known_names import known_linknames

    dbfrom, dbs = _given(ctx, "dbfrom"), _given(ctx, "db") or ""
    names = known_linknames(dbfrom)
    ends = tuple(f"{dbfrom}_{db}" for db in dbs.split(",") if db)
    return [name for name in names if name.startswith(ends)] if dbfrom and ends else names


def _cmds(_: click.Context) -> dict[str, str]:
    from harvester.job.cmds import CMDS

    return {cmd: spec.help for cmd, spec in CMDS.items()}


def _export_formats(_: click.Context) -> Iterable[str]:
    from harvester.api.export import formats

    return formats()


def _given(ctx: click.Context, name: str) -> str | None:
    """Return the value of an option or argument that was given before the incomplete word."""
    value = ctx.params.get(name) or ctx.params.get(f"link_{name}")
    if isinstance(value, tuple):  # of an option that may be repeated
        return ",".join(value)
    return value if isinstance(value, str) else None


_VALUES: dict[str, Callable[[click.Context], Iterable[str]]] = {
    "dbfrom": _databases,
    "db": _databases,
    "dbto": _databases,
    "linkname": _linknames,
    "cmd": _cmds,
    "to": _export_formats,
    "as": lambda _: _FORMS,
    "records": lambda _: _FORMS,
}
"""Name of an option or argument → its values; with help texts where it is a mapping."""

_LISTS = {"db", "linkname"}
"""Options that take several values joined by commas."""

_PATHS = {
    "ids": "file", "out": "dir", "from-run": "dir", "old": "dir", "new": "dir", "shard": "dir",
    "shards": "dir", "against": "dir",
}  # fmt: skip
"""Names of options and arguments of files and folders."""


def _complete(param: click.Parameter, ctx: click.Context, incomplete: str) -> Items | None:
    """Return the completions of a value; None if this module knows none."""
    names = [name.lstrip("-") for name in param.opts]
    for name in names:
        if name in _PATHS:
            return [CompletionItem(incomplete, type=_PATHS[name])]
        if name in _VALUES:
            values = _VALUES[name](ctx)
            before, comma, last = incomplete.rpartition(",")
            if comma and name not in _LISTS:
                return []
            helps: dict[str, str] = values if isinstance(values, dict) else {}
            return [
                CompletionItem(f"{before}{comma}{value}", help=helps.get(value))
                for value in values
                if value.startswith(last) and value not in before.split(",")
            ]
    return None


# --- shells -----------------------------------------------------------------------------------


class _Completing(ShellComplete):
    """Completion of values; a mixin for the classes of the shells.

    Attributes:
        splits_at_equals: whether the shell completes `value` of `--option=value` as a word.
    """

    splits_at_equals: ClassVar[bool] = False

    def get_completions(self, args: list[str], incomplete: str) -> Items:
        """Return the completions of a word; none after a wrong command line."""
        if self.splits_at_equals:  # --cmd = nei
            incomplete = "" if incomplete == "=" else incomplete
            args = [word for word in args if word != "="]
        try:
            ctx = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
            param, value = _resolve_incomplete(ctx, args, incomplete)
            found = _complete(param, ctx, value) if isinstance(param, click.Parameter) else None
            if found is None:
                found = param.shell_complete(ctx, value)
        except click.UsageError:
            return []
        before = incomplete.removesuffix(value)
        if not before.startswith("--"):
            return found
        return [_with_value(item, f"{before}{item.value}") for item in found]


def _with_value(item: CompletionItem[str], value: str) -> CompletionItem[str]:
    return CompletionItem(value, type=item.type, help=item.help)


class _Bash(_Completing, BashComplete):
    """Completion in bash, whose words end at `=`."""

    splits_at_equals = True


class _Zsh(_Completing, ZshComplete):
    """Completion in zsh."""

    source_template = ZshComplete.source_template.replace(
        "_path_files", "compset -P '--*='; _path_files"
    )


class _Fish(_Completing, FishComplete):
    """Completion in fish. Click's function cuts values at commas, and knows no `--option=PATH`."""

    source_template = """\
function %(complete_func)s
    set -l response (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp) \
COMP_CWORD=(commandline -t) %(prog_name)s)
    for completion in $response
        set -l item (string split --max 1 "," -- $completion)
        set -l path (string replace --regex '^--[^=]*=' '' -- $item[2])
        set -l option (string replace -- $path '' $item[2])
        switch $item[1]
            case dir
                printf '%%s\\n' $option(__fish_complete_directories $path)
            case file
                printf '%%s\\n' $option(__fish_complete_path $path)
            case plain
                echo $item[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""
