"""Fuzz one parser, or list them all.

`python -m fuzz TARGET [OPTION OF LIBFUZZER]...` is guided by coverage, which takes atheris;
`python -m fuzz TARGET --repeat N [SEED]` runs the repeatable mutations of `tests/test_fuzz.py`.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from pathlib import Path


def main() -> None:
    """Do what the command line says."""
    if len(sys.argv) < 2:
        from fuzz.targets import TARGETS

        print("\n".join(TARGETS))
    elif sys.argv[2:3] == ["--repeat"]:
        _repeat(sys.argv[1], *map(int, sys.argv[3:]))
    else:
        _guided(sys.argv[1], sys.argv[2:])


def _repeat(name: str, runs: int, seed: int = 0) -> None:
    from fuzz.targets import TARGETS

    with tempfile.TemporaryDirectory() as folder:
        seen = Counter(
            TARGETS[name].survive(data, Path(folder)) for data in TARGETS[name].mutated(seed, runs)
        )
    print(name, dict(seen))


def _guided(name: str, options: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["sememe"]):
        from fuzz.targets import TARGETS

    from fuzz import mutate

    target = TARGETS[name]

    def mutation(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.5:
            return bytes(atheris.Mutate(data, most))
        return mutate.damaged(target.mutation, rng, data)[:most]

    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, data in enumerate(target.seeds()):
            (corpus / str(number)).write_bytes(data)
        work = Path(folder) / "work"
        work.mkdir()
        longest = f"-max_len={4 * max(map(len, target.seeds())) + 64}"
        arguments = [sys.argv[0], str(corpus), longest, *options]
        atheris.Setup(arguments, lambda data: target.survive(data, work) and None, custom_mutator=mutation)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
