"""An archive as a table for other programs: what its columns and its metadata mean, both ways. See FORMAT.md.

Which library writes and reads the table is no concern of this module: rows are dicts, metadata is text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from sememe.archive.records import ArchiveProfile, Item, NewItem, item_from_new
from sememe.archive.schema import MAX_MANIFEST, MAX_TABLES, check_new
from sememe.errors import ArchiveFormatError, UsageError

VERSION = "1"
FINGERPRINT = "sememe.fingerprint"
"""Metadata that only an export of an archive has."""

COLUMNS = (
    "path",
    "code",
    "nbytes",
    "fidelity",
    "width",
    "height",
    "mtime_ns",
    "status",
    "error",
    "size",
    "content_hash",
    "added_at",
    "path_bytes",
)

_INTEGERS = ("mtime_ns", "size", "width", "height", "added_at")
_FIDELITIES = np.array([1 - (byte / 255) ** 2 for byte in range(256)], np.float32)


class Origin(NamedTuple):
    """What made the codes of a table."""

    profile: ArchiveProfile
    nbytes: int
    mean_bytes: float | None = None
    """As in `Archive`."""


def metadata(origin: Origin) -> dict[str, str]:
    """Say what made a table's codes: all that `read_metadata` needs to make an archive again."""
    profile = origin.profile
    said = {
        "sememe.version": VERSION,
        "sememe.profile": profile.profile_id,
        FINGERPRINT: profile.fingerprint.hex(),
        "sememe.nbytes": str(origin.nbytes),
        "sememe.manifest": profile.manifest,
    }
    if origin.mean_bytes is not None:
        said["sememe.mean_bytes"] = repr(origin.mean_bytes)
    if profile.tables is not None:
        said["sememe.tables"] = base64.b64encode(profile.tables).decode()
    return said


def read_metadata(said: Mapping[str, str]) -> Origin:
    """Undo `metadata`; other keys do not matter.

    Raises
    ------
    ArchiveFormatError
        A key is missing, a value is too long or not what it must be, or the version is another.
    """
    version = said.get("sememe.version")
    if version != VERSION:
        raise ArchiveFormatError(f"an export of version {version!r}; this program reads {VERSION}")
    limits = {"sememe.manifest": MAX_MANIFEST, "sememe.tables": MAX_TABLES // 3 * 4 + 4}
    for key, limit in limits.items():
        if len(said.get(key, "")) > limit:
            raise ArchiveFormatError(f"its {key} takes {len(said[key]):,} bytes, more than any has")
    try:
        tables = said.get("sememe.tables")
        profile = ArchiveProfile(
            said["sememe.profile"],
            bytes.fromhex(said[FINGERPRINT]),
            said["sememe.manifest"],
            None if tables is None else base64.b64decode(tables, validate=True),
        )
        mean = said.get("sememe.mean_bytes")
        origin = Origin(profile, int(said["sememe.nbytes"]), None if mean is None else float(mean))
        check_new(*origin)
    except KeyError as exc:
        raise ArchiveFormatError(f"its metadata lacks {exc.args[0]}; export it again") from exc
    except (ValueError, binascii.Error, UsageError) as exc:
        raise ArchiveFormatError(f"its metadata is damaged ({exc}); export it again") from exc
    return origin


def to_row(item: Item, code: bytes | None) -> dict[str, Any]:
    """One item, and its code unless it failed, as values of `COLUMNS`.

    A path that is not UTF-8 is spelled with backslashes in `path`, and as it is in `path_bytes`.
    """
    raw = item.path.encode("utf-8", "surrogateescape")
    shown = item.path.encode("utf-8", "backslashreplace")
    return {
        "path": shown.decode(),
        "code": code,
        "nbytes": None if code is None else len(code),
        "fidelity": None if item.fidelity is None else _FIDELITIES[item.fidelity],
        "width": item.width,
        "height": item.height,
        "mtime_ns": item.mtime_ns,
        "status": item.status,
        "error": item.error,
        "size": item.size,
        "content_hash": item.content_hash,
        "added_at": item.added_at,
        "path_bytes": None if raw == shown else raw,
    }


def from_row(row: Mapping[str, Any], longest: int) -> tuple[NewItem, bytes | None]:
    """Undo `to_row`: an item to store, and its code unless it failed.

    Raises
    ------
    ArchiveFormatError
        A value has a type or range that it must not have, or says the opposite of another.
    """
    code, status, error = row["code"], row["status"], row["error"]
    failed = status == "failed" and isinstance(error, str) and code is None
    ok = status == "ok" and error is None and isinstance(code, bytes) and 1 <= len(code) <= longest
    if not failed and not ok:
        raise ArchiveFormatError(f"status {status!r} does not go with its code or its error")
    if any(type(row[name]) is not int for name in _INTEGERS) or type(row["content_hash"]) is not bytes:
        raise ArchiveFormatError("a size, a time or a hash is missing or of another type")
    item = NewItem(
        _path(row),
        row["mtime_ns"],
        row["size"],
        row["content_hash"],
        row["width"],
        row["height"],
        _fidelity(row["fidelity"]),
        error,
        row["added_at"],
    )
    try:
        item_from_new(item, 0)
    except UsageError as exc:
        raise ArchiveFormatError(str(exc)) from exc
    return item, code


def _path(row: Mapping[str, Any]) -> str:
    path, raw = row["path"], row["path_bytes"]
    if isinstance(raw, bytes):
        return raw.decode("utf-8", "surrogateescape")
    if not isinstance(path, str):
        raise ArchiveFormatError("it has no path")
    return path


def _fidelity(value: object) -> int | None:
    """Find the byte of which `value` is the reading."""
    if value is None:
        return None
    if not isinstance(value, float) or not 0 <= value <= 1:
        raise ArchiveFormatError(f"a fidelity of {value!r} is none")
    return int(np.abs(_FIDELITIES - np.float32(value)).argmin())
