"""Archives in which images that need more bytes have more: `--mean-bytes`, and all that reads them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_tools import PROFILE, code_of, codes_of, make, tamper
from sememe import Archive, api, errors
from sememe.archive import NewItem
from sememe.archive.blocks import checksum
from sememe.batch import encode_paths
from sememe.batch.importing import Vectors, import_exports, import_vectors
from toys import save_pictures, toy_codec, toy_vectors
from workbench import TOY, Bench

LONGEST = 20


def create(path: Path, codes: dict[str, bytes] | None = None) -> Path:
    with Archive.create(path, PROFILE, LONGEST, mean_bytes=6) as archive:
        if codes:
            store(archive, codes)
    return path


def store(archive: Archive, codes: dict[str, bytes]) -> None:
    padded = np.zeros((len(codes), archive.nbytes), np.uint8)
    for row, code in enumerate(codes.values()):
        padded[row, : len(code)] = np.frombuffer(code, np.uint8)
    archive.put([NewItem(path) for path in codes], padded, np.array([len(code) for code in codes.values()]))


def some(count: int, seed: int = 0) -> dict[str, bytes]:
    """Codes of 1 to 20 bytes."""
    rng = np.random.default_rng(seed)
    return {f"{i}.jpg": code_of(f"{i}/{seed}", int(rng.integers(1, LONGEST + 1))) for i in range(count)}


def content(path: Path) -> dict[str, bytes]:
    with Archive.open(path) as archive:
        assert archive.verify() == []
        ids, codes, lengths = archive.coded()
        rows = zip(archive.items("ok"), ids.tolist(), codes, lengths.tolist(), strict=True)
        found = {}
        for item, number, code, length in rows:
            assert item.id == number
            assert not code[length:].any()
            found[item.path] = code[:length].tobytes()
            assert archive.code(item.path) == found[item.path]
        assert archive.outline().counts.sum() == len(archive) == len(found)
        return found


# ---------------------------------------------------------------- the archive


def test_codes_of_all_lengths_come_back(tmp_path: Path) -> None:
    codes = some(2500)
    assert content(create(tmp_path / "a.sems", codes)) == codes
    with Archive.open(tmp_path / "a.sems") as archive:
        rows = archive.connection.execute("SELECT DISTINCT width FROM codes ORDER BY width").fetchall()
        assert rows == [(width,) for width in range(1, LONGEST + 1)]
        assert (archive.mean_bytes, archive.slope, archive.nbytes) == (6.0, None, LONGEST)
        stored = archive.connection.execute("SELECT sum(length(data)) FROM codes").fetchone()[0]
        assert stored == sum(map(len, codes.values()))  # nothing is padded on the disk


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.binary(min_size=1, max_size=LONGEST)),
        max_size=6,
    )
)
def test_any_series_of_changes(tmp_path_factory: pytest.TempPathFactory, series) -> None:
    path = create(tmp_path_factory.mktemp("series") / "a.sems")
    model: dict[str, bytes] = {}
    for change in series:
        with Archive.open(path, write=True) as archive:
            generation = archive.generation
            store(archive, {name: code for name, code in change.items() if code is not None})
            archive.remove([name for name, code in change.items() if code is None])
        before = dict(model)
        model = {**model, **change}
        model = {name: code for name, code in model.items() if code is not None}
        assert content(path) == model
        with Archive.open(path) as archive:
            assert (archive.generation > generation) == (model != before)


def test_an_archive_of_one_length_stays_what_it_was(tmp_path: Path) -> None:
    path = make(tmp_path / "a.sems", ["a.jpg"])
    with Archive.open(path, write=True) as archive:
        version = archive.connection.execute("PRAGMA user_version").fetchone()[0]
        assert (version, archive.mean_bytes, archive.slope, archive.widths) == (1, None, None, range(16, 17))
        with pytest.raises(errors.UsageError, match="slope"):
            archive.settle(0.1)
        with pytest.raises(errors.UsageError, match="length"):
            archive.put([NewItem("b")], codes_of(["b"]), np.array([8]))


@pytest.mark.parametrize("lengths", [[0], [21], [-1], [4, 4], []])
def test_impossible_lengths_are_refused(tmp_path: Path, lengths: list[int]) -> None:
    with Archive.open(create(tmp_path / "a.sems"), write=True) as archive:
        with pytest.raises(errors.UsageError):
            archive.put([NewItem("a")], np.zeros((1, LONGEST), np.uint8), np.array(lengths, np.int64))
        for mean in (0.5, 21, float("nan")):
            with pytest.raises(errors.UsageError):
                Archive.create(tmp_path / "b.sems", PROFILE, LONGEST, mean_bytes=mean)
        for slope in (-1, float("nan"), 1e10):
            with pytest.raises(errors.UsageError):
                archive.settle(slope)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM meta WHERE key = 'slope'",
        "DELETE FROM meta WHERE key = 'mean_bytes'",
        "UPDATE meta SET value = 'x' WHERE key = 'mean_bytes'",
        "UPDATE meta SET value = 99.0 WHERE key = 'mean_bytes'",
        "UPDATE meta SET value = NULL WHERE key = 'mean_bytes'",
        "UPDATE meta SET value = -1.0 WHERE key = 'slope'",
        "UPDATE meta SET value = 'x' WHERE key = 'slope'",
        "PRAGMA user_version = 1",
        "UPDATE codes SET width = 21 WHERE rowid = 1",
        "UPDATE codes SET width = 0 WHERE rowid = 1",
        "UPDATE codes SET present = (SELECT present FROM codes WHERE width = 5) WHERE width = 7",
        "UPDATE codes SET count = 2000 WHERE rowid = 1",
        "DELETE FROM codes WHERE width = 5",
    ],
)
def test_damage_is_found(tmp_path: Path, statement: str) -> None:
    path = create(tmp_path / "a.sems", some(200))
    tamper(path, statement)

    def read() -> list[str]:
        with Archive.open(path) as archive:
            problems = archive.verify()
            assert problems or archive.slope is not None
            archive.coded(), archive.outline(), [archive.code(item.path) for item in archive.items("ok")]
            return problems

    with pytest.raises(errors.ArchiveFormatError):
        read()


def test_two_codes_for_one_item_are_damage(tmp_path: Path) -> None:
    path = create(tmp_path / "a.sems", {"a": b"12345", "b": b"1234567"})
    with Archive.open(path, write=True) as archive:
        present = archive.connection.execute("SELECT present FROM codes WHERE width = 5").fetchone()[0]
        row = (7, checksum(0, 7, present, b"abcdefg"), present, b"abcdefg")
    tamper(path, "DELETE FROM codes WHERE width = 7")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO codes VALUES (0, ?, 1, ?, ?, ?)", row)
    with Archive.open(path) as archive:
        assert any("two codes" in problem for problem in archive.verify())
        with pytest.raises(errors.ArchiveFormatError, match="two codes"):
            archive.coded()


def test_merge_truncate_and_compact(tmp_path: Path) -> None:
    codes, others = some(1500), {f"x{name}": code for name, code in some(1200, seed=1).items()}
    one, two = create(tmp_path / "1.sems", codes), create(tmp_path / "2.sems", others)
    with Archive.open(one, write=True) as archive:
        archive.settle(0.25)
        assert archive.merge_from(two) == 1200
        archive.remove([f"{i}.jpg" for i in range(0, 1500, 2)])
        archive.compact()
    left = {name: code for i, (name, code) in enumerate(codes.items()) if i % 2} | others
    assert content(one) == left
    api.truncate(one, tmp_path / "short.sems", 8)
    assert content(tmp_path / "short.sems") == {name: code[:8] for name, code in left.items()}
    with Archive.open(tmp_path / "short.sems") as archive:
        assert (archive.nbytes, archive.mean_bytes, archive.slope) == (8, 6.0, 0.25)
    make(tmp_path / "plain.sems", ["a"], LONGEST)
    with (
        Archive.open(one, write=True) as archive,
        pytest.raises(errors.ProfileMismatchError, match="1 to 20"),
    ):
        archive.merge_from(tmp_path / "plain.sems")


# ---------------------------------------------------------------- encode


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    save_pictures(tmp_path / "p", 40)
    return tmp_path / "p"


def encode(inputs, target, mean=6.0, **kwargs):
    return encode_paths(inputs, target, toy_codec(64), mean_bytes=mean, progress=False, **kwargs)


def test_images_get_what_they_need_and_the_mean_holds(photos: Path, tmp_path: Path) -> None:
    report = encode([photos], tmp_path / "a.sems")
    wanted = toy_codec(64).encode(sorted(photos.iterdir()), mean_bytes=6)
    found = content(tmp_path / "a.sems")
    assert list(found.values()) == list(wanted)
    assert report.bytes == sum(map(len, found.values()))
    assert 4.5 < report.bytes / 40 <= 6
    assert len({len(code) for code in found.values()}) > 1
    assert api.verify(tmp_path / "a.sems") == []
    with Archive.open(tmp_path / "a.sems") as archive:
        assert [item.fidelity for item in archive.items()] == [wanted.fidelity(i) for i in range(40)]
        np.testing.assert_array_equal(toy_codec().decode(archive), toy_codec().decode(list(wanted)))


def test_what_was_learned_first_holds_from_then_on(photos: Path, tmp_path: Path, monkeypatch) -> None:
    whole = tmp_path / "whole.sems"
    monkeypatch.setattr("sememe.batch.run.SAMPLE", 16)
    encode([photos], whole)
    first = sorted(photos.iterdir())[:16]
    encode(first, tmp_path / "steps.sems")
    with Archive.open(whole) as one, Archive.open(tmp_path / "steps.sems") as other:
        assert one.slope == other.slope is not None
    report = encode([photos], tmp_path / "steps.sems", mean=None)  # the archive knows its mean
    assert (report.new, report.unchanged) == (24, 16)
    assert content(tmp_path / "steps.sems") == content(whole)


def test_one_bad_picture_among_those_that_wait(photos: Path, tmp_path: Path) -> None:
    (photos / "0003.png").write_bytes(b"no")
    report = encode([photos], tmp_path / "a.sems")
    assert (report.new, len(report.failed)) == (39, 1)
    assert encode([], tmp_path / "empty.sems").new == 0


def test_other_means_are_refused(photos: Path, tmp_path: Path) -> None:
    encode([photos], tmp_path / "mixed.sems")
    encode_paths([photos], tmp_path / "plain.sems", toy_codec(64), progress=False)
    for name in ("mixed", "plain"):
        with pytest.raises(errors.ProfileMismatchError, match="on average"):
            encode([photos], tmp_path / f"{name}.sems", mean=7.0)


def test_export_and_import(photos: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="needs the extra: pip install 'sememe[parquet]'")
    encode([photos], tmp_path / "a.sems")
    api.export(tmp_path / "a.sems", tmp_path / "a.parquet", what="vectors")
    codes = content(tmp_path / "a.sems")
    assert pq.read_table(tmp_path / "a.parquet").column("code").to_pylist() == list(codes.values())
    import_exports([tmp_path / "a.parquet"], tmp_path / "b.sems")
    assert content(tmp_path / "b.sems") == codes
    api.export(tmp_path / "a.sems", tmp_path / "a.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert [bytes.fromhex(row["code"]) for row in rows] == list(codes.values())


def test_vectors_with_a_mean(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", toy_vectors()[:300])
    report = import_vectors(
        [Vectors(tmp_path / "x.npy")], tmp_path / "a.sems", toy_codec(64), mean_bytes=8, progress=False
    )
    wanted = toy_codec(64).encode_vectors(toy_vectors()[:300], mean_bytes=8)
    assert list(content(tmp_path / "a.sems").values()) == list(wanted)
    assert report.bytes == int(wanted.lengths.sum())


def test_the_command(bench: Bench) -> None:
    told = json.loads(bench.ok("encode", "photos", "-o", "a.sems", "--mean-bytes", "5", "--json", *TOY))
    assert told["bytes"] <= 5 * 6
    assert (told["nbytes"], told["new"]) == (128, 6)
    size = told["bytes"]
    assert f"6 images of up to 128 B = {size} B of code" in bench.ok("info", "a.sems")
    assert "6 unchanged" in bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    assert "photos/red.png" in bench.ok("search", "a.sems", "red", "-t", "6")
    best = json.loads(bench.ok("classify", "a.sems", "--labels", "red,blue", "--json").splitlines()[0])
    assert best["path"]
    assert bench.ok("verify", "a.sems")
    bench.ok("truncate", "a.sems", "--bytes", "3", "-o", "b.sems")
    assert max(map(len, content(bench.path("b.sems")).values())) <= 3
    bench.ok("decode", "a.sems", "-o", "y.npy")
    assert np.load(bench.path("y.npy")).shape == (6, 32)
    bench.ok("encode", "photos", "-o", "c.sems", "--mean-bytes", "4", "--bytes", "9", *TOY)
    assert max(map(len, content(bench.path("c.sems")).values())) <= 9
