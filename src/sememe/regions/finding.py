"""Where in a picture something is: the regions whose vectors a query fits best, each with its strength."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sememe.bitstream import Box
from sememe.metrics.calibration import Background, Query
from sememe.metrics.strength import Strength, strengths
from sememe.types import Embeddings

APART = 0.5
"""Intersection over union up to which two boxes are two finds."""


@dataclass(frozen=True, slots=True)
class Match:
    """How well one region, or the whole picture, fits a query."""

    box: Box
    score: float
    """Calibrated (`metrics.calibration`): standard deviations above chance."""
    strength: Strength
    """Given how many regions were compared (`metrics.strength`)."""
    nbytes: int
    """Of its code."""

    def to_json(self) -> dict[str, Any]:
        """Return ``{"box", "score", "strength", "nbytes"}``; edges as shares of width and height."""
        edges = [round(edge, 4) for edge in self.box.edges]
        return {
            "box": edges,
            "score": round(self.score, 4),
            "strength": self.strength,
            "nbytes": self.nbytes,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """What one query found in one picture."""

    text: str
    matches: tuple[Match, ...]
    """Regions and the whole picture, best first; of two that overlap by more than half the better one."""

    @property
    def best(self) -> Match:
        """The likeliest box, even if it is not likely."""
        return self.matches[0]

    @property
    def found(self) -> tuple[Match, ...]:
        """Those that are at least a weak match."""
        return tuple(match for match in self.matches if match.strength != "none")

    def to_json(self, top: int | None = None) -> dict[str, Any]:
        """Return ``{"text", "strength", "matches"}``, `top` matches at most."""
        return {
            "text": self.text,
            "strength": self.best.strength,
            "matches": [match.to_json() for match in self.matches[:top]],
        }


def find(
    text: str, query: Query, vectors: Embeddings, regions: Sequence[tuple[Box, int]], background: Background
) -> Finding:
    """Score one picture and every region of it for a query.

    Parameters
    ----------
    text : str
        What the query is called.
    query : Query
        Made by `background`.
    vectors : (1 + n, d) float32
        What the whole picture's code decodes to, then what those of n regions do; n at least 1.
    regions : sequence of (Box, int)
        The whole picture and n regions: box, and bytes of the code.
    background : Background
        Of the space of the vectors.

    Returns
    -------
    Finding
    """
    scores = background.score([query], vectors)[0][0]
    names = strengths(scores)
    matches = [
        Match(box, float(score), name, nbytes)
        for (box, nbytes), score, name in zip(regions, scores, names, strict=True)
    ]
    return Finding(text, tuple(_apart(sorted(matches, key=lambda match: -match.score))))


def _apart(matches: Sequence[Match]) -> list[Match]:
    """Leave out matches that overlap a better one: non-maximum suppression."""
    kept: list[Match] = []
    for match in matches:
        if all(match.box.overlap(other.box) <= APART for other in kept):
            kept.append(match)
    return kept
