"""UIDs from columns of tables, compared with Python's csv module and with plain lists."""

from __future__ import annotations

import csv
import decimal
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.uid_lists import COMPRESSIONS

from harvester.errors import BadInput
from harvester.sources import encoding, parquet
from harvester.sources import tables as columns
from harvester.sources.files import read_accessions, read_uids
from harvester.sources.tables import table_suffix

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX = {"plain": "", "gzip": ".gz", "zstd": ".zst", "xz": ".xz", "bzip2": ".bz2"}


def _read(path: Path, column: str | None = None, dbfrom: str = "pubmed") -> list[int]:
    blocks = list(read_uids(str(path), column, dbfrom))
    assert all(block.dtype == np.int64 for block in blocks)
    return [uid for block in blocks for uid in block.tolist()]


def _refusal(path: Path, column: str | None = None, dbfrom: str = "pubmed") -> str:
    with pytest.raises(BadInput) as caught:
        _read(path, column, dbfrom)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    assert "\n" not in sentence
    return sentence.removeprefix(str(path))


def _csv(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="")
    return path


def _parquet(path: Path, **named: Any) -> Path:
    pq.write_table(pa.table(named), path, row_group_size=3)
    return path


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.csv", ".csv"),
        ("A.TSV", ".tsv"),
        ("a.b/c.csv.gz", ".csv"),
        ("a.tsv.zst", ".tsv"),
        ("a.parquet", ".parquet"),
        ("a.txt", None),
        ("a.gz", None),
        ("csv", None),
        ("-", None),
        ("a.csv/list", None),
    ],
)
def test_the_kind_is_told_by_the_name(name: str, kind: str | None) -> None:
    assert table_suffix(name) == kind


# --- text tables ------------------------------------------------------------------------------


@pytest.mark.parametrize("packing", COMPRESSIONS)
@pytest.mark.parametrize(("suffix", "between"), [(".csv", ","), (".tsv", "\t")])
def test_a_column_of_a_table_in_any_packing(
    tmp_path: Path, packing: str, suffix: str, between: str
) -> None:
    rows = ["title", "pmid"], ["one", "7"], ["two", ""], ["three", "9"], ["four", "7"]
    text = "".join(between.join(row) + "\n" for row in rows)
    path = tmp_path / f"list{suffix}{_SUFFIX[packing]}"
    path.write_bytes(COMPRESSIONS[packing](text.encode()))
    assert _read(path, "pmid") == [7, 9, 7]


