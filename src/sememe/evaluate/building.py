"""Pools of vectors become a trial: every set split by a seed into what is known, tested and asked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from sememe.errors import UsageError, VectorError
from sememe.evaluate.coder import Training
from sememe.evaluate.pool import Pool, Texts
from sememe.evaluate.trial import UNLABELLED, Rows, Trial, ZeroShot
from sememe.types import Embeddings

__all__ = ["FEWEST", "make_trial"]

FEWEST = 60
"""Vectors that a set must hold: fewer leave too few to search among."""

_TEST = 0.3
_QUERIES = 0.1
_MOST_TESTED = 4000
_MOST_ASKED = 800


def make_trial(
    pools: Sequence[Pool],
    *,
    train: Sequence[Pool] = (),
    texts: Texts | None = None,
    train_text: Embeddings | None = None,
    name: str | None = None,
    seed: int = 0,
) -> Trial:
    """Split pools and put the parts together.

    Of each set, permuted by the seed, the first 30 % (4,000 at most) are the test, the next 10 % (800 at
    most) the queries; the rest is known: class means are taken from it, and coders learn from it unless
    `train` is given. The split of a set depends on its size and the seed alone.

    Parameters
    ----------
    pools
        Sets of one space, with different names.
    train
        Learn from these instead.
    texts
        Judge with these: all of them are queries, and classes are those whose name, in any case, is one of
        them.
    train_text
        (t, d) text vectors that coders may learn from.
    name
        Of the trial; the names of the sets if not given.
    seed
        Of the split and of every coder.

    Raises
    ------
    UsageError
        No set, or two sets of one name.
    VectorError
        A set is too small, or dimensions differ.
    """
    _check(pools)
    x = np.concatenate([pool.x for pool in pools])
    labels = np.concatenate([pool.labels for pool in pools])
    sets = np.concatenate([np.full(len(pool.x), pool.name) for pool in pools])
    whole = Rows(x, labels, sets)
    test, queries, known = _split(pools, seed)
    learnt = [pool.x for pool in train] or [x[known]]
    _same_dimension(pools, train)
    training = Training(np.concatenate(learnt), train_text, seed)
    tested = whole.where(test)
    return Trial(
        name=name or ", ".join(pool.name for pool in pools),
        training=training,
        test=tested,
        queries=whole.where(queries),
        known=whole.where(known[labels[known] != UNLABELLED]),
        zero_shot=None if texts is None else _zero_shot(pools, tested, texts),
        texts=None if texts is None else texts.x,
        pixels=_pixels(pools, test),
    )


def _check(pools: Sequence[Pool]) -> None:
    names = [pool.name for pool in pools]
    if not names:
        raise UsageError("nothing to judge on: give vectors or a folder of pictures")
    double = [name for name, same in groupby(sorted(names)) if len(list(same)) > 1]
    if double:
        raise UsageError(f"two sets are called {double[0]!r}: rename one, sets are told apart by name")
    for pool in pools:
        if len(pool.x) < FEWEST:
            raise VectorError(f"{pool.name}: {len(pool.x)} vectors are too few; bring at least {FEWEST}")
    _same_dimension(pools, ())


def _same_dimension(pools: Sequence[Pool], train: Sequence[Pool]) -> None:
    first, *rest = [*pools, *train]
    for pool in rest:
        if pool.x.shape[1] != first.x.shape[1]:
            raise VectorError(
                f"{pool.name}: has vectors of {pool.x.shape[1]} dimensions, {first.name} of "
                f"{first.x.shape[1]}; all must come from one model"
            )


def _split(pools: Sequence[Pool], seed: int) -> list[NDArray[np.intp]]:
    """Rows of the test, the queries and the rest, counted over all pools."""
    parts: list[list[NDArray[np.intp]]] = [[], [], []]
    offset = 0
    for pool in pools:
        n = len(pool.x)
        order = np.random.default_rng(seed).permutation(n) + offset
        tested, asked = min(int(n * _TEST), _MOST_TESTED), min(int(n * _QUERIES), _MOST_ASKED)
        cut = np.split(order, [tested, tested + asked])
        for part, rows in zip(parts, cut, strict=True):
            part.append(rows)
        offset += n
    return [np.concatenate(part) for part in parts]


def _zero_shot(pools: Sequence[Pool], test: Rows, texts: Texts) -> ZeroShot | None:
    """Test rows whose class has a text of its name; None if fewer than two classes have."""
    rows_of = {name.lower(): row for row, name in reversed(list(enumerate(texts.names)))}
    meant = np.full(len(test), UNLABELLED, np.int64)
    for pool in pools:
        found = np.array([rows_of.get(name.lower(), UNLABELLED) for name in pool.classes], np.int64)
        here = (test.sets == pool.name) & (test.labels != UNLABELLED)
        if len(found):
            meant[here] = found[test.labels[here]]
    rows = np.flatnonzero(meant != UNLABELLED)
    chosen, labels = np.unique(meant[rows], return_inverse=True)
    if len(chosen) < 2:
        return None
    names = tuple(texts.names[row] for row in chosen)
    return ZeroShot(rows, labels.astype(np.int64), names, texts.x[chosen])


def _pixels(pools: Sequence[Pool], rows: NDArray[np.intp]) -> NDArray[np.int64] | None:
    known = [pool.pixels for pool in pools if pool.pixels is not None]
    return np.concatenate(known)[rows] if len(known) == len(pools) else None
