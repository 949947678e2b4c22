"""Small labelled pictures: which are coded and judge, which ask, which a codec may have seen before."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sememe.evaluate.imagecodecs import centre_square

if TYPE_CHECKING:
    from PIL.Image import Image

#: Sources that the first variant of nano's recipe never sees.
SOURCES = ("corel1k", "dogcat_small", "imagenet_sample", "intel_scenes", "pacs_photo")
#: Short side of the stored pictures in pixels; the few that are smaller are left out.
SIDE = 128


class Picture(NamedTuple):
    """The centre square of a stored picture, and what is said of it."""

    image: Image
    source: str
    concept: str
    pixels: int
    """Of the original, before it was made small and stored."""


@dataclass(frozen=True)
class Pool:
    """Pictures in three parts that share none.

    Attributes
    ----------
    test
        What is coded, and judges.
    queries
        Their vectors, uncompressed, search among the coded ones.
    known
        What both ends of a codec may have seen: 48 pictures.
    names
        Every source and all its concepts, not only those in the parts.
    digest
        Of all pictures in their order.
    """

    test: list[Picture]
    queries: list[Picture]
    known: list[Picture]
    names: dict[str, list[str]]
    digest: str


def load(folder: Path, test: int, queries: int = 40, sources: Sequence[str] = SOURCES) -> Pool:
    """Draw so many pictures of each source for the test and for the queries, with one fixed seed."""
    from pyarrow import parquet

    columns = ["source", "concept", "width", "height", "jpg"]
    rows: dict[str, list[dict[str, object]]] = {source: [] for source in sources}
    for path in sorted(folder.glob("train-*.parquet")):
        for row in parquet.read_table(path, columns=columns).to_pylist():
            if row["source"] in rows:
                rows[str(row["source"])].append(row)
    rng, digest = np.random.default_rng(0), hashlib.sha256()
    parts: tuple[list[Picture], ...] = ([], [], [])
    for source, found in rows.items():
        if not found:
            raise SystemExit(f"no picture of {source} in {folder}: pass --images")
        large = (row for i in rng.permutation(len(found)) if _side(row := found[i]) >= SIDE)
        for part, count in zip(parts, (test, queries, -(-48 // len(sources))), strict=True):
            part += [_picture(row) for _, row in zip(range(count), large, strict=False)]
    for picture in (p for part in parts for p in part):
        digest.update(picture.image.tobytes())
    names = {source: sorted({str(row["concept"]) for row in found}) for source, found in rows.items()}
    return Pool(parts[0], parts[1], parts[2], names, digest.hexdigest()[:16])


def _open(row: dict[str, object]) -> Image:
    from PIL import Image as Images

    return Images.open(io.BytesIO(row["jpg"]))  # type: ignore[arg-type]


def _side(row: dict[str, object]) -> int:
    return min(_open(row).size)


def _picture(row: dict[str, object]) -> Picture:
    square = centre_square(_open(row).convert("RGB"))
    pixels = int(row["width"]) * int(row["height"])  # type: ignore[call-overload]
    return Picture(square, str(row["source"]), str(row["concept"]), pixels)


def sources_of(folder: Path) -> NDArray[np.str_]:
    """Source of every stored picture, in the order in which nano's recipe embeds them."""
    from pyarrow import parquet

    shards = sorted(folder.glob("train-*.parquet"))
    columns = [parquet.read_table(shard, columns=["source"])["source"].to_pylist() for shard in shards]
    return np.concatenate([np.array(column) for column in columns])
