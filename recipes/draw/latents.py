"""Pictures as 4 x 4 tokens: main directions of 16 x 16 patches, which keep layout and drop the finest detail.

Nothing here is trained by gradient, so the flow and the decoder learn independently of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

GRID, PATCH, CHANNELS = 4, 16, 64
TOKENS = GRID * GRID
FITTED_ON = 6000


@dataclass(frozen=True)
class Patches:
    """A linear map between patches and tokens.

    Attributes
    ----------
    mean : (768,) float32
        Mean patch, pixels in -1..1, laid out (row, column, colour).
    basis : (64, 768) float32
        Orthonormal rows: main directions of patches, the widest first.
    scale : (64,) float32
        What one unit of a token's channel is worth. It goes as the square root of the direction's spread:
        halfway between white tokens, where fine noise would weigh as much as the subject, and plain pixels.
    """

    mean: np.ndarray
    basis: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, squares: np.ndarray) -> Patches:
        """Fit to uint8 squares (n, 64, 64, 3)."""
        patches = cut(squares).reshape(-1, PATCH * PATCH * 3)
        mean = patches.mean(0)
        values, vectors = np.linalg.eigh(np.cov(patches - mean, rowvar=False))
        spread = np.sqrt(values[::-1][:CHANNELS])
        scale = np.sqrt(spread) * np.sqrt(spread.mean())
        basis = vectors[:, ::-1][:, :CHANNELS].T
        return cls(*(np.ascontiguousarray(a, np.float32) for a in (mean, basis, scale)))

    @classmethod
    def kept(cls, cache: Path, squares: np.ndarray, rows: np.ndarray) -> Patches:
        """Return those of the cache; if there are none, fit them to some of the rows and keep them."""
        if not (cache / "patches.npz").exists():
            chosen = np.random.default_rng(0).choice(rows, min(FITTED_ON, len(rows)), replace=False)
            fitted = cls.fit(squares[np.sort(chosen)])
            np.savez(cache / "patches.npz", mean=fitted.mean, basis=fitted.basis, scale=fitted.scale)
        return cls.load(cache)

    @classmethod
    def load(cls, cache: Path) -> Patches:
        """Read those of the cache."""
        with np.load(cache / "patches.npz") as stored:
            return cls(**stored)

    def tokens(self, squares: np.ndarray) -> np.ndarray:
        """Turn uint8 squares (n, 64, 64, 3) into tokens (n, 16, 64) float32."""
        return (cut(squares) - self.mean) @ (self.basis.T / self.scale)


def cut(squares: np.ndarray) -> np.ndarray:
    """Cut uint8 squares (n, 64, 64, 3) into patches (n, 16, 768) in -1..1."""
    plain = squares.astype(np.float32) / 127.5 - 1
    grid = plain.reshape(-1, GRID, PATCH, GRID, PATCH, 3).transpose(0, 1, 3, 2, 4, 5)
    return grid.reshape(len(plain), TOKENS, -1)
