"""Argument checks that every metric shares: one shape, one k, one label a row."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError

Floats: TypeAlias = NDArray[np.floating]
Labels: TypeAlias = NDArray[np.integer]


def matrix(x: Floats) -> NDArray[np.float64]:
    """Check that `x` has rows and columns; sums over hundreds of dimensions want double precision."""
    if np.ndim(x) != 2:
        raise VectorError(f"expected a matrix of shape (n, d), got shape {np.shape(x)}")
    return np.asarray(x, np.float64)


def pair(x: Floats, y: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Check that two matrices have one shape."""
    x, y = matrix(x), matrix(y)
    if x.shape != y.shape:
        raise VectorError(f"expected two matrices of one shape, got {x.shape} and {y.shape}")
    return x, y


def check_k(k: int, n: int) -> None:
    """Check that k of n things can be had."""
    if not 1 <= k <= n:
        raise VectorError(f"k must be in 1..{n}, not {k}")


def check_labels(labels: Labels, n: int) -> None:
    """Check that every one of n rows, at least one, has a label."""
    if n == 0 or np.shape(labels) != (n,):
        raise VectorError(f"expected one label for each of {n} rows (at least one), got {np.shape(labels)}")
