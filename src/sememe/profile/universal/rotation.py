"""A random rotation in whole numbers: the same on every machine, and orthogonal without rounding.

Seven to nine rounds shuffle the coordinates and mix them in fours with the Hadamard matrix of order four; up
to three that are left over are doubled. Each round multiplies all lengths by two, so rows and columns stay
exactly orthogonal, in any dimension. Entries grow until they fill a signed byte, and look normal by then.

Source: fast random rotations by sign flips and Hadamard matrices, N. Ailon and B. Chazelle, "The fast
Johnson-Lindenstrauss transform" (2009); shuffled fours instead, because d is seldom a power of two.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["random_rotation"]

_LARGEST = 127
_MOST_VARIANCE = 514  # of the entries: the largest of d² stays within 5.6 deviations, that is below 127


@lru_cache(maxsize=8)
def random_rotation(dim: int) -> tuple[NDArray[np.int8], int]:
    """Make the rotation of a dimension.

    Returns
    -------
    matrix : (d, d) int8
        Rows and columns are orthogonal.
    rounds : int
        Each row has the length 2**rounds.
    """
    rounds = 0
    while 4 ** (rounds + 1) <= _MOST_VARIANCE * dim:
        rounds += 1
    matrix = np.eye(dim, dtype=np.int16)
    for turn in range(rounds):
        order = _shuffled(dim, turn)
        alone = order[dim // 4 * 4 :]
        fours = order[: dim // 4 * 4].reshape(4, -1)
        a, b, c, d = (matrix[rows] for rows in fours)
        for rows, mixed in zip(
            fours, (a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d), strict=True
        ):
            matrix[rows] = mixed
        matrix[alone] *= 2
    assert np.abs(matrix).max() <= _LARGEST
    rotation = matrix.astype(np.int8)
    rotation.flags.writeable = False
    return rotation, rounds


def _shuffled(dim: int, turn: int) -> NDArray[np.intp]:
    """Numbers 0 to d − 1 in an order drawn from a hash."""
    drawn = hashlib.shake_256(f"sememe universal rotation {dim} {turn}".encode()).digest(8 * dim)
    order: NDArray[np.intp] = np.argsort(np.frombuffer(drawn, "<u8"), kind="stable")
    return order
