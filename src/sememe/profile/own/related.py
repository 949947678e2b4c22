"""Vectors as a known profile would expect them beside few real ones: the prior of a fit to few."""

from __future__ import annotations

import numpy as np

from sememe.profile.profile import Profile
from sememe.types import Embeddings

__all__ = ["how_many", "related"]

_FEW = 300  # vectors from which on a fit has modes, which strangers among them would bend
_PRIOR = 100  # of 32 to 250 vectors of unseen kinds, all are coded better at 32 bytes and more with these
_KEPT = 2  # bytes of a code that stay: its mode, prototype and first coefficients


def how_many(n: int) -> int:
    """Related vectors that a fit to n vectors should be given."""
    return _PRIOR if n < _FEW else 0


def related(base: Profile, x: Embeddings, count: int, seed: int) -> Embeddings:
    """Draw vectors that begin like given ones and go on as a known profile expects.

    Few vectors say nothing about directions in which none of them differs, and a covariance of theirs alone
    gives these no bits, whatever the rate. The bits of a code are nearly even coin tosses, so random
    bytes decode to draws from the profile's own distribution; after the first bytes of a real code, to draws
    given what these say.

    Parameters
    ----------
    base
        Known profile of the space.
    x
        (n, d) float32 unit rows.
    count
        Vectors to draw.
    seed
        Of the draw.

    Returns
    -------
    (count, d) float32
        Unit rows.
    """
    rng = np.random.default_rng(seed)
    codes = base.encode(x, base.max_bytes)[rng.integers(len(x), size=count)]
    codes[:, _KEPT:] = rng.integers(0, 256, (count, base.max_bytes - _KEPT), np.uint8)
    return base.decode(codes)
