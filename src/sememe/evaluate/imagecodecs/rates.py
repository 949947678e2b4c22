"""Sizes of messages, and the rate at which a codec reaches a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sememe.errors import UsageError

__all__ = ["Crossing", "Sizes", "rate_at"]


@dataclass(frozen=True)
class Sizes:
    """Lengths of real messages in bytes."""

    mean: float
    p5: float
    p95: float
    max: int

    @classmethod
    def of(cls, messages: Sequence[bytes]) -> Sizes:
        """Count the bytes of messages, at least one.

        Raises
        ------
        UsageError
            There is none.
        """
        if not messages:
            raise UsageError("sizes are those of one message or more")
        lengths = [len(message) for message in messages]
        p5, p95 = np.percentile(lengths, [5, 95])
        return cls(float(np.mean(lengths)), float(p5), float(p95), max(lengths))

    def bpp(self, pixels: float) -> float:
        """Bits per pixel of a picture with so many pixels (a mean over pictures will do)."""
        return 8 * self.mean / pixels


@dataclass(frozen=True)
class Crossing:
    """Bytes at which a figure is reached.

    Attributes
    ----------
    nbytes
        NaN where no setting reaches it.
    how
        ``between`` two settings; ``at most``, because the smallest setting already does; or ``never``.
    """

    nbytes: float
    how: Literal["between", "at most", "never"]


def rate_at(points: Iterable[tuple[float, float]], target: float) -> Crossing:
    """Interpolate the bytes at which a codec reaches a figure.

    Of the measured settings those count that no smaller one equals; between neighbours the logarithm of the
    bytes is taken to be linear in the figure.

    Parameters
    ----------
    points
        (bytes, figure) of each setting; bytes above 0.
    target
        The figure to reach; more is better.

    Returns
    -------
    Crossing
    """
    front: list[tuple[float, float]] = []
    for nbytes, figure in sorted(points, key=lambda point: (point[0], -point[1])):
        if not front or figure > front[-1][1]:
            front.append((nbytes, figure))
    above = next((i for i, (_, figure) in enumerate(front) if figure >= target), None)
    if above is None:
        return Crossing(math.nan, "never")
    if above == 0:
        return Crossing(front[0][0], "at most")
    (low, start), (high, stop) = front[above - 1 : above + 1]
    share = (target - start) / (stop - start)
    return Crossing(low ** (1 - share) * high**share, "between")
