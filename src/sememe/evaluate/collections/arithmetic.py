"""Additions and subtractions of meanings, on vectors or on what codes decode to.

Source: Bachard and Maugey, "SMIC", 2024: CLIP's space allows semantic additions and subtractions. Texts live
beside pictures in that space, not among them, so the difference of two texts is added, never a text itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError
from sememe.metrics import unit_rows
from sememe.types import Embeddings

__all__ = ["combine", "edit", "unmix"]

Floats = NDArray[np.floating]


def edit(pictures: Embeddings, minus: Embeddings, plus: Embeddings, weight: float) -> Embeddings:
    """Take one meaning from pictures and give them another: unit(x + weight · (plus − minus)).

    Parameters
    ----------
    pictures, minus, plus
        (n, d) unit rows; `minus` and `plus` are of one kind, both texts or both pictures.
    weight
        1 moves a picture by as much as the two differ.

    Raises
    ------
    VectorError
        Shapes differ.
    """
    _check(pictures, minus, plus)
    return unit_rows(pictures + np.float32(weight) * (plus - minus))


def combine(one: Embeddings, other: Embeddings) -> Embeddings:
    """Add meanings: unit(one + other), rows (n, d).

    Raises
    ------
    VectorError
        Shapes differ.
    """
    _check(one, other)
    return unit_rows(one + other)


def unmix(sums: Embeddings, known: Embeddings, length: float) -> Embeddings:
    """Take a known meaning out of a sum of two: unit(length · sum − known).

    Parameters
    ----------
    sums, known
        (n, d) unit rows.
    length
        What sums of two such vectors measure before they are made unit: 2 if they are alike, √2 if unrelated.

    Raises
    ------
    VectorError
        Shapes differ.
    """
    _check(sums, known)
    return unit_rows(np.float32(length) * sums - known)


def _check(first: Floats, *others: Floats) -> None:
    for other in others:
        if first.ndim != 2 or other.shape != first.shape:
            raise VectorError(f"arithmetic needs matrices of one shape, not {first.shape} and {other.shape}")
