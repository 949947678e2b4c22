"""Parts of a collection on several machines, merged; removed records, and their room given back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_tools import codes_of, make, put_paths
from sememe import Archive, api
from sememe.archive import NewItem
from sememe.batch import encode_paths
from sememe.batch.inputs import Found
from sememe.errors import StorageError, UsageError
from toys import save_pictures, toy_codec
from workbench import TOY, Bench

# ---------------------------------------------------------------- shards


@given(st.lists(st.text(), unique=True), st.integers(1, 9))
def test_shards_never_overlap_and_lose_nothing(names: list[str], count: int) -> None:
    found = Found(names, dict.fromkeys(names, "no"), set(names))
    parts = [found.shard(index, count) for index in range(count)]
    assert sorted(path for part in parts for path in part.paths) == sorted(names)
    assert sum(len(part.failed) for part in parts) == len(names)
    assert sum(len(part.folders) for part in parts) == len(names)


def test_the_part_of_a_name_never_changes() -> None:
    names = [f"photos/{i}.jpg" for i in range(12)]
    parts = [[int(Path(p).stem) for p in Found(names).shard(index, 3).paths] for index in range(3)]
    assert parts == PARTS
    for index in (-1, 3):
        with pytest.raises(UsageError, match="counted from 0"):
            Found(names).shard(index, 3)


PARTS = [[0, 3, 6, 7, 9], [2, 4, 5, 11], [1, 8, 10]]


def test_shards_merged_are_the_whole(tmp_path: Path) -> None:
    save_pictures(tmp_path / "p", 14)
    (tmp_path / "p/bad.png").write_bytes(b"no")
    whole = encode_paths([tmp_path / "p"], tmp_path / "whole.sems", toy_codec(), progress=False)
    parts = [tmp_path / f"{index}.sems" for index in range(3)]
    reports = [
        encode_paths([tmp_path / "p"], part, toy_codec(), shard=(index, 3), progress=False)
        for index, part in enumerate(parts)
    ]
    assert sum(report.new for report in reports) == whole.new == 14
    assert sum(len(report.failed) for report in reports) == 1
    api.merge(parts, tmp_path / "merged.sems").close()
    with Archive.open(tmp_path / "whole.sems") as one, Archive.open(tmp_path / "merged.sems") as other:
        assert {i.path: one.code(i.path) for i in one.items("ok")} == {
            i.path: other.code(i.path) for i in other.items("ok")
        }
        assert len(list(other.failed())) == 1
    assert api.verify(tmp_path / "merged.sems") == []


def test_the_command_takes_a_shard(bench: Bench) -> None:
    told = [
        json.loads(bench.ok("encode", "photos", "-o", f"{i}.sems", "--shard", f"{i}/2", "--json", *TOY))[
            "new"
        ]
        for i in range(2)
    ]
    assert sum(told) == 6
    assert ": 6 images" in bench.ok("merge", "0.sems", "1.sems", "-o", "all.sems")
    for wrong in ("2/2", "x", "1", "-1/2", "0/0"):
        assert bench.fails("encode", "photos", "-o", "x.sems", f"--shard={wrong}", *TOY)[0] == 2
    assert "archive" in bench.fails("encode", "photos", "--shard", "0/2", *TOY)[1]


# ---------------------------------------------------------------- merge


def test_merge_holds_a_page_of_items_at_a_time(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sememe.archive.copying._PAGE", 50)
    source = make(tmp_path / "a.sems", [f"{i}.jpg" for i in range(2500)])
    with Archive.open(source, write=True) as archive:
        archive.put([NewItem(f"bad{i}", error="no") for i in range(9)], codes_of([]))
        archive.remove([f"{i}.jpg" for i in range(0, 2500, 3)])
        generation = archive.generation
    sizes = []
    from sememe.archive import copying, writing

    def watching(connection, items, *rest):
        sizes.append(len(items))
        return writing.store(connection, items, *rest)

    monkeypatch.setattr(copying, "store", watching)
    target = make(tmp_path / "b.sems", ["1.jpg", "mine.jpg"])
    with Archive.open(target, write=True) as archive:
        before = archive.generation
        assert archive.merge_from(source) == 1666 + 9 - 1
        assert archive.generation == before + 1
        assert archive.merge_from(source) == 0
        assert archive.generation == before + 1
        assert archive.verify() == []
        assert len(archive) == 1667
        assert archive.code("2.jpg") == codes_of(["2.jpg"]).tobytes()
    assert max(sizes) <= 50
    with Archive.open(source) as archive:
        assert archive.generation == generation


def test_a_source_comes_whole_or_not_at_all(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sememe.archive.copying._PAGE", 10)
    one = make(tmp_path / "one.sems", [f"1/{i}" for i in range(30)])
    two = make(tmp_path / "two.sems", [f"2/{i}" for i in range(30)])
    from sememe.archive import copying, writing

    calls = []

    def failing(connection, items, *rest):
        calls.append(items)
        if len(calls) == 5:
            raise OSError(5, "the disk is gone")
        return writing.store(connection, items, *rest)

    monkeypatch.setattr(copying, "store", failing)
    with Archive.open(make(tmp_path / "t.sems"), write=True) as archive:
        with pytest.raises(StorageError):
            archive.merge_from(one, two)
        assert sorted(item.path for item in archive.items()) == sorted(f"1/{i}" for i in range(30))
        assert archive.verify() == []


# ---------------------------------------------------------------- remove


@pytest.fixture
def archive_path(tmp_path: Path) -> Path:
    path = make(tmp_path / "a.sems", ["a/1.jpg", "a/2.jpg", "a/b/3.png", "ab.jpg", "[x].jpg", "*.jpg"])
    with Archive.open(path, write=True) as archive:
        archive.put([NewItem("a/bad.jpg", error="no")], codes_of([]))
    return path


@pytest.mark.parametrize(
    ("names", "left", "missed"),
    [
        (["a/1.jpg"], ["a/2.jpg", "a/b/3.png", "ab.jpg", "[x].jpg", "*.jpg", "a/bad.jpg"], []),
        (["a"], ["ab.jpg", "[x].jpg", "*.jpg"], []),
        (["a/"], ["ab.jpg", "[x].jpg", "*.jpg"], []),
        (["a/*.jpg"], ["a/b/3.png", "ab.jpg", "[x].jpg", "*.jpg"], []),
        (["*.jpg"], ["a/1.jpg", "a/2.jpg", "a/b/3.png", "ab.jpg", "[x].jpg", "a/bad.jpg"], []),
        (["[x].jpg", "a?.jpg"], ["a/1.jpg", "a/2.jpg", "a/b/3.png", "*.jpg", "a/bad.jpg"], []),
        (["*"], [], []),
        (["no", "a/1", "\0", "z*"], None, ["no", "a/1", "\0", "z*"]),
    ],
)
def test_paths_folders_and_patterns(archive_path: Path, names, left, missed) -> None:
    removed, found = api.remove(archive_path, names)
    with Archive.open(archive_path) as archive:
        paths = [item.path for item in archive.items()]
        assert archive.verify() == []
    assert found == missed
    assert removed == 7 - len(paths)
    if left is not None:
        assert paths == left


def test_what_failed_keeps_its_error_and_is_tried_again(tmp_path: Path) -> None:
    save_pictures(tmp_path / "p", 2)
    good = (tmp_path / "p/0001.png").read_bytes()
    (tmp_path / "p/0001.png").write_bytes(b"no picture")
    target = tmp_path / "a.sems"
    for _ in range(2):
        report = encode_paths([tmp_path / "p"], target, toy_codec(), progress=False)
        assert len(report.failed) == 1
        with Archive.open(target) as archive:
            assert [item.error for item in archive.failed()] == [report.failed[0].error]
    (tmp_path / "p/0001.png").write_bytes(good)
    assert encode_paths([tmp_path / "p"], target, toy_codec(), progress=False).new == 1
    with Archive.open(target) as archive:
        assert list(archive.failed()) == []


def test_the_command_removes(bench: Bench) -> None:
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    assert bench.ok("remove", "a.sems", "photos/b*") == "a.sems: 2 removed\n"
    done = bench.run("remove", "a.sems", "photos/red.png", "absent.png", "--json")
    assert json.loads(done.stdout) == {"archive": "a.sems", "removed": 1, "missed": ["absent.png"]}
    assert done.returncode == 3
    assert bench.fails("remove", "a.sems", "absent.png")[0] == 1
    assert "3 new, 0 changed, 3 unchanged" in bench.ok("encode", "photos", "-o", "a.sems", *TOY)


# ---------------------------------------------------------------- compact


def test_compact_gives_room_back_and_changes_nothing_else(tmp_path: Path) -> None:
    path = make(tmp_path / "a.sems", [f"a/folder/with/a/name/{i}.jpg" for i in range(3000)])
    api.remove(path, ["a/folder/with/a/name/1*"])
    with Archive.open(path) as archive:
        before = list(archive.items()), archive.codes()[1].tobytes(), archive.generation, archive.uid
    size = path.stat().st_size
    old, new = api.compact(path)
    assert (old, new) == (size, path.stat().st_size)
    assert new < old * 0.75
    with Archive.open(path, write=True) as archive:
        assert archive.verify() == []
        assert (
            list(archive.items()),
            archive.codes()[1].tobytes(),
            archive.generation,
            archive.uid,
        ) == before
        put_paths(archive, ["more.jpg"])
        assert archive.get("more.jpg").id == 3000
    assert api.compact(path)[0] <= new + 16384


def test_compact_beside_a_reader_and_a_writer(tmp_path: Path) -> None:
    path = make(tmp_path / "a.sems", [f"{i}.jpg" for i in range(2000)])
    api.remove(path, ["1*"])
    with Archive.open(path) as reader, reader.snapshot():
        count = len(reader)
        api.compact(path)
        assert len(reader) == count
        assert len(list(reader.items())) == count
    with Archive.open(path) as archive:
        assert archive.verify() == []
        assert len(archive) == count


def test_the_command_compacts(bench: Bench) -> None:
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    told = json.loads(bench.ok("compact", "a.sems", "--json"))
    assert told["saved"] == told["before"] - told["after"]
    assert told["after"] == bench.path("a.sems").stat().st_size
    assert "B less" in bench.ok("compact", "a.sems")
    assert bench.fails("compact", "absent.sems")[0] == 1


def test_killed_while_compacting_nothing_is_lost(tmp_path: Path) -> None:
    """See compact_killer.py; `SEMEME_KILLS` asks for more rounds."""
    rounds = os.environ.get("SEMEME_KILLS", "6")
    command = [sys.executable, str(Path(__file__).parent / "compact_killer.py"), str(tmp_path), rounds, "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["kills"] == int(rounds)
