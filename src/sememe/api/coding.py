"""Vectors to codes of one length, or of the length that each needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sememe.api.inputs import Opened
from sememe.api.results import Encoded
from sememe.code import allocate, slope_for
from sememe.errors import UsageError
from sememe.index import chunks
from sememe.metrics import cosine
from sememe.profile import Profile, errors_by_length
from sememe.types import Codes, Embeddings

Coded = tuple[Codes, NDArray[np.int64], NDArray[np.float32]]
"""Codes (n, width), lengths (n,) and cosines (n,)."""


def code_rows(
    profile: Profile,
    x: NDArray[np.floating],
    ceiling: int,
    *,
    min_cosine: float | None = None,
    mean_bytes: float | None = None,
    slope: float | None = None,
) -> Coded:
    """Encode vectors (n, d), and measure what each code keeps.

    Parameters
    ----------
    profile : Profile
    x : (n, d) float
    ceiling : int
        Length of every code, or the longest allowed with `min_cosine` or `mean_bytes`.
    min_cosine : float, optional
        Each code gets the fewest bytes with which its cosine reaches this; `ceiling` if none do.
    mean_bytes : float, optional
        The codes get this many bytes on average, each as many as it makes the best use of.
    slope : float, optional
        Each code gets bytes as long as one of them saves this much error; see `slope_of`.

    Raises
    ------
    UsageError
        `min_cosine` is not in (0, 1), `mean_bytes` not in 1..`ceiling`, or both are given.
    VectorError
        Rows are not what the profile codes.
    """
    if min_cosine is not None and not 0 < min_cosine < 1:
        raise UsageError(f"a cosine that can be demanded is above 0 and below 1, not {min_cosine}")
    if mean_bytes is not None and (min_cosine is not None or not 1 <= mean_bytes <= ceiling):
        raise UsageError(f"a mean is 1 to {ceiling} bytes, without a least cosine; not {mean_bytes}")
    x = np.asarray(x, np.float32)
    codes = profile.encode(x, ceiling)
    lengths = np.full(len(codes), ceiling, np.int64)
    if min_cosine is not None:
        lengths = _needed(profile, x, codes, min_cosine)
    elif mean_bytes is not None and len(codes):
        errors, tried = errors_by_length(profile, x, codes)
        lengths = allocate(errors, tried, slope_for(errors, tried, mean_bytes))
    elif slope is not None and len(codes):
        lengths = allocate(*errors_by_length(profile, x, codes), slope)
    if lengths.min(initial=ceiling) < ceiling:
        codes = np.where(np.arange(ceiling) < lengths[:, None], codes, 0).astype(np.uint8)
        codes = codes[:, : int(lengths.max(initial=0))]
    return codes, lengths, _cosines(profile, x, codes, lengths)


def slope_of(profile: Profile, x: NDArray[np.floating], ceiling: int, mean_bytes: float) -> float:
    """Find the slope at which codes of vectors (n, d), n > 0, take so many bytes on average.

    Raises
    ------
    UsageError, VectorError
        As in `code_rows`.
    """
    if not 1 <= mean_bytes <= ceiling:
        raise UsageError(f"a mean is 1 to {ceiling} bytes, not {mean_bytes}")
    x = np.asarray(x, np.float32)
    return slope_for(*errors_by_length(profile, x, profile.encode(x, ceiling)), mean_bytes)


def spread(opened: Sequence[Opened], coded: Coded) -> Encoded:
    """Put the codes of the inputs that could be opened where those inputs stood among all."""
    codes, lengths, cosines = coded
    ok = np.array([one.error is None for one in opened], np.bool_)
    all_codes = np.zeros((len(opened), codes.shape[1]), np.uint8)
    all_lengths = np.zeros(len(opened), np.int64)
    all_cosines = np.full(len(opened), np.nan, np.float32)
    all_codes[ok], all_lengths[ok], all_cosines[ok] = codes, lengths, cosines
    return Encoded(
        all_codes,
        all_lengths,
        all_cosines,
        tuple(one.name for one in opened),
        tuple(one.error for one in opened),
        tuple(one.size for one in opened),
    )


def _needed(profile: Profile, x: Embeddings, codes: Codes, min_cosine: float) -> NDArray[np.int64]:
    """Shortest length (n,) of each code that keeps the cosine; the whole length if none does.

    Every length is tried from below, because a longer prefix is better on average only.
    """
    lengths = np.full(len(codes), codes.shape[1], np.int64)
    open_rows = np.arange(len(codes))
    for nbytes in range(1, codes.shape[1]):
        if not len(open_rows):
            break
        kept = _cosines(profile, x[open_rows], codes[open_rows, :nbytes]) >= min_cosine
        lengths[open_rows[kept]] = nbytes
        open_rows = open_rows[~kept]
    return lengths


def _cosines(
    profile: Profile, x: Embeddings, codes: Codes, lengths: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Cosine (n,) of each vector and what its code, cut to its length, decodes to."""
    found = np.empty(len(codes), np.float32)
    if lengths is None:
        lengths = np.full(len(codes), codes.shape[1], np.int64)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        for part in chunks(len(rows)):
            some = rows[part]
            found[some] = cosine(x[some], profile.decode(codes[some, :length]))
    return found
