from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from archive_tools import NBYTES, PROFILE, code_of, codes_of, make, put_paths, remount, small_disk, tamper
from sememe import errors
from sememe.archive import Archive, NewItem, connections
from sememe.archive.border import border, translate

HERE = Path(__file__).parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make(tmp_path / "photos.sems", ["a", "b"])


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        cwd=HERE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )


# ---------------------------------------------------------------- killed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="writers are forked to be killed")
def test_a_kill_at_any_moment_leaves_everything_acknowledged(tmp_path: Path) -> None:
    done = run("archive_killer.py", tmp_path, 30, 0)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["kills"] == 30
    assert report["commits"] > 0  # a busy machine does few before it is killed
    assert report["whole"] > 0


# ---------------------------------------------------------------- several at once


def test_readers_read_while_another_writes(path: Path) -> None:
    with Archive.open(path) as reader, Archive.open(path, write=True) as writer:
        with writer.snapshot(), reader.snapshot():
            before = reader.generation
        put_paths(writer, ["c"])
        assert [item.path for item in reader.items()] == ["a", "b", "c"]
        assert reader.generation == before + 1
        with reader.snapshot():  # a read that lasts holds nobody up
            put_paths(writer, ["d"])
            assert reader.codes()[0].tolist() == [0, 1, 2]
            assert len(list(reader.items())) == len(reader) == 3
        assert len(reader) == 4
        writer.connection.execute("BEGIN IMMEDIATE")  # even in the middle of a write
        writer.connection.execute("DELETE FROM codes")
        assert len(reader) == 4
        writer.connection.execute("ROLLBACK")


def test_items_may_be_changed_while_they_are_read(path: Path) -> None:
    names = [f"{i}" for i in range(9000)]
    with Archive.open(path, write=True) as archive:
        put_paths(archive, names)
        for item in archive.items():
            if item.id % 3000 == 0:
                put_paths(archive, [item.path], mtime_ns=1)
        assert len(archive) == 9002


def test_writing_inside_a_snapshot_is_refused(path: Path) -> None:
    with Archive.open(path, write=True) as archive, archive.snapshot():
        with pytest.raises(errors.UsageError, match="inside a snapshot"):
            put_paths(archive, ["c"])
        assert len(archive) == 2


def test_a_second_writer_waits_and_then_says_who_is_in_the_way(path: Path) -> None:
    with Archive.open(path, write=True) as first, Archive.open(path, write=True, busy_timeout=0.2) as second:
        first.connection.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        with pytest.raises(errors.ArchiveBusyError, match="another process is writing"):
            put_paths(second, ["c"])
        assert time.monotonic() - start >= 0.2
        first.connection.execute("ROLLBACK")
        put_paths(second, ["c"])


def test_a_second_writer_gets_its_turn(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as first:
        first.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.3, lambda: first.execute("COMMIT"))
        timer.start()
        with Archive.open(path, write=True) as second:
            put_paths(second, ["c"])
        timer.join()
    with Archive.open(path) as archive:
        assert len(archive) == 3


WRITER = """
import sys
from pathlib import Path
from archive_tools import put_paths
from sememe.archive import Archive
for i in range(40):
    with Archive.open(Path(sys.argv[1]), write=True, busy_timeout=60) as archive:
        put_paths(archive, [f"{sys.argv[2]}/{i}"])
"""


