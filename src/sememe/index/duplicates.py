"""Near-duplicates among decoded vectors, without comparing all with all.

::

    rows, best first ─nearest of √n centres─► cells ─compare within a cell─► pairs ─best first─► groups

Every row lives in the cell of its nearest centre and visits the cells of the `VISITS` nearest: two rows are
compared if one of them visits where the other lives. Centres are rows drawn at random, so that work grows
with n^1.5 and there is nothing to train. Vectors are decoded some cells at a time; what stays in memory is a
few numbers for each row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe.errors import UsageError
from sememe.index.cache import Tell
from sememe.index.search import CHUNK, Vectors, chunks
from sememe.metrics.calibration import Background

__all__ = ["COPY", "FEW", "Pairs", "keepers", "near_pairs"]

COPY = 0.98
"""Centred cosine from which on two codes are taken for copies: best by F1 at 16 bytes and more
(`results/dedupe.json`)."""

FEW = 20_000
"""Rows up to which all are compared with all: a few seconds."""

VISITS = 4
"""Cells that a row is compared with."""

_BLOCK = 1024  # rows of a product of matrices, 64 MB with a chunk
_BETTER = 16  # pairs kept of a row, those with the best rows
_MANY = 4_000_000  # pairs in memory

Rows = NDArray[np.int64]


class Pairs(NamedTuple):
    """Pairs of rows that are alike, in the order of `worse`, then `better`."""

    better: Rows
    """(p,) the row of the pair that comes first."""
    worse: Rows
    """(p,) the other one."""
    cosines: NDArray[np.float32]
    """(p,) centred cosine of the two."""


def near_pairs(
    vectors: Vectors,
    background: Background,
    threshold: float = COPY,
    *,
    exact: bool = False,
    tell: Tell | None = None,
) -> Pairs:
    """Find the pairs of rows whose centred cosine reaches a threshold.

    Parameters
    ----------
    vectors : Vectors
        (n, d), decoded on demand, the best first: of a row with very many pairs those with the best rows are
        kept.
    background : Background
        Of their space.
    threshold : float
        In (0, 1].
    exact : bool
        Compare all with all, however many there are.
    tell : callable, optional
        Told (done, total) rows.

    Raises
    ------
    UsageError
        The threshold is out of range.
    """
    if not 0 < threshold <= 1:
        raise UsageError(f"a threshold is a cosine above 0 and at most 1, not {threshold}")
    n = len(vectors)
    compare = _Comparison(vectors, background, threshold)
    found = _Found(n)
    done = 0
    for some in _everything(n) if exact or n <= FEW else _cells(compare):
        for part in compare(some):
            found.add(part)
        done += sum(len(cell.members) for cell in some)
        if tell is not None:
            tell(done, n)
    return found.pairs()


def keepers(pairs: Pairs, n: int) -> tuple[Rows, NDArray[np.float32]]:
    """Give each of n rows, the best first, to a row that is kept.

    A row is kept unless one that is kept is like it; then it goes to the one most like it. So nothing is
    taken for a copy of a picture that it was not compared with, however long a chain of likenesses is.

    Returns
    -------
    keeper : (n,) int64
        The row itself if it is kept.
    cosines : (n,) float32
        With the keeper.
    """
    keeper, cosines = np.arange(n), np.ones(n, np.float32)
    rows, starts, counts = np.unique(pairs.worse, return_index=True, return_counts=True)
    for row, start, count in zip(rows, starts, counts, strict=True):
        better = pairs.better[start : start + count]
        kept = keeper[better] == better
        if kept.any():
            nearest = np.where(kept, pairs.cosines[start : start + count], -2).argmax()
            keeper[row], cosines[row] = better[nearest], pairs.cosines[start + nearest]
    return keeper, cosines


_NO_PAIRS = Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))


class _Cell(NamedTuple):
    """Rows to be compared with rows."""

    members: Rows
    visitors: Rows


class _Comparison(NamedTuple):
    vectors: Vectors
    background: Background
    threshold: float

    def centred(self, rows: Rows) -> NDArray[np.float32]:
        return self.background.centre(self.vectors[rows], "image")

    def __call__(self, cells: list[_Cell]) -> Iterator[Pairs]:
        """Compare the rows of some cells, decoded together: a call for each would take ten times as long."""
        for members, visitors in cells:
            if len(visitors) > CHUNK:
                yield from self._large(members, visitors)
        small = [cell for cell in cells if len(cell.visitors) <= CHUNK]
        rows = np.unique(np.concatenate([np.zeros(0, np.int64), *(part for cell in small for part in cell)]))
        x = self.centred(rows)
        for members, visitors in small:
            one, other = x[np.searchsorted(rows, members)], x[np.searchsorted(rows, visitors)]
            for block in chunks(len(members), _BLOCK):
                yield self._near(members[block], visitors, one[block] @ other.T)

    def _large(self, members: Rows, visitors: Rows) -> Iterator[Pairs]:
        for some in chunks(len(members)):
            x = self.centred(members[some])
            for others in chunks(len(visitors)):
                y = self.centred(visitors[others])
                for block in chunks(len(x), _BLOCK):
                    yield self._near(members[some][block], visitors[others], x[block] @ y.T)

    def _near(self, members: Rows, visitors: Rows, cosines: NDArray[np.float32]) -> Pairs:
        i, j = np.nonzero(cosines >= np.float32(self.threshold))
        a, b = members[i], visitors[j]
        two = a != b
        a, b, kept = a[two], b[two], cosines[i[two], j[two]]
        return Pairs(np.minimum(a, b), np.maximum(a, b), kept)


class _Found:
    """Pairs found so far, each once; of rows with many, those with the best rows."""

    def __init__(self, n: int) -> None:
        self._n, self._parts, self._size = n, list[Pairs](), 0

    def add(self, part: Pairs) -> None:
        self._parts.append(part)
        self._size += len(part.worse)
        if self._size > _MANY:
            merged = self.pairs()
            first = np.r_[True, merged.worse[1:] != merged.worse[:-1]]
            place = np.arange(len(first)) - np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
            best = place < _BETTER
            self._parts = [Pairs(merged.better[best], merged.worse[best], merged.cosines[best])]
            self._size = 0  # counts what is new: a second pruning pays only after as many again

    def pairs(self) -> Pairs:
        parts = [_NO_PAIRS, *self._parts]
        better = np.concatenate([part.better for part in parts])
        worse = np.concatenate([part.worse for part in parts])
        cosines = np.concatenate([part.cosines for part in parts])
        _, once = np.unique(worse * self._n + better, return_index=True)
        return Pairs(better[once], worse[once], cosines[once])


def _everything(n: int) -> Iterator[list[_Cell]]:
    """All rows with all that come no earlier."""
    for rows in chunks(n):
        yield [_Cell(np.arange(rows.start, rows.stop), np.arange(rows.start, n))]


def _cells(compare: _Comparison) -> Iterator[list[_Cell]]:
    """Rows that live in a cell, and those that visit it; so many cells at once as may be decoded together."""
    n = len(compare.vectors)
    drawn = np.random.default_rng(0).choice(n, int(np.sqrt(n * VISITS)), replace=False)
    centres = _apart(compare.centred(np.sort(drawn)), compare.threshold)
    count = min(VISITS, len(centres))
    homes, visits = np.empty(n, np.int32), np.empty((n, count), np.int32)
    for rows in chunks(n):
        x = compare.centred(np.arange(rows.start, rows.stop))
        for block in chunks(len(x), _BLOCK):
            near = x[block] @ centres.T
            some = slice(rows.start + block.start, rows.start + block.stop)
            visits[some] = np.argpartition(-near, count - 1, axis=1)[:, :count]
            homes[some] = near.argmax(axis=1)
    members = np.split(np.argsort(homes, kind="stable"), _ends(homes, len(centres)))
    flat = visits.ravel()
    visitors = np.split(np.argsort(flat, kind="stable") // count, _ends(flat, len(centres)))
    some_cells: list[_Cell] = []
    for cell in map(_Cell, members, visitors):
        if some_cells and sum(len(one.visitors) for one in some_cells) + len(cell.visitors) > CHUNK:
            yield some_cells
            some_cells = []
        some_cells.append(cell)
    yield some_cells


def _apart(x: NDArray[np.float32], threshold: float) -> NDArray[np.float32]:
    """Leave out rows that are like one before them: centres amid a crowd of copies would divide it."""
    kept = np.zeros(len(x), np.bool_)
    for row in range(len(x)):
        kept[row] = not (x[:row][kept[:row]] @ x[row] >= threshold).any()
    return x[kept]


def _ends(cells: NDArray[np.int32], n: int) -> Rows:
    return np.cumsum(np.bincount(cells, minlength=n))[:-1]
