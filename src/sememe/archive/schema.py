"""The schema of an archive and its `meta` table: made, and checked before anything else is read."""

from __future__ import annotations

import os
import sqlite3
from typing import NamedTuple
from zlib import crc32

from sememe.archive.border import Damaged
from sememe.archive.records import ArchiveProfile
from sememe.errors import UsageError

APPLICATION_ID = 0x53454D53  # "SEMS"
VERSION = 1
MIXED = 2
"""Version of archives whose codes have mixed lengths; programs that know only the first refuse them."""
MAX_MANIFEST = 1 << 20
MAX_TABLES = 1 << 26
MAX_WIDTH = 255

_META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value)"
_ITEMS = (
    "CREATE TABLE items (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, mtime_ns INTEGER NOT NULL, "
    "size INTEGER NOT NULL, content_hash BLOB NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, "
    "fidelity INTEGER, status TEXT NOT NULL, error TEXT, added_at INTEGER NOT NULL)"
)
_FAILED = "CREATE INDEX items_failed ON items (id) WHERE status = 'failed'"
_CODES = (
    "CREATE TABLE codes (block INTEGER NOT NULL, width INTEGER NOT NULL, count INTEGER NOT NULL, "
    "crc INTEGER NOT NULL, present BLOB NOT NULL, data BLOB NOT NULL, PRIMARY KEY (block, width))"
)
STATEMENTS = (_META, _ITEMS, _FAILED, _CODES)
_STATISTICS = {"sqlite_stat1", "sqlite_stat4"}  # left behind by ANALYZE in other tools; harmless
_KEYS = {"profile_id", "fingerprint", "manifest", "tables", "nbytes", "crc", "uid", "generation", "next_id"}
_MIXED_KEYS = {"mean_bytes", "slope"}


class Meta(NamedTuple):
    """What `meta` holds and no commit changes."""

    profile: ArchiveProfile
    nbytes: int
    uid: bytes
    mean_bytes: float | None


def check_new(profile: ArchiveProfile, nbytes: int, mean_bytes: float | None = None) -> None:
    """Raise UsageError unless an archive can be made with these."""
    if not 1 <= nbytes <= MAX_WIDTH:
        raise UsageError(f"codes take 1 to {MAX_WIDTH} bytes, not {nbytes}")
    if mean_bytes is not None and not 1 <= mean_bytes <= nbytes:
        raise UsageError(f"codes of at most {nbytes} bytes take 1 to {nbytes} on average, not {mean_bytes}")
    if len(profile.fingerprint) != 32:
        raise UsageError(f"a fingerprint takes 32 bytes, not {len(profile.fingerprint)}")
    if not 1 <= len(profile.profile_id) <= 200 or not profile.profile_id.isprintable():
        raise UsageError("a profile id takes 1 to 200 printable characters")
    try:
        size = len(profile.manifest.encode())
    except UnicodeEncodeError as exc:
        raise UsageError("a manifest is JSON in UTF-8, without halves of surrogate pairs") from exc
    if size > MAX_MANIFEST:
        raise UsageError(f"a manifest takes at most {MAX_MANIFEST} bytes, not {size}")
    if profile.tables is not None and len(profile.tables) > MAX_TABLES:
        raise UsageError(f"a profile file takes at most {MAX_TABLES} bytes inside an archive")


