"""What a Python program may give by mistake is refused by the name of the argument."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harvester import Job, harvest, records, stream
from harvester.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def _job(tmp_path: Path) -> Job:
    return Job(link={"dbfrom": "pubmed", "db": "gene"}, output={"path": tmp_path / "out"})


async def _run(how: str, job: Any, **options: Any) -> None:
    if how == "stream":
        async for _ in stream(job, **options):
            pass
    elif how == "harvest":
        await harvest(job, **options)
    else:
        await records(job, **options)


@pytest.mark.parametrize("how", ["harvest", "records", "stream"])
@pytest.mark.parametrize("wrong", ["job.toml", Path("job.toml"), {"link": {"dbfrom": "pubmed"}}])
async def test_what_is_no_job_is_named_with_the_remedy(how: str, wrong: Any) -> None:
    with pytest.raises(BadInput, match=rf"^job: {re.escape(repr(wrong))} is not a Job. .*tomllib"):
        await _run(how, wrong)


@pytest.mark.parametrize("how", ["harvest", "records", "stream"])
@pytest.mark.parametrize("wrong", [print, None, [print, None]])
async def test_listeners_are_a_list_of_functions(how: str, wrong: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"^listeners: .* is not a list of functions .*\[function\]"):
        await _run(how, _job(tmp_path), listeners=wrong)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("how", ["harvest", "stream"])
async def test_what_search_all_yields_is_read_before(how: str, tmp_path: Path) -> None:
    async def found() -> AsyncIterator[int]:
        yield 1

    with pytest.raises(
        BadInput, match=r"^ids: an asynchronous iterator .*\[uid async for uid in \.\.\.\]"
    ):
        await _run(how, _job(tmp_path), ids=found())
