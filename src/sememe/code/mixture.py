"""Modes and their prototypes from vectors: k-means, then assignment by cost and re-estimation, in turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sememe.code.modes import CANDIDATES, cost_constants
from sememe.code.options import FitOptions, Progress

__all__ = ["Labels", "Mixture", "fit_mixture"]

Labels = NDArray[np.intp]
"""(n, 2) mode and prototype of each vector."""

_VECTORS_PER_PROTOTYPE = 8
_DIVIDED = 32  # strongest coefficients by which a mode's vectors are divided
_DRAWN = 4.0  # vectors at their mode's mean that every prototype is averaged with


@dataclass
class Mixture:
    """Modes in the metric's coordinates; the last one is universal.

    Attributes
    ----------
    centroids
        (M, d) mean of each mode.
    places
        (M, P, d) its prototypes: classes within the mode that share its basis and variances. Those that a
        mode lacks stand at its centroid and have no share.
    bases
        (M, J, d) orthonormal rows, by descending variance around the prototypes.
    variances
        (M, J) of the coefficients around the prototypes.
    shares
        (M, P) probability of each prototype; their sum over a mode is the mode's.
    distortions
        (M,) mean distortion that is left of a mode's own vectors at the reference rate.
    """

    centroids: NDArray[np.float64]
    places: NDArray[np.float64]
    bases: NDArray[np.float64]
    variances: NDArray[np.float64]
    shares: NDArray[np.float64]
    distortions: NDArray[np.float64]


def fit_mixture(
    y: NDArray[np.float32], modes: int, count: int, floor: float, options: FitOptions, progress: Progress
) -> tuple[Mixture, Labels]:
    """Fit modes to centred vectors in the metric.

    Hard assignments alternate with re-estimation, both under the cost that the encoder will use; the
    covariance of a mode is shrunk towards the covariance within all modes. Modes come first, then
    prototypes within them.

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
    labels : (n, 2) int64
        Mode and prototype of each vector.
    """
    rng = np.random.default_rng(options.seed)
    labels = np.stack([_kmeans(y, modes, rng), np.zeros(len(y), np.intp)], axis=1)
    mixture = _estimate(y, labels, modes, 1, count, options)
    for turn in range(options.rounds):
        mixture, labels = _improve(y, labels, mixture, floor, options, progress, f"modes, round {turn + 1}")
    if options.prototypes > 1:
        progress("prototypes")
        labels = _divide(y, labels, mixture, options, rng)
        mixture = _estimate(y, labels, modes, options.prototypes, count, options)
        mixture, labels = _improve(y, labels, mixture, floor, options, progress, "prototypes")
    progress("variances")
    mixture.variances = _held_out_variances(y, labels, mixture, options, rng)
    mixture.distortions = _mean_distortions(y, labels, mixture, floor)
    return mixture, labels


def _improve(
    y: NDArray[np.float32],
    labels: Labels,
    mixture: Mixture,
    floor: float,
    options: FitOptions,
    progress: Progress,
    stage: str,
) -> tuple[Mixture, Labels]:
    """Assign every vector anew, and estimate again."""
    before, labels = labels, _assign(y, mixture, floor)
    modes, prototypes = mixture.shares.shape
    mixture = _estimate(y, labels, modes - 1, prototypes, mixture.variances.shape[1], options)
    progress(f"{stage}: {np.mean((before != labels).any(axis=1)):.1%} moved")
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


def _divide(
    y: NDArray[np.float32], labels: Labels, mixture: Mixture, options: FitOptions, rng: np.random.Generator
) -> Labels:
    """Divide the vectors of each mode among prototypes, by k-means on its strongest coefficients."""
    divided = labels.copy()
    for mode in range(len(mixture.centroids) - 1):
        rows = np.flatnonzero(labels[:, 0] == mode)
        count = min(options.prototypes, len(rows) // _VECTORS_PER_PROTOTYPE)
        if count > 1:
            strongest = mixture.bases[mode, :_DIVIDED].T
            projected = ((y[rows] - mixture.centroids[mode]) @ strongest).astype(np.float32)
            divided[rows, 1] = _kmeans(projected, count, rng)
    return divided


def _estimate(
    y: NDArray[np.float32], labels: Labels, modes: int, prototypes: int, count: int, options: FitOptions
) -> Mixture:
    """Centroids, prototypes, bases and variances of all modes; the universal one comes last."""
    dim = y.shape[1]
    mixture = Mixture(
        np.zeros((modes + 1, dim)),
        np.zeros((modes + 1, prototypes, dim)),
        np.zeros((modes + 1, count, dim)),
        np.zeros((modes + 1, count)),
        np.zeros((modes + 1, prototypes)),
        np.ones(modes + 1),
    )
    counts, scatters = np.bincount(labels[:, 0], minlength=modes + 1)[:modes], []
    for mode in range(modes):
        rows = np.flatnonzero(labels[:, 0] == mode)
        mixture.centroids[mode] = y[rows].mean(axis=0, dtype=np.float64) if len(rows) else 0.0
        mixture.places[mode], mixture.shares[mode] = _place(y[rows], labels[rows, 1], prototypes)
        scatters.append(_scatter(y[rows] - mixture.places[mode, labels[rows, 1]]))
    within = sum(scatters, np.zeros((dim, dim))) / max(1, counts.sum())
    for mode, (members, scatter) in enumerate(zip(counts.tolist(), scatters, strict=True)):
        covariance = _shrunk(scatter, members, within, options.shrinkage)
        mixture.variances[mode], mixture.bases[mode] = _principal(covariance, count)
    mixture.variances[modes], mixture.bases[modes] = _principal(np.cov(y.T.astype(np.float64)), count)
    mixture.shares[modes, 0] = max(1.0, 0.01 * len(y), float((labels[:, 0] == modes).sum()))
    mixture.shares /= mixture.shares.sum()
    return mixture


def _place(
    y: NDArray[np.float32], labels: NDArray[np.intp], prototypes: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Prototypes (P, d) of one mode's vectors, drawn a little to their mean, and how many (P,) use each.

    A prototype without vectors stands at the mean; it counts as one if others follow it, as none at the end.
    """
    counts = np.bincount(labels, minlength=prototypes).astype(np.float64)
    places = np.zeros((prototypes, y.shape[1]))
    np.add.at(places, labels, y)
    mean = y.mean(axis=0, dtype=np.float64) if len(y) else 0.0
    places = (places + _DRAWN * mean) / (counts + _DRAWN)[:, None]
    used = max(1, int(np.flatnonzero(counts).max(initial=0)) + 1)
    counts[:used] += 1
    return places, counts


