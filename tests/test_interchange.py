"""Archives as Parquet and back, and vectors of other tools: nothing lost, nothing trusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_tools import PROFILE, codes_of
from sememe import Archive, Profile, api
from sememe.archive import Item, NewItem, interchange
from sememe.batch.importing import (
    Vectors,
    find_vectors,
    import_exports,
    import_vectors,
    is_export,
)
from sememe.errors import (
    ArchiveFormatError,
    InputError,
    MissingExtraError,
    ProfileFormatError,
    ProfileMismatchError,
    UsageError,
    VectorError,
)
from toys import other_profile, toy_codec, toy_profile, toy_vectors
from workbench import TOY, Bench

pa = pytest.importorskip("pyarrow", reason="needs the extra: pip install 'sememe[parquet]'")
pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra: pip install 'sememe[parquet]'")

STRANGE = os.fsdecode(b"caf\xe9/\xff.jpg")


@pytest.fixture
def archive_path(tmp_path: Path) -> Path:
    """Eight images, two that failed, a path that is not UTF-8; a hole where one was removed."""
    path, codec = tmp_path / "photos.sems", toy_codec()
    encoded = codec.encode_vectors(toy_vectors()[:8])
    with codec.open_archive(path) as archive:
        names = ["gone.jpg", *(f"ü/{i}.jpg" for i in range(6)), STRANGE]
        items = [
            NewItem(name, i - 3, 10 + i, bytes([i]) * 16, 640, 480, encoded.fidelity(i) if i != 2 else None)
            for i, name in enumerate(names)
        ]
        archive.put(items, encoded.codes)
        archive.put([NewItem("bad.jpg", error="cut"), NewItem("late.jpg", error="no")], encoded.codes[:0])
        archive.remove(["gone.jpg"])
    return path


def content(path: Path) -> list[tuple[object, ...]]:
    """All that an archive holds, but for the ids."""
    with Archive.open(path) as archive:
        assert archive.verify() == []
        head = (*archive.profile, archive.nbytes, archive.mean_bytes)
        return [head] + [
            (*item[:-1], archive.code(item.path) if item.status == "ok" else None) for item in archive.items()
        ]


def exported(archive: Path, **options: str) -> Path:
    target = archive.with_suffix(".parquet")
    api.export(archive, target, **options)
    return target


def summary(report) -> tuple[int, int, int]:
    return report.new, report.unchanged, len(report.failed)


# ---------------------------------------------------------------- round trip


def test_an_archive_becomes_itself_again(archive_path: Path, tmp_path: Path) -> None:
    table = exported(archive_path)
    report, origin = import_exports([table], tmp_path / "again.sems")
    assert summary(report) == (7, 0, 2)
    assert origin.profile.fingerprint == toy_profile().fingerprint
    assert content(tmp_path / "again.sems") == content(archive_path)
    assert api.verify(tmp_path / "again.sems") == []  # the tables are inside
    assert summary(import_exports([table], tmp_path / "again.sems")[0]) == (0, 7, 2)
    assert content(tmp_path / "again.sems") == content(archive_path)


def test_decoded_vectors_lie_beside_and_do_not_hinder(archive_path: Path, tmp_path: Path) -> None:
    table = exported(archive_path, what="vectors")
    rows = pq.read_table(table).to_pylist()
    vectors = [row["vector"] for row in rows if row["status"] == "ok"]
    np.testing.assert_array_equal(np.array(vectors, np.float32), toy_codec().decode(archive_path))
    assert {row["vector"] is None for row in rows if row["status"] == "failed"} == {True}
    import_exports([table], tmp_path / "again.sems")
    assert content(tmp_path / "again.sems") == content(archive_path)


def test_parts_of_an_export_add_up(archive_path: Path, tmp_path: Path) -> None:
    table = pq.read_table(exported(archive_path))
    said = pq.ParquetFile(archive_path.with_suffix(".parquet")).metadata.metadata
    for number, rows in enumerate((table[:4], table[3:])):
        pq.write_table(rows.replace_schema_metadata(said), tmp_path / f"{number}.parquet")
    report, _ = import_exports([tmp_path / "0.parquet", tmp_path / "1.parquet"], tmp_path / "again.sems")
    assert summary(report) == (7, 1, 2)
    assert content(tmp_path / "again.sems") == content(archive_path)


@given(
    st.builds(
        Item,
        path=st.binary(min_size=1, max_size=9).map(os.fsdecode).filter(lambda text: "\0" not in text),
        mtime_ns=st.integers(-(2**63) + 1, 2**63 - 1),
        size=st.integers(0, 2**63 - 1),
        content_hash=st.binary(max_size=64),
        width=st.integers(0, 2**40),
        height=st.integers(0, 2**40),
        fidelity=st.none() | st.integers(0, 255),
        status=st.just("ok"),
        error=st.none(),
        added_at=st.integers(0, 2**40),
        id=st.just(-1),
    ),
    st.binary(min_size=1, max_size=255),
)
def test_a_row_becomes_its_item_again(item: Item, code: bytes) -> None:
    row = interchange.to_row(item, code)
    assert tuple(row) == interchange.COLUMNS
    row["fidelity"] = None if row["fidelity"] is None else float(row["fidelity"])
    new, again = interchange.from_row(row, 255)
    assert again == code
    assert (new.path, *new[1:7], new.added_at) == (item.path, *item[1:7], item.added_at)


def test_metadata_says_it_all() -> None:
    for origin in (
        interchange.Origin(PROFILE, 16),
        interchange.Origin(PROFILE._replace(tables=None), 255, 16.5),
    ):
        assert interchange.read_metadata(interchange.metadata(origin)) == origin


# ---------------------------------------------------------------- other programs


def test_duckdb_reads_it(archive_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="reads the export as its users do: pip install duckdb")
    table = exported(archive_path)
    ask = f"select path, code, fidelity, error from '{table}' where status = 'ok' order by path"
    rows = duckdb.sql(ask).fetchall()
    assert len(rows) == 7
    with Archive.open(archive_path) as archive:
        assert bytes(rows[-1][1]) == archive.code("ü/5.jpg")
    assert duckdb.sql(f"select error from '{table}' where status = 'failed'").fetchall() == [
        ("cut",),
        ("no",),
    ]


def test_polars_reads_it(archive_path: Path) -> None:
    polars = pytest.importorskip("polars", reason="reads the export as its users do: pip install polars")
    frame = polars.read_parquet(exported(archive_path, what="vectors"))
    ok = frame.filter(polars.col("status") == "ok")
    np.testing.assert_array_equal(
        np.array(ok["vector"].to_list(), np.float32), toy_codec().decode(archive_path)
    )
    assert frame["code"].null_count() == 2


def test_pandas_reads_it(archive_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="reads the export as its users do: pip install pandas")
    frame = pandas.read_parquet(exported(archive_path))
    with Archive.open(archive_path) as archive:
        codes = [archive.code(item.path) for item in archive.items("ok")]
    assert frame[frame.status == "ok"].code.tolist() == codes
    assert frame[frame.status == "failed"].error.tolist() == ["cut", "no"]


def test_pyarrow_reads_it_with_its_checksums(archive_path: Path) -> None:
    table = pq.read_table(exported(archive_path), page_checksum_verification=True)
    assert tuple(table.column_names) == interchange.COLUMNS
    assert table.schema.field("code").type == pa.binary(16)
    assert table.column("status").to_pylist() == ["ok"] * 7 + ["failed"] * 2


# ---------------------------------------------------------------- hostile exports


def forged(archive_path: Path, metadata: dict[str, str | None] | None = None, **columns: object) -> Path:
    """An export with other metadata (None: left out) or columns."""
    source = exported(archive_path)
    table = pq.read_table(source)
    said = {k.decode(): v.decode() for k, v in pq.ParquetFile(source).metadata.metadata.items()}
    del said["ARROW:schema"]
    said |= metadata or {}
    for name, values in columns.items():
        column = values if isinstance(values, pa.Array) else pa.array(values)
        table = table.set_column(table.column_names.index(name), name, column)
    target = archive_path.with_name("forged.parquet")
    kept = {key: value for key, value in said.items() if value is not None}
    pq.write_table(table.replace_schema_metadata(kept), target)
    return target


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"sememe.version": "2"}, ArchiveFormatError),
        ({"sememe.version": None}, ArchiveFormatError),
        ({"sememe.manifest": None}, ArchiveFormatError),
        ({"sememe.manifest": "x" * ((1 << 20) + 1)}, ArchiveFormatError),
        ({"sememe.fingerprint": "abc"}, ArchiveFormatError),
        ({"sememe.fingerprint": "00" * 32}, ProfileMismatchError),
        ({"sememe.nbytes": "0"}, ArchiveFormatError),
        ({"sememe.nbytes": "9" * 5000}, ArchiveFormatError),
        ({"sememe.mean_bytes": "nan"}, ArchiveFormatError),
        ({"sememe.mean_bytes": "20"}, ArchiveFormatError),
        ({"sememe.tables": "!!!"}, ArchiveFormatError),
        ({"sememe.tables": "AAAA"}, ProfileFormatError),
        ({"sememe.tables": None}, ProfileMismatchError),
        ({"sememe.profile": "a\nb"}, ArchiveFormatError),
    ],
)
def test_lying_metadata_is_refused(archive_path: Path, tmp_path: Path, metadata, error) -> None:
    path = forged(archive_path, metadata)
    with pytest.raises(error, match="forged"):
        import_exports([path], tmp_path / "again.sems")
    assert not (tmp_path / "again.sems").exists()


def test_absurd_tables_are_refused_unread(archive_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sememe.archive.interchange.MAX_TABLES", 100)
    with pytest.raises(ArchiveFormatError, match="more than any"):
        import_exports([exported(archive_path)], archive_path.with_name("again.sems"))


@pytest.mark.parametrize(
    "columns",
    [
        {"code": pa.array([b"x" * 16] * 9)},  # those that failed have codes
        {"code": pa.array([b""] * 9)},
        {"code": pa.array([b"y" * 300] * 9)},
        {"code": pa.array(["text"] * 9)},
        {"status": ["maybe"] * 9},
        {"path": pa.nulls(9, pa.string()), "path_bytes": pa.nulls(9, pa.binary())},
        {"path": ["a\0b"] * 9, "path_bytes": pa.nulls(9, pa.binary())},
        {"path": list(range(9)), "path_bytes": pa.nulls(9, pa.binary())},
        {"mtime_ns": pa.nulls(9, pa.int64())},
        {"size": ["12"] * 9},
        {"size": [-1] * 9},
        {"fidelity": [float("nan")] * 9},
        {"content_hash": [b"h" * 65] * 9},
        {"content_hash": pa.nulls(9, pa.binary())},
    ],
    ids=repr,
)
def test_a_wrong_row_is_named_and_the_run_goes_on(archive_path: Path, tmp_path: Path, columns) -> None:
    path = forged(archive_path, **columns)
    report, _ = import_exports([path], tmp_path / "again.sems")
    assert report.failed
    assert report.new == 9 - len(report.failed)
    assert any(f"{path}#" in failure.path for failure in report.failed)
    assert api.verify(tmp_path / "again.sems") == []


def test_no_export_is_no_export(archive_path: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    (tmp_path / "cut.parquet").write_bytes(exported(archive_path).read_bytes()[:-30])
    (tmp_path / "junk.parquet").write_bytes(b"PAR1" + bytes(range(256)) + b"PAR1")
    assert is_export(exported(archive_path))
    for name in ("other.parquet", "cut.parquet", "junk.parquet", "absent.parquet", "photos.sems"):
        assert not is_export(tmp_path / name)
    table = pq.read_table(exported(archive_path)).drop_columns(["error", "size"])
    pq.write_table(table, tmp_path / "few.parquet")
    with pytest.raises(ArchiveFormatError, match="error, size"):
        import_exports([tmp_path / "few.parquet"], tmp_path / "again.sems")


@pytest.fixture(scope="module")
def whole_export(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder, codec = tmp_path_factory.mktemp("whole"), toy_codec()
    items = [NewItem(f"{i}.jpg", added_at=0) for i in range(40)]
    with codec.open_archive(folder / "a.sems") as archive:
        archive.put(items, codec.encode_vectors(toy_vectors()[:40]).codes)
    return exported(folder / "a.sems").read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_bytes_give_our_errors_alone(tmp_path_factory, whole_export: bytes, data) -> None:
    folder, raw = tmp_path_factory.mktemp("damage"), bytearray(whole_export)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    (folder / "x.parquet").write_bytes(raw)
    try:
        report, _ = import_exports([folder / "x.parquet"], folder / "b.sems")
    except (InputError, ArchiveFormatError, ProfileFormatError, ProfileMismatchError, UsageError):
        return
    with Archive.open(folder / "b.sems") as archive:
        assert archive.verify() == []
        assert len(archive) == report.new


def test_other_profiles_and_lengths_do_not_mix(archive_path: Path, tmp_path: Path) -> None:
    table, target = exported(archive_path), tmp_path / "short.sems"
    api.truncate(archive_path, target, 8)
    before = content(target)
    with pytest.raises(ProfileMismatchError, match=r"short\.sems"):
        import_exports([table], target)
    with pytest.raises(ProfileMismatchError, match=r"short\.parquet"):
        import_exports([table, exported(target)], tmp_path / "again.sems")
    assert content(target) == before
    with pytest.raises(UsageError, match="nothing"):
        import_exports([], target)


# ---------------------------------------------------------------- vectors of other tools


def take(sources: list[Vectors], target: Path):
    return import_vectors(sources, target, toy_codec(), progress=False)


def codes_in(path: Path) -> dict[str, bytes]:
    with Archive.open(path) as archive:
        assert archive.verify() == []
        return {item.path: archive.code(item.path) for item in archive.items("ok")}


def expected(names: list[str], rows: slice = slice(None)) -> dict[str, bytes]:
    return dict(zip(names, toy_codec().encode_vectors(toy_vectors()[rows]), strict=False))


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f2", "<f8"])
def test_npy(tmp_path: Path, dtype: str, monkeypatch) -> None:
    monkeypatch.setattr("sememe.batch.importing.rows.PART", 32 * 7)
    x = toy_vectors()[:20].astype(dtype)
    np.save(tmp_path / "x.npy", x)
    (tmp_path / "names.txt").write_text("".join(f"{i}.jpg\n" for i in range(20)))
    found, failed = find_vectors(
        [str(tmp_path / "x.npy")], vectors=None, named_by=None, names=str(tmp_path / "names.txt")
    )
    assert not failed
    assert summary(take(found, tmp_path / "a.sems")) == (20, 0, 0)
    wanted = toy_codec().encode_vectors(x.astype(np.float32))
    assert codes_in(tmp_path / "a.sems") == {f"{i}.jpg": wanted[i] for i in range(20)}
    assert summary(take(found, tmp_path / "a.sems")) == (0, 20, 0)
    with Archive.open(tmp_path / "a.sems") as archive:
        assert [item.fidelity for item in archive.items()] == [wanted.fidelity(i) for i in range(20)]


def test_rows_without_a_name_are_called_by_file_and_number(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sememe.batch.importing.rows.PART", 32 * 2)
    np.save(tmp_path / "x.npy", toy_vectors()[:5])
    take([Vectors(tmp_path / "x.npy")], tmp_path / "a.sems")
    assert codes_in(tmp_path / "a.sems") == expected([f"{tmp_path}/x.npy#{i}" for i in range(5)], slice(5))


def clip_retrieval(folder: Path, shards: list[int], dtype: str = "<f2") -> list[str]:
    """A folder as clip-retrieval writes it: the numbers of shards, and their names padded."""
    names, start = [], 0
    for name in ("img_emb", "metadata"):
        (folder / name).mkdir(parents=True)
    for number, rows in enumerate(shards):
        some = [f"images/{start + i:05d}.jpg" for i in range(rows)]
        np.save(
            folder / f"img_emb/img_emb_{number:02d}.npy", toy_vectors()[start : start + rows].astype(dtype)
        )
        table = {
            "image_path": some,
            "caption": ["a caption"] * rows,
            "url": [f"http://x/{i}" for i in range(rows)],
        }
        pq.write_table(pa.table(table), folder / f"metadata/metadata_{number:02d}.parquet")
        names, start = names + some, start + rows
    return names


def test_a_folder_of_clip_retrieval(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sememe.batch.importing.rows.PART", 32 * 6)
    names = clip_retrieval(tmp_path / "emb", [9, 4, 12], "<f4")
    found, _ = find_vectors([str(tmp_path / "emb")], vectors=None, named_by=None, names=None)
    assert [one.path.name for one in found] == ["img_emb_00.npy", "img_emb_01.npy", "img_emb_02.npy"]
    assert summary(take(found, tmp_path / "a.sems")) == (25, 0, 0)
    assert codes_in(tmp_path / "a.sems") == expected(names, slice(25))


def test_shards_that_do_not_fit_are_failures_and_the_others_are_taken(tmp_path: Path) -> None:
    clip_retrieval(tmp_path / "emb", [3, 3, 3, 3, 3], "<f4")
    pq.write_table(pa.table({"image_path": ["one"]}), tmp_path / "emb/metadata/metadata_00.parquet")
    pq.write_table(pa.table({"key": ["a", "b", "c"]}), tmp_path / "emb/metadata/metadata_01.parquet")
    (tmp_path / "emb/metadata/metadata_02.parquet").write_bytes(b"PAR1 no")
    np.save(tmp_path / "emb/img_emb/img_emb_03.npy", np.ones((3, 16), np.float32))
    found, _ = find_vectors([str(tmp_path / "emb")], vectors=None, named_by=None, names=None)
    report = take(found, tmp_path / "a.sems")
    assert summary(report) == (3, 0, 4)
    words = [failure.error for failure in report.failed]
    for word, wanted in zip(
        words, ("1 names for the 3", "image_path", "Parquet", "16 dimensions"), strict=True
    ):
        assert wanted in word
    (tmp_path / "emb/metadata/metadata_04.parquet").unlink()  # no names at all: called by number
    found, _ = find_vectors([str(tmp_path / "emb")], vectors=None, named_by=None, names=None)
    assert take(found[4:], tmp_path / "b.sems").new == 3
    assert next(iter(codes_in(tmp_path / "b.sems"))).endswith("img_emb_04.npy#0")


KINDS = {
    "list": pa.list_(pa.float32()),
    "large": pa.large_list(pa.float64()),
    "fixed": pa.list_(pa.float32(), 32),
    "half": pa.list_(pa.float16(), 32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_parquet_with_a_column_of_vectors(tmp_path: Path, kind: str, monkeypatch) -> None:
    monkeypatch.setattr("sememe.batch.importing.rows.PART", 32 * 7)
    x = toy_vectors()[:20].astype(np.float16) if kind == "half" else toy_vectors()[:20]
    names = [f"{i}.jpg" for i in range(20)]
    column = pa.array(list(x), KINDS[kind])
    table = pa.table({"url": pa.array(names).dictionary_encode(), "v": column, "w": range(20)})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=9)
    found, _ = find_vectors([str(tmp_path)], vectors="v", named_by="url", names=None)
    assert found[0].dim() == 32
    assert summary(take(found, tmp_path / "a.sems")) == (20, 0, 0)
    assert list(codes_in(tmp_path / "a.sems").values()) == list(
        toy_codec().encode_vectors(x.astype(np.float32))
    )


def test_bad_rows_are_kept_as_failed_and_taken_when_they_are_good(tmp_path: Path) -> None:
    x = toy_vectors()[:8].tolist()
    good = [row[:] for row in x]
    x[0][3], x[1][0], x[2], x[3], x[4], x[5][1] = (
        float("nan"),
        float("inf"),
        [0.0] * 32,
        None,
        x[4][:31],
        None,
    )
    names = [f"{i}.jpg" for i in range(7)] + [None]
    source, target = [Vectors(tmp_path / "t.parquet", "v", "p")], tmp_path / "a.sems"
    pq.write_table(pa.table({"p": names, "v": pa.array(x, pa.list_(pa.float32()))}), tmp_path / "t.parquet")
    report = take(source, target)
    assert summary(report) == (2, 0, 6)
    with Archive.open(target) as archive:
        why = {item.path: item.error for item in archive.failed()}
    assert ["finite" in why[f"{i}.jpg"] for i in range(6)] == [True, True, False, False, False, True]
    assert "zero" in why["2.jpg"]
    assert "missing" in why["3.jpg"]
    assert "32 dimensions" in why["4.jpg"]
    pq.write_table(
        pa.table({"p": names, "v": pa.array(good, pa.list_(pa.float32()))}), tmp_path / "t.parquet"
    )
    assert summary(take(source, target)) == (6, 2, 0)
    assert codes_in(target).keys() == {*names[:7], f"{tmp_path}/t.parquet#7"}


def test_repeated_and_impossible_names(tmp_path: Path) -> None:
    names = ["a", "b", "a", "", "x\0y", "z" * 40_000]
    table = pa.table({"p": names, "v": list(toy_vectors()[:6])})
    pq.write_table(table, tmp_path / "t.parquet")
    report = take([Vectors(tmp_path / "t.parquet", "v", "p")], tmp_path / "a.sems")
    assert summary(report) == (2, 1, 3)
    assert [failure.path for failure in report.failed] == [f"{tmp_path}/t.parquet#{i}" for i in (3, 4, 5)]
    assert codes_in(tmp_path / "a.sems") == expected(["a", "b"], slice(2))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"v": [[1, 2]]}, "no vectors"),
        ({"v": ["text"]}, "no vectors"),
        ({"w": [[1.0]]}, "no column 'v'"),
        ({"v": pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))}, "2 dimensions"),
        ({"v": [[1.0]], "p": [1]}, "cannot name"),
    ],
)
def test_tables_that_hold_no_vectors_are_named(tmp_path: Path, table, words: str) -> None:
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    report = take([Vectors(tmp_path / "t.parquet", "v", "p" if "p" in table else None)], tmp_path / "a.sems")
    assert summary(report) == (0, 0, 1)
    assert words in report.failed[0].error


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    np.save(tmp_path / "int.npy", np.ones((3, 32), int))
    np.save(tmp_path / "cube.npy", np.ones((3, 32, 2), np.float32))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cube.npy").read_bytes()[:200])
    np.save(tmp_path / "object.npy", np.array([[None] * 32]), allow_pickle=True)
    report = take([Vectors(path) for path in sorted(tmp_path.glob("*.npy"))], tmp_path / "a.sems")
    assert len(report.failed) == 4
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("hello")
    names = [str(tmp_path / name) for name in ("empty", "text.txt", "absent")]
    found, failed = find_vectors(names, vectors="v", named_by=None, names=None)
    assert (found, list(failed)) == ([], names)
    pq.write_table(pa.table({"v": [[1.0]]}), tmp_path / "t.parquet")
    with pytest.raises(UsageError, match="--vectors"):
        find_vectors([str(tmp_path / "t.parquet")], vectors=None, named_by=None, names=None)
    with pytest.raises(UsageError, match=r"one \.npy"):
        find_vectors([str(tmp_path / "t.parquet")], vectors="v", named_by=None, names="n.txt")


def test_without_pyarrow_the_extra_is_named(archive_path: Path, monkeypatch) -> None:
    table = exported(archive_path)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"sememe\[parquet\]"):
        is_export(table)


def test_memory_does_not_hold_the_file(tmp_path: Path, monkeypatch) -> None:
    """Parts are asked for one at a time and put one at a time, whatever the row groups are."""
    monkeypatch.setattr("sememe.batch.importing.rows.PART", 32 * 50)
    pq.write_table(pa.table({"v": list(toy_vectors()[:600])}), tmp_path / "t.parquet")
    put, sizes = Archive.put, []

    def watching(self, items, codes, lengths=None):
        sizes.append(len(items))
        put(self, items, codes, lengths)

    monkeypatch.setattr(Archive, "put", watching)
    take([Vectors(tmp_path / "t.parquet", "v")], tmp_path / "a.sems")
    assert sizes == [50] * 12


def test_a_word_that_stands_in_every_row_does_not_fill_the_memory(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sememe.batch.arrow._BATCH", 5_000_000)
    word = "a" * 1_000_000
    table = pa.table({"p": pa.array([word] * 300).dictionary_encode(), "v": list(toy_vectors()[:300])})
    pq.write_table(table, tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").stat().st_size < 200_000
    sizes: list[int] = []
    monkeypatch.setattr(
        "sememe.batch.arrow.texts", lambda array: sizes.append(len(array)) or [None] * len(array)
    )
    assert summary(take([Vectors(tmp_path / "t.parquet", "v", "p")], tmp_path / "a.sems")) == (300, 0, 0)
    assert sum(sizes) == 300
    assert max(sizes) <= 5


# ---------------------------------------------------------------- killed


KILLED = """
import os, signal, sys
import sememe.batch.importing.rows as rows
from pathlib import Path
from sememe import Archive
from sememe.batch.importing import Vectors, import_vectors
from toys import toy_codec
rows.PART = 32 * 16
put, puts = Archive.put, []
def dying(self, *args):
    put(self, *args)
    puts.append(args)
    if len(puts) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
