"""A job from option, environment, job file and default; and a sentence for all that is wrong."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvester import jobfile
from harvester.errors import BadInput
from harvester.job import NCBI, STDIN, Job

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL = {"base_url": "http://localhost:8080/"}
BASE: dict[str, dict[str, Any]] = {
    "link": {"dbfrom": "pubmed"},
    "output": {"path": "out"},
    "server": LOCAL,
}
in_any_place = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write a job file."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "job.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def _with(**groups: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The settings of a good job, with some keys changed."""
    together = {group: dict(keys) for group, keys in BASE.items()}
    for group, keys in groups.items():
        together[group] = {**together.get(group, {}), **keys}
    return together


def _refused(
    options: dict[str, dict[str, Any]] | None = None,
    path: Path | None = None,
    environ: dict[str, str] | None = None,
) -> str:
    with pytest.raises(BadInput) as caught:
        jobfile.build(options, path, environ or {})
    return str(caught.value)


# --- precedence -----------------------------------------------------------------------------


def test_option_beats_environment_beats_file_beats_default(
    written: Callable[[str | bytes], Path],
) -> None:
    path = written(
        tomli_w.dumps(_with(contact={"email": "file@x.org", "tool": "file"}, limits={"timeout": 7}))
    )
    environ = {"NCBI_EMAIL": "environment@x.org", "HARVESTER_BASE_URL": "http://environment/"}
    options = {"contact": {"email": "option@x.org"}, "server": {"base_url": "http://option/"}}

    everything = jobfile.build(options, path, environ)
    assert everything.contact.email == "option@x.org"
    assert everything.server.base_url == "http://option/"
    assert everything.contact.tool == "file"

    without_option = jobfile.build({}, path, environ)
    assert without_option.contact.email == "environment@x.org"
    assert without_option.server.base_url == "http://environment/"

    without_environment = jobfile.build({}, path, {})
    assert without_environment.contact.email == "file@x.org"
    assert without_environment.server.base_url == LOCAL["base_url"]
    assert without_environment.limits.timeout == 7
    assert without_environment.limits.max_attempts == 6


def test_an_empty_variable_is_no_variable() -> None:
    job = jobfile.build(
        _with(contact={"email": "a@b.org"}), None, {"NCBI_EMAIL": "", "HARVESTER_BASE_URL": ""}
    )
    assert job.contact.email == "a@b.org"
    assert job.server.base_url == LOCAL["base_url"]


def test_options_alone_are_enough() -> None:
    assert jobfile.build(BASE, None, {}) == Job.model_validate(BASE)


def test_a_byte_order_mark_does_no_harm(written: Callable[[str | bytes], Path]) -> None:
    path = written(b"\xef\xbb\xbf" + tomli_w.dumps(BASE).encode())
    assert jobfile.build({}, path, {}) == Job.model_validate(BASE)


# --- what NCBI wants ------------------------------------------------------------------------


def test_ncbi_is_not_asked_without_an_email() -> None:
    assert _refused(_with(server={"base_url": NCBI})) == (
        "NCBI wants an email address of whoever asks: give --email, "
        "or set the environment variable NCBI_EMAIL."
    )


@pytest.mark.parametrize(
    ("limits", "key", "permitted"),
    [
        ({"rate": 3}, "", True),
        ({"rate": 3.1}, "", False),
        ({"rate": 10}, "", False),
        ({"rate": 10}, "k", True),
        ({"rate": 10.5}, "k", False),
        ({"rate": 50, "rate_granted": True}, "k", True),
        ({"rate": 50, "rate_granted": True}, "", True),
        ({}, "", True),
    ],
)
def test_a_higher_rate_to_ncbi_must_have_been_granted(
    limits: dict[str, Any], key: str, permitted: bool
) -> None:
    settings_ = _with(server={"base_url": NCBI}, contact={"email": "a@b.org"}, limits=limits)
    environ = {"NCBI_API_KEY": key}
    if permitted:
        assert jobfile.build(settings_, None, environ).limits.rate == limits.get("rate")
    else:
        sentence = _refused(settings_, None, environ)
        assert f"not {limits['rate']:g}" in sentence
        assert "--rate-granted" in sentence
        assert ("NCBI_API_KEY" in sentence) is (not key)


