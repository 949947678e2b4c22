"""One slope for a collection: hard vectors get more bytes, easy ones fewer, the mean is what was asked.

A progressive code can stop after any byte. With errors Dᵢ(L) of vector i at each length L, the least total
error at a mean length is where each vector takes the L of least Dᵢ(L) + λ·L, one λ for all.

Source: Y. Shoham and A. Gersho, "Efficient bit allocation for an arbitrary set of quantizers" (1988).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["allocate", "slope_for"]

Errors = NDArray[np.floating]
Lengths = NDArray[np.integer]

_HALVINGS = 60


def allocate(errors: Errors, lengths: Lengths, slope: float) -> NDArray[np.int64]:
    """Choose a length for each vector.

    Parameters
    ----------
    errors
        (n, k) error of each vector at each length.
    lengths
        (k,) bytes, ascending.
    slope
        Error that one byte must save.

    Returns
    -------
    (n,) int64
        Bytes for each vector; the shorter of two equals.
    """
    chosen: NDArray[np.int64] = lengths[(errors + slope * lengths).argmin(axis=1)].astype(np.int64)
    return chosen


def slope_for(errors: Errors, lengths: Lengths, mean_bytes: float) -> float:
    """Find the slope at which `allocate` spends at most `mean_bytes` on average, and hardly less.

    Parameters
    ----------
    errors, lengths
        As in `allocate`.
    mean_bytes
        At least the least of `lengths`.

    Returns
    -------
    float
        0 if even the longest codes stay below the mean.
    """
    steep, flat = 2.0 * float(np.ptp(errors)) + 1.0, 0.0
    if allocate(errors, lengths, flat).mean() <= mean_bytes:
        return flat
    for _ in range(_HALVINGS):
        slope = (steep + flat) / 2
        if allocate(errors, lengths, slope).mean() > mean_bytes:
            flat = slope
        else:
            steep = slope
    return steep
