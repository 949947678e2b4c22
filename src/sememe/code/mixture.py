"""Modes from vectors: k-means, then assignment by rate-distortion cost and re-estimation, in turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sememe.code.modes import CANDIDATES, cost_constants
from sememe.code.options import FitOptions, Progress

__all__ = ["Mixture", "fit_mixture"]


@dataclass
class Mixture:
    """Modes in the metric's coordinates; the last one is universal.

    Attributes
    ----------
    centroids
        (M, d) mean of each mode.
    bases
        (M, J, d) orthonormal rows, by descending variance.
    variances
        (M, J) of the coefficients.
    shares
        (M,) probability of each mode.
    distortions
        (M,) mean distortion that is left of a mode's own vectors at the reference rate.
    """

    centroids: NDArray[np.float64]
    bases: NDArray[np.float64]
    variances: NDArray[np.float64]
    shares: NDArray[np.float64]
    distortions: NDArray[np.float64]


def fit_mixture(
    y: NDArray[np.float32], modes: int, count: int, floor: float, options: FitOptions, progress: Progress
) -> tuple[Mixture, NDArray[np.intp]]:
    """Fit modes to centred vectors in the metric.

    Hard assignments alternate with re-estimation, both under the cost that the encoder will use; the
    covariance of a mode is shrunk towards the covariance within all modes.

    Parameters
    ----------
    y
        (n, d) vectors.
    modes
        Classes beside the universal one, which always comes last.
    count
        Coefficients J of each mode.
    floor
        Distortion per coefficient at the reference rate.

    Returns
    -------
    mixture : Mixture
    labels : (n,) int64
        Mode of each vector.
    """
    rng = np.random.default_rng(options.seed)
    labels = _kmeans(y, modes, rng)
    mixture = _estimate(y, labels, modes, count, options.shrinkage)
    for turn in range(options.rounds):
        before, labels = labels, _assign(y, mixture, floor)
        mixture = _estimate(y, labels, modes, count, options.shrinkage)
        progress(f"modes, round {turn + 1} of {options.rounds}: {np.mean(before != labels):.1%} moved")
    progress("variances")
    mixture.variances = _held_out_variances(y, labels, mixture, options.shrinkage, rng)
    mixture.distortions = _mean_distortions(y, labels, mixture, floor)
    return mixture, labels


def _kmeans(
    y: NDArray[np.float32], modes: int, rng: np.random.Generator, rounds: int = 20
) -> NDArray[np.intp]:
    """Labels (n,) of k-means++ with Lloyd's iterations."""
    if modes == 0:
        return np.zeros(len(y), np.intp)
    centroids = y[rng.integers(len(y), size=1)]
    distances = ((y - centroids[0]) ** 2).sum(axis=1)
    for _ in range(modes - 1):
        chosen = rng.choice(len(y), p=distances / distances.sum())
        centroids = np.vstack([centroids, y[chosen]])
        distances = np.minimum(distances, ((y - y[chosen]) ** 2).sum(axis=1))
    labels = np.zeros(len(y), np.intp)
    for _ in range(rounds):
        labels = ((centroids**2).sum(axis=1) - 2 * y @ centroids.T).argmin(axis=1)
        for mode in np.unique(labels):
            centroids[mode] = y[labels == mode].mean(axis=0)
    return labels


def _estimate(
    y: NDArray[np.float32], labels: NDArray[np.intp], modes: int, count: int, shrinkage: float
) -> Mixture:
    """Centroids, bases and variances of all modes; the universal one comes last."""
    dim = y.shape[1]
    members = [y[labels == mode].astype(np.float64) for mode in range(modes)]
    scatters = [_scatter(rows) for rows in members]
    whole = np.cov(y.T.astype(np.float64))
    within = sum(scatters, np.zeros((dim, dim))) / max(1, sum(len(rows) for rows in members))
    mixture = Mixture(
        np.zeros((modes + 1, dim)),
        np.zeros((modes + 1, count, dim)),
        np.zeros((modes + 1, count)),
        np.ones(modes + 1),
        np.ones(modes + 1),
    )
    for mode, (rows, scatter) in enumerate(zip(members, scatters, strict=True)):
        mixture.centroids[mode] = rows.mean(axis=0) if len(rows) else 0.0
        covariance = _shrunk(scatter, len(rows), within, shrinkage)
        mixture.variances[mode], mixture.bases[mode] = _principal(covariance, count)
        mixture.shares[mode] = len(rows) + 1
    mixture.variances[modes], mixture.bases[modes] = _principal(whole, count)
    mixture.shares[modes] = max(1.0, 0.01 * len(y), float((labels == modes).sum()))
    mixture.shares /= mixture.shares.sum()
    return mixture


