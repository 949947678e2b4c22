"""Exact linear algebra: metric, projection and reconstruction on integers.

Products of integers are summed in float64. No partial sum reaches 2**53, so every sum is exact and its
order does not matter: one row or ten thousand, any BLAS, any machine give the same result. Only single,
correctly rounded operations (a multiplication, a division, a square root) touch fractions.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sememe.code.tables import FRACTION, CodeTables
from sememe.types import Embeddings

__all__ = ["Exact", "Transform", "as_integers", "normalise"]

Exact = NDArray[np.float64]
"""float64 array whose entries are integers below 2**53."""

_ENTRY = 18  # binary places of a reconstructed vector before it is normalised
_COEFFICIENT = 28  # binary places of a coefficient times its basis step, before reconstruction


def as_integers(x: Embeddings) -> Exact:
    """Vectors (n, d) in fixed point."""
    return np.rint(x.astype(np.float64) * (1 << FRACTION.VECTOR))


class Transform:
    """The linear part of a code.

    Parameters
    ----------
    tables
        Tables of the code.
    """

    def __init__(self, tables: CodeTables) -> None:
        self._tables = tables

    def weigh(self, vectors: Exact) -> Exact:
        """Fixed-point vectors (n, d) in the metric a·I + FᵀF, with `FRACTION.WEIGHTED` binary places."""
        factor = self._tables.metric.astype(np.float64)
        inner = np.rint((vectors @ factor.T) / (1 << FRACTION.METRIC))
        outer = inner @ factor + vectors * int(self._tables.identity)
        weighted: Exact = np.rint(outer / (1 << (FRACTION.METRIC + FRACTION.VECTOR - FRACTION.WEIGHTED)))
        return weighted

    def project(self, weighted: Exact, mode: int, count: int | None = None) -> Exact:
        """The first `count` coefficients (n, count) of weighted vectors in a mode, unscaled integers."""
        basis = self._tables.bases[mode, :count].astype(np.float64)
        return weighted @ basis.T - self._offsets[mode, :count]

    @cached_property
    def _offsets(self) -> Exact:
        """(M, J) coefficients of the centroids, which `project` takes off."""
        weighted = self.weighted_centroids
        bases = self._tables.bases
        return np.stack([bases[mode].astype(np.float64) @ weighted[mode] for mode in range(len(bases))])

    @cached_property
    def weighted_centroids(self) -> Exact:
        """(M, d) centroids in the metric."""
        return self.weigh(self._tables.centroids.astype(np.float64))

    def units(self, projected: Exact, mode: int) -> NDArray[np.int32]:
        """Unscaled coefficients (n, J) in standard deviations."""
        shift = FRACTION.SIGMA + FRACTION.UNIT - FRACTION.STEP - FRACTION.WEIGHTED
        scale = self._tables.steps[mode] / self._tables.sigmas[mode] * 2.0**shift
        limit = 64 << FRACTION.UNIT
        units: NDArray[np.int32] = np.clip(np.rint(projected * scale), -limit, limit).astype(np.int32)
        return units

    def reconstruct(self, units: NDArray[np.int32], mode: int) -> Exact:
        """Vectors (n, d) from the first coefficients (n, count <= J) in standard deviations."""
        tables, count = self._tables, units.shape[1]
        scale = tables.sigmas[mode, :count].astype(np.float64) * tables.steps[mode, :count]
        scale *= 2.0 ** (_COEFFICIENT - FRACTION.SIGMA - FRACTION.STEP - FRACTION.UNIT)
        coefficients = np.rint(units * scale)
        moved: Exact = coefficients @ tables.bases[mode, :count].astype(np.float64)
        centroid: Exact = tables.centroids[mode].astype(np.float64) * (1 << (_COEFFICIENT - FRACTION.VECTOR))
        moved += centroid
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
