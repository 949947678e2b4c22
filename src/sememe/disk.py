"""Files that appear whole or not at all, and the system's errors as ours."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TypeAlias

from sememe.errors import DiskFullError, ReadOnlyError, StorageError

Target: TypeAlias = str | Path | BinaryIO
"""A path, written whole or not at all; or an open binary file, such as ``sys.stdout.buffer``."""

_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}


def translate(exc: OSError, path: Path) -> StorageError:
    """Our error for one of the system's; `path` is named in its stead."""
    reason = os.strerror(exc.errno) if exc.errno else str(exc)
    if exc.errno in _NO_SPACE:
        return DiskFullError(f"{path}: no space left; free some and rerun")
    if exc.errno in _FORBIDDEN:
        return ReadOnlyError(f"{path}: {reason}; choose a target where you may write")
    return StorageError(f"{path}: {reason}")


@contextmanager
def writing(target: Target) -> Iterator[BinaryIO]:
    """Give a binary file to write: under `target` it appears when the block ends without an error.

    Raises
    ------
    StorageError
        The target cannot be written (ReadOnlyError, DiskFullError).
    """
    if not isinstance(target, str | Path):
        yield target
        return
    path = Path(target)
    try:
        if path.exists() and not path.is_file() and not path.is_dir():  # a device or pipe cannot be replaced
            with path.open("wb") as file:
                yield file
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
        try:
            with temporary.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as exc:
        raise translate(exc, path) from exc