def _scatter(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the outer products (d, d) of centred rows (n, d)."""
    dim = rows.shape[1]
    return np.cov(rows.T, bias=True) * len(rows) if len(rows) > 1 else np.zeros((dim, dim))


def _shrunk(
    scatter: NDArray[np.float64], count: int, within: NDArray[np.float64], shrinkage: float
) -> NDArray[np.float64]:
    """Covariance of a mode of `count` vectors, as if it had `shrinkage` more with covariance `within`."""
    return (scatter + shrinkage * within) / (count + shrinkage)


def _principal(
    covariance: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values, vectors = np.linalg.eigh(covariance)
    return np.maximum(values[::-1][:count], 1e-8), vectors[:, ::-1][:, :count].T


def _assign(y: NDArray[np.float32], mixture: Mixture, floor: float) -> NDArray[np.intp]:
    """The mode of least rate-distortion cost for each vector; see `sememe.code.modes`."""
    centroids, universal = mixture.centroids, len(mixture.centroids) - 1
    distances = (centroids**2).sum(axis=1) - 2 * y @ centroids.T
    constants = cost_constants(mixture.variances, mixture.shares, floor)
    costs = np.full(distances.shape, np.inf)
    candidates = min(3 * CANDIDATES, universal)
    nearest = np.argsort(distances[:, :universal], axis=1)[:, :candidates]
    for mode in range(universal + 1):
        rows = np.arange(len(y)) if mode == universal else np.flatnonzero((nearest == mode).any(axis=1))
        costs[rows, mode] = _distortions(y[rows], mixture, mode, floor) + constants[mode]
    labels: NDArray[np.intp] = costs.argmin(axis=1)
    return labels


def _distortions(y: NDArray[np.float32], mixture: Mixture, mode: int, floor: float) -> NDArray[np.float64]:
    """What is left of vectors (n, d) at the reference rate: the first two terms of the cost, (n,)."""
    centred = y - mixture.centroids[mode]
    kept = np.maximum(0.0, 1.0 - floor / mixture.variances[mode])
    left: NDArray[np.float64] = (centred**2).sum(axis=1) - (centred @ mixture.bases[mode].T) ** 2 @ kept
    return left


def _mean_distortions(
    y: NDArray[np.float32], labels: NDArray[np.intp], mixture: Mixture, floor: float
) -> NDArray[np.float64]:
    """Mean distortion (M,) of each mode's own vectors; of all vectors where it has too few."""
    means = np.full(
        len(mixture.centroids), _distortions(y, mixture, len(mixture.centroids) - 1, floor).mean()
    )
    for mode in range(len(means) - 1):
        rows = np.flatnonzero(labels == mode)
        if len(rows) >= 16:
            means[mode] = _distortions(y[rows], mixture, mode, floor).mean()
    return means


def _held_out_variances(
    y: NDArray[np.float32],
    labels: NDArray[np.intp],
    mixture: Mixture,
    shrinkage: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Variances (M, J) of vectors that the basis did not see: eigenvalues of a sample are biased."""
    variances = mixture.variances.copy()
    count = variances.shape[1]
    within = np.cov((y - mixture.centroids[labels]).T.astype(np.float64))
    for mode in range(len(variances) - 1):
        rows = rng.permutation(np.flatnonzero(labels == mode))
        if len(rows) < 16:
            continue
        energy = np.zeros(count)
        for fold in range(4):
            held = rows[fold::4]
            rest = np.setdiff1d(rows, held)
            mean = y[rest].mean(axis=0, dtype=np.float64)
            scatter = _scatter(y[rest].astype(np.float64))
            _, basis = _principal(_shrunk(scatter, len(rest), within, shrinkage), count)
            energy += (((y[held] - mean) @ basis.T) ** 2).sum(axis=0)
        trust = len(rows) / (len(rows) + 60.0)
        own = _smooth(np.log(np.maximum(energy / len(rows), 1e-8)))
        variances[mode] = np.exp(trust * own + (1 - trust) * np.log(variances[mode]))
    return np.minimum.accumulate(variances, axis=1)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running mean over five neighbours; the first three, which matter most, stay."""
    smooth = np.convolve(np.pad(values, 2, mode="edge"), np.full(5, 0.2), "valid")
    smooth[:3] = values[:3]
    return smooth
