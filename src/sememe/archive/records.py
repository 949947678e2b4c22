"""What an archive holds, as the caller sees it, and as rows of its tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from sememe.archive.border import Damaged
from sememe.errors import UsageError

Status = Literal["ok", "failed"]

MAX_ID = 1 << 40
MAX_PATH = 32_767
MAX_HASH = 64
MAX_ERROR = 1000
_MAX_INT = (1 << 63) - 1

COLUMNS = "path, mtime_ns, size, content_hash, width, height, fidelity, status, error, added_at, id"
"""The columns of `items` in the order of `Item`."""


class ArchiveProfile(NamedTuple):
    """The profile of all codes of an archive."""

    profile_id: str
    """Name, such as "nano" or "custom"."""
    fingerprint: bytes
    """32 bytes, SHA-256."""
    manifest: str
    """Canonical JSON."""
    tables: bytes | None = None
    """The whole profile file when the profile is not shipped, so that a lone archive decodes."""


class NewItem(NamedTuple):
    """One input to store: with a code, or with the error that kept it from having one."""

    path: str
    mtime_ns: int = 0
    size: int = 0
    content_hash: bytes = b""
    width: int = 0
    height: int = 0
    fidelity: int | None = None
    error: str | None = None
    added_at: int | None = None
    """Seconds since 1970 when it was encoded, if that was not now."""


class Item(NamedTuple):
    """One stored input; `status` tells whether it has a code."""

    path: str
    mtime_ns: int
    size: int
    content_hash: bytes
    width: int
    height: int
    fidelity: int | None
    status: Status
    error: str | None
    added_at: int
    id: int


class Known(NamedTuple):
    """What a rerun needs to tell whether an input is new, changed or failed."""

    mtime_ns: int
    size: int
    content_hash: bytes
    status: Status


def path_to_sql(path: str) -> str | bytes:
    """TEXT for a name in UTF-8; the raw bytes, as BLOB, for a name that is not."""
    if not path or "\0" in path:
        raise UsageError(f"{path!r} cannot be the path of an item")
    if path.isascii() and len(path) <= MAX_PATH:
        return path
    try:
        raw = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as exc:
        raise UsageError(f"{path!r} is not a path: it holds half of a surrogate pair") from exc
    if len(raw) > MAX_PATH:
        raise UsageError(f"a path takes at most {MAX_PATH} bytes, not {len(raw)}: {path[:60]!r}...")
    if raw.decode("utf-8", "surrogateescape") != path:
        raise UsageError(f"{path!r} is not a path as the system spells it")
    return raw if _escaped(path) else path


def storable(path: str) -> bool:
    """Whether an archive can hold an item of this path."""
    try:
        path_to_sql(path)
    except UsageError:
        return False
    return True


def path_from_sql(value: str | bytes) -> str:
    """Undo `path_to_sql`."""
    path = value if isinstance(value, str) else value.decode("utf-8", "surrogateescape")
    if not 0 < len(path) <= MAX_PATH or "\0" in path:
        raise Damaged("a path is empty, too long or holds NUL")
    if isinstance(value, bytes) and not _escaped(path):
        raise Damaged(f"the path {value!r} is UTF-8 but stored as BLOB")
    return path


def item_to_row(item: Item) -> Sequence[object]:
    """Values for `COLUMNS`."""
    return (path_to_sql(item.path), *item[1:])


def item_from_row(row: Sequence[Any]) -> Item:
    """Check the values of `COLUMNS` and make an item of them.

    Raises
    ------
    Damaged
        A value has a type or range that FORMAT.md forbids.
    """
    if tuple(map(type, row)) not in _SIGNATURES:
        raise Damaged(f"the row of item {row[-1]!r} holds wrong types")
    item = Item(path_from_sql(row[0]), *row[1:])
    in_range = (
        0 <= item.id < MAX_ID
        and (item.error is None) == (item.status == "ok")
        and item.status in _STATUSES
        and (item.fidelity is None or 0 <= item.fidelity <= 255)
        and len(item.content_hash) <= MAX_HASH
        and min(item.size, item.width, item.height) >= 0
    )
    if not in_range:
        raise Damaged(f"a value of item {item.id} ({item.path!r}) is out of range: {item[1:-1]}")
    return item


def known_from_row(row: Sequence[Any]) -> tuple[str, Known]:
    """Check a row of path, mtime_ns, size, content_hash, status, id."""
    if tuple(map(type, row)) not in _KNOWN_SIGNATURES or row[4] not in _STATUSES:
        raise Damaged(f"the row of {row[0]!r} holds wrong types or an unknown status")
    return path_from_sql(row[0]), Known._make(row[1:5])


def item_from_new(new: NewItem, now: int) -> Item:
    """Check a caller's item; its id is given when it is stored."""
    path_to_sql(new.path)
    added_at = now if new.added_at is None else int(new.added_at)
    sizes = tuple(int(value) for value in (new.mtime_ns, new.size, new.width, new.height))
    if not all(-_MAX_INT <= value <= _MAX_INT for value in (*sizes, added_at)) or min(sizes[1:]) < 0:
        raise UsageError(f"{new.path!r}: mtime, size, width, height or added_at is out of range")
    if len(new.content_hash) > MAX_HASH:
        raise UsageError(f"{new.path!r}: a content hash takes at most {MAX_HASH} bytes")
    fidelity = None if new.fidelity is None else int(new.fidelity)
    if fidelity is not None and not 0 <= fidelity <= 255:
        raise UsageError(f"{new.path!r}: a fidelity byte is in 0..255, not {new.fidelity}")
    error = None if new.error is None else _one_line(new.error)
    status: Status = "ok" if error is None else "failed"
    mtime_ns, size, width, height = sizes
    return Item(
        new.path,
        mtime_ns,
        size,
        bytes(new.content_hash),
        width,
        height,
        fidelity,
        status,
        error,
        added_at,
        -1,
    )


def _one_line(text: str) -> str:
    """Fit an error for storage: it may quote file names that are not UTF-8, and run over lines."""
    line = " ".join(text.split()) or "failed"
    return line.encode("utf-8", "backslashreplace").decode()[:MAX_ERROR]


def _escaped(path: str) -> bool:
    return re.search("[\udc80-\udcff]", path) is not None


_STATUSES = ("ok", "failed")
_SIGNATURES = {
    (path, int, int, bytes, int, int, fidelity, str, error, int, int)
    for path in (str, bytes)
    for fidelity in (int, type(None))
    for error in (str, type(None))
}
_KNOWN_SIGNATURES = {(path, int, int, bytes, str, int) for path in (str, bytes)}
