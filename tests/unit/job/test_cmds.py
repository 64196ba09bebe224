"""The table of cmds: complete, and the only place that states what a cmd accepts."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import ValidationError

from harvester.eutils.elink.commands import COMMANDS
from harvester.job.cmds import CMDS, Cmd, cmds_that_take
from harvester.job.link import Link

VALUES: dict[str, dict[str, Any]] = {
    "linkname": {"linkname": "pubmed_pmc"},
    "term": {"term": "cancer"},
    "datetype": {"datetype": "pdat", "reldate": 9},
    "mindate": {"mindate": "2001", "maxdate": "2002"},
    "maxdate": {"mindate": "2001", "maxdate": "2002"},
    "reldate": {"reldate": 9},
    "holding": {"holding": "exunilib"},
    "targets_only": {"targets_only": True},
}
NEIGHBORS = {"neighbor", "neighbor_score", "neighbor_history"}
TAKEN_BY = {
    "linkname": NEIGHBORS | {"acheck"},
    "term": NEIGHBORS,
    "datetype": NEIGHBORS,
    "mindate": NEIGHBORS,
    "maxdate": NEIGHBORS,
    "reldate": NEIGHBORS,
    "holding": {"llinks", "llinkslib"},
    "targets_only": {"neighbor"},
}
"""As NBK25499 states it; `targets_only` is the program's own."""


def test_each_cmd_has_one_row_of_meaning_and_one_of_answers() -> None:
    assert set(CMDS) == set(COMMANDS) == set(get_args(Cmd))


def test_cmds_with_rows_that_name_records() -> None:
    """The column that the job takes as linked record is a column of the rows."""
    naming = {cmd for cmd, command in COMMANDS.items() if "to_uid" in command.schema.names}
    assert {cmd for cmd, spec in CMDS.items() if spec.leads_to_records} == naming


def test_only_neighbor_history_and_targets_only_are_asked_as_a_comma_list() -> None:
    assert [cmd for cmd in CMDS if Link(dbfrom="pubmed", cmd=cmd).is_merged] == ["neighbor_history"]  # type: ignore[arg-type]
    assert Link(dbfrom="pubmed", targets_only=True).is_merged


@pytest.mark.parametrize("key", VALUES)
@pytest.mark.parametrize("cmd", get_args(Cmd))
def test_a_parameter_is_rejected_where_the_cmd_does_not_take_it(cmd: Cmd, key: str) -> None:
    given = {"dbfrom": "pubmed", "cmd": cmd, **VALUES[key]}
    if cmd in TAKEN_BY[key]:
        assert getattr(Link.model_validate(given), key)
    else:
        with pytest.raises(ValidationError, match=f"is for cmd .*, not for {cmd}"):
            Link.model_validate(given)


def test_a_parameter_that_no_row_names_is_taken_by_all() -> None:
    assert cmds_that_take("retmode") == list(CMDS)