def test_another_server_may_be_asked_without_email_and_at_any_rate() -> None:
    assert jobfile.build(_with(limits={"rate": 500}), None, {}).limits.rate == 500


# --- the key --------------------------------------------------------------------------------

SECRET = "0123456789abcdef0123456789abcdef0123"


@pytest.mark.parametrize(
    ("value", "key"),
    [("", None), ("  ", None), (SECRET, SECRET), (f" {SECRET}\n", SECRET)],
)
def test_the_key_is_in_the_environment(value: str, key: str | None) -> None:
    assert jobfile.api_key({"NCBI_API_KEY": value}) == key
    assert jobfile.api_key({}) is None


@pytest.mark.parametrize("between", [" ", "\n", "\t", "\0", "é", "\x1b"])
def test_a_key_that_cannot_be_one_is_refused_and_not_repeated(between: str) -> None:
    with pytest.raises(BadInput) as caught:
        jobfile.api_key({"NCBI_API_KEY": f"{SECRET}{between}{SECRET}"})
    assert str(caught.value) == (
        "NCBI_API_KEY holds blanks or other characters that no API key has."
    )


_SPELLINGS = ["api_key", "api-key", "API_KEY", "apikey", "ApiKey", "apiKey", "API-Key", "key"]


@pytest.mark.parametrize("group", ["contact", "server", "limits", "link", "source", "output"])
@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_a_job_file_with_a_key_is_refused_and_the_key_is_not_repeated(
    written: Callable[[str | bytes], Path], group: str, spelling: str
) -> None:
    path = written(tomli_w.dumps(_with(**{group: {spelling: SECRET}})))
    assert _refused({}, path) == (
        f"{path}: an API key does not belong in a job file; "
        "set the environment variable NCBI_API_KEY instead."
    )


@pytest.mark.parametrize(
    "text",
    [
        f'api_key = "{SECRET}"',
        f'NCBI_API_KEY = "{SECRET}"',
        f'[api]\nkey = "{SECRET}"',
        f'[contact]\nNCBI_API_KEY = "{SECRET}"',
        f'[contact]\n"api key" = "{SECRET}"',
        f'[contact]\napi_key = ["{SECRET}"]',
        f'[server]\nbase_url = "{NCBI}?api_key={SECRET}"',
        f'[server]\nbase_url = "https://{SECRET}@eutils.ncbi.nlm.nih.gov/"',
    ],
)
def test_a_key_in_other_places_is_refused_and_not_repeated(
    written: Callable[[str | bytes], Path], text: str
) -> None:
    options = {"link": {"dbfrom": "pubmed"}, "output": {"path": "out"}}
    assert SECRET not in _refused(options, written(text + "\n"))


@pytest.mark.parametrize("text", ["NCBI_API_KEY = 'x'", "[contact]\nNCBI_API_KEY = 'x'"])
def test_the_variables_own_name_as_a_key_gets_the_same_remedy(
    written: Callable[[str | bytes], Path], text: str
) -> None:
    assert "environment variable NCBI_API_KEY" in _refused(BASE, written(text))


@pytest.mark.parametrize(
    "text", [f'[contact]\nemail = {{api_key = "{SECRET}"}}', f'[link]\nterm = ["{SECRET}"]']
)
def test_a_key_inside_a_wrong_value_is_not_repeated(
    written: Callable[[str | bytes], Path], text: str
) -> None:
    assert SECRET not in _refused(BASE, written(text))


def test_an_address_with_a_password_is_refused() -> None:
    assert "no user" in _refused(_with(server={"base_url": f"http://:{SECRET}@localhost/"}))


# --- what is refused ------------------------------------------------------------------------


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
    assert _refused(BASE, path) == f"{path}: {sentence}"


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
    assert _refused(BASE, path).startswith(f"The job file {path} {sentence}")


