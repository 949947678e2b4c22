"""Tables from vectors: modes, transforms, variances and the quantizer, by numpy alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sememe.code.modes import CANDIDATES, cost_constants
from sememe.code.quantizer import LADDER, fit_quantizer
from sememe.code.tables import FRACTION, CodeTables
from sememe.rangecoder import quantize_frequencies
from sememe.types import Embeddings

__all__ = ["FitOptions", "fit_tables"]

Progress = Callable[[str], None]


@dataclass(frozen=True)
class FitOptions:
    """What can be chosen when a code is fitted.

    Attributes
    ----------
    modes
        Classes beside the universal one; None: as many as the vectors support and 8 MB hold.
    coefficients
        Coefficients coded per mode, at most d.
    floor
        Distortion per coefficient (θ) at the reference rate that mode choice optimises for, relative to the
        mean variance per dimension of all vectors.
    shrinkage
        Weight of the pooled covariance within modes, in vectors, when a mode's own covariance is estimated.
    text_weight
        Share of the metric that the covariance of text vectors takes; 0 minimises plain squared error.
    rounds
        Alternations of mode choice and re-estimation.
    ladder
        Rungs of the quantizer, in standard deviations.
    seed
        Of the first centroids.
    """

    modes: int | None = None
    coefficients: int = 224
    floor: float = 1.4
    shrinkage: float = 300.0
    text_weight: float = 0.15
    rounds: int = 4
    ladder: tuple[float, ...] = LADDER
    seed: int = 0


@dataclass
class _Mixture:
    """Modes in the metric's coordinates."""

    centroids: NDArray[np.float64]  # (M, d)
    bases: NDArray[np.float64]  # (M, J, d), orthonormal rows
    variances: NDArray[np.float64]  # (M, J)
    shares: NDArray[np.float64]  # (M,)


def fit_tables(
    x: Embeddings,
    text: Embeddings | None = None,
    *,
    options: FitOptions | None = None,
    progress: Progress = lambda _: None,
) -> CodeTables:
    """Fit a progressive code.

    Parameters
    ----------
    x
        (n, d) float32 unit rows to learn from.
    text
        (t, d) text vectors of the same space, for the metric; None weights all directions alike.
    options
        See `FitOptions`.
    progress
        Called with one line about each stage.

    Returns
    -------
    CodeTables
    """
    options = options or FitOptions()
    factor, identity = _metric(text, x.shape[1], options.text_weight)
    weight = identity * np.eye(x.shape[1]) + factor.T @ factor
    values, vectors = np.linalg.eigh(weight)
    root, inverse = (vectors * np.sqrt(values)) @ vectors.T, (vectors / np.sqrt(values)) @ vectors.T
    mean = x.mean(axis=0, dtype=np.float64)
    y = ((x - mean) @ root).astype(np.float32)
    count = min(options.coefficients, x.shape[1])
    modes = _mode_count(len(x), x.shape[1], count, options.modes)
    floor = options.floor * float(y.var(axis=0).mean())
    mixture, labels = _fit_mixture(y, modes, count, floor, options, progress)
    progress("quantizer")
    quantizer = fit_quantizer(_samples(y, labels, mixture, options.seed), options.ladder)
    return _as_tables(mixture, mean, root, inverse, factor, identity, floor, quantizer)


def _mode_count(n: int, dim: int, count: int, wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    fits = 7_400_000 // (count * dim) - 1
    supported = n // 300
    return max(0, min(64, fits, supported))


def _metric(text: Embeddings | None, dim: int, weight: float) -> tuple[NDArray[np.float64], float]:
    """Factor F (r, d) and identity weight a of the metric a·I + FᵀF, with trace d."""
    if text is None or weight == 0 or len(text) < 2:
        return np.zeros((0, dim)), 1.0
    values, vectors = np.linalg.eigh(np.cov(text.T.astype(np.float64)))
    rank = min(128, len(text) - 1)
    values, vectors = values[::-1], vectors[:, ::-1]
    scale = weight * dim / values.sum()
    rest = scale * values[rank:].sum() / dim  # what the factor leaves out is spread evenly
    factor = np.sqrt(scale * values[:rank])[:, None] * vectors[:, :rank].T
    unit = 1 << FRACTION.METRIC
    return np.clip(np.rint(factor * unit), -32767, 32767) / unit, round((1 - weight + rest) * unit) / unit


def _fit_mixture(
    y: NDArray[np.float32], modes: int, count: int, floor: float, options: FitOptions, progress: Progress
) -> tuple[_Mixture, NDArray[np.intp]]:
    rng = np.random.default_rng(options.seed)
    labels = _kmeans(y, modes, rng)
    mixture = _estimate(y, labels, modes, count, options.shrinkage)
    for turn in range(options.rounds):
        before, labels = labels, _assign(y, mixture, floor)
        mixture = _estimate(y, labels, modes, count, options.shrinkage)
        progress(f"modes, round {turn + 1} of {options.rounds}: {np.mean(before != labels):.1%} moved")
    progress("variances")
    mixture.variances = _held_out_variances(y, labels, mixture, options.shrinkage, rng)
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
) -> _Mixture:
    """Centroids, bases and variances of all modes; the universal one comes last."""
    dim = y.shape[1]
    members = [y[labels == mode].astype(np.float64) for mode in range(modes)]
    scatters = [
        np.cov(rows.T, bias=True) * len(rows) if len(rows) > 1 else np.zeros((dim, dim)) for rows in members
    ]
    whole = np.cov(y.T.astype(np.float64))
    within = sum(scatters, np.zeros((dim, dim))) / max(1, sum(len(rows) for rows in members))
    mixture = _Mixture(
        np.zeros((modes + 1, dim)),
        np.zeros((modes + 1, count, dim)),
        np.zeros((modes + 1, count)),
        np.ones(modes + 1),
    )
    for mode, (rows, scatter) in enumerate(zip(members, scatters, strict=True)):
        mixture.centroids[mode] = rows.mean(axis=0) if len(rows) else 0.0
        covariance = (scatter + shrinkage * within) / (len(rows) + shrinkage)
        mixture.variances[mode], mixture.bases[mode] = _principal(covariance, count)
        mixture.shares[mode] = len(rows) + 1
    mixture.variances[modes], mixture.bases[modes] = _principal(whole, count)
    mixture.shares[modes] = max(1.0, 0.01 * len(y), float((labels == modes).sum()))
    mixture.shares /= mixture.shares.sum()
    return mixture


