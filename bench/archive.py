"""Speed and size of an archive, printed as JSON: `python bench/archive.py [items] [folder]`."""

from __future__ import annotations

import json
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sememe.archive import Archive, ArchiveProfile, NewItem

PROFILE = ArchiveProfile("custom", bytes(range(32)), "{}")
NBYTES = 16
BATCH = 256


def new_items(start: int, stop: int) -> list[NewItem]:
    """Make items as a camera's folder would give."""
    return [
        NewItem(f"photos/{i // 1000:04d}/IMG_{i:07d}.jpg", i, 2_000_000, b"\7" * 16, 4000, 3000, 40)
        for i in range(start, stop)
    ]


def timed(call: Callable[[], object]) -> float:
    """Call once; return the seconds it took."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def fill(archive: Archive, items: int, batch: int) -> float:
    """Put random codes in batches; return the seconds it took."""
    rng = np.random.default_rng(0)
    start = time.perf_counter()
    for at in range(0, items, batch):
        end = min(items, at + batch)
        archive.put(new_items(at, end), rng.integers(0, 256, (end - at, NBYTES), np.uint8))
    return time.perf_counter() - start


def one_by_one(archive: Archive, count: int) -> float:
    """Put single items, each durable when it returns; return the seconds of one."""
    code = np.zeros((1, NBYTES), np.uint8)
    start = time.perf_counter()
    for i in range(count):
        archive.put([NewItem(f"single/{i}.jpg")], code)
    return (time.perf_counter() - start) / count


def measure(folder: Path, items: int) -> dict[str, object]:
    """Time every operation on an archive of `items` codes."""
    path = folder / "bench.sems"
    with Archive.create(path, PROFILE, NBYTES) as archive:
        put_s = fill(archive, items, BATCH)
    size = path.stat().st_size
    codes = (
        sqlite3.connect(path).execute("SELECT sum(length(data) + length(present)) FROM codes").fetchone()[0]
    )
    with Archive.open(path, write=True) as archive:
        report = {
            "items": items,
            "nbytes": NBYTES,
            "put_items_per_s": round(items / put_s),
            "bytes_per_item": round(size / items, 1),
            "code_bytes_per_item": round(codes / items, 2),
            "codes_s": round(min(timed(archive.codes) for _ in range(3)), 4),
            "known_s": round(timed(archive.known), 2),
            "items_s": round(timed(lambda: list(archive.items())), 2),
            "count_s": round(timed(lambda: len(archive)), 4),
            "verify_s": round(timed(archive.verify), 2),
            "truncate_s": round(timed(lambda: archive.truncate_to(folder / "short.sems", 8)), 2),
            "put_one_s": round(one_by_one(archive, 200), 5),
        }
    report["open_s"] = round(min(timed(lambda: Archive.open(path).close()) for _ in range(20)), 5)
    with Archive.create(folder / "merged.sems", PROFILE, NBYTES) as merged:
        report["merge_s"] = round(timed(lambda: merged.merge_from(path)), 2)
    return report


def main() -> None:
    """Print the report."""
    items = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        report = measure(Path(folder), items)
    report |= {
        "sqlite": sqlite3.sqlite_version,
        "python": platform.python_version(),
        "cpu": platform.machine(),
    }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
