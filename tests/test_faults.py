"""Faults from outside: kills, full disks, clocks, files that change underfoot. See docs/durability.md."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archive_tools import codes_of, make, put_paths, small_disk
from sememe import api, errors
from sememe.api import sources
from sememe.api.identity import for_archive
from sememe.archive import Archive, NewItem
from sememe.batch import encode_paths, reading
from sememe.batch.importing import Vectors, import_vectors
from toys import picture, save_pictures, toy_codec, toy_profile
from workbench import COLOURS, TOY, Bench

PAGE = 4096


def contents(path: Path) -> dict[str, bytes]:
    with Archive.open(path) as archive:
        assert archive.verify() == []
        return {item.path: archive.code(item.path) for item in archive.items("ok")}


# kills


def test_killed_while_encoding_importing_and_indexing_nothing_is_lost(tmp_path: Path) -> None:
    """See fault_killer.py; `SEMEME_KILLS` asks for more rounds."""
    rounds = os.environ.get("SEMEME_KILLS", "2")
    command = [sys.executable, str(Path(__file__).parent / "fault_killer.py"), str(tmp_path), rounds, "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [told[name]["kills"] for name in ("encode", "import", "index")] == [int(rounds)] * 3
    assert told["encode"]["commits"] + told["import"]["commits"] > 0


# full disks


def fill(folder: Path) -> Path:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(PAGE)):
                pass
        except OSError:
            return filler


def import_more(folder: Path) -> None:
    x = np.random.default_rng(0).standard_normal((3000, toy_profile().dim)).astype(np.float32)
    np.save(folder.parent / "x.npy", x)
    import_vectors([Vectors(folder.parent / "x.npy")], folder / "a.sems", toy_codec(), progress=False)


def merge_more(folder: Path) -> None:
    source = folder.parent / "source.sems"
    with Archive.create(source, for_archive(toy_profile()), 16) as archive:
        archive.put([NewItem(f"more{i}" * 20) for i in range(3000)], codes_of([""] * 3000))
    with Archive.open(folder / "a.sems", write=True) as archive:
        archive.merge_from(source)


def compact_all(folder: Path) -> None:
    api.compact(folder / "a.sems")


@pytest.mark.parametrize("work", [import_more, merge_more, compact_all])
def test_a_full_disk_stops_with_its_name_and_changes_nothing(
    tmp_path: Path, work: Callable[[Path], None]
) -> None:
    with small_disk(tmp_path / "disk", 2048) as disk:
        with Archive.create(disk / "a.sems", for_archive(toy_profile()), 16) as archive:
            put_paths(archive, [f"{i}.jpg" for i in range(4000)])
            archive.remove([f"{i}.jpg" for i in range(0, 4000, 2)])
        before, filler = contents(disk / "a.sems"), fill(disk)
        with pytest.raises(errors.DiskFullError, match=r"a\.sems"):
            work(disk)
        assert contents(disk / "a.sems") == before
        filler.unlink()
        with Archive.open(disk / "a.sems", write=True) as archive:
            put_paths(archive, ["again.jpg"])
        assert contents(disk / "a.sems").keys() == {*before, "again.jpg"}


def test_a_full_disk_has_no_cache_and_is_searched_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LARGE", 1000)
    codes = np.random.default_rng(0).integers(0, 256, (2000, 8), np.uint8)
    query = toy_profile().decode(codes[:1])[0]
    with small_disk(tmp_path / "disk", 1024) as disk:
        with Archive.create(disk / "a.sems", for_archive(toy_profile()), 8) as archive:
            archive.put([NewItem(str(row)) for row in range(2000)], codes)
        fill(disk)
        assert toy_codec(8).search(disk / "a.sems", query, k=1)[0].path == "0"
        assert not list((disk / "a.sems.cache").glob("*"))


def test_a_limit_on_the_size_of_files_is_a_full_disk(bench: Bench) -> None:
    """As a quota: the system refuses to let a file grow (EFBIG)."""
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    before = contents(bench.path("a.sems"))
    save_pictures(bench.path("more"), 40)
    limit = 2 * PAGE  # a commit takes more, in SQLite's journal
    command = [sys.executable, "-m", "sememe", "encode", "more", "-o", "a.sems", *TOY]
    done = subprocess.run(
        command,
        cwd=bench.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert done.returncode == 1
    assert "a.sems: no space left" in done.stderr
    assert done.stderr.count("\n") == 1
    assert contents(bench.path("a.sems")) == before
    bench.ok("encode", "more", "-o", "a.sems", *TOY)
    assert len(contents(bench.path("a.sems"))) == len(COLOURS) + 40


# two at once


def test_two_runs_fill_one_archive_at_the_same_time(bench: Bench) -> None:
    bench.ok("encode", "photos", "-o", "a.sems", *TOY)
    for name in ("one", "two"):
        save_pictures(bench.path(name), 20, first=20 * (name == "two"))
    command = [sys.executable, "-m", "sememe", "encode", "-o", "a.sems", *TOY]
    runs = [
        subprocess.Popen([*command, name], cwd=bench.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("one", "two")
    ]
    for run in runs:
        _, complaint = run.communicate(timeout=120)
        assert (run.returncode, complaint) == (0, b"")
    found = contents(bench.path("a.sems"))
    assert len(found) == len(COLOURS) + 40


# clocks


def test_a_clock_that_goes_backwards_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, now = make(tmp_path / "a.sems"), 2_000_000_000.0

    def back() -> float:
        nonlocal now
        now -= 3600
        return now

    monkeypatch.setattr(time, "time", back)
    with Archive.open(path, write=True) as archive:
        for name in ("first", "second", "third"):
            archive.put([NewItem("same.jpg"), NewItem(name)], codes_of([name, name]))
        assert archive.code("same.jpg") == codes_of(["third"]).tobytes()  # what was put last counts
        assert [item.path for item in archive.items()] == ["same.jpg", "first", "second", "third"]
        assert archive.generation == 3
        assert archive.verify() == []


def test_a_picture_that_became_older_is_encoded_again(tmp_path: Path) -> None:
    photo, target = save_pictures(tmp_path / "photos", 1)[0], tmp_path / "a.sems"
    encode_paths([photo], target, toy_codec(), progress=False)
    picture(99).save(photo)
    os.utime(photo, ns=(1, 1))  # 1970, as from an old backup
    report = encode_paths([photo], target, toy_codec(), progress=False)
    assert report.changed == 1
    assert contents(target)[str(photo)] == toy_codec().encode([picture(99)])[0]


# files that change while they are read


def test_a_picture_replaced_while_it_is_read_is_read_again_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is taken before its bytes, so the archive never takes the new file for the old one."""
    photo, target = save_pictures(tmp_path / "photos", 1)[0], tmp_path / "a.sems"
    read = reading._content

    def replaced(path: str, status: os.stat_result) -> bytes:
        data = read(path, status)
        picture(99).save(tmp_path / "new.png")
        (tmp_path / "new.png").replace(photo)
        return data

    with monkeypatch.context() as patched:
        patched.setattr(reading, "_content", replaced)
        encode_paths([photo], target, toy_codec(), progress=False)
    assert contents(target)[str(photo)] == toy_codec().encode([picture(0)])[0]
    encode_paths([photo], target, toy_codec(), progress=False)
    assert contents(target)[str(photo)] == toy_codec().encode([picture(99)])[0]


