"""What a report shows, as plain immutable data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ScoredLabel:
    """One label of a picture: its words, probability among the candidates, and calibrated strength."""

    text: str
    score: float
    strength: str  # strong, weak or none


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture, its code, and what is left of it at each length.

    `fidelity` and `labels` have one entry per length in bytes; `rivals` maps a codec's name to the bytes of
    its smallest file of the whole picture, `thumbnails` to those of a 32-pixel thumbnail.
    """

    name: str
    width: int
    height: int
    code: bytes
    thumbnail: bytes | None  # a JPEG, for the reader's eyes only; None if there is none
    fidelity: Mapping[int, float]
    labels: Mapping[int, Sequence[ScoredLabel]]
    rivals: Mapping[str, int] = field(default_factory=dict)
    thumbnails: Mapping[str, int] = field(default_factory=dict)
    card: bool = True  # whether it is shown with its code, or only where a search finds it

    @property
    def pixels(self) -> int:
        """Number of pixels of the original."""
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result: which photo (index into the report's), how well, how sure."""

    photo: int
    score: float
    strength: str


@dataclass(frozen=True, slots=True)
class Search:
    """One query and its ranked results at each length in bytes."""

    query: str
    hits: Mapping[int, Sequence[Hit]]


@dataclass(frozen=True, slots=True)
class Place:
    """One picture on the map: a point of the unit square and the word that fits it, if one does."""

    x: float
    y: float
    label: str | None


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes of an archive's file, and of the originals: counted (`exact`), or estimated from a sample."""

    file: int
    originals: int | None
    exact: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A whole page; `levels` are the code lengths in bytes, ascending, the last one being what is kept."""

    profile_id: str
    version: str
    levels: Sequence[int]
    photos: Sequence[Photo]
    searches: Sequence[Search] = ()
    candidates: Sequence[str] = ()  # the label words that were offered
    notes: Sequence[str] = ()
    images: int | None = None  # in the whole archive, if the photos are a sample of it
    reference: str = "the original"  # what `Photo.fidelity` compares with
    places: Sequence[Place] = ()
    sizes: Sizes | None = None

    @property
    def cards(self) -> Sequence[Photo]:
        """The photos that are shown with their codes."""
        return [photo for photo in self.photos if photo.card]

    @property
    def total(self) -> int:
        """Number of images that the page speaks of."""
        return len(self.cards) if self.images is None else self.images
