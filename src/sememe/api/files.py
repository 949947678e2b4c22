"""Single-image files on disk: read, write whole or not at all, cut."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sememe import bitstream
from sememe.bitstream import Record, Tag
from sememe.disk import writing
from sememe.errors import FormatError, InputError, UsageError


def read_sem(path: str | Path) -> Record:
    """Read a `.sem` file that holds one record.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Record

    Raises
    ------
    InputError
        The file cannot be read.
    FormatError
        It is not exactly one `.sem` file; the subclass and the message say how.
    """
    with _named(path):
        return bitstream.parse(_read(path))


def read_records(path: str | Path) -> list[Record]:
    """Read all records of a `.sem` file or of several that were concatenated.

    Raises
    ------
    InputError
        The file cannot be read.
    FormatError
        It is damaged.
    """
    with _named(path):
        return list(bitstream.parse_stream(_read(path)))


def write_sem(path: str | Path, record: Record) -> int:
    """Write a record as a `.sem` file and return its bytes; replaces an older file at once or not at all.

    Raises
    ------
    StorageError
        The target cannot be written (ReadOnlyError, DiskFullError).
    """
    data = bitstream.pack(record)
    with writing(path) as file:
        file.write(data)
    return len(data)


def truncate_record(record: Record, nbytes: int) -> Record:
    """Cut a record's code; what it says of the fidelity of the longer code is dropped.

    Raises
    ------
    UsageError
        The record has fewer bytes, or `nbytes` is not positive.
    """
    if not 1 <= nbytes <= len(record.payload):
        raise UsageError(f"a code of {len(record.payload)} bytes cannot be cut to {nbytes}")
    if nbytes == len(record.payload):
        return record
    kept = tuple(field for field in record.extensions if field.tag != Tag.FIDELITY)
    return replace(record, payload=record.payload[:nbytes], extensions=kept)


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as exc:
        raise InputError(f"{path}: cannot be read ({getattr(exc, 'strerror', None) or exc})") from exc


@contextmanager
def _named(path: str | Path) -> Iterator[None]:
    """Put the file's name before what is wrong with its bytes."""
    try:
        yield
    except FormatError as exc:
        raise type(exc)(f"{path}: {exc}") from exc
