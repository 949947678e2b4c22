"""Tables from vectors: metric, modes and quantizer, rounded to integers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sememe.code.mixture import Labels, Mixture, fit_mixture
from sememe.code.modes import cost_constants
from sememe.code.options import FitOptions, Progress
from sememe.code.quantizer import fit_quantizer
from sememe.code.tables import FRACTION, CodeTables
from sememe.rangecoder import TOTAL, quantize_frequencies
from sememe.types import Embeddings

__all__ = ["fit_tables"]

_MOST_MODES = 48
_TABLE_BYTES = 7_900_000  # keeps a profile below 8 MB
_VECTORS_PER_MODE = 300
_METRIC_RANK = 128
_FARTHEST = 4.0  # times the mean distortion of its own vectors: a mode does not fit beyond


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
    metric = _fit_metric(text, x.shape[1], options.text_weight)
    mean = x.mean(axis=0, dtype=np.float64)
    y = ((x - mean) @ metric.root).astype(np.float32)
    count = min(options.coefficients, x.shape[1])
    modes = _mode_count(len(x), x.shape[1], count, options.prototypes, options.modes)
    floor = options.floor * float(y.var(axis=0).mean())
    mixture, labels = fit_mixture(y, modes, count, floor, options, progress)
    progress("quantizer")
    quantizer = fit_quantizer(_samples(y, labels, mixture, options.seed), options.ladder)
    return _as_tables(mixture, mean, metric, floor, quantizer)


def _mode_count(n: int, dim: int, count: int, prototypes: int, wanted: int | None) -> int:
    """As many modes as vectors support and the size of a profile allows."""
    if wanted is not None:
        return wanted
    bytes_each = (count + prototypes) * dim  # of a mode's basis and of its prototypes
    return max(0, min(_MOST_MODES, _TABLE_BYTES // bytes_each - 1, n // _VECTORS_PER_MODE))


@dataclass(frozen=True)
class _Metric:
    """The metric a·I + FᵀF, with its square root and the inverse of that."""

    factor: NDArray[np.float64]  # (r, d)
    identity: float
    root: NDArray[np.float64]  # (d, d)
    inverse: NDArray[np.float64]  # (d, d)


def _fit_metric(text: Embeddings | None, dim: int, weight: float) -> _Metric:
    """Blend the identity with the covariance of text vectors; the trace stays d."""
    unit = 1 << FRACTION.METRIC
    factor, identity = np.zeros((0, dim)), 1.0
    if text is not None and weight > 0 and len(text) > 1:
        values, vectors = np.linalg.eigh(np.cov(text.T.astype(np.float64)))
        values, vectors = values[::-1], vectors[:, ::-1]
        rank = min(_METRIC_RANK, len(text) - 1)
        scale = weight * dim / values.sum()
        factor = np.sqrt(scale * np.maximum(values[:rank], 0))[:, None] * vectors[:, :rank].T
        factor = np.clip(np.rint(factor * unit), -32767, 32767) / unit
        rest = scale * values[rank:].sum() / dim  # what the factor leaves out is spread evenly
        identity = round((1 - weight + rest) * unit) / unit
    values, vectors = np.linalg.eigh(identity * np.eye(dim) + factor.T @ factor)
    root, inverse = (vectors * np.sqrt(values)) @ vectors.T, (vectors / np.sqrt(values)) @ vectors.T
    return _Metric(factor, identity, root, inverse)


def _samples(y: NDArray[np.float32], labels: Labels, mixture: Mixture, seed: int) -> NDArray[np.float64]:
    """Coefficients in standard deviations, of up to 6,000 vectors and the 96 strongest of each."""
    picked = np.random.default_rng(seed).permutation(len(y))[:6000]
    samples = []
    for mode in np.unique(labels[picked, 0]):
        rows = picked[labels[picked, 0] == mode]
        projected = (y[rows] - mixture.places[mode, labels[rows, 1]]) @ mixture.bases[mode][:96].T
        samples.append((projected / np.sqrt(mixture.variances[mode][:96])).ravel())
    return np.concatenate(samples)


def _as_tables(
    mixture: Mixture,
    mean: NDArray[np.float64],
    metric: _Metric,
    floor: float,
    quantizer: dict[str, NDArray[np.generic]],
) -> CodeTables:
    rows = mixture.bases @ metric.inverse  # back to the vectors' own coordinates
    steps = np.abs(rows).max(axis=2) / 127
    shares = mixture.shares.sum(axis=1)
    costs = cost_constants(mixture.variances, shares[:, None], floor)[:, 0]
    centroids = np.rint((mean + mixture.centroids @ metric.inverse) * (1 << FRACTION.VECTOR))
    return CodeTables.from_arrays(
        {
            "metric": np.rint(metric.factor * (1 << FRACTION.METRIC)).astype(np.int16),
            "identity": np.array(round(metric.identity * (1 << FRACTION.METRIC)), np.int32),
            "centroids": centroids.astype(np.int16),
            "bases": np.rint(rows / steps[:, :, None]).astype(np.int8),
            "steps": np.maximum(1, np.rint(steps * (1 << FRACTION.STEP))).astype(np.int32),
            "sigmas": np.maximum(1, np.rint(np.sqrt(mixture.variances) * (1 << FRACTION.SIGMA))).astype(
                np.int32
            ),
            "mode_frequencies": quantize_frequencies(shares).astype(np.int32),
            **_prototype_tables(mixture, mean, metric, floor, centroids),
            "mode_costs": np.rint(costs * (1 << FRACTION.COST)).astype(np.int64),
            "mode_limits": np.rint(_FARTHEST * mixture.distortions * (1 << FRACTION.COST)).astype(np.int64),
            "floor": np.array(max(1, round(floor * (1 << FRACTION.COST))), np.int32),
            **quantizer,
        }
    )


def _prototype_tables(
    mixture: Mixture,
    mean: NDArray[np.float64],
    metric: _Metric,
    floor: float,
    centroids: NDArray[np.float64],
) -> dict[str, NDArray[np.generic]]:
    """Where the prototypes of each mode lie, seen from its rounded centroid, and how often each is used."""
    modes, prototypes = mixture.shares.shape
    places = (mean + mixture.places @ metric.inverse) * (1 << FRACTION.VECTOR)
    moved = np.where(mixture.shares[:, :, None] > 0, places - centroids[:, None], 0.0)
    steps = np.maximum(1, np.ceil(np.abs(moved).max(axis=(1, 2)) / 127))
    frequencies = np.zeros((modes, prototypes), np.int32)
    costs = np.zeros((modes, prototypes))
    for mode, shares in enumerate(mixture.shares):
        used = np.count_nonzero(shares)
        frequencies[mode, :used] = quantize_frequencies(shares[:used])
        costs[mode, :used] = -2.0 * floor * np.log(frequencies[mode, :used] / TOTAL)
    return {
        "prototype_frequencies": frequencies,
        "shifts": np.rint(moved / steps[:, None, None]).astype(np.int8),
        "shift_steps": steps.astype(np.int32),
        "prototype_costs": np.rint(costs * (1 << FRACTION.COST)).astype(np.int64),
    }
