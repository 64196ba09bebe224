"""One sentence for everything that can be wrong with a job."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from support.jobs import BASE, changed, refused

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[limit]\n", "unknown group [limit] (did you mean 'limits'?)."),
        ("[Link]\n", "unknown group [Link] (did you mean 'link'?)."),
        ("[zzz]\n", "unknown group [zzz]."),
        ("dbfrom = 'pubmed'\n", "unknown group [dbfrom]."),
        ("link = 'pubmed'\n", "[link] is a group of keys, like [link] on a line."),
        ("[[link]]\ndbfrom = 'pubmed'\n", "[link] is a group of keys, like [link] on a line."),
        ("[link]\ndbform = 'x'\n", "unknown key link.dbform (did you mean 'dbfrom'?)."),
        ("[source]\nid = 'x'\n", "unknown key source.id (did you mean 'ids'?)."),
        ("[limits]\nbatchsize = 5\n", "unknown key limits.batchsize (did you mean 'batch_size'?)."),
        ("[limits]\nzzz = 5\n", "unknown key limits.zzz."),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(
    written: Callable[[str | bytes], Path], text: str, sentence: str
) -> None:
    path = written(text)
    assert refused(BASE, path) == f"{path}: {sentence}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"[link\n", "is not valid TOML: "),
        (b"[link]\ndbfrom = pubmed\n", "is not valid TOML: "),
        (b"[link]\n[link]\n", "is not valid TOML: "),
        (b"\0", "is not valid TOML: "),
        (b"\xff\xfe", "cannot be read: it is not UTF-8 text."),
    ],
)
def test_what_is_not_toml_is_refused(
    written: Callable[[str | bytes], Path], text: bytes, sentence: str
) -> None:
    path = written(text)
    assert refused(BASE, path).startswith(f"The job file {path} {sentence}")


def test_a_job_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    sentence = f"The job file {path} cannot be read: No such file or directory."
    assert refused(BASE, path) == sentence
    assert "is a folder, not a job file" in refused(BASE, tmp_path)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (
            {"output": {"path": "out"}},
            "link.dbfrom is missing: give link.dbfrom, or dbfrom under [link] in the job file.",
        ),
        (
            {"link": {"dbfrom": "pubmed"}},
            "output.path is missing: give output.path, or path under [output] in the job file.",
        ),
    ],
)
def test_what_is_missing_is_named(missing: dict[str, dict[str, Any]], sentence: str) -> None:
    assert refused(missing) == sentence


@pytest.mark.parametrize(
    ("group", "keys", "sentence"),
    [
        (
            "link",
            {"dbfrom": ""},
            "link.dbfrom: '' is not a name; NCBI's names are like pubmed_pmc.",
        ),
        ("link", {"dbfrom": "pub med"}, "link.dbfrom: 'pub med' is not a name; "),
        ("link", {"dbfrom": "pubmed,pmc"}, "link.dbfrom: 'pubmed,pmc' is not a name; "),
        ("link", {"dbfrom": "gène"}, "link.dbfrom: 'gène' is not a name; "),
        ("link", {"dbfrom": 5}, "link.dbfrom = 5: should be a valid string."),
        ("link", {"db": "a b"}, "link.db: 'a b' is not a name; "),
        ("link", {"db": ""}, "link.db: it holds no name; leave it out to ask for all."),
        (
            "link",
            {"linkname": " , "},
            "link.linkname: it holds no name; leave it out to ask for all.",
        ),
        ("link", {"db": []}, "link: db names no database; leave it out to ask for all."),
        ("link", {"db": [1]}, "link.db = 1: should be a valid string."),
        ("link", {"linkname": "x&y"}, "link.linkname: 'x&y' is not a name; "),
        ("link", {"cmd": "nieghbor"}, "link.cmd = 'nieghbor': should be 'neighbor'"),
        ("link", {"retmode": "asn.1"}, "link.retmode = 'asn.1': should be 'json' or 'xml'"),
        ("link", {"mindate": "2020"}, "link: mindate and maxdate go together"),
        ("link", {"maxdate": "2020"}, "link: mindate and maxdate go together"),
        ("link", {"mindate": "2020-01-01"}, "link.mindate: '2020-01-01' is not a date; write YYYY"),
        ("link", {"mindate": "20"}, "link.mindate: '20' is not a date; "),
        ("link", {"mindate": "2020/13"}, "link.mindate: '2020/13' is not a date; "),
        ("link", {"mindate": "2020/00"}, "link.mindate: '2020/00' is not a date; "),
        ("link", {"mindate": "2020/1/32"}, "link.mindate: '2020/1/32' is not a date; "),
        ("link", {"reldate": 0}, "link.reldate = 0: should be greater than or equal to 1"),
        ("link", {"reldate": "soon"}, "link.reldate = 'soon': should be a valid integer"),
        (
            "link",
            {"dbfrom": "gene", "reldate": 3},
            "link: ELink filters by date only where dbfrom is pubmed.",
        ),
        (
            "source",
            {"ids": [1]},
            "source.ids: 1 is not the name of a file; Python code gives UIDs as uids.",
        ),
        ("source", {"shard": "0/4"}, "source.shard: '0/4' is not a share; write I/N with I from 1"),
        ("source", {"shard": "5/4"}, "source.shard: '5/4' is not a share; "),
        ("source", {"shard": "1/0"}, "source.shard: '1/0' is not a share; "),
        ("source", {"shard": "1"}, "source.shard: '1' is not a share; "),
        ("source", {"shard": "-1/4"}, "source.shard: '-1/4' is not a share; "),
        ("output", {"format": "csv"}, "output.format = 'csv': should be 'parquet' or 'jsonl'"),
        ("output", {"compression": "lz4"}, "output.compression = 'lz4': should be 'zstd', 'gzip'"),
        ("output", {"path": 5}, "output.path = 5: should be a valid string."),
        ("limits", {"rate": 0}, "limits.rate = 0: should be greater than 0."),
        ("limits", {"rate": -1}, "limits.rate = -1: should be greater than 0"),
        ("limits", {"rate": "fast"}, "limits.rate = 'fast': should be a valid number"),
        ("limits", {"rate": float("nan")}, "limits.rate = nan: should be"),
        ("limits", {"rate": float("inf")}, "limits.rate = inf: should be"),
        ("limits", {"timeout": 0}, "limits.timeout = 0: should be greater than 0"),
        ("limits", {"timeout": float("nan")}, "limits.timeout = nan: should be"),
        (
            "limits",
            {"timeout": 3601},
            "limits.timeout = 3601: should be less than or equal",
        ),
        ("limits", {"max_attempts": 0}, "limits.max_attempts = 0: should be greater than or equal"),
        ("limits", {"max_attempts": 2.5}, "limits.max_attempts = 2.5: should be a valid integer"),
        ("limits", {"confirm_empty": -1}, "limits.confirm_empty = -1: should be greater than or"),
        ("limits", {"window": "night"}, "limits.window = 'night': should be 'auto', 'off-peak' or"),
        ("limits", {"concurrency": "fast"}, "limits.concurrency = 'fast': should be 'auto'"),
        ("contact", {"email": "nobody"}, "contact.email: 'nobody' is not an email address, like"),
        ("contact", {"email": "a b@c"}, "contact.email: 'a b@c' is not an email address, like"),
        (
            "contact",
            {"tool": "my tool"},
            "contact.tool: 'my tool': NCBI requires a tool name without",
        ),
        ("contact", {"tool": ""}, "contact.tool: '': NCBI requires a tool name without spaces."),
        ("server", {"base_url": "eutils"}, "server.base_url: 'eutils' is not an address; "),
        ("server", {"base_url": ""}, "server.base_url: '' is not an address; "),
        ("server", {"base_url": "ftp://x/"}, "server.base_url: 'ftp://x/' is not an address; "),
        ("server", {"base_url": "http://"}, "server.base_url: 'http://' is not an address; "),
        ("server", {"base_url": "http://[::1"}, "server.base_url: "),
        ("server", {"base_url": "http://x/?y"}, "server.base_url: the address may hold no user"),
        ("server", {"base_url": "http://x/#y"}, "server.base_url: the address may hold no user"),
        ("server", {"base_url": "http://me@x/"}, "server.base_url: the address may hold no user"),
    ],
)
def test_a_bad_value_gets_a_sentence(
    written: Callable[[str | bytes], Path], group: str, keys: dict[str, Any], sentence: str
) -> None:
    """As an option, and in a job file, which is then named."""
    settings_ = changed(**{group: keys})
    from_options = refused(settings_)
    assert from_options.startswith(sentence)
    assert from_options.endswith(".")
    path = written(tomli_w.dumps(settings_))
    assert refused({}, path).startswith(f"{path}: {sentence.removesuffix('.')}")


_UNREFUSED: list[tuple[str, dict[str, Any]]] = [
    ("output", {"path": ""}),
    ("server", {"base_url": "http://localhost:99999/"}),
    ("server", {"base_url": "http://localhost:port/"}),
    ("server", {"base_url": "http://local host/"}),
    ("server", {"base_url": "http://localhost/\n"}),
    ("source", {"shard": "\uff11/\uff12"}),
    ("link", {"mindate": "2024/02/31", "maxdate": "2024/03"}),
    ("link", {"mindate": "2024", "maxdate": "2023"}),
    ("link", {"mindate": "0000", "maxdate": "0000"}),
    ("limits", {"max_attempts": True}),
]


@pytest.mark.parametrize(
    ("group", "keys"), _UNREFUSED, ids=[repr(next(iter(keys.values()))) for _, keys in _UNREFUSED]
)
def test_values_that_cannot_be_meant_are_refused(group: str, keys: dict[str, Any]) -> None:
    assert f"{group}." in refused(changed(**{group: keys}))


@pytest.mark.parametrize("key", ["concurrency", "batch_size"])
@pytest.mark.parametrize("value", [0, -1, 1_000_000])
def test_a_number_out_of_range_is_told_the_range(key: str, value: int) -> None:
    assert "than or equal to" in refused(changed(limits={key: value}))


def test_a_sentence_cannot_move_the_cursor() -> None:
    assert refused(changed(contact={"email": "\x1b[2Jx"})).isprintable()


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000])
def test_toml_that_python_cannot_hold_is_refused(
    written: Callable[[str | bytes], Path], text: str
) -> None:
    assert "job.toml" in refused(BASE, written(text))


def test_a_name_that_no_file_can_have_is_refused() -> None:
    assert "cannot be read" in refused(BASE, Path("a\0b"))
