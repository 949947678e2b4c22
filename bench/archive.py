"""How fast an archive stores, loads and copies codes, and what it weighs.

A busy machine shows in `wall` but hardly in `cpu`, so both are given for every operation.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import output
from sememe.archive import Archive, ArchiveProfile, NewItem

PROFILE = ArchiveProfile("custom", bytes(range(32)), "{}")
NBYTES = 16
BATCH = 256
SINGLES = 200


def main() -> None:
    """Measure one archive of many items."""
    parser = output.parser(__doc__)
    parser.add_argument("--items", type=int, default=1_000_000, help="codes in the archive")
    parser.add_argument("--folder", help="where to put the archive (a temporary folder)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        output.emit(measure(Path(folder), args.items), args.output)


def measure(folder: Path, items: int) -> dict[str, Any]:
    """Time every operation on an archive of `items` codes."""
    path, short = folder / "bench.sems", folder / "short.sems"
    with Archive.create(path, PROFILE, NBYTES) as archive:
        seconds = {f"put, {BATCH} at a time": timed(lambda: fill(archive, items))}
    sizes = {"file": path.stat().st_size, "codes": code_bytes(path)}
    seconds["open and close"] = timed(lambda: Archive.open(path).close())
    with Archive.open(path, write=True) as archive:
        seconds |= {
            "codes": timed(archive.codes),
            "len": timed(lambda: len(archive)),
            "known": timed(archive.known),
            "items": timed(lambda: list(archive.items())),
            "verify": timed(archive.verify),
            "truncate_to": timed(lambda: archive.truncate_to(short, NBYTES // 2)),
            f"put, {SINGLES} one by one": timed(lambda: put_singles(archive)),
        }
    with Archive.create(folder / "merged.sems", PROFILE, NBYTES) as merged:
        seconds["merge_from"] = timed(lambda: merged.merge_from(path))
    return {
        "items": items,
        "nbytes": NBYTES,
        "sqlite": sqlite3.sqlite_version,
        "bytes_per_item": {name: round(size / items, 2) for name, size in sizes.items()},
        "seconds": seconds,
    }


def timed(call: Callable[[], object]) -> dict[str, float]:
    """Call once; return the seconds it took on the clock and on the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return output.rounded(spent, 5)


def fill(archive: Archive, items: int) -> None:
    """Put random codes under names such as a camera gives."""
    rng = np.random.default_rng(0)
    for start in range(0, items, BATCH):
        numbers = range(start, min(items, start + BATCH))
        new = [
            NewItem(f"photos/{i // 1000:04d}/IMG_{i:07d}.jpg", i, 2_000_000, b"\7" * 16, 4000, 3000, 40)
            for i in numbers
        ]
        archive.put(new, rng.integers(0, 256, (len(numbers), NBYTES), np.uint8))


def put_singles(archive: Archive) -> None:
    """Put items one by one, each on the disk before the next."""
    for i in range(SINGLES):
        archive.put([NewItem(f"single/{i}.jpg")], np.zeros((1, NBYTES), np.uint8))


def code_bytes(path: Path) -> int:
    """Bytes of all blocks of codes."""
    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute("SELECT sum(length(data) + length(present)) FROM codes").fetchone()
    return int(row[0])


if __name__ == "__main__":
    main()
