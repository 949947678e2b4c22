"""The tree of concepts as arrays: who is above whom, and what is expected before a picture is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sememe.caption.words import ROOT, Concept

BREADTH = 0.5
"""A branch of n words gets n to this power of its parent's share: between even shares and one a word."""


@dataclass(frozen=True, eq=False)
class Tree:
    """Concepts, parents before children; each has a vector of its own (`known`) or one that has below it."""

    concepts: tuple[Concept, ...]
    known: NDArray[np.bool_]
    """(c,) whether a concept has a vector of its own."""

    @classmethod
    def of(cls, concepts: Sequence[Concept], names: Sequence[str]) -> Tree:
        """Keep those concepts that are among `names` or above one of them."""
        wanted = set(names)
        used: set[str] = set()
        parents = {concept.name: concept.parent for concept in concepts}
        for name in wanted & parents.keys():
            while name != ROOT and name not in used:
                used.add(name)
                name = parents[name]
        kept = tuple(concept for concept in concepts if concept.name in used)
        return cls(kept, np.array([concept.name in wanted for concept in kept], np.bool_))

    def __len__(self) -> int:
        return len(self.concepts)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each name."""
        return {concept.name: row for row, concept in enumerate(self.concepts)}

    @cached_property
    def parents(self) -> NDArray[np.intp]:
        """(c,) row of each parent, -1 at the top."""
        return np.array([self.rows.get(concept.parent, -1) for concept in self.concepts], np.intp)

    @cached_property
    def above(self) -> NDArray[np.bool_]:
        """(c, c) whether column j is row i or above it."""
        found = np.eye(len(self), dtype=np.bool_)
        for row, parent in enumerate(self.parents):
            if parent >= 0:
                found[row] |= found[parent]
        return found

    def children(self, row: int) -> NDArray[np.intp]:
        """Rows directly below one; -1 asks for the top."""
        return np.flatnonzero(self.parents == row)

    @cached_property
    def leaves(self) -> NDArray[np.bool_]:
        """(c,) whether nothing is below a concept."""
        return ~np.isin(np.arange(len(self)), self.parents)

    @cached_property
    def prior(self) -> NDArray[np.float64]:
        """(c,) share of each known concept itself, as opposed to those below it; they sum to 1.

        Going down, a share is split among the branches and, where the concept has a vector, itself.
        """
        breadth = self.above[self.known].sum(axis=0).astype(np.float64) ** BREADTH
        shares = np.zeros(len(self))
        inflow = np.zeros(len(self))
        for row in range(-1, len(self)):
            children = self.children(row)
            own = 1.0 if row >= 0 and self.known[row] else 0.0
            whole, total = (1.0 if row < 0 else inflow[row]), breadth[children].sum() + own
            inflow[children] = whole * breadth[children] / total
            if own:
                shares[row] = whole / total
        return shares
