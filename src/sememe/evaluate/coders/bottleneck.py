"""Lossy compression for lossless prediction: a factorized entropy bottleneck on frozen vectors.

::

    x ──(x − median) · scale──► y ──train: + noise in [−½, ½]──► rate −log₂ p(ỹ),  distortion |x̃ − x|
                                └──use: round──► integers ──static tables──► [bytes, …]

The scales minimise distortion + β · rate, rate being that of the noisy values under a density of their own
for each dimension. Without a transform between dimensions the objective falls apart into one line search for
each: the best density of a dimension is the one its training values have once they are noisy, and the
distortion of the noisy value is 1 / (4 · scale) whatever the data. So both are computed where the paper
descends a gradient.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.scalars import ScalarFitted, set_rate
from sememe.types import Embeddings

__all__ = ["Bottleneck", "BottleneckTrained", "noisy_bits"]

_BETAS = (1e-7, 1e3)  # in units of a coordinate per bit
_GRID = np.geomspace(0.01, 200.0, 61)  # scales tried, in standard deviations of a dimension
_SAMPLES = 1000
_GOLDEN = (np.sqrt(5) - 1) / 2


class Bottleneck:
    """A scale for every dimension by rate and distortion, and static tables for each."""

    name = "bottleneck"
    title = "factorized entropy bottleneck"
    length: Length = "mean"
    source = "Dubois et al., Lossy compression for lossless prediction, NeurIPS 2021"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Any: β is found by bisection."""
        return None

    def train(self, training: Training, note: Note = lambda _: None) -> BottleneckTrained:
        """Measure what every scale costs in every dimension."""
        return BottleneckTrained(training.x)


class BottleneckTrained:
    """The rate of every dimension at every scale.

    Parameters
    ----------
    x
        (n, d) unit rows.
    """

    def __init__(self, x: Embeddings) -> None:
        self._x = x
        self._centre: NDArray[np.float32] = np.median(x, axis=0).astype(np.float32)
        spread = np.maximum(x.std(axis=0, dtype=np.float64), 1e-6)
        self._scales = _GRID / spread[:, None]
        self._bits = np.stack(
            [noisy_bits(column - centre, scales)
             for column, centre, scales in zip(x.T, self._centre, self._scales, strict=True)]
        )  # fmt: skip

    def scales(self, beta: float) -> NDArray[np.float32]:
        """Scale (d,) of each dimension that minimises distortion + beta · rate, to a parabola's precision."""
        cost = 0.25 / self._scales + beta * self._bits
        best = np.clip(cost.argmin(axis=1), 1, len(_GRID) - 2)
        before, at, after = (np.take_along_axis(cost, (best + step)[:, None], 1)[:, 0] for step in (-1, 0, 1))
        bend = np.maximum(before - 2 * at + after, 1e-300)
        shift = np.clip((before - after) / (2 * bend), -1, 1)
        chosen = np.take_along_axis(self._scales, best[:, None], 1)[:, 0] * (_GRID[1] / _GRID[0]) ** shift
        scales: NDArray[np.float32] = chosen.astype(np.float32)
        return scales

    def with_beta(self, beta: float) -> ScalarFitted:
        """Fit tables at one weight of the rate."""
        return self._fit(self._x, 1 / beta)

    def at(self, nbytes: float, note: Note = lambda _: None) -> ScalarFitted:
        """Find the β whose messages have that mean length on training rows.

        Raises
        ------
        UsageError
            There is none.
        """
        least, most = _BETAS
        return set_rate(self._fit, self._x, nbytes, (1 / most, 1 / least))

    def _fit(self, x: Embeddings, weight: float) -> ScalarFitted:
        return ScalarFitted(x, self._centre, self.scales(1 / weight))


def noisy_bits(values: NDArray[np.floating], scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bits that scaled values plus uniform noise take under the best density there is for them.

    Parameters
    ----------
    values
        (n,) floats.
    scales
        (s,) positive floats.

    Returns
    -------
    (s,) float64
        Differential entropy of scale · values + U, U even in [−½, ½], whose density is a difference of the
        values' distribution function; U's own entropy is 0, so these are the bits of the surrogate.
    """
    ordered = np.sort(values.astype(np.float64))
    asked = ordered[np.linspace(0, len(ordered) - 1, min(_SAMPLES, len(ordered))).round().astype(np.int64)]
    noise = np.arange(len(asked)) * _GOLDEN % 1 - 0.5
    points = asked + noise / scales[:, None]
    half = 0.5 / scales[:, None]
    inside = np.searchsorted(ordered, points + half, "right") - np.searchsorted(
        ordered, points - half, "left"
    )
    bits: NDArray[np.float64] = -np.log2(np.maximum(inside, 1) / len(ordered)).mean(axis=1)
    return bits
