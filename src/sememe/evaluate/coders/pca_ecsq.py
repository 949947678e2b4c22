"""Principal coefficients, one step for all, deadzone, static tables, range coder: classic transform coding.

::

    x - mean ──KLT──► y (k,) ──one step──► integers ──tables──► message of its own length
                      ŷ (k,) ◄─ where training values lay ─┘

The same step for every coefficient is the same slope of distortion over rate for every coefficient (reverse
water-filling); the step is set so that training vectors take the asked number of bytes on average.

Source: Gish, Pierce, "Asymptotically efficient quantizing", 1968; Sullivan, "Efficient scalar quantization of
exponential and Laplacian random variables", 1996 (deadzone and shifted points).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sememe.errors import UsageError
from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.centred import Centred, principal
from sememe.evaluate.coders.fixed import FloatTables, size_of, vectors_of
from sememe.evaluate.coders.ideal import OrderZero
from sememe.evaluate.coders.integers import IntegerTables
from sememe.metrics import unit_rows
from sememe.types import Embeddings

__all__ = ["PcaEcsq", "PcaEcsqFitted", "PcaEcsqTrained"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

ROUNDING = 0.35
"""Added before rounding down: less than a half widens the zone of 0 and moves every threshold outwards."""

_CLOSE = 0.002
_ROUNDS = 24
_FINEST = 2.0**-12
"""Finest step, as a share of the largest coefficient."""

_OWN = 2
"""Integers of this size or larger share one offset."""

_TRUST = 20.0
"""Training values of a coefficient that the mean of all coefficients is worth."""

_BATCH = 4096


class PcaEcsq:
    """Entropy-coded scalar quantization of principal coefficients; each message as long as it needs to be."""

    name = "pca-ecsq"
    title = "PCA + entropy-coded scalars"
    length: Length = "mean"
    source = "Gish and Pierce 1968; Sullivan 1996"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Any mean number of bytes."""
        return None

    def train(self, training: Training, note: Note = lambda _: None) -> PcaEcsqTrained:
        """Find the principal directions."""
        return PcaEcsqTrained(Centred.of(training))


class PcaEcsqTrained:
    """Principal directions, and the training vectors that set the step."""

    def __init__(self, centred: Centred) -> None:
        self._centred = centred
        self._basis, _ = principal(centred.rows, centred.dim)
        self._values = centred.rows @ self._basis.T

    def at(self, nbytes: float, note: Note = lambda _: None) -> PcaEcsqFitted:
        """Find the step at which training vectors take `nbytes` bytes on average, by false position.

        Raises
        ------
        UsageError
            No step gives that mean: it is less than a byte, or more than the finest step takes.
        """
        largest = float(np.abs(self._values).max())
        low, high = math.log(largest * _FINEST), math.log(2 * largest)
        long, best = math.inf, self.with_step(math.exp(high))
        for _ in range(_ROUNDS if best.mean_bytes <= nbytes < math.inf else 0):
            between = _between(long, best.mean_bytes, (1 - _CLOSE / 2) * nbytes)
            middle = low + between * (high - low)
            fitted = self.with_step(math.exp(middle))
            note(f"step {math.exp(middle):.4g} takes {fitted.mean_bytes:.2f} bytes")
            if fitted.mean_bytes > nbytes:
                low, long = middle, fitted.mean_bytes
                continue
            high, best = middle, fitted
            if best.mean_bytes >= (1 - _CLOSE) * nbytes:
                break
        if not 0.9 * nbytes <= best.mean_bytes <= nbytes:
            raise UsageError(
                f"coder 'pca-ecsq' has no rate of {nbytes:g} bytes here; the nearest is {best.mean_bytes:.4g}"
            )
        return best

    def with_step(self, step: float) -> PcaEcsqFitted:
        """Fit tables to the training vectors quantized with a step."""
        integers = _quantize(self._values, step)
        used = np.flatnonzero((integers != 0).any(axis=0))
        used = used if used.size else np.arange(1)
        return PcaEcsqFitted(
            self._centred.mean, self._basis[used], self._values[:, used], integers[:, used], step
        )


