"""The embedded scalar quantizer: a tree of intervals for coefficients in standard deviations.

The whole line is split in three at the first rung ±T₀ of a ladder, the middle again at ±T₁ < T₀, and so on;
outer intervals are halved. A split belongs to a *rank*: all splits that buy about the same reduction of
distortion per bit. A coefficient is visited once a rank, so a visit splits at most one interval::

    ─────────────────────────┼───────────────────────────►   u
       negative   −T₀         zero          T₀   positive      rank 0
                   ├──────┼─────────┼───────┤                  rank 1, 2, …
                  −T₀   −T₁         T₁     T₀

This is bit-plane coding (significance, sign, refinement) with the planes of J. M. Shapiro, "Embedded image
coding using zerotrees of wavelet coefficients" (1993), spaced by measurement instead of by octaves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sememe.code.tables import FRACTION
from sememe.rangecoder import TOTAL, quantize_frequencies

__all__ = ["LADDER", "fit_quantizer"]

LADDER = (1.6, 0.7, 0.25, 0.08)
_HALVINGS = 3
_RANK_RATIO = 3.0  # splits whose gains differ by less share a rank: fewer visits, hardly more distortion
_FEWEST = 40  # samples below which an interval is not split


@dataclass
class _Interval:
    low: float
    high: float
    weight: float
    mean: float
    thresholds: tuple[float, ...] = ()
    children: list[int] = field(default_factory=list)
    gain: float = 0.0


def fit_quantizer(
    samples: NDArray[np.floating], ladder: tuple[float, ...] = LADDER
) -> dict[str, NDArray[np.generic]]:
    """Build the tree from coefficients that were divided by their standard deviations.

    Parameters
    ----------
    samples
        (n,) floats; their distribution is taken as symmetric.
    ladder
        Descending bounds of the middle interval.

    Returns
    -------
    The tables `children`, `frequencies`, `thresholds`, `means`, `ranks` and `gains` of `CodeTables`.
    """
    magnitudes = np.sort(np.abs(samples.astype(np.float64)))
    both = np.concatenate([-magnitudes[::-1], magnitudes])
    tree = [_Interval(-np.inf, np.inf, len(both), 0.0)]
    _split_middle(tree, 0, both, ladder)
    _measure_gains(tree)
    ranks, gains = _rank(tree)
    return _as_tables(tree, ranks, gains)


def _split_middle(
    tree: list[_Interval], at: int, values: NDArray[np.float64], ladder: tuple[float, ...]
) -> None:
    if not ladder:
        return
    bound = ladder[0]
    left, middle, right = _divide(tree, at, values, (-bound, bound))
    tree[middle].mean = 0.0
    inner = values[(values >= -bound) & (values < bound)]
    _split_middle(tree, middle, inner, ladder[1:])
    _halve(tree, left, values[values < -bound], _HALVINGS)
    _halve(tree, right, values[values >= bound], _HALVINGS)


def _halve(tree: list[_Interval], at: int, values: NDArray[np.float64], times: int) -> None:
    if times == 0 or len(values) < _FEWEST:
        return
    interval = tree[at]
    bounded = np.isfinite(interval.low) and np.isfinite(interval.high)
    bound = (interval.low + interval.high) / 2 if bounded else float(np.median(values))
    left, right = _divide(tree, at, values, (bound,))
    _halve(tree, left, values[values < bound], times - 1)
    _halve(tree, right, values[values >= bound], times - 1)


def _divide(
    tree: list[_Interval], at: int, values: NDArray[np.float64], thresholds: tuple[float, ...]
) -> tuple[int, ...]:
    """Append the children of interval `at`; return their places."""
    bounds = (tree[at].low, *thresholds, tree[at].high)
    tree[at].thresholds = thresholds
    for low, high in pairwise(bounds):
        inside = values[(values >= low) & (values < high)]
        mean = float(inside.mean()) if len(inside) else _middle(low, high)
        tree[at].children.append(len(tree))
        tree.append(_Interval(low, high, len(inside) + 0.5, mean))
    return tuple(tree[at].children)


def _middle(low: float, high: float) -> float:
    """A mean for an interval that no sample fell into."""
    ends = [end for end in (low, high) if np.isfinite(end)]
    return sum(ends) / len(ends)


def _measure_gains(tree: list[_Interval]) -> None:
    """Expected distortion reduction per bit of each split, never above that of the split before."""
    for interval in tree:
        if not interval.children:
            continue
        children = [tree[child] for child in interval.children]
        weights = np.array([child.weight for child in children])
        shares = weights / weights.sum()
        moved = np.array([child.mean for child in children]) - interval.mean
        bits = -(shares * np.log2(shares)).sum()
        own = float((shares * moved**2).sum() / bits)
        interval.gain = min(own, interval.gain) if interval.gain else own
        for child in children:
            child.gain = interval.gain  # the limit, until the child's own turn
    for interval in tree:
        if not interval.children:
            interval.gain = 0.0


def _rank(tree: list[_Interval]) -> tuple[NDArray[np.int16], NDArray[np.float64]]:
    """Rank of each split (-1: none) and mean gain of each rank."""
    level = np.full(len(tree), -1)
    for at, interval in enumerate(tree):
        if interval.gain > 0:
            own = round(np.log(tree[0].gain / interval.gain) / np.log(_RANK_RATIO))
            level[at] = max(level[at], own)
            for child in interval.children:
                level[child] = level[at] + 1  # at the earliest
        else:
            level[at] = -1
    used = np.unique(level[level >= 0])
    ranks = np.where(level >= 0, np.searchsorted(used, level), -1).astype(np.int16)
    gains = np.array(
        [np.mean([tree[at].gain for at in np.flatnonzero(ranks == r)]) for r in range(len(used))]
    )
    return ranks, np.minimum.accumulate(gains)


def _as_tables(
    tree: list[_Interval], ranks: NDArray[np.int16], gains: NDArray[np.float64]
) -> dict[str, NDArray[np.generic]]:
    count, unit = len(tree), 1 << FRACTION.UNIT
    children = np.full((count, 3), -1, np.int16)
    frequencies = np.zeros((count, 3), np.int32)
    thresholds = np.zeros((count, 2), np.int32)
    for at, interval in enumerate(tree):
        if not interval.children:
            continue
        fan = len(interval.children)
        children[at, :fan] = interval.children
        weights = np.array([tree[child].weight for child in interval.children])
        frequencies[at, :fan] = quantize_frequencies(weights)
        thresholds[at, : fan - 1] = np.rint(np.array(interval.thresholds) * unit)
    assert (frequencies[ranks >= 0].sum(axis=1) == TOTAL).all()
    return {
        "children": children,
        "frequencies": frequencies,
        "thresholds": thresholds,
        "means": np.rint([interval.mean * unit for interval in tree]).astype(np.int32),
        "ranks": ranks,
        "gains": np.maximum(1, np.rint(gains * (1 << FRACTION.GAIN))).astype(np.int32),
    }
