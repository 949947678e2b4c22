"""What a profile keeps of vectors that it was not made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sememe.metrics import centred_cosine, cosine, search
from sememe.profile.profile import Profile
from sememe.types import Embeddings

__all__ = ["LENGTHS", "Decoded", "K", "Kept", "decoded", "measure"]

LENGTHS = (4, 8, 16, 32, 64)
"""Bytes at which profiles are judged."""

Decoded: TypeAlias = Mapping[int, Embeddings]
"""Length in bytes to what codes of that length stand for, (n, d)."""

K = 10
_FEWEST_SEARCHED = 50  # among fewer, ten neighbours are no feat


@dataclass(frozen=True)
class Kept:
    """What codes of one length keep: means over vectors (or queries), each with its standard error.

    `centred_cosine` is the cosine after the mean of the training vectors was taken off both. `recall_at_10`
    takes half of the vectors as queries and searches the other half; None where these are fewer than 50.
    """

    nbytes: int
    cosine: float
    cosine_se: float
    centred_cosine: float
    centred_cosine_se: float
    recall_at_10: float | None
    recall_at_10_se: float | None


def decoded(profile: Profile, x: Embeddings, lengths: Sequence[int] = LENGTHS) -> Decoded:
    """What codes of several lengths stand for.

    Parameters
    ----------
    profile
        Not made from `x`.
    x
        (n, d) float32 unit rows.
    lengths
        In bytes.

    Returns
    -------
    Length to (n, d) float32.
    """
    codes = profile.encode(x, max(lengths))
    return {nbytes: profile.decode(codes[:, :nbytes]) for nbytes in lengths}


def measure(x: Embeddings, stands_for: Decoded, mean: NDArray[np.floating]) -> tuple[Kept, ...]:
    """Measure what is kept at `LENGTHS`.

    Parameters
    ----------
    x
        (n, d) float32 unit rows, n >= 2.
    stands_for
        What `decoded` gave for them.
    mean
        (d,) of the training vectors.
    """
    queries, searched = x[::2], x[1::2]
    wanted = search(queries, searched, K) if len(searched) >= _FEWEST_SEARCHED else None
    kept = []
    for nbytes in LENGTHS:
        y = stands_for[nbytes]
        found = (None, None) if wanted is None else _with_error(_recalls(wanted, queries, y[1::2]))
        kept.append(
            Kept(nbytes, *_with_error(cosine(x, y)), *_with_error(centred_cosine(x, y, mean)), *found)
        )
    return tuple(kept)


def _recalls(wanted: NDArray[np.int64], queries: Embeddings, decoded: Embeddings) -> NDArray[np.float64]:
    """Share of its neighbours that each query finds again, (q,)."""
    found = search(queries, decoded, K)
    shares: NDArray[np.float64] = (wanted[:, :, None] == found[:, None, :]).any(axis=2).mean(axis=1)
    return shares


def _with_error(values: NDArray[np.float64]) -> tuple[float, float]:
    """Mean and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
