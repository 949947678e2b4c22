"""What coding the symbols of a code could give: a lower bound that codes of fixed length do not reach."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["OrderZero"]


@dataclass(frozen=True, eq=False)
class OrderZero:
    """One static probability table for each place of a code.

    Attributes
    ----------
    bits
        (s, alphabet) float64: cost of each symbol at each place.
    """

    bits: NDArray[np.float64]

    @classmethod
    def fit(cls, symbols: NDArray[np.integer], alphabet: int) -> OrderZero:
        """Count symbols (n, s) of training codes; half a count more for each, so that none is impossible."""
        places = symbols.shape[1]
        flat = symbols.astype(np.int64) + alphabet * np.arange(places)
        counts = np.bincount(flat.ravel(), minlength=places * alphabet).reshape(places, alphabet) + 0.5
        return cls(-np.log2(counts / counts.sum(axis=1, keepdims=True)))

    def mean_bytes(self, symbols: NDArray[np.integer]) -> float:
        """Mean cost of rows (n, s) of symbols in bytes: cross-entropy, nothing lost to ends or rounding."""
        if len(symbols) == 0:
            return 0.0
        costs = self.bits[np.arange(symbols.shape[1]), symbols]
        return float(costs.sum(axis=1).mean() / 8)
