"""What texts say about a space of pictures: in which directions meaning differs.

Text and picture vectors lie apart and vary differently: where texts vary most, pictures vary hardly more than
anywhere else. So text vectors say nothing of the variances of pictures, but all about which of their errors a
text can see. They become the metric, and pictures are taken to vary alike in all directions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe.code.tables import FRACTION
from sememe.profile.universal.rotation import random_rotation
from sememe.types import Embeddings

__all__ = ["Directions", "text_directions"]

_WEIGHT = 0.3  # of the texts in the metric
_RANK = 128  # directions of their own; what texts vary in beyond is spread evenly


class Directions(NamedTuple):
    """A metric a·I + FᵀF and its principal directions.

    Attributes
    ----------
    factor
        (r, d) int16, F.
    identity
        a, in the same fixed point.
    rows
        (d, d) what a unit of each coefficient is as a vector.
    weights
        (d,) of an error in each direction, descending.
    """

    factor: NDArray[np.int16]
    identity: int
    rows: NDArray[np.float64]
    weights: NDArray[np.float64]


def text_directions(text: Embeddings) -> Directions:
    """Blend the identity with the covariance of text vectors (t, d); the mean weight stays 1."""
    unit, dim = 1 << FRACTION.METRIC, text.shape[1]
    values, vectors = np.linalg.eigh(np.cov(text.T.astype(np.float64)))
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    rank = min(_RANK, len(text) - 1, dim - 1)
    scale = _WEIGHT * dim / values.sum()
    factor = np.sqrt(scale * values[:rank])[:, None] * vectors[:, :rank].T
    factor = np.clip(np.rint(factor * unit), -32767, 32767).astype(np.int16)
    rest = 1 - _WEIGHT + scale * values[rank:].sum() / dim
    identity = max(1, round(rest * unit))
    return Directions(factor, identity, *_principal(factor / unit, identity / unit))


def _principal(
    factor: NDArray[np.float64], identity: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Principal directions of the metric; those that weigh alike are turned at random."""
    rank, dim = factor.shape
    values, vectors = np.linalg.eigh(identity * np.eye(dim) + factor.T @ factor)
    weights, basis = values[::-1], vectors[:, ::-1].T
    rotation, rounds = random_rotation(dim - rank)
    basis = np.concatenate([basis[:rank], rotation.astype(np.float64) @ basis[rank:] / 2**rounds])
    return basis / np.sqrt(weights)[:, None], weights
