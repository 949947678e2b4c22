"""Archives: SQLite pages, values that SQL put there, and the cache of a search beside them."""

from __future__ import annotations

import random
import re
import sqlite3
import tempfile
from contextlib import closing, suppress
from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np

from fuzz import mutate
from fuzz.targets.codes import profiles
from fuzz.targets.target import Target
from sememe.api.identity import for_archive, profile_of_archive
from sememe.api.sources import read_source
from sememe.archive import Archive, NewItem, schema
from sememe.archive.blocks import Outline
from sememe.archive.records import ArchiveProfile
from sememe.index.cache import Cache
from sememe.metrics import unit_rows
from sememe.metrics.calibration import Background

ITEMS, NBYTES, ROWS, DIM = 60, 8, 600, 32


def _fill(path: Path) -> Path:
    rng = np.random.default_rng(0)
    with Archive.create(path, for_archive(profiles()[0]), NBYTES) as archive:
        items = [NewItem(f"{row}.jpg", content_hash=bytes(16), fidelity=9) for row in range(ITEMS)]
        archive.put(items, rng.integers(0, 256, (ITEMS, NBYTES), np.uint8))
        archive.put([NewItem("bad.jpg", error="no")], np.zeros((0, NBYTES), np.uint8))
    return path


@cache
def whole() -> bytes:
    """Make an archive that is read without an error."""
    with tempfile.TemporaryDirectory() as folder:
        return _fill(Path(folder) / "whole.sems").read_bytes()


def _archive(data: bytes, folder: Path) -> None:
    """Read everything, then write: add, remove, compact."""
    path = _placed(folder, data)
    with Archive.open(path) as archive:
        archive.verify()
        read_source(archive, profile_of_archive(archive))[:2]
        archive.known(), list(archive.items()), list(archive.paths()), archive.outline()
        for item in list(archive.items("ok"))[:2]:
            archive.code(item.path)
    with Archive.open(path, write=True) as archive:
        archive.put([NewItem("new.jpg"), NewItem("3.jpg")], np.zeros((2, archive.nbytes), np.uint8))
        archive.remove(["4.jpg"])
        archive.compact()


def _merge(data: bytes, folder: Path) -> None:
    """A source that is damaged leaves the target as it was."""
    target = _placed(folder, whole(), "target.sems")
    with Archive.open(target, write=True) as archive:
        try:
            archive.merge_from(_placed(folder, data, "source.sems"))
        finally:
            assert archive.verify() == []


def _placed(folder: Path, data: bytes, name: str = "fuzz.sems") -> Path:
    for suffix in ("", "-wal", "-shm"):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def _by_sql(rng: random.Random, data: bytes) -> bytes:
    """Put an odd value into one row of one table, and make the checksum of `meta` right again."""
    with tempfile.TemporaryDirectory() as folder:
        path = _placed(Path(folder), data)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection, suppress(sqlite3.Error):
            table = rng.choice(("meta", "items", "codes"))
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            column = "value" if table == "meta" else rng.choice(columns)
            where = f"rowid = (SELECT rowid FROM {table} ORDER BY random() LIMIT 1)"
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (rng.choice(_VALUES),))
            _mend_meta(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return path.read_bytes()


def _mend_meta(connection: sqlite3.Connection) -> None:
    values = dict(connection.execute("SELECT key, value FROM meta"))
    with suppress(Exception):  # values of other types have no checksum
        profile = ArchiveProfile._make(values[field] for field in ArchiveProfile._fields)
        crc = schema.checksum(profile, values["nbytes"])
        connection.execute("UPDATE meta SET value = ? WHERE key = 'crc'", (crc,))


_VALUES: tuple[object, ...] = (
    *(None, -1, 0, 1, 7, 255, 256, 2**31, 2**40, 2**63 - 1, 0.5, -1e300, float("inf")),
    *("", "x", "custom", "nano", "universal/512", "/dev/zero", "../../up.profile", "a" * 199, "{", "\0"),
    *(b"", b"\0" * 16, b"\xff" * 32, b"\xff" * 128, bytes(2**20), "3.jpg", "9.jpg", "\U0001f984"),
)


# the cache beside an archive


@cache
def _cloud() -> tuple[np.ndarray, Background]:
    x = unit_rows(np.random.default_rng(0).standard_normal((ROWS, DIM)))
    return x, Background.of(images=x, texts=x[:50])


def _cache_at(archive: Path) -> Cache:
    numbers = np.arange(2, dtype=np.int64)
    return Cache(archive, b"f" * 32, NBYTES, Outline(numbers, np.array([400, 200]), numbers + 7))


@cache
def _cached() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        kept = _cache_at(Path(folder) / "some.sems")
        kept.shortlist(*_cloud())
        return kept.file.read_bytes()


def _cache(data: bytes, folder: Path) -> None:
    """Whatever lies in the cache, a shortlist of all rows comes of it, and nobody hears of the damage."""
    kept = _cache_at(folder / "some.sems")
    kept.file.parent.mkdir(exist_ok=True)
    kept.file.write_bytes(data)
    found = kept.shortlist(*_cloud())
    rows, _ = found.scan(_cloud()[0][0], 50)
    assert len(found) == ROWS
    assert len(rows) <= 50


def _with_cache_crc(rng: random.Random, data: bytes) -> bytes:
    """Change a cache and make its checksum right again."""
    from safetensors.numpy import load

    changed, crc = mutate.of_safetensors(rng, data), 0
    for _, array in sorted(load(changed).items()):
        crc = crc32(array, crc)
    return re.sub(rb'("crc": ?")[0-9a-f]{8}', rb"\g<1>%08x" % crc, changed, count=1)


TARGETS = (
    Target("archive", _archive, lambda: [whole()], mutate.either(_by_sql, mutate.raw), 50),
    Target("archive-merge", _merge, lambda: [whole()], mutate.either(_by_sql, mutate.raw), 30),
    Target("cache", _cache, lambda: [_cached()], _with_cache_crc, 25, ("faiss",)),
)
