"""What every length of a code would keep: the ground for spending bytes where they help most."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.metrics import cosine
from sememe.profile.profile import MAX_BYTES, Profile
from sememe.types import Codes, Embeddings

__all__ = ["LENGTHS", "errors_by_length"]

LENGTHS = np.array([*range(1, 12), *range(12, 32, 2), *range(32, 64, 4), *range(64, MAX_BYTES + 1, 8)])
"""Lengths in bytes that a collection with a mean chooses from."""

_BLOCK = 4096  # decoded vectors in memory at once


def errors_by_length(
    profile: Profile, x: Embeddings, codes: Codes
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Measure what codes would keep if they were cut.

    Parameters
    ----------
    profile
        That made the codes.
    x
        (n, d) the vectors that were coded.
    codes
        (n, width) their codes.

    Returns
    -------
    errors : (n, k) float64
        1 − cosine at each of the k lengths.
    lengths : (k,) int64
        Those of `LENGTHS` that are at most `width`.
    """
    lengths = LENGTHS[codes.shape[1] >= LENGTHS]
    errors = np.empty((len(x), len(lengths)))
    for start in range(0, len(x), _BLOCK):
        rows = slice(start, start + _BLOCK)
        for column, nbytes in enumerate(lengths):
            errors[rows, column] = 1 - cosine(x[rows], profile.decode(codes[rows, :nbytes]))
    return errors, lengths
