"""Quantized CLIP: one step for all coordinates, entropy coded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.scalars import ScalarFitted, set_rate
from sememe.types import Embeddings

__all__ = ["Uniform", "UniformTrained"]

_FINENESS = (0.25, 1000.0)  # steps in one unit: from none at all to nearly the vectors themselves


class Uniform:
    """Uniform quantization of every coordinate less its mean, and static tables for each coordinate."""

    name = "uniform"
    title = "uniform scalar quantization"
    length: Length = "mean"
    source = "Bachard and Maugey, Can image compression rely on CLIP?, IEEE Access 12, 2024"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Any: the step is found by bisection."""
        return None

    def train(self, training: Training, note: Note = lambda _: None) -> UniformTrained:
        """Keep the vectors: everything else depends on the step."""
        return UniformTrained(training.x)


class UniformTrained:
    """The training vectors and their mean.

    Parameters
    ----------
    x
        (n, d) unit rows.
    """

    def __init__(self, x: Embeddings) -> None:
        self._x = x
        self._centre: NDArray[np.float32] = x.mean(axis=0, dtype=np.float64).astype(np.float32)

    def with_step(self, step: float) -> ScalarFitted:
        """Fit tables for a step, in units of a coordinate."""
        return self._fit(self._x, 1 / step)

    def at(self, nbytes: float, note: Note = lambda _: None) -> ScalarFitted:
        """Find the step whose messages have that mean length on training rows.

        Raises
        ------
        UsageError
            There is none.
        """
        return set_rate(self._fit, self._x, nbytes, _FINENESS)

    def _fit(self, x: Embeddings, fineness: float) -> ScalarFitted:
        return ScalarFitted(x, self._centre, np.full_like(self._centre, fineness))
