"""All sources of a job into one set of UIDs."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import pytest

from harvester.errors import BadInput
from harvester.job.model import Job
from harvester.sources.from_job import SearchFeed, open_source

if TYPE_CHECKING:
    from pathlib import Path


def _job(*names: str, shard: str = "1/1") -> Job:
    return Job.model_validate(
        {
            "link": {"dbfrom": "pubmed"},
            "source": {"ids": list(names), "shard": shard},
            "output": {"path": "unused"},
        }
    )


def _wanted(*names: str, shard: str = "1/1") -> list[int]:
    listed = open_source(_job(*names, shard=shard))
    assert not isinstance(listed, SearchFeed)
    return [int(uid) for uid in listed]


def test_files_are_joined_and_duplicates_count_once(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt.gz"
    one.write_text("5 3\n3 9\n")
    two.write_bytes(gzip.compress(b"9\n1\n5\n"))
    assert _wanted(str(one), str(two)) == [1, 3, 5, 9]


def test_standard_input_is_one_more_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list").write_text("2")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"3\n1\n"))))
    assert _wanted(str(tmp_path / "list"), "-") == [1, 2, 3]


def test_each_share_has_its_part(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("\n".join(map(str, range(10, 0, -1))))
    name = str(tmp_path / "list")
    shares = [_wanted(name, shard=f"{index}/3") for index in (1, 2, 3)]
    assert sorted(uid for one in shares for uid in one) == list(range(1, 11))
    (tmp_path / "list").write_text("\n".join(map(str, range(5, 2000))))
    for index, before in enumerate(shares, 1):
        after = _wanted(name, shard=f"{index}/3")
        assert [uid for uid in after if uid <= 10] == [uid for uid in before if uid >= 5]
        assert 500 < len(after) < 830


def test_without_a_source_the_option_is_named() -> None:
    with pytest.raises(BadInput, match=r"^There are no input UIDs: give a list with --ids "):
        _wanted()


def test_lists_without_a_uid_are_named(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("# nothing yet\n")
    two.write_text("")
    with pytest.raises(BadInput) as caught:
        _wanted(str(one), str(two))
    assert str(caught.value) == f"There is no UID in {one}, {two}."


def test_the_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text("1\n")
    two.write_text("2\nx\n")
    with pytest.raises(BadInput) as caught:
        _wanted(str(one), str(two))
    assert str(caught.value).startswith(f"{two}, line 2: 'x' is not a UID")


@pytest.mark.parametrize(
    "source",
    [{"query": "asthma"}, {"webenv": "MCID_1", "query_key": "1"},
     {"query": "asthma", "webenv": "MCID_1", "query_key": "1"}],
    ids=["query", "set", "query within a set"],
)  # fmt: skip
def test_a_search_is_a_feed_that_has_asked_nothing_yet(source: dict[str, str]) -> None:
    job = Job.model_validate(
        {"link": {"dbfrom": "pubmed"}, "source": source, "output": {"path": "unused"}}
    )
    feed = open_source(job)
    assert isinstance(feed, SearchFeed)
    assert feed.expected == 0
