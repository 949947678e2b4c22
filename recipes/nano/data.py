"""The training pictures: Parquet shards of small JPEGs, and the views cut from them.

A *view* is one square crop of every picture: view 0 is the centre square (what the runtime sees), the others
are random crops. Teachers and student see the same crop, so the teacher is consistent.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

STUDENT_SIDE = 112
TEACHER_SIDE = 224

#: Sources that neither training nor any choice of ours may see: the honest test.
LEFT_OUT = ("imagenet_sample", "intel_scenes", "pacs_photo", "dogcat_small", "corel1k")


@dataclass(frozen=True)
class Pictures:
    """Columns of the whole collection, row-aligned."""

    key: np.ndarray
    source: np.ndarray
    concept: np.ndarray
    domain: np.ndarray
    clip_set: np.ndarray
    clip_row: np.ndarray
    shard: np.ndarray

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.key)


def shards(folder: Path) -> list[Path]:
    """List the Parquet shards in order."""
    found = sorted(folder.glob("train-*.parquet"))
    if not found:
        raise SystemExit(f"no train-*.parquet in {folder}: pass --images")
    return found


def read_pictures(folder: Path) -> Pictures:
    """Read every column but the JPEGs."""
    columns: dict[str, list[object]] = {
        c: [] for c in ("key", "source", "concept", "domain", "clip_set", "clip_row")
    }
    shard: list[int] = []
    for i, path in enumerate(shards(folder)):
        table = pq.read_table(path, columns=list(columns))
        for c in columns:
            columns[c] += table[c].to_pylist()
        shard += [i] * table.num_rows
    text = {c: np.array([v or "" for v in columns[c]]) for c in columns if c != "clip_row"}
    rows = np.array([-1 if v is None else v for v in columns["clip_row"]])
    return Pictures(**text, clip_row=rows, shard=np.array(shard))


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


def cut(jpg: bytes, view: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cut one view of a picture for the student and for the teachers.

    Returns
    -------
    tuple of numpy.ndarray
        uint8 (112, 112, 3) and uint8 (224, 224, 3) of the same crop.
    """
    image = Image.open(io.BytesIO(jpg)).convert("RGB")
    box = centre_box(*image.size) if view == 0 else random_box(*image.size, rng)
    small = image.resize((STUDENT_SIDE, STUDENT_SIDE), Image.Resampling.BICUBIC, box=box)
    large = image.resize((TEACHER_SIDE, TEACHER_SIDE), Image.Resampling.BICUBIC, box=box)
    return np.asarray(small), np.asarray(large)
