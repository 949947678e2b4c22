"""Training vectors less their mean, and their principal directions: where most quantizers begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError
from sememe.evaluate.coder import Training
from sememe.types import Embeddings

__all__ = ["Centred", "principal", "random_rotation"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Centred:
    """Training vectors less their mean.

    Attributes
    ----------
    mean
        (d,) float32.
    rows
        (n, d) float32, their mean is 0.
    seed
        Of every random choice.
    """

    mean: Floats
    rows: Floats
    seed: int = 0

    @classmethod
    def of(cls, training: Training, fewest: int = 2) -> Centred:
        """Subtract the mean.

        Raises
        ------
        VectorError
            Not a matrix, or fewer than `fewest` rows.
        """
        x = np.asarray(training.x, np.float32)
        if x.ndim != 2 or len(x) < fewest:
            raise VectorError(f"training needs a matrix of {fewest} vectors or more, not {x.shape}")
        mean = x.mean(axis=0, dtype=np.float64).astype(np.float32)
        return cls(mean, x - mean, training.seed)

    @property
    def dim(self) -> int:
        """Length d of a vector."""
        return len(self.mean)

    def sample(self, most: int) -> Embeddings:
        """`most` rows at random, or all if there are no more; with the mean."""
        order = np.random.default_rng(self.seed).permutation(len(self.rows))[:most]
        rows: Embeddings = self.rows[np.sort(order)] + self.mean
        return rows


def principal(rows: Floats, count: int) -> tuple[Floats, NDArray[np.float64]]:
    """Leading principal directions of rows whose mean is 0.

    Returns
    -------
    basis : (count, d) float32
        Orthonormal rows by descending variance; the largest entry of each is positive, whatever the
        eigenvalue routine prefers.
    variances : (count,) float64
    """
    wide = rows.astype(np.float64)
    values, vectors = np.linalg.eigh(wide.T @ wide / len(wide))
    basis = vectors[:, ::-1][:, :count].T
    largest = np.take_along_axis(basis, np.abs(basis).argmax(axis=1)[:, None], axis=1)
    return (basis * np.sign(largest)).astype(np.float32), values[::-1][:count].clip(min=0)


def random_rotation(dim: int, rng: np.random.Generator) -> Floats:
    """A rotation or reflection (dim, dim), uniformly at random."""
    q, r = np.linalg.qr(rng.standard_normal((dim, dim)))
    rotation: Floats = (q * np.sign(np.diag(r))).astype(np.float32)
    return rotation
