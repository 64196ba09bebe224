"""Completions of a word, requested as click's shell functions do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harvester.cli import COMPLETE, main
from harvester.job.cmds import CMDS

if TYPE_CHECKING:
    from collections.abc import Callable

    Ask = Callable[..., list[str]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Return the completions of the last word of a command line in bash."""

    def asked(*words: str) -> list[str]:
        monkeypatch.setenv(COMPLETE, "bash_complete")
        monkeypatch.setenv("COMP_WORDS", " ".join(words))
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 0
        told = capsys.readouterr()
        assert told.err == ""
        return told.out.split()

    return asked


def _plain(found: list[str]) -> list[str]:
    assert all(one.startswith("plain,") for one in found)
    return [one.removeprefix("plain,") for one in found]


def test_commands_and_options(ask: Ask) -> None:
    assert _plain(ask("harvester", "re")) == ["resume", "report", "records", "reparse"]
    assert _plain(ask("harvester", "run", "--idt")) == ["--idtype"]


def test_cmds(ask: Ask) -> None:
    assert _plain(ask("harvester", "run", "--cmd", "")) == list(CMDS)
    assert _plain(ask("harvester", "run", "--cmd", "n")) == [
        "neighbor", "neighbor_score", "neighbor_history", "ncheck",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [("run", "--dbfrom", "taxo"), ("run", "--db", "taxo"), ("linknames", "taxo"),
     ("linknames", "gene", "--db", "taxo"), ("run", "--db", "=", "taxo")],
)  # fmt: skip
def test_databases(ask: Ask, words: tuple[str, ...]) -> None:
    assert _plain(ask("harvester", *words)) == ["taxonomy"]


def test_a_list_of_databases_goes_on_after_the_comma(ask: Ask) -> None:
    assert _plain(ask("harvester", "run", "--db", "pubmed,pm")) == ["pubmed,pmc"]
    assert _plain(ask("harvester", "run", "--db", "pmc,pm")) == []
    assert ask("harvester", "run", "--dbfrom", "pubmed,pm") == []


def test_linknames_start_from_the_database_that_was_given(ask: Ask) -> None:
    assert "pubmed_pubmed_citedin" in _plain(ask("harvester", "run", "--linkname", "pub"))
    found = _plain(ask("harvester", "run", "--dbfrom", "gene", "--linkname", ""))
    assert {"gene_pubmed", "gene_pubmed_rif", "gene_protein"} <= set(found)
    assert all(name.startswith("gene_") for name in found)
    words = ["harvester", "run", "--dbfrom", "gene", "--db", "pubmed", "--linkname", ""]
    assert _plain(ask(*words)) == ["gene_pubmed", "gene_pubmed_rif"]
    words = ["harvester", "run", "--dbfrom", "nucleotide", "--linkname", "nuccore_prot"]
    assert _plain(ask(*words)) == ["nuccore_protein"]


def test_words_of_an_option(ask: Ask) -> None:
    assert _plain(ask("harvester", "run", "--format", "")) == ["parquet", "jsonl"]
    assert _plain(ask("harvester", "run", "--window", "o")) == ["off-peak"]
    assert _plain(ask("harvester", "records", "out", "--as", "med")) == ["medline/text"]
    assert _plain(ask("harvester", "export", "out", "--to", "duck")) == ["duckdb"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [(("status", "x"), "dir"), (("run", "-o", "x"), "dir"), (("run", "--from-run", "x"), "dir"),
     (("run", "--ids", "x"), "file"), (("run", "x"), "file"), (("verify", "x"), "dir")],
)  # fmt: skip
def test_files_and_folders_are_left_to_the_shell(
    ask: Ask, words: tuple[str, ...], kind: str
) -> None:
    assert ask("harvester", *words) == [f"{kind},x"]


def test_a_wrong_command_line_has_no_completions(ask: Ask) -> None:
    assert ask("harvester", "run", "-out", "--cmd", "n") == []
    assert ask("harvester", "rum", "x") == []
