"""Which vectors train, which decide, which judge: disjoint, seeded, equal vectors on one side."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sememe.errors import UsageError
from sememe.types import Embeddings

__all__ = ["Parts", "check_share", "part"]

Rows = NDArray[np.intp]

_FEWEST_JUDGES, _MOST_JUDGES = 20, 5_000
_FEWEST_TRAINED = 32  # what a fit needs at the least


@dataclass(frozen=True)
class Parts:
    """Rows of a matrix of vectors.

    Attributes
    ----------
    train
        What the judged profile learns from.
    choice
        What decides between ways to make it; may be empty.
    held
        What judges it; may be empty.
    copies
        Rows that equal an earlier one.
    """

    train: Rows
    choice: Rows
    held: Rows
    copies: int


def check_share(holdout: float) -> None:
    """Raise UsageError unless a share can be held out."""
    if not 0 <= holdout <= 0.5:
        raise UsageError(f"the share held out must be in 0..0.5, not {holdout}")


def part(x: Embeddings, *, holdout: float, choose: bool, seed: int) -> Parts:
    """Divide vectors at random; vectors that are equal stay together.

    Parameters
    ----------
    x
        (n, d) vectors, n >= 32.
    holdout
        Share of them that judges, at least 20 vectors and at most 5,000; 0 for none.
    choose
        Whether a tenth, as well at least 20 and at most 5,000, should decide. At least 32 vectors train: the
        other two parts share what is left where there are fewer than 72.
    seed
        Of the division.

    Returns
    -------
    Parts
        Each part in the order of the rows. Of copies so many that they would overfill a part, all train.
    """
    n, spare = len(x), len(x) - _FEWEST_TRAINED
    choice = min(_size(n, 0.1), spare // 2 if holdout else spare) if choose else 0
    held = min(_size(n, holdout), spare - choice)
    groups = _groups(x)
    sizes = np.bincount(groups)
    order = np.random.default_rng(seed).permutation(len(sizes))
    side = np.zeros(len(sizes), np.intp)
    for number, wanted in ((1, held), (2, choice)):
        free = order[side[order] == 0]
        filled = 0
        for group in free:
            if filled == wanted:
                break
            if filled + sizes[group] <= wanted:
                side[group], filled = number, filled + sizes[group]
    of_row = side[groups]
    train, judges, deciders = (np.flatnonzero(of_row == number) for number in range(3))
    return Parts(train, deciders, judges, n - len(sizes))


def _size(n: int, share: float) -> int:
    return min(max(round(n * share), _FEWEST_JUDGES), _MOST_JUDGES) if share else 0


def _groups(x: Embeddings) -> NDArray[np.intp]:
    """Number (n,) of the group of equal rows that each row belongs to, counted from 0."""
    whole = np.ascontiguousarray(x + np.float32(0))  # -0.0 + 0.0 = 0.0: equal rows have equal bytes
    digests = b"".join(hashlib.blake2b(row, digest_size=8).digest() for row in whole)
    groups: NDArray[np.intp] = np.unique(np.frombuffer(digests, np.uint64), return_inverse=True)[1]
    return groups.reshape(-1)
