"""Any bytes as a job file make a job, or raise BadInput, and nothing else."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.jobs import LOCAL, SECRET, refused

from harvester.errors import BadInput
from harvester.job import load
from harvester.job.model import Job
from harvester.job.ncbi import BASE_URL as NCBI
from harvester.sources.from_job import open_source

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

in_any_place = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

CONFIGS = [path.read_text() for path in (Path(__file__).parents[3] / "configs").glob("*.toml")]

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_NAME = st.text("abcdefgh_", min_size=1, max_size=12)
_VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        _TEXT,
        st.sampled_from(
            ["auto", "pubmed", "1/1", "2020", NCBI, LOCAL["base_url"], "-", "~x/y", "../x", "~", ""]
        ),
        st.dates(),
        st.datetimes(),
        st.times(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_NAME, inner, max_size=3)),
    max_leaves=5,
)
_KEYS = {
    group: list(field.annotation.model_fields)  # type: ignore[union-attr]
    for group, field in Job.model_fields.items()
    if group != "hop"
}
_GROUPS = st.fixed_dictionaries(
    {},
    optional={
        group: st.dictionaries(st.one_of(st.sampled_from(keys), _NAME), _VALUES, max_size=4)
        for group, keys in _KEYS.items()
    },
)
_DOCUMENTS = st.one_of(
    _GROUPS,
    st.dictionaries(st.one_of(st.sampled_from(list(_KEYS)), _NAME), _VALUES, max_size=4),
).map(tomli_w.dumps)


@st.composite
def _spoilt(draw: st.DrawFn) -> str:
    """Return a valid job file with some stretches removed, doubled or replaced."""
    text: str = draw(st.sampled_from(CONFIGS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 30, len(text))))
        other = draw(st.one_of(st.just(""), st.just(text[start:end] * 2), _TEXT))
        text = text[:start] + other + text[end:]
    return text


_FILES = st.one_of(
    _DOCUMENTS.map(str.encode),
    _spoilt().map(str.encode),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(str.encode),
    st.text(alphabet="[]link.output=\"'\n#{},15-:T", max_size=80).map(str.encode),
    st.binary(max_size=60),
)


@in_any_place
@given(_FILES)
@example(b"a." * 3000 + b"b = 1")
@example(b"link.dbfrom = 'pubmed'\noutput.path = '~nobody-of-this-name/x'")
@example(b"link.dbfrom = 'pubmed'\noutput.path = 'a\\u0000b'")
def test_any_bytes_are_a_job_or_bad_input(
    written: Callable[[str | bytes], Path], monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    """From the file to the set of UIDs, the only error is BadInput, in one line."""
    path = written(data)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(b"7\n"))))
    job = None
    try:
        job = load.build({}, path, {})
        open_source(load.absolute(job))
    except BadInput as error:
        said = str(error)
        assert said.isprintable()
        assert job or str(path) in said or "NCBI" in said
    if job:
        assert load.build({}, written(load.dump(job)), {}) == job
        assert set(tomllib.loads(data.decode("utf-8-sig"))) <= set(Job.model_fields)


_SPELLINGS = ["api_key", "API-KEY", "apiKey", "ncbi_api_key", "x-api-key", "api_key_2", "key"]


def _bury(value: Any, names: list[str]) -> Any:
    for name in reversed(names):
        value = {name: value} if name else [value]
    return value


@in_any_place
@given(
    groups=_GROUPS,
    names=st.lists(st.one_of(st.sampled_from([*_KEYS, ""]), _NAME), max_size=4),
    spelling=st.sampled_from(_SPELLINGS),
)
def test_a_key_anywhere_in_a_job_file_is_refused_and_not_repeated(
    written: Callable[[str | bytes], Path],
    groups: dict[str, Any],
    names: list[str],
    spelling: str,
) -> None:
    path = written(tomli_w.dumps({**groups, **_bury({spelling: SECRET}, ["link", *names])}))
    said = refused({}, path)
    assert "NCBI_API_KEY" in said
    assert SECRET not in said