def write(
    connection: sqlite3.Connection, profile: ArchiveProfile, nbytes: int, mean_bytes: float | None = None
) -> None:
    """Lay out an empty database as an archive, of mixed lengths if it is told a mean."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION if mean_bytes is None else MIXED}")
    for statement in STATEMENTS:
        connection.execute(statement)
    values: dict[str, object] = {
        "generation": 0,
        "next_id": 0,
        "nbytes": nbytes,
        "uid": os.urandom(16),
        "profile_id": profile.profile_id,
        "fingerprint": profile.fingerprint,
        "manifest": profile.manifest,
        "crc": checksum(profile, nbytes),
        "tables": profile.tables,
    }
    if mean_bytes is not None:
        values |= {"mean_bytes": float(mean_bytes), "slope": None}
    connection.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", values.items())


def checksum(profile: ArchiveProfile, nbytes: int) -> int:
    """CRC-32 of what `meta` says for good, as FORMAT.md orders it."""
    head = profile.profile_id.encode() + b"\0" + profile.fingerprint + bytes([nbytes])
    return crc32(profile.tables or b"", crc32(profile.manifest.encode() + b"\0", crc32(head)))


def check(connection: sqlite3.Connection) -> None:
    """Raise Damaged unless the schema is exactly the one of the versions known."""
    version = _version(connection)
    if version not in (VERSION, MIXED):
        raise Damaged(f"version {version} of the archive format; this program reads {VERSION} and {MIXED}")
    rows = connection.execute("SELECT type, name, sql FROM sqlite_master LIMIT 64").fetchall()
    wanted = set(STATEMENTS)
    for kind, name, sql in rows:
        automatic = kind == "index" and sql is None and str(name).startswith("sqlite_autoindex_")
        if automatic or (kind == "table" and name in _STATISTICS):
            continue
        if sql not in wanted:
            raise Damaged(f"holds the {kind} {name!r}, which no archive has")
        wanted.remove(sql)
    if wanted:
        raise Damaged("lacks a table that every archive has")


def read(connection: sqlite3.Connection) -> Meta:
    """Read and check `meta`."""
    values = dict(connection.execute("SELECT key, value FROM meta LIMIT 64").fetchall())
    mixed = _version(connection) == MIXED
    keys = _KEYS | _MIXED_KEYS if mixed else _KEYS
    if set(values) != keys:
        raise Damaged(f"its meta lacks or adds {sorted(map(str, set(values) ^ keys))}")
    profile = ArchiveProfile._make(values[field] for field in ArchiveProfile._fields)
    types = (type(profile.profile_id), type(profile.fingerprint), type(profile.manifest), type(values["uid"]))
    if types != (str, bytes, str, bytes) or not isinstance(profile.tables, bytes | None):
        raise Damaged("its meta holds wrong types")
    nbytes = integer(values["nbytes"], "nbytes", MAX_WIDTH)
    mean_bytes = _real(values["mean_bytes"], "mean_bytes") if mixed else None
    try:
        check_new(profile, nbytes, mean_bytes)
    except UsageError as exc:
        raise Damaged(f"its meta is wrong: {exc}") from exc
    if values["crc"] != checksum(profile, nbytes):
        raise Damaged("its meta is damaged: the checksum differs")
    return Meta(profile, nbytes, values["uid"], mean_bytes)


def get_counter(connection: sqlite3.Connection, key: str) -> int:
    """Read `generation` or `next_id`."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return integer(row and row[0], key, (1 << 62))


def set_counter(connection: sqlite3.Connection, key: str, value: int) -> None:
    """Write `generation` or `next_id`, inside a transaction."""
    connection.execute("UPDATE meta SET value = ? WHERE key = ?", (value, key))


def get_slope(connection: sqlite3.Connection) -> float | None:
    """Read `slope`; None if it is not settled, or lengths are not mixed."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'slope'").fetchone()
    return None if row is None or row[0] is None else _real(row[0], "slope")


def set_slope(connection: sqlite3.Connection, slope: float) -> None:
    """Write `slope`, inside a transaction."""
    connection.execute("UPDATE meta SET value = ? WHERE key = 'slope'", (float(slope),))


def _version(connection: sqlite3.Connection) -> object:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _real(value: object, what: str) -> float:
    if not isinstance(value, float) or not 0 <= value < 1e9:
        raise Damaged(f"{what} is {value!r}, not a number that it can be")
    return value


def integer(value: object, what: str, limit: int) -> int:
    """Check that a stored value is an integer in 0..limit."""
    if not isinstance(value, int) or not 0 <= value <= limit:
        raise Damaged(f"{what} is {value!r}, not a number in 0..{limit}")
    return value