def _principal(
    covariance: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values, vectors = np.linalg.eigh(covariance)
    return np.maximum(values[::-1][:count], 1e-8), vectors[:, ::-1][:, :count].T


def _assign(y: NDArray[np.float32], mixture: _Mixture, floor: float) -> NDArray[np.intp]:
    """The mode of least rate-distortion cost for each vector; see `sememe.code.modes`."""
    centroids, universal = mixture.centroids, len(mixture.centroids) - 1
    distances = (centroids**2).sum(axis=1) - 2 * y @ centroids.T
    constants = cost_constants(mixture.variances, mixture.shares, floor)
    costs = np.full(distances.shape, np.inf)
    candidates = min(3 * CANDIDATES, universal)
    nearest = np.argsort(distances[:, :universal], axis=1)[:, :candidates]
    for mode in range(universal + 1):
        rows = np.arange(len(y)) if mode == universal else np.flatnonzero((nearest == mode).any(axis=1))
        kept = np.maximum(0.0, 1.0 - floor / mixture.variances[mode])
        projected = (y[rows] - centroids[mode]) @ mixture.bases[mode].T
        costs[rows, mode] = distances[rows, mode] - projected**2 @ kept + constants[mode]
    labels: NDArray[np.intp] = costs.argmin(axis=1)
    return labels


def _held_out_variances(
    y: NDArray[np.float32],
    labels: NDArray[np.intp],
    mixture: _Mixture,
    shrinkage: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Variances (M, J) of vectors that the basis did not see: eigenvalues of a sample are biased."""
    variances = mixture.variances.copy()
    count = variances.shape[1]
    centred = y - mixture.centroids[np.minimum(labels, len(variances) - 1)]
    within = np.cov(centred.T.astype(np.float64))
    for mode in range(len(variances) - 1):
        rows = rng.permutation(np.flatnonzero(labels == mode))
        if len(rows) < 16:
            continue
        energy = np.zeros(count)
        for fold in range(4):
            held = rows[fold::4]
            rest = np.setdiff1d(rows, held)
            mean = y[rest].mean(axis=0, dtype=np.float64)
            scatter = np.cov(y[rest].T.astype(np.float64), bias=True) * len(rest)
            _, basis = _principal((scatter + shrinkage * within) / (len(rest) + shrinkage), count)
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


def _samples(
    y: NDArray[np.float32], labels: NDArray[np.intp], mixture: _Mixture, seed: int
) -> NDArray[np.float64]:
    """Coefficients in standard deviations, of up to 6,000 vectors and the 96 strongest of each."""
    picked = np.random.default_rng(seed).permutation(len(y))[:6000]
    samples = []
    for mode in np.unique(labels[picked]):
        rows = picked[labels[picked] == mode]
        projected = (y[rows] - mixture.centroids[mode]) @ mixture.bases[mode][:96].T
        samples.append((projected / np.sqrt(mixture.variances[mode][:96])).ravel())
    return np.concatenate(samples)


def _as_tables(
    mixture: _Mixture,
    mean: NDArray[np.float64],
    root: NDArray[np.float64],
    inverse: NDArray[np.float64],
    factor: NDArray[np.float64],
    identity: float,
    floor: float,
    quantizer: dict[str, NDArray[np.generic]],
) -> CodeTables:
    rows = mixture.bases @ inverse  # back to the vectors' own coordinates
    steps = np.abs(rows).max(axis=2) / 127
    frequencies = quantize_frequencies(mixture.shares)
    shares = frequencies / frequencies.sum()
    costs = cost_constants(mixture.variances, shares, floor)
    return CodeTables.from_arrays(
        {
            "metric": np.rint(factor * (1 << FRACTION.METRIC)).astype(np.int16),
            "identity": np.array(round(identity * (1 << FRACTION.METRIC)), np.int32),
            "centroids": np.rint((mean + mixture.centroids @ inverse) * (1 << FRACTION.VECTOR)).astype(
                np.int16
            ),
            "bases": np.rint(rows / steps[:, :, None]).astype(np.int8),
            "steps": np.maximum(1, np.rint(steps * (1 << FRACTION.STEP))).astype(np.int32),
            "sigmas": np.maximum(1, np.rint(np.sqrt(mixture.variances) * (1 << FRACTION.SIGMA))).astype(
                np.int32
            ),
            "mode_frequencies": frequencies.astype(np.int32),
            "mode_costs": np.rint(costs * (1 << FRACTION.COST)).astype(np.int64),
            "floor": np.array(max(1, round(floor * (1 << FRACTION.COST))), np.int32),
            **quantizer,
        }
    )