def _scatter(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the outer products (d, d) of rows (n, d), which are seen from their prototypes."""
    scatter: NDArray[np.float64] = rows.T @ rows
    return scatter


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


def _assign(y: NDArray[np.float32], mixture: Mixture, floor: float) -> Labels:
    """Mode and prototype (n, 2) of least rate-distortion cost for each vector; see `sememe.code.modes`."""
    centroids, universal = mixture.centroids, len(mixture.centroids) - 1
    distances = (centroids**2).sum(axis=1) - 2 * y @ centroids.T
    constants = cost_constants(mixture.variances, mixture.shares, floor)
    costs, prototypes = np.full(distances.shape, np.inf), np.zeros(distances.shape, np.intp)
    candidates = min(3 * CANDIDATES, universal)
    nearest = np.argsort(distances[:, :universal], axis=1)[:, :candidates]
    for mode in range(universal + 1):
        rows = np.arange(len(y)) if mode == universal else np.flatnonzero((nearest == mode).any(axis=1))
        left = _distortions(y[rows], mixture, mode, floor) + constants[mode, : _prototypes(mixture, mode)]
        prototypes[rows, mode] = left.argmin(axis=1)
        costs[rows, mode] = left.min(axis=1)
    modes = costs.argmin(axis=1)
    return np.stack([modes, prototypes[np.arange(len(y)), modes]], axis=1)


def _prototypes(mixture: Mixture, mode: int) -> int:
    """How many prototypes a mode has."""
    return int(np.count_nonzero(mixture.shares[mode]))


def _distortions(y: NDArray[np.float32], mixture: Mixture, mode: int, floor: float) -> NDArray[np.float64]:
    """What is left of vectors (n, d) seen from each prototype at the reference rate: (n, P')."""
    places = mixture.places[mode, : _prototypes(mixture, mode)]
    kept = np.maximum(0.0, 1.0 - floor / mixture.variances[mode])
    outer, inner = y @ mixture.bases[mode].T, places @ mixture.bases[mode].T
    squares = (y.astype(np.float64) ** 2).sum(axis=1) - outer**2 @ kept
    constants = (places**2).sum(axis=1) - inner**2 @ kept
    left: NDArray[np.float64] = squares[:, None] + constants - 2 * (y @ places.T - (outer * kept) @ inner.T)
    return left


def _mean_distortions(
    y: NDArray[np.float32], labels: Labels, mixture: Mixture, floor: float
) -> NDArray[np.float64]:
    """Mean distortion (M,) of each mode's own vectors; of all vectors where it has too few."""
    universal = len(mixture.centroids) - 1
    means = np.full(universal + 1, _distortions(y, mixture, universal, floor).mean())
    for mode in range(universal):
        rows = np.flatnonzero(labels[:, 0] == mode)
        if len(rows) >= 16:
            left = _distortions(y[rows], mixture, mode, floor)
            means[mode] = left[np.arange(len(rows)), labels[rows, 1]].mean()
    return means


def _held_out_variances(
    y: NDArray[np.float32],
    labels: Labels,
    mixture: Mixture,
    options: FitOptions,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Variances (M, J) of vectors that prototypes and basis did not see: those of a sample are biased."""
    variances = mixture.variances.copy()
    count = variances.shape[1]
    within = np.cov((y - mixture.places[labels[:, 0], labels[:, 1]]).T.astype(np.float64))
    for mode in range(len(variances) - 1):
        rows = rng.permutation(np.flatnonzero(labels[:, 0] == mode))
        if len(rows) < 16:
            continue
        energy = np.zeros(count)
        for fold in range(4):
            held = rows[fold::4]
            rest = np.setdiff1d(rows, held)
            places, _ = _place(y[rest], labels[rest, 1], mixture.places.shape[1])
            scatter = _scatter(y[rest] - places[labels[rest, 1]])
            _, basis = _principal(_shrunk(scatter, len(rest), within, options.shrinkage), count)
            energy += (((y[held] - places[labels[held, 1]]) @ basis.T) ** 2).sum(axis=0)
        trust = len(rows) / (len(rows) + 60.0)
        own = _smooth(np.log(np.maximum(energy / len(rows), 1e-8)))
        variances[mode] = np.exp(trust * own + (1 - trust) * np.log(variances[mode]))
    return np.minimum.accumulate(variances, axis=1)


def _smooth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Running mean over five neighbours; the first three, which matter most, stay."""
    smooth = np.convolve(np.pad(values, 2, mode="edge"), np.full(5, 0.2), "valid")
    smooth[:3] = values[:3]
    return smooth
