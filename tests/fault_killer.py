"""Kill encoding, importing and index building: `python fault_killer.py FOLDER ROUNDS SEED`; prints JSON.

Every round forks a process that works and reports each acknowledged commit through a pipe, kills it with
SIGKILL at a random moment, and looks at what is left: it opens, `verify` finds nothing, everything
acknowledged is there, and every code is the one that a run without kills made. Then another goes on.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from archive_killer import kill_at_random
from sememe.api import sources
from sememe.api.identity import for_archive
from sememe.archive import Archive, NewItem
from sememe.batch import encode_paths, run
from sememe.batch.importing import Vectors, import_vectors, rows
from toys import save_pictures, toy_codec, toy_profile

PICTURES, VECTORS, CODES = 40, 3000, 3000


def tell_commits(pipe: int) -> None:
    """Report the paths of every call of `Archive.put` that returned."""
    put = Archive.put

    def told(self: Archive, items: list[NewItem], *args: object) -> None:
        put(self, items, *args)  # type: ignore[arg-type]
        os.write(pipe, b"".join(f"{self.path}\t{item.path}\n".encode() for item in items))

    Archive.put = told  # type: ignore[method-assign, assignment]


class Filling:
    """Archives filled one after the other: a killed one is gone on with, after a whole one comes the next."""

    def __init__(self, folder: Path, fill: Callable[[Path], object]) -> None:
        self.folder, self.fill = folder, fill
        folder.mkdir()
        started = time.monotonic()
        fill(folder / "whole.sems")
        self.seconds = time.monotonic() - started
        self.expected = codes_in(folder / "whole.sems")
        self.resumed = self.commits = 0
        self.turn = 0

    def work(self, pipe: int) -> None:
        tell_commits(pipe)
        for turn in range(self.turn, self.turn + 1_000_000):
            self.fill(self.folder / f"{turn}.sems")

    def check(self, lines: list[str]) -> None:
        acknowledged: dict[str, set[str]] = {}
        for line in lines:
            archive, path = line.rstrip("\n").split("\t")
            acknowledged.setdefault(archive, set()).add(path)
        for path in self.archives():
            found = codes_in(path)
            lost = acknowledged.pop(str(path), set()) - found.keys()
            assert not lost, f"{path} lost {sorted(lost)[:3]}"
            assert found.items() <= self.expected.items(), f"{path} holds a wrong code"
            self.turn = max(self.turn, int(path.stem) + (found == self.expected))
        assert not acknowledged, f"lost {sorted(acknowledged)}"
        self.commits += len(lines)
        for path in self.archives():
            if int(path.stem) < self.turn:
                path.unlink()
            else:
                self.resumed += 1

    def archives(self) -> Iterator[Path]:
        return (path for path in sorted(self.folder.glob("*.sems")) if path.stem != "whole")


def codes_in(path: Path) -> dict[str, bytes]:
    with Archive.open(path) as archive:
        assert archive.verify() == [], archive.verify()
        return {item.path: archive.code(item.path) for item in archive.items("ok")}


def kill_encoding(folder: Path, rounds: int, rng: random.Random) -> dict[str, int]:
    run.COMMIT_ITEMS = 8
    pictures = folder / "pictures"
    save_pictures(pictures, PICTURES)
    return kill_filling(
        Filling(folder / "encoded", lambda to: encode_paths([pictures], to, toy_codec(), progress=False)),
        rounds,
        rng,
    )


def kill_importing(folder: Path, rounds: int, rng: random.Random) -> dict[str, int]:
    x = np.random.default_rng(0).standard_normal((VECTORS, toy_profile().dim)).astype(np.float32)
    np.save(folder / "x.npy", x)
    rows.PART = 300 * x.shape[1]
    return kill_filling(
        Filling(
            folder / "imported",
            lambda to: import_vectors([Vectors(folder / "x.npy")], to, toy_codec(), progress=False),
        ),
        rounds,
        rng,
    )


def kill_filling(filling: Filling, rounds: int, rng: random.Random) -> dict[str, int]:
    for _ in range(rounds):
        filling.check(kill_at_random(filling.work, rng.uniform(0.01, 1.2 * filling.seconds)))
    return {"kills": rounds, "commits": filling.commits, "resumed": filling.resumed}


def kill_index_building(folder: Path, rounds: int, rng: random.Random) -> dict[str, int]:
    """The cache is made, or renewed after a change; a search finds the same with and without it."""
    sources.LARGE, path = 1000, folder / "many.sems"
    codes = np.random.default_rng(0).integers(0, 256, (CODES, 8), np.uint8)
    with Archive.create(path, for_archive(toy_profile()), 8) as archive:
        archive.put([NewItem(f"{row}.jpg") for row in range(CODES)], codes)
    query, codec = toy_profile().decode(codes[4:5])[0], toy_codec(8)
    started = time.monotonic()
    codec.search(path, query, k=5)
    seconds, found = time.monotonic() - started, 0
    kept = Path(f"{path}.cache")

    def build(_: int) -> None:
        for turn in range(1_000_000):
            for file in kept.iterdir() if turn % 4 == 3 else ():
                file.unlink()
            codec.search(path, query, k=5)
            with Archive.open(path, write=True) as archive:
                archive.put([NewItem("changing.jpg")], codes[turn : turn + 1])

    for _ in range(rounds):
        kill_at_random(build, rng.uniform(0.01, 2 * seconds))
        found += any(kept.glob("shortlist-8.safetensors"))
        with Archive.open(path) as archive:
            assert archive.verify() == []
            assert len(archive) in (CODES, CODES + 1)
        best = codec.search(path, query, k=1)[0]
        assert best.row == codec.search(path, query, k=1, exact=True)[0].row
        for stray in kept.glob(".*.tmp"):
            stray.unlink()
    return {"kills": rounds, "caches": found}


OPERATIONS = {"encode": kill_encoding, "import": kill_importing, "index": kill_index_building}


def main() -> None:
    folder, rounds, rng = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    told = {}
    for name in sys.argv[4:] or OPERATIONS:
        (folder / name).mkdir()
        told[name] = OPERATIONS[name](folder / name, rounds, rng)
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
