"""The command line: one module per command. Heavy imports wait until a command needs them."""

from __future__ import annotations

import errno
import os
import sys
from importlib import import_module

import rich_click as click
from click.exceptions import Abort, Exit

from harvester.cli.process import collect_rarely
from harvester.cli.verbosity import DISTRIBUTION, LOG_JSON, add_message_options, say, write_json
from harvester.errors import BadInput, HarvestError, nearest, not_opened

COMMANDS = {
    "run": "harvester.cli.commands.run",
    "resume": "harvester.cli.commands.resume",
    "status": "harvester.cli.commands.status",
    "plan": "harvester.cli.commands.plan",
    "verify": "harvester.cli.commands.verify",
    "doctor": "harvester.cli.commands.doctor",
    "report": "harvester.cli.commands.report",
    "top": "harvester.cli.commands.top",
    "around": "harvester.cli.commands.around",
    "export": "harvester.cli.commands.export",
    "diff": "harvester.cli.commands.diff",
    "merge": "harvester.cli.commands.merge",
    "records": "harvester.cli.commands.records",
    "reparse": "harvester.cli.commands.reparse",
    "databases": "harvester.cli.commands.databases",
    "linknames": "harvester.cli.commands.linknames",
    "counts": "harvester.cli.commands.counts",
    "emulate": "harvester.emulator.command",
    "demo": "harvester.cli.commands.demo",
}

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Errors of a disk that a file or standard output goes to."""

COMPLETE = "_HARVESTER_COMPLETE"
"""Variable in which a shell asks for completion (set by click's shell functions)."""


class Commands(click.RichGroup):
    """The commands of `COMMANDS`, each from its own module."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order in which a user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, or None."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        add_message_options(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; for a misspelt command, name the nearest one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = nearest(args[0], COMMANDS) or f"; there are {', '.join(COMMANDS)}"
            raise click.UsageError(f"There is no command '{args[0]}'{hint}.", ctx)
        return super().resolve_command(ctx, args)


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A first harvest: harvester run --ids pmids.txt --dbfrom pubmed --db pmc "
    "--email you@example.org -o pmc-links",
)
@click.version_option(package_name=DISTRIBUTION, prog_name="harvester")
def program() -> None:
    """Harvest links between NCBI records by the million.

    Every link exactly once, or an outcome that says why not; never above NCBI's rate limit.
    A run that is stopped or killed can be resumed.
    """


add_message_options(program)


def main() -> None:
    """Run the program; every error ends in one sentence and an exit code."""
    collect_rarely()
    _occupy_standard_streams()
    if COMPLETE in os.environ:
        from harvester.cli.completion import register

        register()
    try:
        code = program.main(prog_name="harvester", standalone_mode=False)
        sys.stdout.flush()
    except Exit as leave:
        code = leave.exit_code
    except (Abort, KeyboardInterrupt):
        code = 130
    except click.ClickException as error:
        code = _say(error.format_message(), BadInput.exit_code)
    except HarvestError as error:
        code = _say(_text(error), error.exit_status)
    except BrokenPipeError:  # the reader of the output has gone
        code = 1
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM and not error.filename:
            code = _say(f"Standard output could not be written ({error.strerror}).", 1)
        elif isinstance(error, OSError) and error.filename:
            code = _say(str(not_opened(str(error.filename), error)), 1)
        elif LOG_JSON in sys.argv:
            from traceback import format_exception

            code = _say("".join(format_exception(error)), 1)
        else:
            raise
    _drop_unwritten()
    sys.exit(code if isinstance(code, int) else 0)


def _occupy_standard_streams() -> None:
    """Open the null device for each closed standard stream, so that no file takes its number.

    Some schedulers start programs with closed streams.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    sys.stdin, sys.stdout = sys.stdin or os.fdopen(0), sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _drop_unwritten() -> None:
    """Drop what a standard stream does not take; else Python reports it again, with code 120."""
    for descriptor, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def with_option(error: BadInput) -> str:
    """Return the sentence of an error, with the option that sets the field that is wrong."""
    from harvester.cli.options import option_name

    if not error.field:
        return str(error)
    option = option_name(error.field)
    said = str(error.named(option))
    return said if option in said else f"{said.removesuffix('.')} (option {option})."


def _text(error: HarvestError) -> str:
    said = with_option(error) if isinstance(error, BadInput) else str(error)
    return "\n".join([said, *getattr(error, "__notes__", ())])


def _say(sentence: str, code: int) -> int:
    """Write why the command ends; with --log-json as JSON, like everything on stderr."""
    if LOG_JSON in sys.argv:
        write_json("Error", message=sentence, exit_code=code)
    else:
        say(f"harvester: {sentence}")
    return code
