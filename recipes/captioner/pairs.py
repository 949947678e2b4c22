"""What a captioner learns from: image vectors, as they come back from codes, and a caption of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sememe.api.vectors import read_npy
from sememe.errors import InputError, UsageError
from sememe.metrics import unit_rows
from sememe.profile import Profile

LENGTHS = (0, 64, 32, 16, 8, 4)
"""Lengths of code in bytes that a picture is heard at, as likely each; 0 is the original vector."""

Floats32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Vectors at several lengths and their captions."""

    x: Floats32
    """(lengths, n, d) unit rows."""
    captions: tuple[str, ...]

    @classmethod
    def of(cls, vectors: NDArray[np.floating], captions: tuple[str, ...], profile: Profile | None) -> Pairs:
        """Decode codes of every length; without a profile the originals alone.

        Raises
        ------
        UsageError
            There are not as many captions as vectors, or none.
        """
        if len(vectors) != len(captions) or not captions:
            raise UsageError(
                f"{len(vectors)} vectors and {len(captions)} captions: give one caption a vector"
            )
        x = unit_rows(vectors)
        if profile is None:
            return cls(x[None], captions)
        codes = profile.encode(x, min(max(LENGTHS), profile.max_bytes))
        return cls(np.stack([profile.decode(codes[:, :n]) if n else x for n in LENGTHS]), captions)

    def batch(self, rows: NDArray[np.intp], noise: float, rng: np.random.Generator) -> Floats32:
        """Draw vectors of some pictures: a random length each, and Gaussian noise as CapDec adds it."""
        x = self.x[rng.integers(0, len(self.x), len(rows)), rows]
        spread = rng.normal(0, noise / np.sqrt(x.shape[1]), x.shape) if noise else 0.0
        return unit_rows(x + spread)


def read_captions(path: Path) -> tuple[str, ...]:
    """Read captions, one a line.

    Raises
    ------
    InputError
        The file cannot be read as UTF-8 text.
    """
    try:
        return tuple(line.strip() for line in path.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as exc:
        raise InputError(f"{path}: cannot be read as text; give a file with one caption a line") from exc


def read_vectors(path: Path) -> NDArray[np.floating]:
    """Read a `.npy` file of vectors (n, d).

    Raises
    ------
    InputError
        It cannot be read, or holds no such vectors.
    """
    x = read_npy(path)
    if x.ndim != 2 or x.dtype.kind != "f":
        raise InputError(f"{path}: holds {x.dtype} {x.shape}, not floats (n, d)")
    return np.asarray(x, np.float32)