def test_processes_that_write_at_the_same_time_lose_nothing(path: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [
        subprocess.Popen([*command, str(w)], cwd=HERE, stderr=subprocess.PIPE, text=True) for w in range(2)
    ]
    for writer in writers:
        assert writer.wait(120) == 0, writer.stderr and writer.stderr.read()
        assert writer.stderr is not None
        writer.stderr.close()
    with Archive.open(path) as archive:
        assert {item.path for item in archive.items()} == {"a", "b"} | {
            f"{w}/{i}" for w in range(2) for i in range(40)
        }
        assert archive.verify() == []


# ---------------------------------------------------------------- full


def fill(archive: Archive, acknowledged: list[str]) -> None:
    """Put until there is no room."""
    while True:
        names = [f"{len(acknowledged)}/{i}" for i in range(100)]
        put_paths(archive, names)
        acknowledged += names


def check_holds(path: Path, acknowledged: list[str]) -> None:
    with Archive.open(path) as archive:
        assert archive.verify() == []
        assert [item.path for item in archive.items()] == acknowledged
        assert archive.codes()[1].tobytes() == codes_of(acknowledged).tobytes()


def test_a_full_disk_undoes_one_call_and_keeps_the_rest(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 600) as disk:
        path, names = make(disk / "photos.sems"), list[str]()
        (disk / "ballast").write_bytes(bytes(200_000))
        with Archive.open(path, write=True) as archive:
            with pytest.raises(errors.DiskFullError, match="no space left"):
                fill(archive, names)
            assert names
            assert [item.path for item in archive.items()] == names  # still usable
        check_holds(path, names)
        with pytest.raises(errors.DiskFullError), Archive.open(path, write=True) as archive:
            fill(archive, names)  # again, with the disk full from the start
        (disk / "ballast").unlink()
        with Archive.open(path, write=True) as archive:
            put_paths(archive, ["room again"])
        check_holds(path, [*names, "room again"])


def test_a_disk_without_a_single_free_byte_is_readable(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 600) as disk:
        path = make(disk / "photos.sems", ["a"])
        with pytest.raises(OSError, match="No space"):
            (disk / "ballast").write_bytes(bytes(600_000))
        with Archive.open(path) as archive:
            assert archive.code("a") == code_of("a")
        with pytest.raises(errors.StorageError):
            put_paths(Archive.open(path, write=True), ["b"])


def test_a_full_disk_leaves_no_half_made_archive(tmp_path: Path) -> None:
    source = make(tmp_path / "photos.sems", [f"{i}" for i in range(3000)])
    with small_disk(tmp_path / "disk", 100) as disk, Archive.open(source) as archive:
        with pytest.raises(errors.DiskFullError):
            archive.truncate_to(disk / "short.sems", 8)
        assert list(disk.iterdir()) == []


def test_sqlite_without_room_is_a_full_disk(path: Path) -> None:
    """The same without root: SQLite is told that its file may not grow."""
    names = ["a", "b"]
    with Archive.open(path, write=True) as archive:
        archive.connection.execute("PRAGMA max_page_count = 40")
        with pytest.raises(errors.DiskFullError):
            fill(archive, names)
        assert len(names) > 2
    check_holds(path, names)


# ---------------------------------------------------------------- read-only


def test_a_read_only_medium_is_readable(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1000) as disk:
        path = make(disk / "photos.sems", ["a"])
        remount(disk, "ro")
        with Archive.open(path) as archive:
            assert archive.code("a") == code_of("a")
            assert archive.verify() == []
            archive.truncate_to(tmp_path / "short.sems", 4)
            with pytest.raises(errors.ReadOnlyError):
                archive.truncate_to(disk / "short.sems", 4)
        with pytest.raises(errors.ReadOnlyError, match="copy it"):
            Archive.open(path, write=True)
        with pytest.raises(errors.ReadOnlyError):
            Archive.create(disk / "new.sems", PROFILE, NBYTES)


def test_what_is_unfinished_is_not_passed_over(tmp_path: Path) -> None:
    """A killed writer leaves its last commits in a journal; without it the archive would look older."""
    with small_disk(tmp_path / "disk", 2000) as disk:
        path = make(tmp_path / "photos.sems", ["a"])
        with Archive.open(path, write=True) as archive:
            put_paths(archive, ["b"])
            for suffix in ("", "-wal"):
                (disk / f"photos.sems{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
        remount(disk, "ro")
        with pytest.raises(errors.StorageError):
            Archive.open(disk / "photos.sems")
        remount(disk, "rw")
        with Archive.open(disk / "photos.sems") as archive:
            assert len(archive) == 2


def test_permissions_are_named(path: Path) -> None:
    path.chmod(0o400)
    path.parent.chmod(0o500)
    if os.access(path, os.W_OK):
        pytest.skip("root may write everywhere")
    try:
        with Archive.open(path) as archive:
            assert len(archive) == 2
        with pytest.raises(errors.ReadOnlyError):
            Archive.open(path, write=True)
        path.chmod(0o000)
        with pytest.raises(errors.StorageError, match="permissions"):
            Archive.open(path)
    finally:
        path.parent.chmod(0o700)


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(errors.StorageError, match="no such folder"):
        Archive.create(tmp_path / "missing" / "a.sems", PROFILE, NBYTES)


def test_pipes_are_refused_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.sems")
    with pytest.raises(errors.ArchiveFormatError, match="pipe"):
        Archive.open(tmp_path / "pipe.sems")


# ---------------------------------------------------------------- the border


def test_reading_leaves_one_file_and_its_bytes(path: Path) -> None:
    before = path.read_bytes()
    with Archive.open(path) as archive:
        archive.codes()
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_an_archive_that_lost_its_journal_mode_gets_it_back(path: Path) -> None:
    tamper(path, "PRAGMA journal_mode = DELETE")
    with Archive.open(path) as archive:
        assert len(archive) == 2
    with Archive.open(path, write=True) as archive:
        assert archive.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_an_interrupt_undoes_the_call(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> bool:
        raise KeyboardInterrupt

    with Archive.open(path, write=True) as archive:
        monkeypatch.setattr("sememe.archive.writing.patch", interrupt)
        with pytest.raises(KeyboardInterrupt):
            archive.put([NewItem("c")], np.zeros((1, NBYTES), np.uint8))
        monkeypatch.undo()
        assert [item.path for item in archive.items()] == ["a", "b"]
        put_paths(archive, ["d"])


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (sqlite3.SQLITE_FULL, errors.DiskFullError),
        (sqlite3.SQLITE_IOERR_SHMSIZE, errors.DiskFullError),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, errors.ArchiveBusyError),
        (sqlite3.SQLITE_READONLY_DBMOVED, errors.ReadOnlyError),
        (sqlite3.SQLITE_CORRUPT_INDEX, errors.ArchiveFormatError),
        (sqlite3.SQLITE_IOERR_READ, errors.StorageError),
        (sqlite3.SQLITE_CANTOPEN, errors.StorageError),
    ],
)
def test_every_error_of_sqlite_has_a_name(code: int, error: type[errors.SememeError]) -> None:
    foreign = sqlite3.OperationalError("what SQLite says")
    foreign.sqlite_errorcode = code
    assert type(translate(foreign, Path("a.sems"))) is error


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (28, errors.DiskFullError),  # ENOSPC
        (30, errors.ReadOnlyError),  # EROFS
        (5, errors.StorageError),  # EIO
    ],
)
def test_every_error_of_the_system_has_a_name(number: int, error: type[errors.SememeError]) -> None:
    with pytest.raises(error, match=r"a\.sems") as caught, border(Path("a.sems")):
        raise OSError(number, os.strerror(number))
    assert type(caught.value) is error


def test_file_systems_without_links_get_a_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(source: Path, _: Path) -> None:
        raise PermissionError(1, "no links here", str(source))

    monkeypatch.setattr(connections.os, "link", no_links)
    with Archive.create(tmp_path / "a.sems", PROFILE, NBYTES) as archive:
        assert archive.path == tmp_path / "a.sems"
    assert {p.name for p in tmp_path.iterdir()} <= {"a.sems", "a.sems-wal", "a.sems-shm"}


@pytest.mark.parametrize("number", [1, 17])
def test_a_race_for_the_same_name_has_one_winner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def late(_: Path, target: Path) -> None:
        target.write_bytes(b"somebody was faster")
        raise OSError(number, "link failed")

    monkeypatch.setattr(connections.os, "link", late)
    with pytest.raises(errors.StorageError, match="exists already"):
        Archive.create(tmp_path / "a.sems", PROFILE, NBYTES)
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"somebody was faster"]
