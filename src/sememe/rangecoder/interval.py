"""What both directions agree on: how an interval is divided, and how it is kept wide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ABSENT",
    "LEAST_RANGE",
    "PRECISION",
    "TOTAL",
    "WINDOW",
    "WORD",
    "Ints",
    "quantize_frequencies",
]

Ints = NDArray[np.int64]

PRECISION = 16
TOTAL = 1 << PRECISION
"""Every frequency table sums to this."""

ABSENT = TOTAL + 1
"""Start of a symbol that does not exist: beyond every interval, also beyond what the division left over."""

WORD = 16
"""Bits moved at a time."""

WINDOW = 48
"""Bits of a point kept at hand."""

LEAST_RANGE = 1 << (WINDOW - WORD)
"""An interval narrower than this moves up by one word."""


def quantize_frequencies(counts: NDArray[np.floating] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Turn counts into frequencies that sum to TOTAL, none of them zero.

    Parameters
    ----------
    counts
        (..., symbols) non-negative, each row with a positive sum; at most TOTAL / 2 symbols.

    Returns
    -------
    (..., symbols) int64
        Floor of each share plus one; the largest takes the remainder.
    """
    counts = np.asarray(counts, np.float64)
    spare = TOTAL - counts.shape[-1]
    shares = counts / counts.sum(axis=-1, keepdims=True)
    frequencies: Ints = np.floor(shares * spare).astype(np.int64) + 1
    largest = shares.argmax(axis=-1)[..., None]
    rest = TOTAL - frequencies.sum(axis=-1, keepdims=True)
    np.put_along_axis(frequencies, largest, np.take_along_axis(frequencies, largest, -1) + rest, -1)
    return frequencies
