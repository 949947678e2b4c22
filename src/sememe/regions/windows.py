"""Where to look when nobody says: square windows of several sizes, slid over the picture.

A backbone sees the centre square of what it is given, so a window is square in pixels: its box is what
was embedded, no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sememe.bitstream import WHOLE, Box

SCALES = (1.0, 0.6, 0.4)
"""Sides of the windows, as shares of the picture's short side: 38 windows on a 4:3 picture."""

OVERLAP = 0.5
"""Share of its side by which a window overlaps the next one, at least."""


def windows(
    width: int, height: int, *, scales: Sequence[float] = SCALES, overlap: float = OVERLAP
) -> list[Box]:
    """Lay a pyramid of square windows over a picture.

    Parameters
    ----------
    width, height : int
        Of the picture in pixels.
    scales : sequence of float
        Sides of the windows in (0, 1], as shares of the short side.
    overlap : float
        In [0, 1): how much neighbours share at least; windows of one size are spread evenly, edge to edge.

    Returns
    -------
    list of Box
        Each once, large ones first; never the whole picture, which has a code anyway.
    """
    boxes: dict[Box, None] = {}
    for scale in scales:
        side = scale * min(width, height)
        for top in _starts(height, side, overlap):
            for left in _starts(width, side, overlap):
                edges = (left / width, top / height, (left + side) / width, (top + side) / height)
                boxes[Box.of(*edges)] = None
    boxes.pop(WHOLE, None)
    return list(boxes)


def _starts(length: int, side: float, overlap: float) -> list[float]:
    """First pixels of windows that cover a length from edge to edge."""
    room = length - side
    steps = math.ceil(room / (side * (1 - overlap)) - 1e-6)
    return [room * step / steps for step in range(steps + 1)] if steps else [0.0]
