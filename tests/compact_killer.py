"""Kill compaction and merging again and again: `python compact_killer.py FOLDER ROUNDS SEED`; prints JSON.

Every round forks a process that for ever removes, adds, merges and compacts, reports each acknowledged step
through a pipe, and is killed with SIGKILL at a random moment. The archive must then hold what was
acknowledged, and at most the one step more that was under way.
"""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

from archive_killer import kill_at_random
from archive_tools import code_of, make, put_paths
from sememe.archive import Archive

SIZE = 1500


def paths_of(step: int) -> list[str]:
    return [f"{step}/{i}.jpg" for i in range(SIZE)]


def work_for_ever(path: Path, source: Path, first: int, pipe: int) -> None:
    """Each step adds records of its own, removes those of the steps before, merges and compacts."""
    for step in range(first, first + 1_000_000):
        with Archive.open(path, write=True) as archive:
            put_paths(archive, paths_of(step))
            os.write(pipe, f"put {step}\n".encode())
            archive.remove([p for p in archive.paths() if not p.startswith((f"{step}/", "merged"))])
            os.write(pipe, f"removed {step - 1}\n".encode())
            archive.remove(["merged/0", "merged/1"])
            os.write(pipe, b"unmerged 0\n")
            archive.merge_from(source)
            os.write(pipe, b"merged 0\n")
            archive.compact()
            os.write(pipe, f"compacted {step}\n".encode())


def check(path: Path, lines: list[str], last: int) -> int:
    """Compare with what was acknowledged; return the last step that is there."""
    with Archive.open(path) as archive:
        assert archive.verify() == [], archive.verify()
        found = {item.path: archive.code(item.path) for item in archive.items("ok")}
    steps = {int(name.split("/")[0]) for name in found if not name.startswith("merged")}
    for name, code in found.items():
        assert code == code_of(name)
    done = [line.split() for line in lines]
    put = max([int(step) for what, step in done if what == "put"], default=last)
    removed = max([int(step) for what, step in done if what == "removed"], default=-1)
    assert put in steps, f"lost step {put}"
    assert max(steps) <= put + 1, f"{steps} after {put}"
    assert min(steps) > removed, f"of {steps}, up to {removed} were removed"
    for step in steps:
        assert sum(name.startswith(f"{step}/") for name in found) == SIZE, f"half of step {step}"
    merged = sum(name.startswith("merged") for name in found)
    assert merged in (0, 2), "half of a source"
    marks = [what for what, _ in done if what in ("merged", "unmerged", "removed")]
    if marks and marks[-1] == "merged" and done[-1][0] in ("merged", "compacted", "put"):
        assert merged == 2, "lost a merged source"
    return max(steps)


def main() -> None:
    folder, rounds, rng = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    path = make(folder / "killed.sems", paths_of(0))
    source = make(folder / "source.sems", ["merged/0", "merged/1"])
    last, steps, compacted = 0, 0, 0
    for _ in range(rounds):
        lines = kill_at_random(
            lambda pipe, first=last + 1: work_for_ever(path, source, first, pipe), rng.uniform(0.05, 0.8)
        )
        last = check(path, lines, last)
        steps += len(lines)
        compacted += sum(line.startswith("compacted") for line in lines)
    print(json.dumps({"kills": rounds, "steps": steps, "compacted": compacted}))  # noqa: T201


if __name__ == "__main__":
    main()