_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(_CELLS, st.one_of(st.none(), st.integers(1, 2**63 - 1))), max_size=30),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    spelling=st.sampled_from(["{}", "PMID:{}", " {} ", "{}.0"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_quoted_fields_of_any_content_beside_it(
    tmp_path: Path,
    rows: list[tuple[str, int | None]],
    quoting: Any,
    end: str,
    spelling: str,
    mark: str,
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, lineterminator=end)
    writer.writerow(["a title, with a comma", "uid"])
    for title, uid in rows:
        writer.writerow([title, "" if uid is None else spelling.format(uid)])
    path = _csv(tmp_path / "list.csv", mark + out.getvalue())
    assert _read(path, "uid") == [uid for _, uid in rows if uid is not None]


def test_the_only_column_needs_no_name(tmp_path: Path) -> None:
    assert _read(_csv(tmp_path / "a.csv", "whatever\n5\n6\n")) == [5, 6]


def test_a_table_without_rows_holds_no_uids(tmp_path: Path) -> None:
    assert _read(_csv(tmp_path / "a.csv", "pmid,title\n"), "pmid") == []
    assert _read(_csv(tmp_path / "a.csv", "pmid,title"), "pmid") == []


def test_several_columns_are_never_guessed_among(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", "pmid,uid\n5,6\n")
    assert _refusal(path) == (
        " has 2 columns (pmid, uid): name the one with the UIDs with --ids-column, "
        "or give its number."
    )


def test_a_column_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    path = _csv(tmp_path / "a.csv", "pmid,title\n5,6\n")
    assert _refusal(path, "pmids") == (
        " has no column called 'pmids' (did you mean 'pmid'?); its columns are pmid, title."
    )


def test_a_name_that_two_columns_have_is_refused(tmp_path: Path) -> None:
    assert "more than one column called 'a'" in _refusal(
        _csv(tmp_path / "a.csv", "a,a\n5,6\n"), "a"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\nx y\n", "line 3: 'x y' is not a UID; UIDs of pubmed are positive whole numbers."),
        ("1\n0\n", "line 3: '0' is not a UID; UIDs run from 1 to 9223372036854775807."),
        ("1\n-4\n", "line 3: '-4' is not a UID"),
        ("1.5\n", "line 2: '1.5' is not a UID"),
        ("1\n9223372036854775808\n", "line 3: '9223372036854775808' is not a UID"),
        ("0x1F\n", "line 2: '0x1F' is not a UID"),
        ("PMC12\n", "this is a UID of pmc, for --dbfrom pmc"),
        ("NM_000546.6\n", "this is an accession: ask with --dbfrom nuccore or protein"),
        ("1,2\n", "line 2: the row has 2 cells, the first row 1."),
    ],
)
def test_what_is_no_uid_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in _refusal(_csv(tmp_path / "a.csv", "uid\n" + text))


@pytest.mark.parametrize("text", ["", "\n", "\0\0\0"])
def test_what_has_no_header_is_refused(tmp_path: Path, text: str) -> None:
    assert ("not a text file" if text.strip() else "header") in _refusal(
        _csv(tmp_path / "a.csv", text)
    )


@pytest.mark.parametrize("packing", ["gzip", "zstd", "xz", "bzip2"])
def test_a_table_cut_short_is_refused(tmp_path: Path, packing: str) -> None:
    whole = COMPRESSIONS[packing](b"uid\n" + b"".join(b"%d\n" % n for n in range(1, 30_000, 7)))
    path = tmp_path / f"a.csv{_SUFFIX[packing]}"
    for cut in (12, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:cut])
        assert "damaged" in _refusal(path)


def test_a_long_table_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 4096)
    monkeypatch.setattr(columns, "_SAMPLE", 4096)
    text = "uid,note\n" + "".join(f'{n},"no, {n}\n"\n' for n in range(1, 5001))
    path = _csv(tmp_path / "a.csv", text + "oops,x\n")
    blocks = read_uids(str(path), "uid", "pubmed")
    firsts = [next(blocks).tolist() for _ in range(10)]
    assert max(map(len, firsts)) < 1000
    read = [uid for block in firsts for uid in block]
    assert read == list(range(1, len(read) + 1))
    with pytest.raises(BadInput, match="line 10002: 'oops'"):
        list(blocks)


# --- parquet ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        pa.int64(), pa.int16(), pa.uint64(), pa.float64(), pa.float32(), pa.string(),
        pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.decimal128(20, 2),
    ],
    ids=str,
)  # fmt: skip
def test_parquet_of_any_table_suffix_number_or_text(tmp_path: Path, kind: pa.DataType) -> None:
    uids = [7, None, 9, 7, 12000]
    cells = pa.array(uids, pa.int64())
    cells = (
        pa.array([None if n is None else decimal.Decimal(n) for n in uids], kind)
        if (pa.types.is_decimal(kind))
        else cells.cast(pa.string() if pa.types.is_dictionary(kind) else kind)
    )
    if pa.types.is_dictionary(kind):
        cells = cells.dictionary_encode()
    path = _parquet(tmp_path / "a.parquet", uid=cells, other=["x"] * 5)
    assert _read(path, "uid") == [7, 9, 7, 12000]


def test_a_column_with_nan_as_pandas_writes_it(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "a.parquet", uid=[1.0, float("nan"), 41_000_000.0])
    assert _read(path) == [1, 41_000_000]


