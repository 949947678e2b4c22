"""An archive as a map: a place and a word for each picture, and clusters that bear names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sememe import index
from sememe.api.sources import read_source
from sememe.archive import Archive, Item
from sememe.errors import InputError
from sememe.zeroshot import EVERYDAY, TEMPLATE

if TYPE_CHECKING:
    from sememe.api.codec import Codec

__all__ = ["POINTS", "Cluster", "Map", "Point", "make_map"]

POINTS = 3_000
"""Pictures on a map, unless all are asked for: an even sample of a larger archive."""

MOST_CLUSTERS = 12

NAMED = 1 / 4
"""Share of a cluster's pictures, and two of them at least, that one word must fit to be its name."""


@dataclass(frozen=True, slots=True)
class Point:
    """One picture."""

    item: Item
    x: float
    y: float
    """Place in the unit square, y downwards."""
    word: str | None
    """The label that fits best; None if none does."""
    cluster: int

    def to_json(self) -> dict[str, Any]:
        """Return ``{"path", "x", "y", "word", "cluster"}``."""
        return {"path": self.item.path, "x": self.x, "y": self.y, "word": self.word, "cluster": self.cluster}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Pictures that mean alike."""

    name: str | None
    """The word that fits most of its pictures, if it fits a quarter of them and more than one."""
    share: float
    """How many it fits: that word, or the most frequent one if none is frequent enough."""
    count: int
    x: float
    y: float
    """Median place of its pictures."""

    def to_json(self) -> dict[str, Any]:
        """Return ``{"name", "share", "count", "x", "y"}``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Map:
    """An archive, or an even sample of it."""

    images: int
    """Pictures of the archive."""
    points: tuple[Point, ...]
    clusters: tuple[Cluster, ...]
    """The largest first; `Point.cluster` counts them."""

    def to_json(self) -> dict[str, Any]:
        """Return ``{"images", "clusters", "points"}``."""
        return {
            "images": self.images,
            "clusters": [cluster.to_json() for cluster in self.clusters],
            "points": [point.to_json() for point in self.points],
        }


def make_map(
    codec: Codec,
    archive: str | Path,
    *,
    labels: str | Iterable[str] | None = None,
    template: str | Sequence[str] | None = None,
    clusters: int | None = None,
    everything: bool = False,
) -> Map:
    """Lay an archive out in a plane.

    Parameters
    ----------
    codec : Codec
        Of the archive's profile; its text encoder is used.
    archive : str or Path
    labels, template : as in `Codec.classify`
        Words to choose from; everyday words if not given.
    clusters : int, optional
        How many at most; by the number of pictures if not given, at most 12.
    everything : bool
        No sample, however large the archive is; work grows with the square of its size.

    Raises
    ------
    InputError
        The archive holds no code.
    """
    with Archive.open(archive) as opened, opened.snapshot():
        source = read_source(opened, codec.profile)
        total = len(source)
        if not total:
            raise InputError(f"{archive}: holds no codes, so there is nothing to lay out")
        count = total if everything else min(total, POINTS)
        rows = np.unique(np.linspace(0, total - 1, count).astype(np.int64))
        items = _items(opened, rows)
    x = source[rows]
    classifier = codec.space.classifier(EVERYDAY if labels is None else labels, template or TEMPLATE)
    words = [
        None if one.none else one.best.label
        for some in index.chunks(len(x), 1024)
        for one in classifier.classify(x[some])
    ]
    centred = classifier.background.centre(x, "image")
    places = index.lay_out(centred).round(4)
    members = index.gather(centred, clusters or _how_many(len(x)))
    points = tuple(
        Point(item, across, down, word, cluster)
        for item, (across, down), word, cluster in zip(
            items, places.tolist(), words, members.tolist(), strict=True
        )
    )
    found = tuple(_cluster(words, places, members == one) for one in range(int(members.max()) + 1))
    return Map(total, points, found)


def _items(archive: Archive, rows: NDArray[np.int64]) -> list[Item]:
    wanted = set(rows.tolist())
    return [item for row, item in enumerate(archive.items("ok")) if row in wanted]


def _how_many(n: int) -> int:
    return max(1, min(MOST_CLUSTERS, int(n**0.5 / 2)))


def _cluster(words: Sequence[str | None], places: NDArray[np.float64], inside: NDArray[np.bool_]) -> Cluster:
    rows = np.flatnonzero(inside).tolist()
    fitting = Counter(word for row in rows if (word := words[row]) is not None)
    word, count = fitting.most_common(1)[0] if fitting else (None, 0)
    share = count / len(rows)
    named = share >= NAMED and count >= min(2, len(rows))
    x, y = np.median(places[rows], axis=0).round(4).tolist()
    return Cluster(word if named else None, round(share, 4), len(rows), x, y)