Archive.put = dying
import_vectors([Vectors(Path(sys.argv[1]))], sys.argv[2], toy_codec(), progress=False)
"""


def test_a_killed_import_goes_on_where_it_was(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", toy_vectors()[:80])
    command = [sys.executable, "-c", textwrap.dedent(KILLED), "x.npy", "a.sems", "2"]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    for done in (32, 64):
        killed = subprocess.run(command, cwd=tmp_path, env=env, timeout=120, check=False)
        assert killed.returncode == -9
        assert len(codes_in(tmp_path / "a.sems")) == done
    report = take([Vectors(tmp_path / "x.npy")], tmp_path / "b.sems")
    assert report.new == 80
    os.chdir(tmp_path)
    assert summary(take([Vectors(Path("x.npy"))], tmp_path / "a.sems")) == (16, 64, 0)
    assert list(codes_in(tmp_path / "a.sems").values()) == list(codes_in(tmp_path / "b.sems").values())


# ---------------------------------------------------------------- the command


def test_the_command(bench: Bench) -> None:
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    bench.ok("export", "a.sems", "-o", "a.parquet")
    told = json.loads(bench.ok("import", "a.parquet", "-o", "b.sems", "--json"))
    assert (told["new"], told["unchanged"], told["failed"], told["profile"]) == (6, 0, [], "toy")
    assert content(bench.path("a.sems")) == content(bench.path("b.sems"))
    assert "0 new, 6 known" in bench.ok("import", "a.parquet", "-o", "b.sems")
    bench.ok("export", "a.sems", "--vectors", "-o", "v.parquet")
    table = pq.read_table(bench.path("v.parquet")).select(["path", "vector"]).replace_schema_metadata(None)
    pq.write_table(table, bench.path("t.parquet"))
    vectors = ("--vectors", "vector", "--path", "path")
    assert "6 new" in bench.ok("import", "t.parquet", "-o", "c.sems", *vectors, *TOY, "--bytes", "4")
    assert "0 new" in bench.ok("import", "t.parquet", "-o", "c.sems", *vectors)
    status, complaint = bench.fails("import", "t.parquet", "-o", "d.sems", *vectors)
    assert (status, "--profile" in complaint) == (2, True)
    status, complaint = bench.fails("import", "t.parquet", "a.parquet", "-o", "d.sems", *vectors, *TOY)
    assert (status, "exports" in complaint) == (2, True)
    status, complaint = bench.fails("import", "absent.npy", "-o", "d.sems", *TOY)
    assert (status, "absent.npy" in complaint) == (1, True)
    assert not bench.path("d.sems").exists()
    done = bench.run("import", "t.parquet", "absent.npy", "-o", "e.sems", *vectors, *TOY)
    assert done.returncode == 3


def test_codes_of_another_profile_are_refused(archive_path: Path) -> None:
    with pytest.raises(ProfileMismatchError):
        import_vectors([], archive_path, type(toy_codec())(other_profile()), progress=False)
    assert isinstance(toy_profile(), Profile)
    assert issubclass(VectorError, InputError)
    assert len(codes_of(["a"])) == 1
