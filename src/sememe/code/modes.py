"""Which mode, and which of its prototypes, describes a vector at the least cost in rate and distortion.

At a slope where each coded coefficient keeps distortion θ, an ideal coder for a Gaussian of variance σ² > θ
spends ½·log₂(σ²/θ) + (c²/σ² − 1)/(2 ln 2) bits on the value c, and leaves c² where σ² ≤ θ. With
λ = 2·ln 2·θ the cost is

    J(x | m, s) = ‖x − μₘₛ‖² − Σⱼ max(0, 1 − θ/σ²ₘⱼ)·c²ₘₛⱼ + Σⱼ max(0, θ ln(σ²ₘⱼ/θ)) − λ log₂ pₘ pₛ

where μₘₛ is prototype s of mode m, c are the coefficients seen from it, and the first two terms are the
distortion D(x | m, s). A mode does not fit x at all where that exceeds four times its mean over the vectors
that the mode was fitted to. What fits no mode goes to the universal one, made of the covariance of all
vectors. Images of sets that no mode was fitted to stay below four times, but for one in some hundreds; texts
and random directions begin at 5.5.

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

    def choose(self, vectors: Exact, weighted: Exact) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Mode and prototype (n,) of least cost for fixed-point vectors (n, d), also given in the metric."""
        costs, prototypes = self.costs(vectors, weighted)
        modes = costs.argmin(axis=1)
        return modes, prototypes[np.arange(len(modes)), modes]

    def costs(
        self, vectors: Exact, weighted: Exact, candidates: int = CANDIDATES
    ) -> tuple[Exact, NDArray[np.intp]]:
        """Costs (n, M) with `FRACTION.COST` binary places, and the prototype (n, M) that each is of.

        A cost is infinite for modes not tried or not fitting.
        """
        squares: Exact = (vectors * weighted).sum(axis=1, keepdims=True)
        tried = self._nearest(squares + self._distances(weighted), candidates)
        costs, prototypes = np.full(tried.shape, np.inf), np.zeros(tried.shape, np.intp)
        for mode in range(self._tables.modes):
            rows = np.flatnonzero(tried[:, mode])
            if rows.size == 0:
                continue
            left = squares[rows] + self._left(weighted[rows], mode)
            extra = self._tables.prototype_costs[mode, : left.shape[1]].astype(np.float64)
            best = (left + extra).argmin(axis=1)
            left, extra = left[np.arange(rows.size), best], extra[best]
            fits = (left <= float(self._tables.mode_limits[mode])) | (mode == self._tables.modes - 1)
            costs[rows, mode] = np.where(fits, left + extra + float(self._tables.mode_costs[mode]), np.inf)
            prototypes[rows, mode] = best
        return costs, prototypes

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

    def _left(self, weighted: Exact, mode: int) -> Exact:
        """D(x | m, s) − ‖x‖² (n, P') of each prototype of a mode, with `FRACTION.COST` binary places."""
        known, scale = self._transform.prototypes(mode), self._scales[mode]
        weights = self._weights[mode, : len(scale)]
        inner = np.rint(known.projected[:, : len(scale)] * scale)
        outer = np.rint(self._transform.project(weighted, mode, len(scale)) * scale)
        heavy = outer * weights
        saved: Exact = (heavy * outer).sum(axis=1, keepdims=True) - 2 * (heavy @ inner.T)
        saved += (inner * inner) @ weights
        left: Exact = known.squares - 2 * (weighted @ known.vectors.T)
        left -= saved * 2.0 ** (FRACTION.COST - 2 * _SQUARE - _WEIGHT)
        return left

    @cached_property
    def _scales(self) -> list[Exact]:
        """What takes unscaled coefficients of each mode to those in costs: as many as have a weight."""
        shift = _SQUARE - FRACTION.STEP - FRACTION.WEIGHTED
        counts = np.count_nonzero(self._weights, axis=1)
        steps = self._tables.steps * 2.0**shift
        return [row[:count] for row, count in zip(steps, counts, strict=True)]

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
    """The part of each prototype's cost that no vector changes.

    Parameters
    ----------
    variances
        (M, J) of the coefficients.
    shares
        (M, P) probabilities of the prototypes; zero for those that a mode lacks.
    floor
        Distortion θ per coefficient at the reference rate.

    Returns
    -------
    (M, P) float64, in squared distance; infinite where there is no prototype.
    """
    rate = np.log(np.maximum(variances / floor, 1.0)).sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore"):
        costs: NDArray[np.float64] = floor * (rate - 2.0 * np.log(shares))
    return costs
