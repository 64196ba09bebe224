"""The formats and compressions of a job are those that the sinks can write."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, get_args

import pyarrow as pa
import pytest

from harvester.job.formats import FORMATS, Codec, Format
from harvester.store import sinks
from harvester.store.sinks import make_sink

if TYPE_CHECKING:
    from pathlib import Path


def test_each_format_has_a_row_with_all_compressions() -> None:
    assert set(FORMATS) == set(get_args(Format)) == set(sinks.FORMATS)
    assert all(set(spec.link_bytes) == set(get_args(Codec)) for spec in FORMATS.values())


@pytest.mark.parametrize(("form", "codec"), list(product(get_args(Format), get_args(Codec))))
def test_each_is_written_and_read_back(form: Format, codec: Codec, tmp_path: Path) -> None:
    table = pa.table({"from_uid": pa.array([1, 2], pa.int64())})
    sink, part = make_sink(form, codec), tmp_path / "part"
    with part.open("wb") as stream:
        sink.write([table], stream)
    with part.open("rb") as stream:
        assert pa.concat_tables(sink.read(stream, table.schema)).equals(table)
