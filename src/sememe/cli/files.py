"""Reading and writing whole files: a name or `-`, one line of complaint, and no half-written output."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sememe.errors import DiskFullError, InputError, ReadOnlyError, StorageError, UsageError

if TYPE_CHECKING:
    from sememe.cli.output import Output

STDIO = "-"
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def read_bytes(name: str) -> bytes:
    """Return the bytes of a file, or of stdin for `-`.

    Raises
    ------
    InputError
        The file does not exist, is a folder or cannot be read.
    """
    if name == STDIO:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError("- reads from a pipe, and stdin is a terminal: sememe ... - < photo.jpg")
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise InputError(f"{name}: {error.strerror or error}") from error


def write_bytes(name: str, data: bytes, out: Output, *, what: str) -> None:
    """Write bytes to a file, or to stdout for `-`; a reader never sees half of them.

    Raises
    ------
    DiskFullError, ReadOnlyError, StorageError
        The target cannot take them; an older file of that name is left whole.
    """
    if name == STDIO:
        out.binary(data, what=what)
        return
    path = Path(name)
    if path.exists() and not path.is_file():  # a device or pipe: there is nothing to replace
        _write(path, path, data)
    else:
        _write(path.with_name(f".{path.name}.{os.getpid()}.tmp"), path, data)


def _write(scratch: Path, path: Path, data: bytes) -> None:
    try:
        with scratch.open("wb") as file:
            file.write(data)
            if scratch is not path:
                file.flush()
                os.fsync(file.fileno())
        if scratch is not path:
            scratch.replace(path)
    except OSError as error:
        if scratch is not path:
            scratch.unlink(missing_ok=True)
        raise storage_error(path, error) from error


def storage_error(path: Path, error: OSError) -> StorageError:
    """Name what kept `path` from being written, and what to do."""
    if error.errno == errno.ENOSPC:
        return DiskFullError(f"{path}: no space left on the device; free some and run the same command again")
    if error.errno in _READ_ONLY:
        return ReadOnlyError(f"{path}: {error.strerror}; choose another target with -o")
    return StorageError(f"{path}: {error.strerror or error}; choose another target with -o")
