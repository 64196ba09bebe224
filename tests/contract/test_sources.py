"""What every source must do, whatever its format."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from harvester.errors import BadInput
from harvester.sources.files import read_accessions, read_uids
from harvester.sources.text import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harvester.model.uids import UidArray

_PACK: dict[str, Callable[[bytes], bytes]] = {
    "text": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda data: zstandard.ZstdCompressor().compress(data),
}
SOURCES = [*_PACK, *(f"stdin-{name}" for name in _PACK)]


@pytest.fixture(params=SOURCES)
def source(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[bytes], tuple[str, Iterator[UidArray]]]:
    """Return a text as a source: its name in error messages, and its blocks."""
    place, _, packing = str(request.param).rpartition("-")

    def made(text: bytes) -> tuple[str, Iterator[UidArray]]:
        data = _PACK[packing](text)
        if place == "stdin":
            raw = io.BufferedReader(io.BytesIO(data))
            monkeypatch.setattr("sys.stdin", io.TextIOWrapper(raw))
            return "standard input", read_lines("-", "pubmed")
        path = tmp_path / "list"
        path.write_bytes(data)
        return str(path), read_lines(str(path), "pubmed")

    return made


def _members(blocks: Iterator[UidArray]) -> list[int]:
    return [uid for block in blocks for uid in block.tolist()]


def test_blocks_are_int64_arrays_in_order_with_duplicates(
    source: Callable[[bytes], tuple[str, Iterator[UidArray]]],
) -> None:
    _, blocks = source(b"9\n3\n9\n9223372036854775807\n")
    listed = list(blocks)
    assert {block.dtype for block in listed} == {np.dtype(np.int64)}
    assert _members(iter(listed)) == [9, 3, 9, 2**63 - 1]


def test_nothing_in_it_gives_no_uid(
    source: Callable[[bytes], tuple[str, Iterator[UidArray]]],
) -> None:
    assert _members(source(b"")[1]) == []
    assert _members(source(b"# later\n\n")[1]) == []


def test_what_is_wrong_is_named_with_its_place(
    source: Callable[[bytes], tuple[str, Iterator[UidArray]]],
) -> None:
    name, blocks = source(b"1\n# x\nPMID:2\nwrong\n")
    with pytest.raises(BadInput) as caught:
        _members(blocks)
    assert str(caught.value).startswith(f"{name}, line 4: 'wrong' is not a UID")


def test_uids_out_of_range_are_named(
    source: Callable[[bytes], tuple[str, Iterator[UidArray]]],
) -> None:
    for text in (b"1\n0\n", b"1\n9223372036854775808\n"):
        name, blocks = source(text)
        with pytest.raises(BadInput, match="UIDs run from 1 to 9223372036854775807") as caught:
            _members(blocks)
        assert str(caught.value).startswith(f"{name}, line 2: ")


def test_what_is_no_text_is_refused(
    source: Callable[[bytes], tuple[str, Iterator[UidArray]]],
) -> None:
    name, blocks = source(b"PAR1\0\0\0\0")
    with pytest.raises(BadInput, match="is not a text file") as caught:
        _members(blocks)
    assert name in str(caught.value)


def test_a_long_list_is_read_in_bounded_blocks(
    source: Callable[[bytes], tuple[str, Iterator[UidArray]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harvester.sources.encoding.BLOCK", 4096)
    _, blocks = source(b"\n".join(b"%d" % uid for uid in range(1, 20_001)))
    listed = list(blocks)
    assert max(len(block) for block in listed) < 3000
    assert _members(iter(listed)) == list(range(1, 20_001))


# --- tables -----------------------------------------------------------------------------------

Table = Callable[[list[str]], str]


@pytest.fixture(params=["csv", "tsv", "csv.gz", "tsv.zst", "parquet"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Table:
    """Write cells as the second of three columns of a table; return its name."""
    suffix = str(request.param)
    path = tmp_path / f"list.{suffix}"

    def made(cells: list[str]) -> str:
        if suffix == "parquet":
            others = [f'"{n}, x"' for n in range(len(cells))]
            columns = {"title": others, "uid": pa.array(cells, pa.string()), "last": others}
            pq.write_table(pa.table(columns), path, row_group_size=2000)
            return str(path)
        between = "\t" if suffix.startswith("tsv") else ","
        title = "{}, x" if between == "\t" else '"{}, x\n"'
        rows = [("title", "uid", "last"), *((title.format(n), c, "y") for n, c in enumerate(cells))]
        text = "".join(between.join(row) + "\n" for row in rows).encode()
        packing = {"gz": "gzip", "zst": "zstd"}.get(suffix.partition(".")[2], "text")
        path.write_bytes(_PACK[packing](text))
        return str(path)

    return made


def test_blocks_of_a_table_are_int64_arrays_in_order_with_duplicates(table: Table) -> None:
    listed = list(read_uids(table(["9", "3", "", "9", "9223372036854775807"]), "uid", "pubmed"))
    assert {block.dtype for block in listed} == {np.dtype(np.int64)}
    assert _members(iter(listed)) == [9, 3, 9, 2**63 - 1]


def test_nothing_in_a_table_gives_no_uid(table: Table) -> None:
    for cells in ([], ["", ""]):
        name = table(cells)
        assert _members(read_uids(name, "uid", "pubmed")) == []
        assert [one for block in read_accessions(name, "uid") for one in block] == []


def _place(name: str, row: int) -> str:
    """Return a row as an error names it: line 1 is the header, CSV titles take two lines."""
    if name.endswith("parquet"):
        return f"row {row}"
    return f"line {row + 1}" if ".tsv" in name else f"line {2 * row}"


def test_what_is_wrong_in_a_table_is_named_with_its_place(table: Table) -> None:
    name = table(["1", "", "PMID:2", "wr-ong"])
    with pytest.raises(BadInput) as caught:
        _members(read_uids(name, "uid", "pubmed"))
    assert str(caught.value).startswith(f"{name}, {_place(name, 4)}: 'wr-ong' is not a UID")
    name = table(["1", "", "NM_2", "wr-ong"])
    with pytest.raises(BadInput) as caught:
        list(read_accessions(name, "uid"))
    assert str(caught.value).startswith(f"{name}, {_place(name, 4)}: 'wr-ong' is not an accession")


def test_uids_of_a_table_out_of_range_are_named(table: Table) -> None:
    for uid in ("0", "9223372036854775808"):
        name = table(["1", uid])
        with pytest.raises(BadInput, match="UIDs run from 1 to 9223372036854775807") as caught:
            _members(read_uids(name, "uid", "pubmed"))
        assert str(caught.value).startswith(f"{name}, {_place(name, 2)}: ")


def test_a_long_table_is_read_in_bounded_blocks(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harvester.sources.encoding.BLOCK", 4096)
    monkeypatch.setattr("harvester.sources.parquet.ROWS", 1000)
    uids = list(range(1, 20_001))
    listed = list(read_uids(table([str(uid) for uid in uids]), "uid", "pubmed"))
    assert max(len(block) for block in listed) < 3000
    assert _members(iter(listed)) == uids
