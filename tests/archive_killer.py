"""Kill writers again and again: `python archive_killer.py FOLDER ROUNDS`; prints what was found as JSON.

Every round forks a writer that reports each acknowledged commit through a pipe, kills it with SIGKILL at
a random moment, and compares the archive with what was acknowledged. A process of its own, because
forking is safe only where there are no threads.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from archive_tools import NBYTES, PROFILE, code_of
from sememe.archive import Archive, NewItem


def kill_at_random(child: Callable[[int], None], delay: float) -> list[str]:
    """Run `child` in a fork until it is killed; return the lines that it managed to write."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        try:
            child(write_end)
        finally:
            os._exit(1)  # only reached if the child failed
    os.close(write_end)
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the writer ended by itself"
    with os.fdopen(read_end) as pipe:
        return [line for line in pipe.read().splitlines(keepends=True) if line.endswith("\n")]


def name(round_: int, commit: int, i: int) -> str:
    return f"{round_}/{commit}/{i}.jpg"


def size_of(commit: int) -> int:
    return (1, 7, 300)[commit % 3]


def write_for_ever(path: Path, round_: int, pipe: int) -> None:
    """Each commit adds items and replaces the code of one common path by that of the commit."""
    with Archive.open(path, write=True) as archive:
        for commit in range(1_000_000):
            names = [name(round_, commit, i) for i in range(size_of(commit))]
            data = b"".join(map(code_of, names)) + code_of(f"{round_}/{commit}")
            items = [NewItem(n) for n in names] + [NewItem("latest", mtime_ns=commit, size=round_)]
            archive.put(items, np.frombuffer(data, np.uint8).reshape(-1, NBYTES))
            os.write(pipe, f"{commit}\n".encode())


def check(path: Path, acknowledged: dict[int, int]) -> int:
    """Compare with what was acknowledged, commits by round; return codes found."""
    with Archive.open(path) as archive:
        assert archive.verify() == []
        ids, codes = archive.codes()
        found = {item.path: row.tobytes() for item, row in zip(archive.items("ok"), codes, strict=True)}
        if "latest" in found:
            latest = archive.get("latest")
            assert found.pop("latest") == code_of(f"{latest.size}/{latest.mtime_ns}")
    for path_, code in found.items():
        assert code == code_of(path_)
    for round_, commits in acknowledged.items():
        present = {commit for commit in range(commits + 1) if name(round_, commit, 0) in found}
        assert present >= set(range(commits)), f"round {round_} lost an acknowledged commit"
        for commit in present:  # the one that was under way came whole or not at all
            assert all(name(round_, commit, i) in found for i in range(size_of(commit)))
    return len(ids)


def kill_writers(folder: Path, rounds: int, rng: random.Random) -> dict[str, int]:
    path = folder / "killed.sems"
    Archive.create(path, PROFILE, NBYTES).close()
    acknowledged: dict[int, int] = {}
    for round_ in range(rounds):
        lines = kill_at_random(
            lambda pipe, round_=round_: write_for_ever(path, round_, pipe), rng.uniform(0.002, 0.08)
        )
        acknowledged[round_] = len(lines)
        codes = check(path, acknowledged)
    return {"kills": rounds, "commits": sum(acknowledged.values()), "codes": codes}


def make_for_ever(source: Path, folder: Path, round_: int) -> None:
    """Create archives and truncated copies as fast as possible."""
    for turn in range(1_000_000):
        Archive.create(folder / f"new-{round_}-{turn}.sems", PROFILE, NBYTES).close()
        with Archive.open(source) as archive:
            archive.truncate_to(folder / f"short-{round_}-{turn}.sems", 4)


def kill_makers(folder: Path, rounds: int, rng: random.Random) -> dict[str, int]:
    source = folder / "killed.sems"
    with Archive.open(source) as archive:
        short = archive.codes()[1][:, :4]
    made = folder / "made"
    made.mkdir()
    whole = stray = 0
    for round_ in range(rounds):
        kill_at_random(lambda _, round_=round_: make_for_ever(source, made, round_), rng.uniform(0.01, 0.2))
        for path in made.iterdir():
            if path.suffix == ".sems":
                with Archive.open(path) as archive:
                    assert archive.verify() == []
                    assert len(archive) == 0 or np.array_equal(archive.codes()[1], short)
                whole += 1
            else:
                assert ".tmp" in path.name or path.name.endswith((".sems-wal", ".sems-shm"))
                stray += 1
            path.unlink(missing_ok=True)
    return {"makers": rounds, "whole": whole, "stray": stray}


def main() -> None:
    folder, rounds, rng = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    print(json.dumps(kill_writers(folder, rounds, rng) | kill_makers(folder, rounds // 3, rng)))  # noqa: T201


if __name__ == "__main__":
    main()
