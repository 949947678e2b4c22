"""One bit a direction: signs of rotated principal coefficients, decoded by least squares.

::

    x - mean ──principal directions──► 8 n numbers ──rotation──► signs ──► n bytes
                                           x̂ - mean ◄── least squares ──┘
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sememe.evaluate.coder import Length, Note, Training
from sememe.evaluate.coders.centred import Centred, principal, random_rotation
from sememe.evaluate.coders.fixed import FixedFitted, FixedTrained, FloatTables
from sememe.types import Codes

__all__ = ["Itq", "Sign", "learned_rotation"]

Floats = NDArray[np.float32]
Turn = Callable[[Floats, np.random.Generator], Floats]
"""Principal coefficients (n, k) and a generator to a rotation (k, k)."""

_RIDGE = 1e-3
"""Of the least-squares decoder, as a share of the vectors: settles bits that never change."""


class Sign:
    """Signs of the leading principal coefficients after a random rotation: "binary" embeddings, centred.

    Source: Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002; the
    least-squares decoder is ours.
    """

    name = "sign"
    title = "signs, random rotation of principal directions"
    length: Length = "fixed"
    source = "Charikar, STOC 2002"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Up to one bit a dimension."""
        return _rates(dim)

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Keep the vectors; directions and decoder are fitted for each rate."""
        centred = Centred.of(training)
        return FixedTrained(self, centred.dim, lambda nbytes, _: _fit(centred, nbytes, _turn_at_random))


class Itq:
    """Signs after the rotation that brings principal coefficients nearest to the corners of a cube.

    Source: Gong, Lazebnik, "Iterative quantization: a Procrustean approach to learning binary codes", CVPR
    2011; the least-squares decoder is ours.
    """

    name = "itq"
    title = "ITQ signs, least-squares decoder"
    length: Length = "fixed"
    source = "Gong and Lazebnik, CVPR 2011"

    def rates(self, dim: int) -> tuple[float, ...] | None:
        """Up to one bit a dimension."""
        return _rates(dim)

    def train(self, training: Training, note: Note = lambda _: None) -> FixedTrained:
        """Keep the vectors; directions, rotation and decoder are fitted for each rate."""
        centred = Centred.of(training)
        return FixedTrained(self, centred.dim, lambda nbytes, _: _fit(centred, nbytes, learned_rotation))


def learned_rotation(coefficients: Floats, rng: np.random.Generator, rounds: int = 50) -> Floats:
    """Rotation (k, k) R that makes ``coefficients @ R.T`` look most like its own signs.

    Signs and rotation are found in turns, the rotation by an orthogonal Procrustes problem, from a random
    start, on 10,000 vectors at most.
    """
    rows = coefficients[rng.permutation(len(coefficients))[:10_000]]
    rotation = random_rotation(coefficients.shape[1], rng)
    for _ in range(rounds):
        left, _, right = np.linalg.svd(_signs(rows @ rotation.T).T @ rows, full_matrices=False)
        rotation = (left @ right).astype(np.float32)
    return rotation


def _turn_at_random(coefficients: Floats, rng: np.random.Generator) -> Floats:
    return random_rotation(coefficients.shape[1], rng)


def _rates(dim: int) -> tuple[float, ...]:
    return tuple(float(n) for n in range(1, dim // 8 + 1))


def _fit(centred: Centred, nbytes: int, turn: Turn) -> FixedFitted:
    basis, _ = principal(centred.rows, 8 * nbytes)
    rotation = turn(centred.rows @ basis.T, np.random.default_rng(centred.seed))
    projection = rotation @ basis

    def encode(rows: Floats) -> Codes:
        return np.packbits(rows @ projection.T >= 0, axis=1)

    tables = _least_squares(_signs(centred.rows @ projection.T), centred.rows)
    return FixedFitted(nbytes, tables, encode, _decode, centred, symbols=_bits, alphabet=2)


def _least_squares(signs: Floats, rows: Floats) -> FloatTables:
    """Directions (k, d) and offset (d,) that give rows (n, d) back from signs (n, k) with the least error."""
    middle = signs.mean(axis=0, dtype=np.float64)
    free = signs - middle
    square = free.T @ free + _RIDGE * len(free) * np.eye(signs.shape[1])
    directions = np.linalg.solve(square, free.T @ rows)
    return {
        "directions": directions.astype(np.float32),
        "offset": (-middle @ directions).astype(np.float32),
    }


def _decode(tables: FloatTables, codes: Codes) -> Floats:
    rows: Floats = _signs(_bits(codes) - np.float32(0.5)) @ tables["directions"] + tables["offset"]
    return rows


def _bits(codes: Codes) -> NDArray[np.integer]:
    bits: NDArray[np.integer] = np.unpackbits(codes, axis=1)
    return bits


def _signs(values: NDArray[np.floating]) -> Floats:
    """1 and -1; 0 counts as positive."""
    return np.where(values >= 0, np.float32(1), np.float32(-1))
