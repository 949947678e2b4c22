"""Bytes needed: the rate from which on a coder keeps what must be kept.

Between two measured rates the figure is taken to run straight over the logarithm of the bytes. A figure may
fall again at a higher rate by chance; so the last measured rate that misses the mark counts, not the first
that reaches it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict

__all__ = ["MARKS", "Need", "bytes_needed", "needs"]

How: TypeAlias = Literal["interpolated", "at most", "not reached"]


class Need(TypedDict):
    """What it takes.

    `bytes`: interpolated; the lowest rate measured if that will do ("at most"); None if no rate measured will
    do ("not reached"). `measured`: the lowest measured rate from which on all will do, or None.
    """

    bytes: float | None
    measured: float | None
    how: How


MARKS: dict[str, tuple[str, Callable[[float], float]]] = {
    "zero_shot": ("zero-shot accuracy within one point", lambda whole: whole - 0.01),
    "class_mean": ("class-mean accuracy within one point", lambda whole: whole - 0.01),
    "recall_at_10": ("recall@10 at 95 % of uncompressed", lambda whole: 0.95 * whole),
}
"""Figure to what must be kept of it: words, and the mark as a function of the uncompressed figure."""


def bytes_needed(points: Sequence[tuple[float, float]], mark: float) -> Need:
    """Find the rate from which on a figure is at its mark or above.

    Parameters
    ----------
    points
        (bytes, figure) as measured, at least one; bytes above 0.
    mark
        Lowest figure that will do.
    """
    ranked = sorted(points)
    missed = [i for i, (_, figure) in enumerate(ranked) if figure < mark]
    last = missed[-1] if missed else -1
    if last == len(ranked) - 1:
        return {"bytes": None, "measured": None, "how": "not reached"}
    rate, figure = ranked[last + 1]
    if last < 0:
        return {"bytes": round(rate, 2), "measured": round(rate, 2), "how": "at most"}
    below, missing = ranked[last]
    share = (mark - missing) / (figure - missing)
    between = math.exp(math.log(below) + share * (math.log(rate) - math.log(below)))
    return {"bytes": round(between, 2), "measured": round(rate, 2), "how": "interpolated"}


def needs(uncompressed: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Need | None]:
    """Bytes needed for each mark, from figures of one coder at several rates; None where there are none."""
    found: dict[str, Need | None] = {}
    for figure, (_, mark) in MARKS.items():
        whole = uncompressed[figure]
        points = [(row["bytes_mean"], row[figure]) for row in rows if row[figure] is not None]
        usable = [point for point in points if point[0] > 0]
        found[figure] = None if whole is None or not usable else bytes_needed(usable, mark(whole))
    return found
