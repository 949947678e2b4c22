"""How many of c even codes begin with a 0: integer tables of the binomial distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sememe.rangecoder import TOTAL

__all__ = ["Split", "split_of"]

_DEVIATIONS = 3
_LARGE = 32  # smaller counts have shares all of them
_ESCAPE = TOTAL // 64  # what codes that are not even need more often than fair coins would
_SCALE = 1 << 62


@dataclass(frozen=True, eq=False)
class Split:
    """Shares of the counts that are likely.

    Attributes
    ----------
    first
        Smallest count with a share of its own.
    bounds
        (counts + 1,) int64 starts of the shares, or (counts + 2,) if an escape follows them; from 0 to TOTAL.
    escapes
        Whether there are other counts than those.
    """

    first: int
    bounds: NDArray[np.int64]
    escapes: bool


@lru_cache(maxsize=4096)
def split_of(count: int) -> Split:
    """Table of how many of `count` fair coins fall on one side.

    Made by integer arithmetic alone, for both sides of a code must make the same.
    """
    reach = count if count < _LARGE else _DEVIATIONS * (math.isqrt(count) + 1) // 2
    first, last = max(0, count // 2 - reach), min(count, -(-count // 2) + reach)
    escapes = first > 0 or last < count
    weights = _weights(count, first, last)
    spare, total = TOTAL - len(weights) - _ESCAPE * escapes, sum(weights)
    shares = [weight * spare // total + 1 for weight in weights]
    shares[count // 2 - first] += TOTAL - _ESCAPE * escapes - sum(shares)
    ends = [*shares, _ESCAPE] if escapes else shares
    return Split(first, np.concatenate([[0], np.cumsum(ends)]).astype(np.int64), escapes)


def _weights(count: int, first: int, last: int) -> list[int]:
    """Binomial coefficients relative to the middle one, in fixed point."""
    up, down = [_SCALE], [_SCALE]
    for k in range(count // 2, last):
        up.append(up[-1] * (count - k) // (k + 1))
    for k in range(count // 2, first, -1):
        down.append(down[-1] * k // (count - k + 1))
    return [*reversed(down[1:]), *up]
