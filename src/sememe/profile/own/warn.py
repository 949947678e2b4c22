"""What may be wrong with vectors that a profile is to learn from."""

from __future__ import annotations

import numpy as np

from sememe.errors import VectorError
from sememe.metrics import unit_rows
from sememe.profile.own.parts import Parts
from sememe.types import Embeddings

__all__ = ["FEW", "check", "warnings_about"]

FEW = 2_000
"""Vectors below which a profile of one's own is not worth much."""

_ALIKE = 0.99  # |mean| of unit vectors that hardly differ; .85 for CLIP's pictures of one kind of thing
_NEAR = 0.98  # centred cosine of two views of one picture; of 1,500 CLIP vectors of one kind .5 % have such
_NEAR_SHARE = 0.05
_SAMPLE = 500  # held-out vectors whose neighbours are looked up
_BLOCK = 8192


def check(x: Embeddings, fewest: int) -> None:
    """Raise VectorError unless x is (n, d) floats, finite, no row zero, and `fewest` of them differ."""
    if x.ndim != 2 or x.dtype.kind != "f":
        raise VectorError(f"holds {x.dtype} {x.shape}, not floats (n, d)")
    lengths = np.einsum("nd,nd->n", x, x, dtype=np.float64)
    if not np.isfinite(lengths).all():
        raise VectorError(
            f"vector {int(np.flatnonzero(~np.isfinite(lengths))[0])} holds values that are not finite"
        )
    if not lengths.all():
        raise VectorError(f"vector {int(np.flatnonzero(lengths == 0)[0])} is all zero")
    if len(x) < fewest:
        raise VectorError(f"{len(x)} vectors are too few to fit a profile; bring at least {fewest}")


def warnings_about(x: Embeddings, parts: Parts, *, subject: str = "vectors") -> list[str]:
    """Say what makes figures or profile worth less, in sentences; an empty list if nothing does.

    Parameters
    ----------
    x
        (n, d) float32 unit rows.
    parts
        What they were divided into.
    subject
        What to call them.
    """
    found = []
    if len(x) < FEW:
        found.append(f"{len(x):,} {subject} are few: a profile of your own takes {FEW:,} or more")
    if parts.copies:
        found.append(f"{parts.copies:,} of {len(x):,} {subject} are copies of others; copies stay together")
    if float(np.linalg.norm(x.mean(axis=0, dtype=np.float64))) > _ALIKE:
        found.append(f"the {subject} hardly differ from each other: are these the right ones?")
    near = _near_share(x, parts)
    if near > _NEAR_SHARE:
        found.append(
            f"{near:.0%} of the held-out {subject} have a near-duplicate among those fitted: "
            "the figures flatter the new profile"
        )
    return found


def _near_share(x: Embeddings, parts: Parts) -> float:
    """Share of the held-out vectors with a training vector so close that both may be one picture."""
    if not len(parts.held):
        return 0.0
    mean = x[parts.train].mean(axis=0)
    held = unit_rows(x[parts.held[:: -(-len(parts.held) // _SAMPLE)]] - mean)
    best = np.full(len(held), -1.0, np.float32)
    for start in range(0, len(parts.train), _BLOCK):
        block = unit_rows(x[parts.train[start : start + _BLOCK]] - mean)
        best = np.maximum(best, (held @ block.T).max(axis=1))
    return float((best > _NEAR).mean())
