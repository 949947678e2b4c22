"""Make the quantizer of the universal code: `python -m recipes.universal_quantizer`.

    normal density ──► tree of intervals ──► src/sememe/data/universal.json

A rotated vector of unknown kind has coefficients that are nearly normal, so the tree comes from the normal
density in closed form, and from no data. It differs from that of fitted profiles (`sememe.code.quantizer`):
all coefficients have one variance, and the rate is mostly below two bits for each. Outliers are told first,
which is worth most for a few bytes; then the middle is cut at zero, which is worth more than another dead
zone; then every interval is halved.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, inf, log2, pi, sqrt
from pathlib import Path
from statistics import NormalDist

import numpy as np

from sememe.code.tables import FRACTION
from sememe.rangecoder import quantize_frequencies

OUTLIER = 2.0  # standard deviations
OUTER = (2.75,)  # where the tail is cut; what lies beyond stays whole
HALVINGS = 4  # of the interval from zero to OUTLIER
RANK_RATIO = 1.6  # splits whose gains differ by less share a rank
NORMAL = NormalDist()


@dataclass
class Interval:
    """A part of the line, and how it is split."""

    low: float
    high: float
    children: list[int] = field(default_factory=list)
    gain: float = 0.0

    @property
    def mass(self) -> float:
        """Its probability."""
        return (
            NORMAL.cdf(self.high) - NORMAL.cdf(self.low)
            if self.low < 0
            else NORMAL.cdf(-self.low) - NORMAL.cdf(-self.high)
        )

    @property
    def mean(self) -> float:
        """Its conditional mean."""
        return (_density(self.low) - _density(self.high)) / self.mass


def main() -> None:
    """Write the tables."""
    path = Path(__file__).resolve().parents[1] / "src" / "sememe" / "data" / "universal.json"
    path.write_text(json.dumps(tables(), separators=(",", ":")) + "\n", encoding="utf-8")


def tables() -> dict[str, list[int] | list[list[int]]]:
    """The tables `children`, `frequencies`, `thresholds`, `means`, `ranks` and `gains` of a code."""
    tree = [Interval(-inf, inf)]
    left, middle, right = _split(tree, 0, -OUTLIER, OUTLIER)
    below, above = _split(tree, middle, 0.0)
    for at, high in ((below, 0.0), (above, OUTLIER)):
        _halve(tree, at, high - OUTLIER, high, HALVINGS)
    for bound in OUTER:
        (left, low), (high, right) = _split(tree, left, -bound), _split(tree, right, bound)
        for at in (low, high):
            _halve(tree, at, tree[at].low, tree[at].high, HALVINGS - 1)
    ranks, gains = _rank(tree)
    unit = 1 << FRACTION.UNIT
    return {
        "children": [[*i.children, -1, -1, -1][:3] for i in tree],
        "frequencies": [_frequencies(tree, i) for i in tree],
        "thresholds": [
            ([round(tree[child].low * unit) for child in i.children[1:]] + [0, 0])[:2] for i in tree
        ],
        "means": [round(i.mean * unit) for i in tree],
        "ranks": ranks,
        "gains": [round(gain * (1 << FRACTION.GAIN)) for gain in gains],
    }


def _split(tree: list[Interval], at: int, *bounds: float) -> list[int]:
    """Split an interval at its inner bounds; return the places of its children."""
    ends = (tree[at].low, *bounds, tree[at].high)
    children = [Interval(low, high) for low, high in pairwise(ends)]
    tree[at].children = list(range(len(tree), len(tree) + len(children)))
    tree += children
    shares = [child.mass / tree[at].mass for child in children]
    bits = -sum(share * log2(share) for share in shares)
    saved = sum(s * (c.mean - tree[at].mean) ** 2 for s, c in zip(shares, children, strict=True))
    tree[at].gain = saved / bits
    return tree[at].children


def _halve(tree: list[Interval], at: int, low: float, high: float, times: int) -> None:
    if times:
        middle = (low + high) / 2
        below, above = _split(tree, at, middle)
        _halve(tree, below, low, middle, times - 1)
        _halve(tree, above, middle, high, times - 1)


def _rank(tree: list[Interval]) -> tuple[list[int], list[float]]:
    """Rank of each split by its gain, after that of its parent, and the mean gain of each rank."""
    levels = [-1] * len(tree)
    for at, interval in enumerate(tree):
        if interval.children:
            own = round(np.log(tree[0].gain / interval.gain) / np.log(RANK_RATIO))
            levels[at] = max(levels[at], own)
            for child in interval.children:
                levels[child] = levels[at] + 1
        else:
            levels[at] = -1
    used = sorted({level for level in levels if level >= 0})
    ranks = [used.index(level) if level >= 0 else -1 for level in levels]
    gains = [
        float(np.mean([tree[a].gain for a, r in enumerate(ranks) if r == rank])) for rank in range(len(used))
    ]
    return ranks, np.minimum.accumulate(gains).tolist()


def _frequencies(tree: list[Interval], interval: Interval) -> list[int]:
    if not interval.children:
        return [0, 0, 0]
    shares = quantize_frequencies(np.array([tree[child].mass for child in interval.children]))
    return [*shares.tolist(), 0][:3]


def _density(at: float) -> float:
    return exp(-at * at / 2) / sqrt(2 * pi)


if __name__ == "__main__":
    main()
