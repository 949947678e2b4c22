"""The border to SQLite and the operating system: foreign errors become ours here and nowhere else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sememe import disk
from sememe.errors import (
    ArchiveBusyError,
    ArchiveFormatError,
    DiskFullError,
    ReadOnlyError,
    SememeError,
    StorageError,
    UsageError,
)

_DAMAGED = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_FORMAT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_TOOBIG,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_ERROR,  # our own statements are right, so the file is not ("unsupported file format")
}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


class Damaged(Exception):  # noqa: N818  a state of the file; never leaves this package
    """Something in the file breaks FORMAT.md; the border adds which file and makes it ours."""


def ascending(number: int, last: int, what: str) -> int:
    """Raise Damaged unless `number` follows `last`; return it.

    A damaged tree can lead to the same page again and again: a small file would be read for ever.
    """
    if number <= last:
        raise Damaged(f"{what} {number} comes after {last}: its tree is damaged")
    return number


@contextmanager
def border(path: Path) -> Iterator[None]:
    """Let none of sqlite3's or the system's errors out; `path` is named in their stead."""
    try:
        yield
    except SememeError:
        raise
    except Damaged as exc:
        raise ArchiveFormatError(f"{path}: {exc}; restore a copy, or encode again") from exc
    except sqlite3.Error as exc:
        raise translate(exc, path) from exc
    except UnicodeDecodeError as exc:  # sqlite3 quotes a damaged schema in its message, and trips over it
        raise ArchiveFormatError(f"{path}: damaged (its schema is no text); restore a copy") from exc
    except MemoryError as exc:  # a damaged file may claim sizes that SQLite then asks for
        raise ArchiveFormatError(f"{path}: damaged, or this machine is out of memory") from exc
    except OSError as exc:
        raise disk.translate(exc, path) from exc


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Do everything inside or nothing; returning means that it is on the disk."""
    if connection.in_transaction:
        raise UsageError(f"{path}: cannot write inside a snapshot; leave it first")
    with border(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # a full disk may have rolled back already
                connection.execute("ROLLBACK")
            raise


def translate(exc: sqlite3.Error, path: Path) -> SememeError:
    """Our error for one of sqlite3's; `path` is the archive's."""
    code: int | None = getattr(exc, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if isinstance(exc, sqlite3.ProgrammingError | sqlite3.InterfaceError) and code is None:
        return UsageError(f"{path}: the archive is closed, or used from another thread ({exc})")
    if primary is None or primary in _DAMAGED:
        return ArchiveFormatError(f"{path}: damaged ({exc}); restore a copy, or encode again")
    if primary == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return DiskFullError(f"{path}: no space left; all that was acknowledged is safe, free some and rerun")
    if primary in _BUSY:
        return ArchiveBusyError(f"{path}: another process is writing; wait for it, or stop it")
    if primary in _READ_ONLY:
        return ReadOnlyError(f"{path}: may not be written ({exc}); copy it to where you may write")
    return StorageError(f"{path}: {exc}")