def test_a_picture_that_is_still_being_written_is_taken_by_the_next_run(tmp_path: Path) -> None:
    photo, target = save_pictures(tmp_path / "photos", 1)[0], tmp_path / "a.sems"
    whole = photo.read_bytes()
    photo.write_bytes(whole[: len(whole) // 2])
    assert len(encode_paths([photo], target, toy_codec(), progress=False).failed) == 1
    photo.write_bytes(whole)
    assert encode_paths([photo], target, toy_codec(), progress=False).new == 1


def test_a_reader_keeps_the_archive_that_it_opened(tmp_path: Path) -> None:
    path = make(tmp_path / "a.sems", ["old.jpg"])
    with Archive.open(path) as reader:
        assert "old.jpg" in reader
        make(tmp_path / "b.sems", ["new.jpg"]).replace(path)
        assert list(reader.paths()) == ["old.jpg"]
    assert contents(path).keys() == {"new.jpg"}


def test_a_journal_without_its_archive_is_not_replayed_over_a_new_one(tmp_path: Path) -> None:
    """After a kill somebody deletes the archive alone and begins anew: SQLite would bring back the old."""
    path, journal = make(tmp_path / "a.sems", ["old.jpg"]), tmp_path / "a.sems-wal"
    with Archive.open(path, write=True) as archive:
        put_paths(archive, ["more.jpg"])
        left = journal.read_bytes()
    path.unlink()
    journal.write_bytes(left)
    with pytest.raises(errors.StorageError, match=r"a\.sems-wal: left of an archive"):
        make(path, ["new.jpg"])
    assert (path.exists(), journal.read_bytes()) == (False, left)
    journal.unlink()
    assert contents(make(path, ["new.jpg"])).keys() == {"new.jpg"}


def test_an_older_copy_of_an_archive_does_not_believe_its_newer_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "LARGE", 1000)
    codes = np.random.default_rng(0).integers(0, 256, (2100, 8), np.uint8)
    path = tmp_path / "a.sems"
    with Archive.create(path, for_archive(toy_profile()), 8) as archive:
        archive.put([NewItem(str(row)) for row in range(2000)], codes[:2000])
    older = path.read_bytes()
    with Archive.open(path, write=True) as archive:
        archive.put([NewItem("7"), *(NewItem(f"{row}") for row in range(2001, 2100))], codes[2000:])
    found = [
        toy_codec(8).search(path, toy_profile().decode(codes[row : row + 1])[0], k=1) for row in (7, 2000)
    ]
    assert found[1][0].path == "7"
    path.write_bytes(older)
    again = toy_codec(8).search(path, toy_profile().decode(codes[7:8])[0], k=1)
    assert (again[0].path, len(codes_in(path))) == ("7", 2000)


def codes_in(path: Path) -> np.ndarray:
    with Archive.open(path) as archive:
        return archive.codes()[1]


# damaged pages


@pytest.mark.parametrize("kind", ["zeros", "another", "older"])
def test_no_damaged_page_gives_a_wrong_code_unnoticed(tmp_path: Path, kind: str) -> None:
    """A page lost, written to the wrong place, or never written: it is harmless, told or refused."""
    path = make(tmp_path / "a.sems", [f"{i}.jpg" for i in range(600)])
    older = path.read_bytes()
    with Archive.open(path, write=True) as archive:
        archive.remove([f"{i}.jpg" for i in range(50)])
        put_paths(archive, [f"new{i}.jpg" for i in range(300)])
    whole, truth, told = path.read_bytes(), contents(path), 0
    pages = len(whole) // PAGE
    for number in range(pages):
        at, other = number * PAGE, (number + 1) % pages * PAGE
        page = {"zeros": bytes(PAGE), "another": whole[other:][:PAGE], "older": older[at:][:PAGE]}[kind]
        path.unlink()
        path.write_bytes(whole[:at] + page.ljust(PAGE, b"\0") + whole[at + PAGE :])
        try:
            with Archive.open(path) as archive:
                problems = archive.verify()
                codes = archive.codes()[1]
                found = {i.path: c.tobytes() for i, c in zip(archive.items("ok"), codes, strict=False)}
        except errors.ArchiveFormatError:
            told += 1
            continue
        assert found == truth or problems, f"page {number} of {pages}"
        told += bool(problems)
    assert told > pages // 2 or kind == "older"
