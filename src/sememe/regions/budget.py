"""Which regions are worth bytes, and how many: one budget, spent where a byte explains most.

Every window is explained by the code of a kept region that overlaps it, the best one if there are several.
A region is worth what it adds to that over all windows::

    worth of a set   Σᵢ max over kept j that overlap i   of   max(cos(xᵢ, x̂ⱼ), known · cos(xᵢ, w))

Of two windows on the same thing the second adds little and gets no bytes. The code of the whole picture, w,
is there anyway. Should a window that it explains get none either? Measured, no: the main thing of a picture
is what its whole says, and then it had no place. So `known` is 0, and what the whole says is used to predict
the regions' vectors instead (`prediction`).

The sum is submodular, so that taking the greatest gain per byte again and again comes near the best set.

Source: G. L. Nemhauser, L. A. Wolsey and M. L. Fisher, "An analysis of approximations for maximizing
submodular set functions" (1978); per unit of cost: M. Sviridenko (2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sememe.bitstream import Box
from sememe.bitstream.regions import HEAD, size_of
from sememe.types import Embeddings

NEAR = 0.15
"""Intersection over union from which one window can explain another."""

KNOWN = 0.0
"""Share of its cosine that the whole picture's code explains of a window: it says what, but not where."""

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Choices:
    """All that a budget can be spent on.

    Attributes
    ----------
    boxes
        Of m windows.
    vectors
        (m, d) what they show, unit rows.
    whole
        (d,) what the whole picture's code decodes to.
    estimates
        (k, m, d) what each window's code decodes to at each of k lengths.
    lengths
        k lengths in bytes, ascending.
    """

    boxes: Sequence[Box]
    vectors: Embeddings
    whole: NDArray[np.float32]
    estimates: NDArray[np.float32]
    lengths: Sequence[int]


def spend(
    choices: Choices, budget: int, most: int, *, near: float = NEAR, known: float = KNOWN
) -> list[tuple[int, int]]:
    """Spend a budget on regions.

    Parameters
    ----------
    choices : Choices
    budget : int
        Bytes for all regions, with their boxes and the heads of their extensions.
    most : int
        Regions at most.
    near : float
        Intersection over union from which one window explains another; above 1 each stands for itself.
    known : float
        How much the whole picture's code explains.

    Returns
    -------
    list of (row, length)
        Rows of `choices` and bytes of their codes, the region that was worth most first.
    """
    seen = _similarities(choices, near)  # (k, m, m): how well j at a length explains i
    base = known * (choices.vectors @ choices.whole)
    kept: dict[int, int] = {}
    while True:
        best = np.maximum.reduce([base, *(seen[step, :, j] for j, step in kept.items())])
        gains = np.maximum(seen - best[None, :, None], 0).sum(axis=1)  # (k, m)
        row, step = _steepest(gains, kept, choices.lengths, budget, most)
        if row < 0:
            return [(j, choices.lengths[at]) for j, at in kept.items()]
        kept[row] = step


def _similarities(choices: Choices, near: float) -> Floats:
    """Cosine (k, i, j) of window i with what the code of window j gives at each length; −1 if not near."""
    apart = _overlaps(np.array(choices.boxes, np.float64)) < near
    np.fill_diagonal(apart, False)
    cosines: Floats = choices.vectors @ choices.estimates.transpose(0, 2, 1)
    cosines[:, apart] = -1
    return cosines


def _overlaps(boxes: Floats) -> Floats:
    """Intersection over union (m, m) of boxes (m, 4)."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = np.maximum(high - low, 0).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    overlaps: Floats = shared / (areas[:, None] + areas[None, :] - shared)
    return overlaps


def _steepest(
    gains: Floats, kept: dict[int, int], lengths: Sequence[int], budget: int, most: int
) -> tuple[int, int]:
    """The window and step of the greatest gain for a byte that the budget allows; −1 if none gains."""
    spent = {row: lengths[step] for row, step in kept.items()}
    slopes = np.zeros_like(gains)
    for step, length in enumerate(lengths):
        fits_new = len(kept) < most and size_of([*spent.values(), length]) <= budget
        slopes[step] = gains[step] / (HEAD + length) * fits_new
        for row, at in kept.items():
            fits = step > at and size_of(list((spent | {row: length}).values())) <= budget
            slopes[step, row] = gains[step, row] / (length - spent[row]) if fits else 0.0
    best = divmod(int(slopes.argmax()), slopes.shape[1])
    return (best[1], best[0]) if slopes[best] > 0 else (-1, -1)
