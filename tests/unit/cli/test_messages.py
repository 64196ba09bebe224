"""Error messages of the command line name its options."""

from __future__ import annotations

import errno

import pytest

from harvester.cli import main, program, with_option
from harvester.cli.commands.run import run
from harvester.cli.options import option_name, settings
from harvester.errors import BadInput
from harvester.job.load import GROUPS
from harvester.job.model import Job


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (BadInput("x.toml: bad.", field=""), "x.toml: bad."),
        (BadInput("limits.rate = 0: bad.", field="limits.rate"),
         "limits.rate = 0: bad (option --rate)."),
        (BadInput("give {field}, or a file.", field="output.path"), "give --out, or a file."),
        (BadInput("no folder.", field="source.run"), "no folder (option --from-run)."),
    ],
)  # fmt: skip
def test_the_option_that_sets_a_field(error: BadInput, sentence: str) -> None:
    assert with_option(error) == sentence


def test_each_field_has_an_option_of_its_own() -> None:
    fields = [
        f"{group}.{key}"
        for group in GROUPS
        for key in Job.model_fields[group].annotation.model_fields  # type: ignore[union-attr]
    ]
    options = list(map(option_name, fields))
    assert len(set(options)) == len(options)
    assert all(option.startswith("--") for option in options)


def test_an_option_for_several_names_may_be_given_several_times() -> None:
    """Of any other option the last one counts."""
    names = ["--db=pmc", "--db", "gene,omim", "--linkname=a", "--linkname=b"]
    others = ["--ids=a,b", "--ids=c", "--rate=1", "--rate=2"]
    context = run.make_context("run", [*names, *others])
    given = settings(context.params)
    assert given["link"] == {"db": "pmc,gene,omim", "linkname": "a,b"}
    assert given["source"] == {"ids": ["a,b", "c"]}
    assert given["limits"] == {"rate": "2"}


def test_a_file_that_cannot_be_opened_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For each kind of file, and each part of the program that opens one."""

    def fail(**_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/shared/out/links")

    monkeypatch.setattr(program, "main", fail)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    assert capsys.readouterr().err == (
        "harvester: /shared/out/links cannot be opened: Permission denied. Ask its owner for "
        "access, or name another one.\n"
    )
