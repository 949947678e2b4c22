"""How good a match is: a score against what chance gives, on a scale that holds for any backbone.

A raw cosine says little. Text and picture vectors lie in two cones (the modality gap), some pictures are near
to every text, and 0.25 may be a perfect match with one backbone and noise with another. So::

    centre       u = unit(v - mean of its own modality)              closes the gap
    cosine       c = unit(Σ weight · u) · unit(x̂ - mean of pictures)
    per picture  z₁ = (c - mean) / std    of the same picture against everyday words
    per query    z₂ = (c - median) / std  of the same query against typical pictures; std of the space
    score        z = (z₁ + z₂) / 2        0 is chance, its unit a standard deviation

`z₁` is measured on the collection's own pictures, so it knows those that fit anything; `z₂` knows queries
that find anything. A dozen pictures suffice, and in a collection of nothing but dogs "dog" still scores high,
because no query is held against the collection's own scores for it. `strength` gives scores their names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sememe.errors import VectorError
from sememe.metrics.distance import unit_rows
from sememe.types import Embeddings

Kind: TypeAlias = Literal["text", "image"]
Floats32: TypeAlias = NDArray[np.float32]


class Term(NamedTuple):
    """One part of a query: a vector, what it is of, and how much it counts (below 0: less of it)."""

    vector: NDArray[np.floating]
    kind: Kind
    weight: float = 1.0


class Query(NamedTuple):
    """A query as a unit vector in the centred space, and the make-up its chance level depends on."""

    vector: Floats32
    parts: tuple[tuple[Kind, float, float], ...]
    """Kind, sum of weights, and sum of their squares, both in units of the length before normalising."""


@dataclass(frozen=True, eq=False)
class Background:
    """What chance looks like in one space: typical pictures and everyday words, centred."""

    means: dict[Kind, Floats32]
    samples: dict[Kind, Floats32]
    spreads: dict[Kind, float]
    """Standard deviation of the cosines of all samples of a kind with all typical pictures."""

    @classmethod
    def of(cls, *, images: Embeddings, texts: Embeddings | None = None) -> Background:
        """Take vectors (b, d) of typical pictures and, if there is a text encoder, (m, d) of everyday words.

        Raises
        ------
        VectorError
            Fewer than two rows, or two different dimensions.
        """
        given: dict[Kind, Embeddings] = (
            {"image": images} if texts is None else {"image": images, "text": texts}
        )
        if any(np.ndim(x) != 2 or len(x) < 2 or x.shape[1] != images.shape[1] for x in given.values()):
            raise VectorError("a background needs two vectors or more of each kind, all of one dimension")
        means = {kind: x.mean(axis=0, dtype=np.float64).astype(np.float32) for kind, x in given.items()}
        samples = {kind: unit_rows(x - means[kind]) for kind, x in given.items()}
        pairs = {kind: x @ samples["image"].T for kind, x in samples.items()}
        off_diagonal = ~np.eye(len(images), dtype=np.bool_)
        spreads = {
            kind: float((c[off_diagonal] if kind == "image" else c).std()) for kind, c in pairs.items()
        }
        return cls(means, samples, spreads)

    def centre(self, x: Embeddings, kind: Kind) -> Floats32:
        """Subtract the mean of vectors of that kind from (n, d) rows and scale them to unit length.

        Raises
        ------
        VectorError
            The space has no vectors of that kind, or another dimension.
        """
        mean = self.means.get(kind)
        if mean is None:
            raise VectorError(f"no {kind} vectors are known in this space, so {kind} cannot be compared")
        if np.ndim(x) != 2 or x.shape[1] != len(mean):
            raise VectorError(f"expected vectors of shape (n, {len(mean)}), got {np.shape(x)}")
        return unit_rows(np.asarray(x, np.float32) - mean)

    def query(self, terms: Iterable[Term]) -> Query:
        """Add up the centred terms, each times its weight.

        Raises
        ------
        VectorError
            The terms cancel out, or a term does not fit the space.
        """
        terms = list(terms)
        total = np.zeros(len(self.means["image"]), np.float32)
        for term in terms:
            total += np.float32(term.weight) * self.centre(np.atleast_2d(term.vector), term.kind)[0]
        length = float(np.linalg.norm(total))
        if length < 1e-6:
            raise VectorError("the terms of the query cancel out: nothing is left to look for")
        weights = {
            kind: np.array([t.weight for t in terms if t.kind == kind]) / length for kind in self.means
        }
        parts = tuple((kind, float(w.sum()), float(w @ w)) for kind, w in weights.items() if len(w))
        return Query(total / np.float32(length), parts)

    def cosines(self, queries: list[Query], x: Embeddings) -> Floats32:
        """Centred cosines (q, n) of every query with every picture vector (n, d), without calibration."""
        stacked = np.stack([query.vector for query in queries])
        cosines: Floats32 = stacked @ self.centre(x, "image").T
        return cosines

    def direction(self, query: Query) -> Floats32:
        """Direction (d,) along which centred pictures lie in nearly the order of their scores.

        A picture's mean cosine with the background is linear in the picture, so it can be taken off the query
        instead; only the spread, here that of typical pictures, differs from one picture to the next.
        """
        variance = common = 0.0
        mean = np.zeros_like(query.vector)
        for kind, total, square in query.parts:
            mean += np.float32(total) * self.samples[kind].mean(axis=0)
            variance += square * self._typical_variances[kind]
            common += square * self.spreads[kind] ** 2
        by_picture = (query.vector - mean) / _floor(np.sqrt(variance))
        direction: Floats32 = (by_picture + query.vector / _floor(np.sqrt(common))).astype(np.float32)
        return direction

    @cached_property
    def _typical_variances(self) -> dict[Kind, float]:
        """Variance of a typical picture's cosines with the background's vectors of each kind."""
        return {kind: float(self._chance(self.samples["image"], kind)[1].mean()) for kind in self.samples}

    def score(self, queries: list[Query], x: Embeddings) -> tuple[Floats32, Floats32]:
        """Score every query against every vector.

        Parameters
        ----------
        queries : list of q Query
        x : (n, d) float32
            Decoded picture vectors.

        Returns
        -------
        scores : (q, n) float32
            Calibrated: standard deviations above chance, the mean of the two views of it.
        cosines : (q, n) float32
            Centred cosines, in [-1, 1].
        """
        centred = self.centre(x, "image")
        stacked = np.stack([query.vector for query in queries])
        cosines = stacked @ centred.T
        middle = np.median(
            stacked @ self.samples["image"].T, axis=1
        )  # (q,), unmoved by pictures that do match
        null = {kind: self._chance(centred, kind) for kind in {part[0] for q in queries for part in q.parts}}
        scores = np.empty_like(cosines)
        for row, query in enumerate(queries):
            mean = sum(total * null[kind][0] for kind, total, _ in query.parts)
            variance = sum(square * null[kind][1] for kind, _, square in query.parts)
            common = sum(square * self.spreads[kind] ** 2 for kind, _, square in query.parts)
            by_picture = (cosines[row] - mean) / _floor(np.sqrt(variance))
            by_query = (cosines[row] - middle[row]) / _floor(np.sqrt(common))
            scores[row] = (by_picture + by_query) / 2
        return scores * _stretch(cosines), cosines

    def _chance(self, centred: Floats32, kind: Kind) -> tuple[Floats32, Floats32]:
        """Mean (n,) and variance (n,) of each picture's cosine with the background's vectors of a kind."""
        cosines = centred @ self.samples[kind].T  # (n, m)
        return cosines.mean(axis=1), cosines.var(axis=1)


def _stretch(cosines: Floats32) -> Floats32:
    """Factor by which a cosine counts for more the nearer it is to 1; 1.02 at .25, 1.2 at .7, 2.0 at .98.

    A random direction in D dimensions has a cosine above c with probability about (1 - c²)^(D/2). A normal
    variable is as rare at √(-D ln(1 - c²)), whereas c over its standard deviation 1/√D is only √D c: in a
    small space not even a copy of the query could be a strong match.
    """
    squares = np.clip(cosines.astype(np.float64) ** 2, 1e-9, 1 - 1e-6)
    factor: Floats32 = np.sqrt(-np.log1p(-squares) / squares).astype(np.float32)
    return factor


def _floor(std: Any) -> Any:
    """Keep a degenerate background (all alike) from dividing by nothing."""
    return np.maximum(std, 1e-3)
