"""What a caption is: a sentence, and each claim in it with the share of such claims that are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["concept", "setting", "style"]
Strength = Literal["strong", "weak", "none"]

SURE = 0.8
"""Claims of at least this confidence are made without *probably*."""

LIKELY = 0.5
"""No claim is made that is not more likely right than wrong."""

NO_IDEA = "no idea"
"""What is said of a picture of which nothing is sure enough."""


def strength_of(confidence: float) -> Strength:
    """Name a confidence: strong from 0.8, weak from 0.5."""
    if confidence >= SURE:
        return "strong"
    return "weak" if confidence >= LIKELY else "none"


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a caption says."""

    kind: Kind
    word: str
    phrase: str
    """How the caption says it: ``a dog``, ``on a beach``."""
    confidence: float
    """Share of such claims that are right."""

    @property
    def strength(self) -> Strength:
        """Strong, weak or none."""
        return strength_of(self.confidence)

    def to_json(self) -> dict[str, Any]:
        """Return ``{"kind", "word", "confidence", "strength"}``."""
        fields = {"kind": self.kind, "word": self.word, "confidence": round(self.confidence, 3)}
        return fields | {"strength": self.strength}


@dataclass(frozen=True, slots=True)
class Caption:
    """One caption of one picture."""

    text: str
    confidence: float | None
    """Of its most special concept; None if nobody measured how often such captions are right."""
    claims: tuple[Claim, ...] = ()

    @property
    def strength(self) -> Strength | None:
        """Of its confidence; None where that is None."""
        return None if self.confidence is None else strength_of(self.confidence)

    def to_json(self) -> dict[str, Any]:
        """Return ``{"caption", "confidence", "strength", "claims"}``."""
        return {
            "caption": self.text,
            "confidence": None if self.confidence is None else round(self.confidence, 3),
            "strength": self.strength,
            "claims": [claim.to_json() for claim in self.claims],
        }
