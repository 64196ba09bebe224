"""Write docs/options.md: every command, its options, and the job key of each option of `run`.

Everything comes from the commands themselves. With --check, nothing is written; the exit code is
1 if the page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from harvester.cli import program

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[1] / "docs" / "options.md"

INTRODUCTION = """\
# Commands and options

`python scripts/option_tables.py` makes this page from the program; a test fails if it is out of
date. `harvester COMMAND --help` shows the same.

A value comes from the option, else from the environment, else from the job file, else it is the
default. Variables: `NCBI_EMAIL` (`contact.email`), `HARVESTER_BASE_URL` (`server.base_url`), and
`NCBI_API_KEY` and `HARVESTER_REDIS_PASSWORD`, which are the only ways to pass the API key and the
password of the Redis of `--limiter`. An unknown key, a bad value or an
unreadable input is reported before the first request.

A job file is TOML. The key `link.dbfrom` is the line `dbfrom = "pubmed"` below the line `[link]`.
Several `[[hop]]`s, each with keys of `link`, make a chain. [configs](../configs) has examples:

```sh
harvester run configs/pubmed-to-pmc.toml
```
"""


def page() -> str:
    """Return the whole page."""
    context = click.Context(program)
    parts = [INTRODUCTION]
    for name in program.list_commands(context):
        command = _command(name)
        parts.append(f"## {name}\n\n{_summary(command)}\n")
        parts += _tables(command)
    return "\n".join(parts)


def _summary(command: click.Command) -> str:
    first = (command.help or "").split("\n\n")[0]
    usage = " ".join(["harvester", command.name or "", *_arguments(command)])
    return f"`{usage}`: {' '.join(first.split())}"


def _arguments(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    for param in command.get_params(context):
        if isinstance(param, click.Argument):
            yield param.make_metavar(context)
    yield "[OPTIONS]"


def _tables(command: click.Command) -> Iterator[str]:
    """Yield a table of the options; of `run`, a table for each panel.

    Of a command that takes all options of `run`, only the others are listed.
    """
    options, keyed = _options(command), command.name == "run"
    of_run = {option.name for option in _options(_command("run"))}
    if not keyed and of_run <= {option.name for option in options}:
        yield "All options of [run](#run), and:\n"
        options = [option for option in options if option.name not in of_run]
    panels: dict[str, list[click.Option]] = {}
    for option in options:
        panel = getattr(option, "panel", "") if keyed else ""
        panels.setdefault(panel, []).append(option)
    for panel, members in panels.items():
        if panel:
            yield f"### {panel}\n"
        yield "| option | " + ("job key | " if keyed else "") + "meaning |"
        yield "| --- | " + ("--- | " if keyed else "") + "--- |"
        for option in members:
            yield _row(option, keyed=keyed)
        yield ""


def _options(command: click.Command) -> list[click.Option]:
    return [
        param
        for param in command.get_params(click.Context(command))
        if isinstance(param, click.Option) and param.name != "help"
    ]


def _command(name: str) -> click.Command:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    return command


def _row(option: click.Option, *, keyed: bool) -> str:
    context = click.Context(click.Command("none"))
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=len, reverse=True))
    value = "" if option.is_flag else f" `{option.make_metavar(context)}`"
    cells = [names + value]
    if keyed:
        group, _, key = (option.name or "").partition("_")
        cells.append(f"`{group}.{key}`" if _is_key(group, key) else "")
    text = " ".join((option.help or "").split())
    if option.show_default is True and option.default is not None:
        text += f" [default: {option.default}]"
    cells.append(text)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _is_key(group: str, key: str) -> bool:
    from harvester.job.model import Job  # noqa: PLC0415 - as the options themselves do

    field = Job.model_fields.get(group)
    return field is not None and key in getattr(field.annotation, "model_fields", {})


def main() -> None:
    """Write the page, or with --check compare it."""
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE} is out of date; run `make docs` or python scripts/option_tables.py")


if __name__ == "__main__":
    main()
