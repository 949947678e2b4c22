"""`Target`: one parser."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fuzz import mutate
from fuzz.limits import bounded
from sememe.errors import SememeError


@dataclass(frozen=True, slots=True)
class Target:
    """One parser.

    Parameters
    ----------
    name : str
    read : callable
        Given bytes and an empty folder.
    seeds : callable
        Makes inputs that are read without an error.
    mutation : callable
    runs : int
        Mutated inputs of one short, repeatable test.
    needs : tuple of str
        Libraries without which there is nothing to fuzz.
    """

    name: str
    read: Callable[[bytes, Path], object]
    seeds: Callable[[], list[bytes]]
    mutation: mutate.Mutation = mutate.raw
    runs: int = 120
    needs: tuple[str, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Libraries that are not installed."""
        return [name for name in self.needs if importlib.util.find_spec(name) is None]

    def mutated(self, seed: int, runs: int) -> Iterator[bytes]:
        """Give so many inputs, the same for the same seed."""
        rng, seeds = random.Random(f"{self.name} {seed}"), self.seeds()
        for _ in range(runs):
            data = rng.choice(seeds)
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                mutation = rng.choice((self.mutation, self.mutation, mutate.raw))
                data = mutate.damaged(mutation, rng, data)
            yield data

    def survive(self, data: bytes, folder: Path) -> str | None:
        """Read an input within bounds; the name of our error, or None if it is read."""
        try:
            with bounded():
                self.read(data, folder)
        except SememeError as error:
            return type(error).__name__
        return None
