"""Every coordinate to an integer, every integer to bytes: what scalar quantizers share.

::

    x (n, d) ──(x − centre) · scale──► round ──► integers (n, d) ──static tables──► [bytes, …]

The decoder puts every integer at the mean of the training values that were rounded to it, which costs nothing
but a table; an integer that training never saw goes to the middle of its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sememe.errors import UsageError
from sememe.evaluate.coders.fixed import vectors_of
from sememe.evaluate.coders.integers import IntegerTables
from sememe.evaluate.coders.messages import Ints
from sememe.metrics import unit_rows
from sememe.types import Embeddings

__all__ = ["ScalarFitted", "set_rate"]

_ROUNDS = 40
_CLOSE = 0.003  # a length this much below the one wanted is near enough, as a logarithm
_FINEST = 1e-4
_LEAST = 0.9
_AROUND = 1.2  # how far a setting found on few rows may lie from the one for all
_FEW, _JUDGED = 3000, 2000
_PRIOR = 1.0  # how many training values the middle of an interval counts as


class ScalarFitted:
    """Scalar quantization at one set of steps.

    Parameters
    ----------
    x
        (n, d) training rows, from which frequencies and means are taken.
    centre
        (d,) float32, what integer 0 stands for.
    scale
        (d,) float32, steps in one unit of each coordinate.
    """

    def __init__(self, x: Embeddings, centre: NDArray[np.float32], scale: NDArray[np.float32]) -> None:
        self._centre, self._scale = centre, scale
        seen = self._integers(x)
        self._tables = IntegerTables(seen)
        self._means = self._conditional_means(x, self._tables.symbols(seen))

    @property
    def table_bytes(self) -> int:
        """Centre, scale, frequencies and means."""
        return self._tables.table_bytes + 4 * (self._centre.size + self._scale.size + self._means.size)

    def encode(self, x: Embeddings) -> list[bytes]:
        """Encode unit rows (n, d).

        Raises
        ------
        VectorError
            Another dimension.
        """
        return self._tables.encode(self._integers(vectors_of(x, self._centre.size)))

    def decode(self, codes: Sequence[bytes]) -> Embeddings:
        """Decode messages to unit rows (n, d).

        Raises
        ------
        IntegrityError
            A message is none that `encode` writes.
        """
        integers = self._tables.decode(codes)
        symbols = self._tables.symbols(integers)
        known = (symbols > 0) & (symbols < self._tables.alphabet - 1)
        values = np.where(
            known, np.take_along_axis(self._means, symbols.T, 1).T, integers.astype(np.float32) / self._scale
        )
        return unit_rows((values + self._centre).astype(np.float32))

    def _integers(self, x: Embeddings) -> Ints:
        scaled: Ints = np.rint((x - self._centre) * self._scale).astype(np.int64)
        return scaled

    def _conditional_means(self, x: Embeddings, symbols: Ints) -> NDArray[np.float32]:
        """(d, symbols) float32, relative to the centre."""
        d, width = x.shape[1], self._tables.alphabet
        places = (symbols + np.arange(d) * width).ravel()
        counts = np.bincount(places, minlength=d * width).reshape(d, width)
        sums = np.bincount(places, (x - self._centre).ravel(), minlength=d * width).reshape(d, width)
        middles = (np.arange(width) + self._tables.low[:, None] - 1) / self._scale[:, None]
        means: NDArray[np.float32] = ((sums + _PRIOR * middles) / (counts + _PRIOR)).astype(np.float32)
        return means


def set_rate(
    make: Callable[[Embeddings, float], ScalarFitted],
    x: Embeddings,
    nbytes: float,
    bounds: tuple[float, float],
) -> ScalarFitted:
    """Find the setting at which messages have a mean length.

    Parameters
    ----------
    make
        Makes a coder from training rows and a setting; larger settings give longer messages.
    x
        (n, d) training rows. Real messages of some of them are counted.
    nbytes
        Mean length wanted.
    bounds
        Smallest and largest setting.

    Returns
    -------
    ScalarFitted
        The longest found of those that are not longer than wanted.

    Raises
    ------
    UsageError
        Messages have that length nowhere between the bounds.
    """
    if not nbytes > 0:
        raise UsageError(f"messages cannot have {nbytes:g} bytes on average: ask for more than 0")
    judged = _thinned(x, _JUDGED)

    def length(fitted: ScalarFitted) -> float:
        return sum(map(len, fitted.encode(judged))) / len(judged)

    few = _thinned(x, _FEW)
    near, _ = _search(lambda setting: make(few, setting), length, nbytes, bounds)
    low, high = max(bounds[0], near / _AROUND), min(bounds[1], near * _AROUND)
    _, best = _search(lambda setting: make(x, setting), length, nbytes, (low, high))
    if best is None or length(best) < _LEAST * nbytes:
        raise UsageError(f"no setting gives messages of {nbytes:g} bytes on average: ask for another length")
    return best


def _search(
    make: Callable[[float], ScalarFitted],
    length: Callable[[ScalarFitted], float],
    nbytes: float,
    bounds: tuple[float, float],
) -> tuple[float, ScalarFitted | None]:
    """Interpolate between logarithms of settings and lengths; returns the last setting and the best coder."""
    low, high = float(np.log(bounds[0])), float(np.log(bounds[1]))
    below, above = (
        float("nan"),
        float("nan"),
    )  # logarithms of lengths at both ends, relative to the one wanted
    best = None
    for _ in range(_ROUNDS):
        share = below / (below - above) if below < above else 0.5
        middle = low + min(max(share, 0.05), 0.95) * (high - low)
        fitted = make(float(np.exp(middle)))
        excess = float(np.log(max(length(fitted), 1e-3) / nbytes))
        if excess > 0:
            high, above = middle, excess
        else:
            low, below, best = middle, excess, fitted
        if -_CLOSE <= excess <= 0 or high - low < _FINEST:
            break
    return float(np.exp(middle)), best


def _thinned(x: Embeddings, rows: int) -> Embeddings:
    return x[:: max(1, len(x) // rows)]