class PcaEcsqFitted:
    """A step, and tables fitted to it.

    Parameters
    ----------
    mean
        (d,) of the training vectors.
    basis
        (k, d) directions that the step does not silence.
    values
        (n, k) training coefficients.
    integers
        (n, k) what they are quantized to.
    step
        Width of an interval.
    """

    def __init__(self, mean: Floats, basis: Floats, values: Floats, integers: Ints, step: float) -> None:
        self._numbers = IntegerTables(integers)
        self._usage = OrderZero.fit(self._numbers.symbols(integers), self._numbers.alphabet)
        self.tables: FloatTables = {
            "mean": mean,
            "basis": basis,
            "step": np.array([step], np.float32),
            "offsets": _offsets(values, integers, step),
        }
        codes = self._numbers.encode(integers)
        self.mean_bytes = sum(map(len, codes)) / len(codes)

    @property
    def table_bytes(self) -> int:
        """Mean, directions, step, offsets, and the frequencies of the integers."""
        return size_of(self.tables) + self._numbers.table_bytes

    def encode(self, x: Embeddings) -> list[bytes]:
        """Encode unit rows (n, d), each into a message of its own length.

        Raises
        ------
        VectorError
            Another dimension.
        """
        rows = vectors_of(x, len(self.tables["mean"])) - self.tables["mean"]
        codes = []
        for start in range(0, len(rows), _BATCH):
            values = np.asarray(rows[start : start + _BATCH] @ self.tables["basis"].T, np.float32)
            codes += self._numbers.encode(_quantize(values, float(self.tables["step"][0])))
        return codes

    def decode(self, codes: Sequence[bytes]) -> Embeddings:
        """Decode messages to unit rows (n, d).

        Raises
        ------
        FormatError
            A message that this coder never writes.
        """
        integers = self._numbers.decode(codes)
        sizes = np.abs(integers)
        offset = np.take_along_axis(self.tables["offsets"], np.minimum(sizes, _OWN).T, axis=1).T
        values = np.sign(integers) * (sizes + offset) * self.tables["step"]
        return unit_rows(values.astype(np.float32) @ self.tables["basis"] + self.tables["mean"])

    def ideal_bytes(self, codes: Sequence[bytes]) -> float:
        """Mean bytes of these messages by the same tables, if nothing were lost to ends and rounding."""
        return self._usage.mean_bytes(self._numbers.symbols(self._numbers.decode(codes)))


def _between(long: float, short: float, wanted: float) -> float:
    """Where a length lies between two others if its logarithm falls evenly, kept in 0.1 to 0.9."""
    if not math.isfinite(long):
        return 0.5
    return min(0.9, max(0.1, math.log(long / wanted) / math.log(long / short)))


def _quantize(values: Floats, step: float) -> Ints:
    sizes = np.floor(np.abs(values) / np.float32(step) + np.float32(ROUNDING)).astype(np.int64)
    return np.where(values < 0, -sizes, sizes)


def _offsets(values: Floats, integers: Ints, step: float) -> Floats:
    """Where values lie (k, 3), in steps beyond their integer: of those that became 0, +-1, and larger ones.

    A coefficient with few of them takes mostly what all coefficients have in common.
    """
    sizes = np.abs(integers)
    beyond = np.abs(values) / step - sizes
    offsets = np.zeros((integers.shape[1], _OWN + 1))
    for size in range(1, _OWN + 1):
        mine = sizes == size if size < _OWN else sizes >= size
        shared = beyond[mine].mean() if mine.any() else 0.5 - ROUNDING
        offsets[:, size] = (np.where(mine, beyond, 0).sum(axis=0) + _TRUST * shared) / (
            mine.sum(axis=0) + _TRUST
        )
    return offsets.astype(np.float32)
