"""What judges regions: composites with their vectors, what a budget buys of one, and a tally."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from composites import Composite, Thing, composites
from sememe import Codec, bitstream
from sememe.bitstream import WHOLE, Box, Record, Region
from sememe.bitstream.regions import HEAD
from sememe.metrics import wilson
from sememe.metrics.calibration import Query, Term
from sememe.regions import crop, decode_regions, put_regions, windows
from sememe.regions.budget import Choices, spend
from sememe.regions.prediction import COEFFICIENT
from sememe.regions.record import offer
from sememe.types import Backbone, Codes

#: Number of the profile that ships, whose files are counted, and bytes of the whole picture's code.
NUMBER, NBYTES = 5, 16
#: Bytes that regions may add to a file, and how many of them at most.
BUDGETS = {48: 4, 96: 6, 192: 12}

Vectors = NDArray[np.float32]
Chosen = Sequence[tuple[int, int]]
"""Rows of windows and bytes of their codes."""


class Scene(NamedTuple):
    """A composite, its windows, and the vectors of the whole and of each window."""

    composite: Composite
    boxes: list[Box]
    vectors: Vectors


@dataclass
class Tally:
    """What one way of coding reached: a row for each thing, or for each file."""

    right: list[bool] = field(default_factory=list)
    layouts: list[str] = field(default_factory=list)
    overlaps: list[float] = field(default_factory=list)
    chances: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)

    def add(self, scene: Scene, boxes: Sequence[Box], scores: Vectors, nbytes: int) -> None:
        """Judge the best box, by scores (2, 1 + n), for each of the two things; the first is the whole."""
        self.files.append(nbytes)
        self.kept.append(len(boxes) - 1)
        for thing, row in zip(scene.composite.things, scores, strict=True):
            best = boxes[int(row.argmax())]
            self.right.append(_inside(best, thing))
            self.overlaps.append(_overlap(best, thing))
            self.chances.append(float(np.mean([_inside(box, thing) for box in boxes])))
            self.layouts.append(scene.composite.layout)

    def figures(self) -> dict[str, Any]:
        """Shares in percent, and bytes an image."""
        right, layouts = np.array(self.right), np.array(self.layouts)
        low, high = wilson(float(right.mean()), len(right))
        return {
            "pointing": _percent(right.mean()),
            "interval": [_percent(low), _percent(high)],
            "any_box": _percent(np.mean(self.chances)),
            **{name: _percent(right[layouts == name].mean()) for name in dict.fromkeys(self.layouts)},
            "iou": round(float(np.mean(self.overlaps)), 3),
            "regions": round(float(np.mean(self.kept)), 1),
            "bytes": round(float(np.mean(self.files)), 1),
            "bytes_least_and_most": [min(self.files), max(self.files)],
        }


@dataclass(frozen=True, eq=False)
class Offer:
    """What a budget can buy of one scene: every window at each length, beside the whole picture's record."""

    record: Record
    choices: Choices
    codes: Codes

    def spent(self, budget: int, **settings: float) -> Chosen:
        """Spend a budget, out of which the end of the extensions and the aspect ratio are paid, too."""
        return spend(self.choices, budget - 4, BUDGETS[budget], **settings)

    def even(self, rows: Iterable[int], budget: int) -> Chosen:
        """Give these windows the same length each, the longest that fits."""
        rows = list(rows)
        room = (budget - 6) // len(rows) - HEAD
        return [(row, max(n for n in self.choices.lengths if n <= room)) for row in rows]

    def file(self, chosen: Chosen) -> Record:
        """Record with these windows as its regions."""
        regions = [Region(self.choices.boxes[row], self.codes[row, :n].tobytes()) for row, n in chosen]
        return put_regions(self.record, regions)

    def decoded(self, chosen: Chosen) -> Vectors:
        """Vectors (n, d) that a reader of the file gets."""
        steps = [list(self.choices.lengths).index(n) for _, n in chosen]
        return self.choices.estimates[steps, [row for row, _ in chosen]]


class Judge:
    """One part: the variant that never saw it, with its profile, and the part's photographs."""

    def __init__(self, codec: Codec, photos: Mapping[str, list[tuple[bytes, str]]], kept: Path) -> None:
        self.codec, self.photos, self.kept = codec, dict(photos), kept
        self.background = codec.space.background(("{}",))
        self._queries: dict[str, Query] = {}

    @property
    def backbone(self) -> Backbone:
        """The variant."""
        return self.codec.backbone

    def scenes(self, count: int) -> Iterator[Scene]:
        """Make composites, `count` of each layout; vectors that an earlier run kept are not made again."""
        known = iter(np.load(self.kept)) if self.kept.exists() else None
        made = []
        for composite in composites(self.photos, count):
            boxes = windows(*composite.image.size)
            if known is None:
                crops = [composite.image, *(crop(composite.image, box) for box in boxes)]
                vectors = self.backbone.embed_images(crops)
            else:
                vectors = np.stack([next(known) for _ in range(len(boxes) + 1)])
            made.append(vectors)
            yield Scene(composite, boxes, vectors)
        if known is None:
            np.save(self.kept, np.concatenate(made))

    def offer(self, scene: Scene, coefficient: float = COEFFICIENT) -> Offer:
        """Code the whole picture and every window."""
        profile, x = self.codec.profile, scene.vectors[1:]
        code = profile.encode(scene.vectors[:1], NBYTES)[0].tobytes()
        record = Record(NUMBER, b"", code, (bitstream.aspect_ratio(*scene.composite.image.size),))
        return Offer(record, *offer(profile, code, scene.boxes, x, coefficient=coefficient))

    def look(self, tally: Tally, scene: Scene, offered: Offer, chosen: Chosen) -> None:
        """Point at both things from the regions of a file."""
        boxes = [WHOLE, *(offered.choices.boxes[row] for row, _ in chosen)]
        scores = self.scores(scene, np.stack([offered.choices.whole, *offered.decoded(chosen)]))
        tally.add(scene, boxes, scores, len(bitstream.pack(offered.file(chosen))))

    def read(self, tally: Tally, scene: Scene, record: Record) -> None:
        """Point at both things as a reader does who has nothing but the file."""
        data = bitstream.pack(record)
        vectors, regions = decode_regions(self.codec.profile, bitstream.parse(data))
        tally.add(scene, [box for box, _ in regions], self.scores(scene, vectors), len(data))

    def scores(self, scene: Scene, vectors: Vectors) -> Vectors:
        """Calibrated scores (2, n) of the names of both things."""
        names = [thing.concept for thing in scene.composite.things]
        for name in names:
            if name not in self._queries:
                term = Term(self.backbone.embed_texts([name])[0], "text")
                self._queries[name] = self.background.query([term])
        return self.background.score([self._queries[name] for name in names], vectors)[0]


def joined(tallies: Iterable[Tally]) -> Tally:
    """All rows of several tallies."""
    whole = Tally()
    for tally in tallies:
        for name, rows in vars(tally).items():
            getattr(whole, name).extend(rows)
    return whole


def _inside(box: Box, thing: Thing) -> bool:
    left, top, right, bottom = thing.edges
    x, y = box.centre
    return left <= x <= right and top <= y <= bottom


def _overlap(box: Box, thing: Thing) -> float:
    """Intersection over union."""
    one, other = box.edges, thing.edges
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    return width * height / (_area(one) + _area(other) - width * height)


def _area(edges: tuple[float, float, float, float]) -> float:
    return (edges[2] - edges[0]) * (edges[3] - edges[1])


def _percent(share: float) -> float:
    return round(100 * float(share), 1)
