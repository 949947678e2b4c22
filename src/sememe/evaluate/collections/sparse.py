"""Dictionaries: atoms learned from a collection, and every vector as a sum of a few of them.

::

    x ≈ unit(a₁ + w₂ a₂ + …),   w in a few levels, all positive

Everything stays an addition of meanings: atoms are unit vectors near those of pictures, so whatever codes
pictures codes them. Sources: Mallat and Zhang, "Matching pursuits with time-frequency dictionaries", 1993
(greedy choice of terms); Engan et al., "Method of optimal directions for frame design", 1999 (atoms by least
squares).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sememe.metrics import unit_rows
from sememe.types import Embeddings

__all__ = ["LEVELS", "Sums", "learn_atoms", "pursue"]

LEVELS = np.array([0.25, 0.5, 0.75, 1.0], np.float32)
_HOLD = 1.0  # in vectors: how much an atom keeps to its place in a round


@dataclass(frozen=True, eq=False)
class Sums:
    """Vectors as sums of atoms.

    Attributes
    ----------
    atoms
        (n, terms) int64, which ones.
    levels
        (n, terms - 1) int64, places in `LEVELS` of the weights of all but the first.
    """

    atoms: NDArray[np.int64]
    levels: NDArray[np.int64]

    @property
    def weights(self) -> NDArray[np.float32]:
        """(n, terms) float32; the first is 1."""
        first = np.ones((len(self.atoms), 1), np.float32)
        return np.concatenate([first, LEVELS[self.levels]], axis=1)

    def vectors(self, dictionary: Embeddings) -> Embeddings:
        """Unit rows (n, d) that they are, by the atoms (A, d) of a dictionary."""
        made = np.zeros((len(self.atoms), dictionary.shape[1]), np.float32)
        for atom, weight in zip(self.atoms.T, self.weights.T, strict=True):
            made += weight[:, None] * dictionary[atom]
        return unit_rows(made)


def pursue(x: Embeddings, dictionary: Embeddings, terms: int) -> Sums:
    """Choose terms one after another, each so that the cosine becomes as large as it can.

    Parameters
    ----------
    x
        (n, d) unit rows.
    dictionary
        (A, d) unit rows.
    terms
        Atoms in a sum, 1 or more; one atom may come twice.
    """
    matches, among = x @ dictionary.T, dictionary @ dictionary.T
    first = matches.argmax(axis=1)
    atoms, levels = [first], []
    rows = np.arange(len(x))
    match, products, square = matches[rows, first], among[first], np.ones(len(x), np.float32)
    for _ in range(terms - 1):
        best, chosen, level = np.full(len(x), -np.inf, np.float32), first, np.zeros(len(x), np.int64)
        for place, weight in enumerate(LEVELS):
            lengths = np.sqrt(np.maximum(square[:, None] + 2 * weight * products + weight**2, 1e-6))
            cosines = (match[:, None] + weight * matches) / lengths
            atom = cosines.argmax(axis=1)
            better = cosines[rows, atom] > best
            best = np.where(better, cosines[rows, atom], best)
            chosen, level = np.where(better, atom, chosen), np.where(better, place, level)
        weight = LEVELS[level]
        square = square + 2 * weight * products[rows, chosen] + weight**2
        match, products = match + weight * matches[rows, chosen], products + weight[:, None] * among[chosen]
        atoms.append(chosen)
        levels.append(level)
    return Sums(np.stack(atoms, axis=1), np.stack([*levels, first], axis=1)[:, : terms - 1])


def learn_atoms(x: Embeddings, count: int, terms: int, *, rounds: int = 8, seed: int = 0) -> Embeddings:
    """Learn a dictionary from the vectors that it will describe.

    Parameters
    ----------
    x
        (n, d) unit rows, n >= count.
    count, terms
        Atoms, and how many make a sum.
    rounds
        Alternations of choosing terms and moving atoms; the first half with one term each.
    seed
        Of the vectors that are the first atoms.

    Returns
    -------
    (count, d) unit rows.
    """
    rng = np.random.default_rng(seed)
    atoms = x[np.sort(rng.permutation(len(x))[:count])].copy()
    for step in range(rounds):
        sums = pursue(x, atoms, terms if 2 * step >= rounds else 1)
        mix = np.zeros((len(x), count), np.float32)
        np.add.at(mix, (np.arange(len(x))[:, None], sums.atoms), sums.weights)
        plain = mix @ atoms
        mix *= ((plain * x).sum(axis=1) / np.square(plain).sum(axis=1))[:, None]
        wide = mix.astype(np.float64)
        moved = np.linalg.solve(wide.T @ wide + _HOLD * np.eye(count), wide.T @ x + _HOLD * atoms)
        lost = ~(mix > 0).any(axis=0)
        worst = np.argsort((x * unit_rows(plain)).sum(axis=1), kind="stable")
        moved[lost] = x[worst[: lost.sum()]]
        atoms = unit_rows(moved.astype(np.float32))
    return atoms
