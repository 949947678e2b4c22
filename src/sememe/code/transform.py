"""Exact linear algebra: metric, projection and reconstruction on integers.

Products of integers are summed in float64. No partial sum reaches 2**53, so every sum is exact and its
order does not matter: one row or ten thousand, any BLAS, any machine give the same result. Only single,
correctly rounded operations (a multiplication, a division, a square root) touch fractions.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe.code.tables import FRACTION, CodeTables
from sememe.types import Embeddings

__all__ = ["Exact", "Prototypes", "Transform", "as_integers", "normalise"]

Exact = NDArray[np.float64]
"""float64 array whose entries are integers below 2**53."""

_ENTRY = 18  # binary places of a reconstructed vector before it is normalised
_COEFFICIENT = 28  # binary places of a coefficient times its basis step, before reconstruction


def as_integers(x: Embeddings) -> Exact:
    """Vectors (n, d) in fixed point."""
    return np.rint(x.astype(np.float64) * (1 << FRACTION.VECTOR))


class Prototypes(NamedTuple):
    """Prototypes of one mode: P' vectors.

    Attributes
    ----------
    vectors
        (P', d) in fixed point.
    squares
        (P',) their squared lengths in the metric.
    projected
        (P', J) their coefficients, unscaled.
    """

    vectors: Exact
    squares: Exact
    projected: Exact


class Transform:
    """The linear part of a code.

    Parameters
    ----------
    tables
        Tables of the code.
    """

    def __init__(self, tables: CodeTables) -> None:
        self._tables = tables
        self._prototypes: dict[int, Prototypes] = {}

    def weigh(self, vectors: Exact) -> Exact:
        """Fixed-point vectors (n, d) in the metric a·I + FᵀF, with `FRACTION.WEIGHTED` binary places."""
        factor = self._tables.metric.astype(np.float64)
        inner = np.rint((vectors @ factor.T) / (1 << FRACTION.METRIC))
        outer = inner @ factor + vectors * int(self._tables.identity)
        weighted: Exact = np.rint(outer / (1 << (FRACTION.METRIC + FRACTION.VECTOR - FRACTION.WEIGHTED)))
        return weighted

    def project(self, weighted: Exact, mode: int, count: int | None = None) -> Exact:
        """Coefficients (n, count) of weighted vectors in a mode, the first ones, as unscaled integers."""
        basis = self._tables.bases[mode, :count].astype(np.float64)
        projected: Exact = weighted @ basis.T
        return projected

    @cached_property
    def weighted_centroids(self) -> Exact:
        """(M, d) centroids in the metric."""
        return self.weigh(self._tables.centroids.astype(np.float64))

    def prototypes(self, mode: int) -> Prototypes:
        """The prototypes of a mode, made on first use."""
        if mode not in self._prototypes:
            vectors = self.places(mode)
            weighted = self.weigh(vectors)
            squares: Exact = (weighted * vectors).sum(axis=1)
            self._prototypes[mode] = Prototypes(vectors, squares, self.project(weighted, mode))
        return self._prototypes[mode]

    def places(self, mode: int) -> Exact:
        """Prototypes (P', d) of a mode in fixed point, those that it has."""
        tables = self._tables
        count = int(np.count_nonzero(tables.prototype_frequencies[mode]))
        shifts = tables.shifts[mode, :count].astype(np.float64) * int(tables.shift_steps[mode])
        places: Exact = tables.centroids[mode].astype(np.float64) + shifts
        return places

    def expected_places(self, mode: int, shares: NDArray[np.float64]) -> Exact:
        """Mean place (n, d) of a mode's prototypes by their probabilities (n, P), products added in order."""
        tables = self._tables
        mean = np.zeros((len(shares), tables.dim))
        for share, shift in zip(shares.T, tables.shifts[mode], strict=True):
            mean += share[:, None] * shift
        shifts = np.rint(mean) * int(tables.shift_steps[mode])
        places: Exact = tables.centroids[mode].astype(np.float64) + shifts
        return places

    def units(self, projected: Exact, mode: int) -> NDArray[np.int32]:
        """Unscaled coefficients (n, J) in standard deviations."""
        shift = FRACTION.SIGMA + FRACTION.UNIT - FRACTION.STEP - FRACTION.WEIGHTED
        scale = self._tables.steps[mode] / self._tables.sigmas[mode] * 2.0**shift
        limit = 64 << FRACTION.UNIT
        units: NDArray[np.int32] = np.clip(np.rint(projected * scale), -limit, limit).astype(np.int32)
        return units

    def reconstruct(self, units: NDArray[np.int32], mode: int, places: Exact) -> Exact:
        """Vectors (n, d) from places and the first coefficients (n, count <= J) in standard deviations."""
        tables, count = self._tables, units.shape[1]
        scale = tables.sigmas[mode, :count].astype(np.float64) * tables.steps[mode, :count]
        scale *= 2.0 ** (_COEFFICIENT - FRACTION.SIGMA - FRACTION.STEP - FRACTION.UNIT)
        coefficients = np.rint(units * scale)
        moved: Exact = coefficients @ tables.bases[mode, :count].astype(np.float64)
        moved += places * (1 << (_COEFFICIENT - FRACTION.VECTOR))
        return moved


def normalise(vectors: Exact) -> Embeddings:
    """Rows of unit length (n, d) float32; the squared length is an exact sum of integers."""
    scaled = np.rint(vectors * 2.0 ** (_ENTRY - _COEFFICIENT))
    scaled += 0.0  # no negative zeros
    length = np.sqrt(np.einsum("nd,nd->n", scaled, scaled))
    scaled[length == 0, 0] = 1.0  # no direction is better than another
    scaled /= np.maximum(length, 1.0)[:, None]
    unit: Embeddings = scaled.astype(np.float32)
    return unit
