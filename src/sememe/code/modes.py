"""Which mode describes a vector at the least cost in rate and distortion.

At a slope where each coded coefficient keeps distortion θ, an ideal coder for a Gaussian of variance σ² > θ
spends ½·log₂(σ²/θ) + (c²/σ² − 1)/(2 ln 2) bits on the value c, and leaves c² where σ² ≤ θ. With
λ = 2·ln 2·θ the cost is

    J(x | m) = ‖x − μₘ‖² − Σⱼ max(0, 1 − θ/σ²ₘⱼ)·c²ₘⱼ + Σⱼ max(0, θ ln(σ²ₘⱼ/θ)) − λ log₂ pₘ

where the first two terms are the distortion D(x | m). A mode does not fit x at all where D(x | m) exceeds
four times its mean over the vectors that the mode was fitted to. What fits no mode goes to the universal
one, made of the covariance of all vectors. Images of sets that no mode was fitted to stay below 3.5 times;
texts and random directions begin at 5.

Source: reverse water-filling for a mismatched Gaussian (Cover & Thomas, *Elements of Information Theory*,
10.3); choice of classes by it as in M. Effros and P. A. Chou, "Weighted universal transform coding" (1995).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sememe.code.tables import FRACTION, CodeTables
from sememe.code.transform import Exact, Transform

__all__ = ["CANDIDATES", "ModeChooser", "cost_constants"]

CANDIDATES = 4
"""Modes tried per vector: the nearest ones, and always the universal one."""

_SQUARE = 13  # binary places of a coefficient whose square enters a cost
_WEIGHT = 12


class ModeChooser:
    """Choose the mode of each vector.

    Parameters
    ----------
    tables
        Tables of the code.
    transform
        Its linear part.
    """

    def __init__(self, tables: CodeTables, transform: Transform) -> None:
        self._tables = tables
        self._transform = transform

    def choose(self, vectors: Exact, weighted: Exact) -> NDArray[np.intp]:
        """Mode (n,) of the least cost for fixed-point vectors (n, d), also given in the metric."""
        modes: NDArray[np.intp] = self.costs(vectors, weighted).argmin(axis=1)
        return modes

    def costs(self, vectors: Exact, weighted: Exact, candidates: int = CANDIDATES) -> Exact:
        """Costs (n, M) with `FRACTION.COST` binary places; infinite for modes not tried or not fitting."""
        squares: Exact = (vectors * weighted).sum(axis=1, keepdims=True)
        distances = squares + self._distances(weighted)
        costs = np.full(distances.shape, np.inf)
        tried = self._nearest(distances, candidates)
        for mode in range(self._tables.modes):
            rows = np.flatnonzero(tried[:, mode])
            if rows.size == 0:
                continue
            left = distances[rows, mode] - self._saved(weighted[rows], mode)
            fits = (left <= float(self._tables.mode_limits[mode])) | (mode == self._tables.modes - 1)
            costs[rows, mode] = np.where(fits, left + float(self._tables.mode_costs[mode]), np.inf)
        return costs

    def _distances(self, weighted: Exact) -> Exact:
        """‖x − μₘ‖² − ‖x‖² in the metric, (n, M), with `FRACTION.COST` binary places."""
        centroids = self._tables.centroids.astype(np.float64)
        return self._squared_centroids - 2 * (weighted @ centroids.T)

    @cached_property
    def _squared_centroids(self) -> Exact:
        squares: Exact = (self._transform.weighted_centroids * self._tables.centroids).sum(axis=1)
        return squares

    @staticmethod
    def _nearest(distances: Exact, candidates: int) -> NDArray[np.bool_]:
        universal = distances.shape[1] - 1
        tried = np.zeros(distances.shape, np.bool_)
        tried[:, universal] = True
        if universal <= candidates:
            tried[:] = True
        else:
            nearest = np.argpartition(distances[:, :universal], candidates, axis=1)[:, :candidates]
            np.put_along_axis(tried, nearest, True, axis=1)
        return tried

    def _saved(self, weighted: Exact, mode: int) -> Exact:
        """Σⱼ (1 − θ/σ²)·c², (n,), with `FRACTION.COST` binary places."""
        weights = self._weights[mode]
        count = int(np.count_nonzero(weights))
        projected = self._transform.project(weighted, mode, count)
        shift = _SQUARE - FRACTION.STEP - FRACTION.WEIGHTED
        coefficients = np.rint(projected * (self._tables.steps[mode, :count] * 2.0**shift))
        saved: Exact = (coefficients * coefficients) @ weights[:count]
        return saved * 2.0 ** (FRACTION.COST - 2 * _SQUARE - _WEIGHT)

    @cached_property
    def _weights(self) -> Exact:
        """(M, J) 1 − θ/σ², zero from where σ² falls below θ."""
        variances = (self._tables.sigmas.astype(np.float64) * 2.0**-FRACTION.SIGMA) ** 2
        floor = float(self._tables.floor) * 2.0**-FRACTION.COST
        kept = np.maximum(0.0, 1.0 - floor / variances)
        weights: Exact = np.rint(np.minimum.accumulate(kept, axis=1) * (1 << _WEIGHT))
        return weights


def cost_constants(
    variances: NDArray[np.float64], shares: NDArray[np.float64], floor: float
) -> NDArray[np.float64]:
    """The part of each mode's cost that no vector changes.

    Parameters
    ----------
    variances
        (M, J) of the coefficients.
    shares
        (M,) probabilities of the modes.
    floor
        Distortion θ per coefficient at the reference rate.

    Returns
    -------
    (M,) float64, in squared distance.
    """
    rate = np.log(np.maximum(variances / floor, 1.0)).sum(axis=1)
    costs: NDArray[np.float64] = floor * (rate - 2.0 * np.log(shares))
    return costs
