"""One download of a repository at a time; the others wait. The lock dies with its process."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sememe.disk import translate
from sememe.errors import StoreBusyError
from sememe.hub.layout import make_folder

WAIT = 3600.0
"""Seconds to wait for another process; large models take their time."""

_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
_STEP = 0.1


@contextmanager
def exclusive(path: Path, what: str, *, note: Callable[[str], None], wait: float = WAIT) -> Iterator[None]:
    """Hold the lock file at `path`.

    Raises
    ------
    StoreBusyError
        Another process held it for longer than `wait` seconds.
    StorageError
        The file cannot be made.
    """
    make_folder(path.parent)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
    except OSError as exc:
        raise translate(exc, path) from exc
    try:
        _acquire(descriptor, path, what, note, wait)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path, what: str, note: Callable[[str], None], wait: float) -> None:
    if _try(descriptor, path):
        return
    note(f"{what}: waiting for another process that downloads it")
    end = time.monotonic() + wait
    while not _try(descriptor, path):
        if time.monotonic() > end:
            raise StoreBusyError(f"{path}: another process still downloads {what}; wait for it, or end it")
        time.sleep(_STEP)


def _try(descriptor: int, path: Path) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno not in _NO_LOCKS:
            raise translate(exc, path) from exc
    return True  # a file system without locks: hashes still keep two downloads from mixing unseen
