"""Names of files and `-`: what is read and written as a whole."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from sememe.errors import InputError, UsageError

STDIO = "-"

SQLITE_MAGIC = b"SQLite format 3\0"
"""First bytes of an archive; `sememe.archive` knows them too, but loads numpy."""


def read_bytes(name: str) -> bytes:
    """Return the bytes of a file, or of stdin for `-`.

    Raises
    ------
    InputError
        The file does not exist, is a folder or cannot be read.
    UsageError
        Stdin is a terminal.
    """
    if name == STDIO:
        return _stdin().read()
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error


def head_of(name: str, size: int = 16) -> bytes:
    """Return the first bytes of a file, or of stdin for `-` without taking them; fewer if there are fewer.

    Raises
    ------
    InputError
        The file does not exist, is a folder or cannot be read.
    """
    if name == STDIO:
        return cast("io.BufferedReader", _stdin()).peek(size)[:size]
    try:
        with Path(name).open("rb") as file:
            return file.read(size)
    except (OSError, ValueError) as error:
        raise _unreadable(name, error) from error


def _stdin() -> BinaryIO:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("- reads a pipe, and stdin is a terminal: write sememe ... - < FILE")
    return sys.stdin.buffer


def _unreadable(name: str, error: Exception) -> InputError:
    return InputError(f"{name}: cannot be read ({getattr(error, 'strerror', None) or error})")


@contextmanager
def writable(name: str) -> Iterator[str | BinaryIO]:
    """Give what the library writes to: a file by its name, stdout for `-`.

    Raises
    ------
    UsageError
        Bytes would go to a terminal, which they would only garble.
    """
    if name != STDIO:
        yield name
        return
    if sys.stdout.isatty():
        raise UsageError("bytes are no text for a terminal: redirect stdout, or name a file with -o")
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