def test_nothing_but_nulls_is_no_uid(tmp_path: Path) -> None:
    assert _read(_parquet(tmp_path / "a.parquet", uid=pa.nulls(4))) == []
    assert _read(_parquet(tmp_path / "a.parquet", uid=pa.array([None], pa.float64()))) == []


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([1.0, 1.5], "row 2: '1.5' is not a UID"),
        ([1.0, float("inf")], "row 2: "),
        (pa.array([34248085.0], pa.float32()), "row 1: 34248084.0 is too large for a UID"),
        (pa.array([7, 2.0**24], pa.float32()), "row 2: 16777216.0 is too large for a UID"),
        ([1.0, 2.0**53], "row 2: 9007199254740992.0 is too large for a UID"),
        (pa.array([7], pa.float16()), "the column holds halffloat values"),
        ([1.0, 1e17], "row 2: 1e+17 is too large for a UID stored as a float"),
        ([4, 0], "row 2: '0' is not a UID"),
        ([4, -3], "row 2: '-3' is not a UID"),
        (pa.array([1, 2**64 - 1], pa.uint64()), "row 2: '18446744073709551615' is not a UID"),
        ([True], "the column holds bool values"),
        ([[1, 2]], "the column holds list<"),
        (["1", "two"], "row 2: 'two' is not a UID"),
    ],
)
def test_what_is_no_uid_in_parquet_is_named(tmp_path: Path, cells: Any, said: str) -> None:
    assert said in _refusal(_parquet(tmp_path / "a.parquet", uid=cells))


def test_rows_are_counted_over_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS", 4)
    path = _parquet(tmp_path / "a.parquet", uid=[*map(str, range(1, 23)), "x"])
    assert "row 23: 'x'" in _refusal(path)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"uid\n1\n")
    assert "not a parquet table" in _refusal(path)
    whole = _parquet(path, uid=list(range(1, 2000))).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "not a parquet table" in _refusal(path)
    packed = tmp_path / "a.parquet.gz"
    packed.write_bytes(COMPRESSIONS["gzip"](whole))
    assert "decompress the Parquet file" in _refusal(packed)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for name in ("a.csv", "a.parquet"):
        with pytest.raises(BadInput, match="cannot be read: No such file"):
            _read(tmp_path / name)


# --- accessions -------------------------------------------------------------------------------

_ACCESSIONS = [
    "NM_000546.6", "nm_000546.6", "U12345.1", "NZ_CP012345.1", "AAAA01000001", "WP_000000001.1",
    "568815597", "1TUP_A", "1tup_a", "P12345", "A0A023GPI8", "Q9H0H5.2", "1909257A",
]  # fmt: skip
_READ = [
    "NM_000546.6", "NM_000546.6", "U12345.1", "NZ_CP012345.1", "AAAA01000001", "WP_000000001.1",
    "568815597", "1TUP_A", "1TUP_a", "P12345", "A0A023GPI8", "Q9H0H5.2", "1909257A",
]  # fmt: skip


def _accessions(path: Path, column: str | None = None) -> list[str]:
    return [text for block in read_accessions(str(path), column) for text in block]


def test_accessions_of_a_list_and_of_tables(tmp_path: Path) -> None:
    text = _csv(tmp_path / "a.txt", "# of genes\n" + ", ".join(_ACCESSIONS) + "\n")
    table = _csv(
        tmp_path / "a.csv", "acc\n" + "\n".join(f' "{one}" ' if 0 else one for one in _ACCESSIONS)
    )
    parquet = _parquet(tmp_path / "a.parquet", acc=[*_ACCESSIONS, None, ""])
    for path in (text, table, parquet):
        assert _accessions(path) == _READ


def test_gis_of_a_table_are_accessions(tmp_path: Path) -> None:
    assert _accessions(_parquet(tmp_path / "a.parquet", gi=[12.0, float("nan")])) == ["12"]
    assert _accessions(_parquet(tmp_path / "a.parquet", gi=[12, None])) == ["12"]


@pytest.mark.parametrize("word", ["NM_", "p53-gene", "NM_000546.", "ÄB123", "N;M", "rs?"])
def test_what_is_no_accession_is_named(tmp_path: Path, word: str) -> None:
    for path, place in (
        (_csv(tmp_path / "a.txt", f"U1\n{word}\n"), "line 2"),
        (_csv(tmp_path / "a.csv", f"acc\nU1\n{word}\n"), "line 3"),
    ):
        with pytest.raises(BadInput) as caught:
            _accessions(path)
        assert str(caught.value).startswith(f"{path}, {place}: '{word}' is not an accession")
