"""Write docs/reference.md: columns, exit codes, errors and events, as the program defines them.

With --check, nothing is written; the exit code is 1 if the page is out of date.
"""

from __future__ import annotations

import inspect
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pyarrow as pa

from harvester import errors, events
from harvester.model.row_schemas import DOCUMENTS, LINK_SCHEMAS, SUMMARIES, link_schema
from harvester.model.schemas import RAW, TARGETS, UIDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"

INTRODUCTION = """\
# Reference

`python scripts/reference_tables.py` makes this page from the program; a test fails if it is out of
date. Commands, options and job keys: [options.md](options.md). What the columns mean:
[folder.md](folder.md).
"""

COLUMNS = """\
## Columns

Types are those of Arrow. `name` is a dictionary of strings. UIDs are int64, with `--idtype acc`
string. JSON lines have the same fields.
"""

EXIT_CODES = """\
## Exit codes

| code | meaning |
| --- | --- |
| 0 | complete |
| 1 | any other error; the state is kept |
| 2 | the command line, the job file or the input is wrong; nothing was sent |
| 3 | complete, but some UIDs failed or are missing (`verify`: links differ today) |
| 4 | the server refuses every request: bad API key, blocked address; the state is kept |
| 5 | another process uses the folder |
| 69 | given up: nothing was answered for as long as `--give-up-after` allows |
| 75 | stopped at the end of the off-peak hours; `harvester resume` goes on |
| 130, 143 | interrupted by SIGINT or SIGTERM; all that was answered is committed |
"""

ERRORS = """\
## Errors

All errors of the Python interface are subclasses of `harvester.HarvestError`. Each message is one
sentence for the user.

| class | subclass of | exit code | meaning |
| --- | --- | --- | --- |
"""

EVENTS = """\
## Events

Listeners of the Python interface get these objects; `--log-json` writes one JSON object per event.
The schema of those objects is [events.schema.json](schemas/events.schema.json).

| event | meaning | fields |
| --- | --- | --- |
"""


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION, COLUMNS, *_columns(), EXIT_CODES]
    return "\n".join([*parts, ERRORS + "\n".join(_errors()) + "\n", EVENTS + "\n".join(_events())])


def _columns() -> Iterator[str]:
    same: dict[str, list[str]] = {}
    for cmd in LINK_SCHEMAS:
        same.setdefault(_described(link_schema(cmd)), []).append(cmd)
    yield "| file | of | columns |\n| --- | --- | --- |"
    for columns, cmds in same.items():
        yield f"| `links/` | {', '.join(f'`{cmd}`' for cmd in cmds)} | {columns} |"
    yield f"| `links/` | `--targets-only` | {_described(TARGETS)} |"
    for name, of, schema in [
        ("uids", "every cmd", UIDS),
        ("records", "summaries", SUMMARIES),
        ("records", "texts of EFetch", DOCUMENTS),
        ("raw", "`--keep-raw`", RAW),
    ]:
        yield f"| `{name}/` | {of} | {_described(schema)} |"
    yield ""


def _described(schema: pa.Schema) -> str:
    return ", ".join(f"`{field.name}` {_type(field.type)}" for field in schema)


def _type(kind: pa.DataType) -> str:
    if pa.types.is_dictionary(kind):
        return "name"
    if pa.types.is_list(kind):
        return f"list of {_type(kind.value_type)}"
    return str(kind)


def _errors() -> Iterator[str]:
    for name, error in inspect.getmembers(errors, inspect.isclass):
        if issubclass(error, errors.HarvestError):
            parent = error.__mro__[1].__name__
            code = {"Interrupted": "130, 143", "RequestFailed": "", "RateLimited": ""}.get(
                name, str(error.exit_code)
            )
            yield _row([f"`{name}`", f"`{parent}`", code, _first_paragraph(error)])


def _events() -> Iterator[str]:
    for event in get_args(events.Event):
        described = ", ".join(
            f"`{one.name}`: {one.type}" + ("" if one.default is MISSING else f" = {one.default!r}")
            for one in fields(event)
        )
        yield _row([f"`{event.__name__}`", _first_paragraph(event), described])
    yield ""


def _first_paragraph(thing: type) -> str:
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def main() -> None:
    """Write the page, or with --check compare it."""
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        sys.exit(f"{PAGE} is out of date; run `make docs` or python scripts/reference_tables.py")


if __name__ == "__main__":
    main()
