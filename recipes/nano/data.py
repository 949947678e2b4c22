"""The training pictures: Parquet shards of small JPEGs, and the views cut from them.

A *view* is one square of every picture: view 0 is the centre square (what the runtime sees), the next are
random crops, and the last are random crops blended with, or pasted into, another picture's. Teacher and
student see the same square, so the teacher is consistent.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

STUDENT_SIDE = 112
TEACHER_SIDE = 224
Squares: TypeAlias = tuple[np.ndarray, np.ndarray]

VIEWS = (0, 1, 2, 3, 4, 5)
MIXED_VIEWS = (4, 5)

#: Whole sources that a variant of the student never sees: what it is tested on. The parts share no source.
PARTS = {
    "a": ("imagenet_sample", "intel_scenes", "pacs_photo", "dogcat_small", "corel1k"),
    "b": ("caltech101", "pacs_cartoon"),
    "c": ("pacs_art_painting", "pacs_sketch"),
}


@dataclass(frozen=True)
class Pictures:
    """Columns of the whole collection, row-aligned."""

    source: np.ndarray
    concept: np.ndarray
    shard: np.ndarray

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.source)


def shards(folder: Path) -> list[Path]:
    """List the Parquet shards in order."""
    found = sorted(folder.glob("train-*.parquet"))
    if not found:
        raise SystemExit(f"no train-*.parquet in {folder}: pass --images")
    return found


def read_pictures(folder: Path) -> Pictures:
    """Read what is said of the pictures, without the JPEGs."""
    columns: dict[str, list[str]] = {"source": [], "concept": []}
    shard: list[int] = []
    for i, path in enumerate(shards(folder)):
        table = pq.read_table(path, columns=list(columns))
        for name in columns:
            columns[name] += [text or "" for text in table[name].to_pylist()]
        shard += [i] * table.num_rows
    return Pictures(**{name: np.array(column) for name, column in columns.items()}, shard=np.array(shard))


def read_jpegs(path: Path) -> list[bytes]:
    """Read the JPEGs of one shard."""
    return pq.read_table(path, columns=["jpg"])["jpg"].to_pylist()


def centre_box(width: int, height: int) -> tuple[float, float, float, float]:
    """Return the largest centred square."""
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    return left, top, left + side, top + side


def random_box(width: int, height: int, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Return a random crop: 25 to 100 % of the area, aspect ratio 3:4 to 4:3 (squashed to a square)."""
    for _ in range(10):
        area = width * height * rng.uniform(0.25, 1.0)
        ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if w <= width and h <= height:
            left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
            return left, top, left + w, top + h
    return centre_box(width, height)


def left_out(names: Sequence[str]) -> list[str]:
    """Return the sources that parts and names of sources stand for."""
    return [source for name in names for source in PARTS.get(name, (name,))]


def part_of(source: str) -> str:
    """Return the part of `PARTS` that a source belongs to, or an empty text."""
    return next((part for part, sources in PARTS.items() if source in sources), "")


def cut(jpg: bytes, view: int, rng: np.random.Generator) -> Squares:
    """Cut one square from a picture at the sides of the student and of the teacher.

    Returns
    -------
    tuple of numpy.ndarray
        uint8 (112, 112, 3) and uint8 (224, 224, 3) of the same square.
    """
    image = Image.open(io.BytesIO(jpg)).convert("RGB")
    box = centre_box(*image.size) if view == 0 else random_box(*image.size, rng)
    small = image.resize((STUDENT_SIDE, STUDENT_SIDE), Image.Resampling.BICUBIC, box=box)
    large = image.resize((TEACHER_SIDE, TEACHER_SIDE), Image.Resampling.BICUBIC, box=box)
    return np.asarray(small), np.asarray(large)


def blend(one: Squares, other: Squares, rng: np.random.Generator) -> Squares:
    """Blend two squares all over, or paste a rectangle of the other into the one, alike at both sides."""
    if rng.random() < 0.5:
        share = rng.uniform(0.3, 0.7)
        mixed = [a * share + b * (1 - share) for a, b in zip(one, other, strict=True)]
        return mixed[0].round().astype(np.uint8), mixed[1].round().astype(np.uint8)
    height, width = rng.integers(STUDENT_SIDE // 2, STUDENT_SIDE * 7 // 8, size=2)
    top, left = rng.integers(0, STUDENT_SIDE - height), rng.integers(0, STUDENT_SIDE - width)
    pasted = [a.copy() for a in one]
    for scale, to, a in zip((1, TEACHER_SIDE // STUDENT_SIDE), pasted, other, strict=True):
        box = np.s_[top * scale : (top + height) * scale, left * scale : (left + width) * scale]
        to[box] = a[box]
    return pasted[0], pasted[1]


def cut_shard(images: Path, shard: int, view: int) -> Iterator[Squares]:
    """Cut one view of every picture of a shard; only pictures of one part are ever mixed with each other."""
    rng = np.random.default_rng([view, shard])
    path = shards(images)[shard]
    jpegs = read_jpegs(path)
    if view not in MIXED_VIEWS:
        yield from (cut(jpg, view, rng) for jpg in jpegs)
        return
    part = np.array([part_of(s) for s in pq.read_table(path, columns=["source"])["source"].to_pylist()])
    fellows = {p: np.flatnonzero(part == p) for p in set(part.tolist())}
    for i, jpg in enumerate(jpegs):
        other = jpegs[rng.choice(fellows[str(part[i])])]
        yield blend(cut(jpg, view, rng), cut(other, view, rng), rng)
