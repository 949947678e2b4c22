"""Pictures made of several photographs, so that where each thing is to be found is known exactly.

Three layouts: two photographs side by side, two one above the other, and two pasted at random sizes and
places onto a third. All that is random comes from one seeded generator.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

#: Side in pixels of the pictures pasted onto, and the least and greatest long side of what is pasted.
GROUND, SMALLEST, LARGEST = 320, 110, 190


class Photo(NamedTuple):
    """A photograph and what it shows."""

    image: Image.Image
    concept: str


class Thing(NamedTuple):
    """What one photograph of a composite shows, and where: edges as shares of width and height."""

    concept: str
    edges: tuple[float, float, float, float]


class Composite(NamedTuple):
    """One picture, its layout, and the two things to be pointed at."""

    image: Image.Image
    layout: str
    things: tuple[Thing, Thing]


def load_photos(folder: Path, sources: Sequence[str]) -> dict[str, list[tuple[bytes, str]]]:
    """Read the JPEGs and concepts of some sources, by source."""
    from pyarrow import parquet

    found: dict[str, list[tuple[bytes, str]]] = {source: [] for source in sources}
    for path in sorted(folder.glob("train-*.parquet")):
        for row in parquet.read_table(path, columns=["source", "concept", "jpg"]).to_pylist():
            if row["source"] in found and row["concept"]:
                found[row["source"]].append((row["jpg"], row["concept"]))
    if not all(found.values()):
        raise SystemExit(f"no pictures of {', '.join(s for s, f in found.items() if not f)} in {folder}")
    return found


def composites(
    photos: dict[str, list[tuple[bytes, str]]], count: int, *, seed: int = 0
) -> Iterator[Composite]:
    """Make `count` composites of each layout; each source is drawn from alike, and concepts differ."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        for make in LAYOUTS.values():
            yield make(_draw(photos, 3, rng), rng)


def _draw(photos: dict[str, list[tuple[bytes, str]]], n: int, rng: np.random.Generator) -> list[Photo]:
    drawn: list[Photo] = []
    while len(drawn) < n:
        pool = photos[list(photos)[rng.integers(len(photos))]]
        jpg, concept = pool[rng.integers(len(pool))]
        if not any(_alike(concept, other.concept) for other in drawn):
            drawn.append(Photo(Image.open(io.BytesIO(jpg)).convert("RGB"), concept))
    return drawn


def _alike(one: str, other: str) -> bool:
    """Whether two names share a word, as "street" and "city street" do."""
    return bool(set(one.lower().split()) & set(other.lower().split()))


def _beside(photos: list[Photo], rng: np.random.Generator) -> Composite:
    """Join two at their height."""
    height = min(photo.image.height for photo in photos[:2])
    parts = [p.image.resize((round(p.image.width * height / p.image.height), height)) for p in photos[:2]]
    joint, split = Image.new("RGB", (sum(p.width for p in parts), height)), parts[0].width
    joint.paste(parts[0], (0, 0))
    joint.paste(parts[1], (split, 0))
    boxes = (0.0, 0.0, split / joint.width, 1.0), (split / joint.width, 0.0, 1.0, 1.0)
    return Composite(joint, "beside", _things(photos, boxes))


def _above(photos: list[Photo], rng: np.random.Generator) -> Composite:
    """Join two at their width."""
    turned = [Photo(p.image.transpose(Image.Transpose.TRANSPOSE), p.concept) for p in photos]
    joint = _beside(turned, rng)
    things = [Thing(t.concept, (t.edges[1], t.edges[0], t.edges[3], t.edges[2])) for t in joint.things]
    return Composite(joint.image.transpose(Image.Transpose.TRANSPOSE), "above", (things[0], things[1]))


def _pasted(photos: list[Photo], rng: np.random.Generator) -> Composite:
    """Paste two onto the third where they do not touch."""
    ground = photos[2].image
    ground = ground.resize([round(GROUND * side / min(ground.size)) for side in ground.size])
    while True:
        sizes = [_scaled(photo.image, rng.uniform(SMALLEST, LARGEST)) for photo in photos[:2]]
        places = [
            [int(rng.integers(0, room - side + 1)) for room, side in zip(ground.size, size, strict=True)]
            for size in sizes
        ]
        boxes = [(*place, *np.add(place, size).tolist()) for place, size in zip(places, sizes, strict=True)]
        if _apart(*boxes):
            break
    for photo, box, size in zip(photos[:2], boxes, sizes, strict=True):
        ground.paste(photo.image.resize(size, Image.Resampling.BICUBIC), box[:2])
    scale = (*ground.size, *ground.size)
    shares = [tuple(edge / side for edge, side in zip(box, scale, strict=True)) for box in boxes]
    return Composite(ground, "pasted", _things(photos, shares))


def _scaled(image: Image.Image, longest: float) -> tuple[int, int]:
    factor = longest / max(image.size)
    return round(image.width * factor), round(image.height * factor)


def _apart(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two boxes in pixels share none."""
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def _things(photos: list[Photo], boxes: Sequence[Sequence[float]]) -> tuple[Thing, Thing]:
    first, second = (
        Thing(photo.concept, (box[0], box[1], box[2], box[3]))
        for photo, box in zip(photos[:2], boxes, strict=True)
    )
    return first, second


LAYOUTS = {"beside": _beside, "above": _above, "pasted": _pasted}
