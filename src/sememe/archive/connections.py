"""Connections to an archive's file: created whole or not at all, opened with suspicion."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sememe.archive.border import border
from sememe.archive.schema import APPLICATION_ID, MAX_TABLES
from sememe.errors import ArchiveBusyError, ArchiveFormatError, ReadOnlyError, StorageError

MAGIC = b"SQLite format 3\0"
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def open_file(path: Path, *, write: bool, busy_timeout: float) -> sqlite3.Connection:
    """Open an archive's file; its header has been checked, its schema not yet."""
    with border(path):
        _check_header(path)
    if write:
        return _open_to_write(path, busy_timeout)
    return _open_to_read(path, busy_timeout)


@contextmanager
def new_file(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a connection to fill; when the block ends without an error, the file appears under `path`.

    Nothing is journaled while filling: until it is renamed, the file is not an archive.
    """
    with border(path):
        if os.path.lexists(path):
            raise _exists(path)
        if _unfinished(path):  # SQLite would replay it over the new archive
            raise StorageError(
                f"{path}-wal: left of an archive that is gone; put that back, or delete this file too"
            )
        if not os.access(path.parent, os.W_OK):
            raise _unwritable(path.parent)
        temporary = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
        try:
            connection = _connect(temporary, "rwc", busy_timeout=0)
            try:
                connection.execute("PRAGMA journal_mode = MEMORY")
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
                connection.execute("PRAGMA journal_mode = WAL")
            finally:
                connection.close()
            _publish(temporary, path)
        finally:
            for suffix in ("", "-wal", "-shm", "-journal"):
                with suppress(OSError):
                    Path(f"{temporary}{suffix}").unlink(missing_ok=True)


def compact(connection: sqlite3.Connection, path: Path) -> tuple[int, int]:
    """Rewrite the file without its free pages, in one transaction; return its bytes before and after."""
    _checkpoint(connection)
    before = path.stat().st_size
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 1)  # SQLite fills a file of its own beside this one
    try:
        connection.execute("VACUUM")
    finally:
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    _checkpoint(connection)
    return before, path.stat().st_size


def _checkpoint(connection: sqlite3.Connection) -> None:
    """Move the journal into the file; while others read, as far as they let it."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _open_to_write(path: Path, busy_timeout: float) -> sqlite3.Connection:
    if not os.access(path, os.W_OK):
        raise ReadOnlyError(f"{path}: may not be written; copy it to where you may write")
    if not os.access(path.parent, os.W_OK):
        raise _unwritable(path.parent)
    connection = _probe(path, "rw", busy_timeout)
    with border(path):
        connection.execute("PRAGMA synchronous = FULL")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode = WAL")
    return connection


def _open_to_read(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Share the file with writers where possible; else, when nothing is unfinished, take it as it lies."""
    modes = ["ro"]
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        # Opened for writing but told not to write, SQLite clears its -wal and -shm away when it closes.
        modes.insert(0, "rw")
    if not _unfinished(path):
        modes.append("ro&immutable=1")  # needs no -shm, which a read-only or full disk has no room for
    failure = StorageError(f"{path}: cannot be opened")
    for mode in modes:
        try:
            connection = _probe(path, mode, busy_timeout)
        except ArchiveBusyError:
            raise
        except StorageError as exc:
            failure = exc
        else:
            connection.execute("PRAGMA query_only = ON")
            return connection
    raise failure


def _unfinished(path: Path) -> bool:
    """Whether commits wait in the journal, without which the archive would look older than it is."""
    try:
        return Path(f"{path}-wal").stat().st_size > 0
    except FileNotFoundError:  # also when another process clears it away just now
        return False


def _probe(path: Path, mode: str, busy_timeout: float) -> sqlite3.Connection:
    """Connect and read once, because SQLite opens its files only then."""
    with border(path):
        connection = _connect(path, mode, busy_timeout)
        try:
            connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except BaseException:
            connection.close()
            raise
    return connection


def _connect(path: Path, mode: str, busy_timeout: float) -> sqlite3.Connection:
    address = f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=busy_timeout, isolation_level=None)
    # The file may come from anywhere: no code of its own is run, nothing in it may be huge.
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_TABLES + (1 << 16))
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH, 0)
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "mmap_size = 0"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _check_header(path: Path) -> None:
    """Name the usual mistakes before SQLite sees the file."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
            raise ArchiveFormatError(f"{path}: not an archive but a folder, pipe or device")
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError as exc:
        raise StorageError(f"{path}: no such archive; make one with `sememe encode`") from exc
    except PermissionError as exc:
        raise StorageError(f"{path}: may not be read; change its permissions") from exc
    if len(header) < 100 or not header.startswith(MAGIC):
        raise ArchiveFormatError(f"{path}: not an archive (no SQLite file)")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise ArchiveFormatError(f"{path}: not an archive (an SQLite file of another program)")


def _exists(path: Path) -> StorageError:
    return StorageError(f"{path}: exists already; choose another name, or remove it first")


def _unwritable(folder: Path) -> StorageError:
    if not folder.is_dir():
        return StorageError(f"{folder}: no such folder; make it first")
    return ReadOnlyError(f"{folder}: may not be written; choose a folder where you may write")


def _publish(temporary: Path, path: Path) -> None:
    """Sync the file, give it its name without replacing another, sync the folder."""
    _sync(temporary, os.O_RDWR)
    try:
        os.link(temporary, path)
    except FileExistsError as exc:
        raise _exists(path) from exc
    except OSError as exc:
        if exc.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):
            raise _exists(path) from exc
        temporary.rename(path)
    _sync(path.parent, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