def test_a_job_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    sentence = f"The job file {path} cannot be read: No such file or directory."
    assert _refused(BASE, path) == sentence
    assert "Is a directory" in _refused(BASE, tmp_path)


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        (
            {"output": {"path": "out"}},
            "link.dbfrom is missing: give --dbfrom, or dbfrom under [link] in the job file.",
        ),
        (
            {"link": {"dbfrom": "pubmed"}},
            "output.path is missing: give --out, or path under [output] in the job file.",
        ),
    ],
)
def test_what_is_missing_is_named_with_its_option(
    missing: dict[str, dict[str, Any]], sentence: str
) -> None:
    assert _refused(missing) == sentence


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
        ("link", {"dbfrom": 5}, "link.dbfrom = 5: should be a valid string (option --dbfrom)."),
        ("link", {"db": "a b"}, "link.db: 'a b' is not a name; "),
        ("link", {"db": ""}, "link: db names no database; leave it out to ask for all."),
        ("link", {"db": []}, "link: db names no database; leave it out to ask for all."),
        ("link", {"db": [1]}, "link.db = 1: should be a valid string (option --db)."),
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
        ("source", {"ids": [1]}, "source.ids = 1: should be a valid string (option --ids)."),
        ("source", {"shard": "0/4"}, "source.shard: '0/4' is not a share; write I/N with I from 1"),
        ("source", {"shard": "5/4"}, "source.shard: '5/4' is not a share; "),
        ("source", {"shard": "1/0"}, "source.shard: '1/0' is not a share; "),
        ("source", {"shard": "1"}, "source.shard: '1' is not a share; "),
        ("source", {"shard": "-1/4"}, "source.shard: '-1/4' is not a share; "),
        ("output", {"format": "csv"}, "output.format = 'csv': should be 'parquet' or 'jsonl'"),
        ("output", {"compression": "lz4"}, "output.compression = 'lz4': should be 'zstd', 'gzip'"),
        ("output", {"path": 5}, "output.path = 5: should be a valid string (option --out)."),
        ("limits", {"rate": 0}, "limits.rate = 0: should be greater than 0 (option --rate)."),
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
        ("contact", {"email": "nobody"}, "contact.email: 'nobody' is not an email address."),
        ("contact", {"email": "a b@c"}, "contact.email: 'a b@c' is not an email address."),
        ("contact", {"tool": "my tool"}, "contact.tool: 'my tool': NCBI wants a tool name without"),
        ("contact", {"tool": ""}, "contact.tool: '': NCBI wants a tool name without spaces."),
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
    settings_ = _with(**{group: keys})
    from_options = _refused(settings_)
    assert from_options.startswith(sentence)
    assert from_options.endswith(".")
    path = written(tomli_w.dumps(settings_))
    assert _refused({}, path).startswith(f"{path}: {sentence.removesuffix('.')}")


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
    assert f"{group}." in _refused(_with(**{group: keys}))


@pytest.mark.parametrize("key", ["concurrency", "batch_size"])
@pytest.mark.parametrize("value", [0, -1, 1_000_000])
def test_a_number_out_of_range_is_told_the_range(key: str, value: int) -> None:
    assert "than or equal to" in _refused(_with(limits={key: value}))


def test_a_sentence_cannot_move_the_cursor() -> None:
    assert _refused(_with(contact={"email": "\x1b[2Jx"})).isprintable()


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000])
def test_toml_that_python_cannot_hold_is_refused(
    written: Callable[[str | bytes], Path], text: str
) -> None:
    assert "job.toml" in _refused(BASE, written(text))


def test_a_name_that_no_file_can_have_is_refused() -> None:
    assert "cannot be read" in _refused(BASE, Path("a\0b"))


# --- writing it down ------------------------------------------------------------------------

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_NAME = st.text("abcdefgh_", min_size=1, max_size=12)
_JOBS = st.builds(
    lambda link, ids, path, limits, email, form: Job.model_validate(
        {
            "link": link,
            "source": {"ids": ids, "shard": "2/7"},
            "output": {"path": path, "format": form},
            "limits": limits,
            "contact": {"email": email},
            "server": LOCAL,
        }
    ),
    link=st.fixed_dictionaries(
        {"dbfrom": st.just("pubmed")},
        optional={
            "db": st.lists(_NAME, min_size=1, max_size=3),
            "linkname": st.lists(_NAME, max_size=3),
            "cmd": st.sampled_from(["neighbor", "neighbor_score"]),
            "term": _TEXT,
            "reldate": st.integers(1, 10**6),
            "retmode": st.sampled_from(["json", "xml"]),
        },
    ),
    ids=st.lists(_TEXT, max_size=3),
    path=_TEXT,
    limits=st.fixed_dictionaries(
        {},
        optional={
            "rate": st.floats(0.001, 10_000),
            "concurrency": st.one_of(st.just("auto"), st.integers(1, 10_000)),
            "batch_size": st.one_of(st.just("auto"), st.integers(1, 5_000)),
            "timeout": st.floats(0.001, 3600),
            "max_attempts": st.integers(1, 100),
            "window": st.sampled_from(["auto", "off-peak", "always"]),
            "stop_at_window_end": st.booleans(),
        },
    ),
    email=st.one_of(st.none(), st.just("a@b.org")),
    form=st.sampled_from(["parquet", "jsonl"]),
)


@in_any_place
@given(_JOBS)
def test_a_job_written_down_is_read_back_the_same(
    written: Callable[[str | bytes], Path], job: Job
) -> None:
    assert jobfile.build({}, written(jobfile.dump(job)), {}) == job


def test_the_job_written_down_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCBI_API_KEY", SECRET)
    job = jobfile.build(BASE)
    assert SECRET not in jobfile.dump(job)
    assert SECRET not in repr(job)


def test_a_name_that_is_not_utf8_is_refused() -> None:
    """Linux allows such names, and Python hands them on with lone surrogates; TOML cannot."""
    assert "not valid UTF-8" in _refused(_with(output={"path": "caf\udce9"}))


def test_paths_come_to_mean_the_same_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")
    ids = ["a.txt", "/b.txt", "~/c.txt", STDIN, "../d.txt"]
    job = jobfile.absolute(Job.model_validate(_with(source={"ids": ids})))
    assert job.output.path == str(tmp_path / "out")
    assert job.source.ids == [
        str(tmp_path / "a.txt"),
        "/b.txt",
        "/home/somebody/c.txt",
        STDIN,
        str(tmp_path / "../d.txt"),
    ]


# --- fuzz -----------------------------------------------------------------------------------

_VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        _TEXT,
        st.sampled_from(["auto", "pubmed", "1/1", "2020", NCBI, LOCAL["base_url"]]),
        st.dates(),
        st.datetimes(),
        st.times(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAME, inner, max_size=3)),
    max_leaves=5,
)
_KEYS = st.one_of(
    _NAME,
    st.sampled_from([k for f in Job.model_fields.values() for k in f.annotation.model_fields]),  # type: ignore[union-attr]
)
_FILES = st.one_of(
    st.dictionaries(
        st.one_of(st.sampled_from(list(Job.model_fields)), _NAME),
        st.one_of(_VALUES, st.dictionaries(_KEYS, _VALUES, max_size=4)),
        max_size=4,
    ).map(tomli_w.dumps),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.text(alphabet="[]link.output=\"'\n#{},15-:T", max_size=80),
)


@in_any_place
@given(_FILES)
def test_any_text_is_a_job_or_bad_input(written: Callable[[str | bytes], Path], text: str) -> None:
    path = written(text)
    try:
        job = jobfile.build({}, path, {})
    except BadInput as error:
        said = str(error)
        assert str(path) in said or "NCBI" in said
    else:
        assert Job.model_validate(job.model_dump()) == job
        assert set(tomllib.loads(text)) <= set(Job.model_fields)
