"""Several codes of one picture: the whole and its regions, and where in it something is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sememe import regions as parts
from sememe.api.files import read_records
from sememe.api.identity import check_record
from sememe.api.inputs import ImageLike, Opened, min_side_of, open_input
from sememe.api.queries import make_query
from sememe.bitstream import Record, Tag, aspect_ratio, read_aspect_ratio
from sememe.errors import InputError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

    from sememe.api.coder import Coder
    from sememe.bitstream import Box
    from sememe.regions import Finding
    from sememe.types import Embeddings

REGIONS = 6
"""Regions of a picture at most, if nobody says otherwise."""

REGION_BYTES = 16
"""Bytes that each may add to the file on average, if nobody says otherwise."""

MOST_BYTES = 1500
"""Bytes that regions may add: what surely fits their extensions."""

_ASIDE = 4  # bytes that regions bring along: the end of the extensions and the aspect ratio
_BATCH = 16  # crops in memory at once

Boxes: TypeAlias = "str | Path | Sequence[Sequence[float]]"
"""Path of a file as `regions.read_boxes` takes it, or rows of left, top, right, bottom in pixels."""


def encode_regions(
    codec: Coder,
    image: ImageLike,
    *,
    regions: int = REGIONS,
    region_bytes: int | None = None,
    nbytes: int | None = None,
    boxes: Boxes | None = None,
) -> Record:
    """See `Codec.encode_regions`, which this is."""
    region_bytes = REGION_BYTES * regions if region_bytes is None else region_bytes
    least = _ASIDE + parts.LEAST_BYTES
    if regions < 1 or not least <= region_bytes <= MOST_BYTES:
        raise UsageError(
            f"give 1 region or more, and {least} to {MOST_BYTES} bytes for all; not {regions}, {region_bytes}"
        )
    opened = _open(codec, image, whole=boxes is not None)
    where = _boxes(opened, boxes)
    whole = _embed(codec, opened, None)
    record = codec.record(codec.encode_vectors(whole, nbytes=nbytes)[0])
    x = _embed(codec, opened, where)
    found = parts.choose(codec.profile, record.payload, where, x, region_bytes - _ASIDE, regions)
    return parts.put_regions(record, found, aspect_ratio(*opened.size))


def find(codec: Coder, item: Record | str | Path, texts: str | Sequence[str]) -> list[Finding]:
    """See `Codec.find`, which this is."""
    record = _record(item)
    check_record(record, codec.profile)
    texts = [texts] if isinstance(texts, str) else list(texts)
    if not texts:
        raise UsageError("there is nothing to find: give a text")
    vectors, regions = parts.decode_regions(codec.profile, record)
    if len(vectors) < 2:
        raise InputError("the record holds no regions; encode the picture again, with regions")
    made = [make_query(text, codec.space) for text in texts]
    return [
        parts.find(text, query, vectors, regions, background)
        for text, (query, background) in zip(texts, made, strict=True)
    ]


def draw_findings(
    record: Record, findings: Sequence[Finding], picture: ImageLike | None = None, *, top: int = 1
) -> Image:
    """Draw what `Codec.find` found.

    Parameters
    ----------
    record : Record
        That was looked into: says the shape of the picture where none is given.
    findings : sequence of Finding
    picture : ImageLike, optional
        To draw on; a blank one of the right shape if not given.
    top : int
        Boxes of each finding at most.

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    InputError
        The picture cannot be read.
    """
    if picture is None:
        value = record.get(Tag.ASPECT_RATIO)
        return parts.draw(parts.blank(1.0 if value is None else read_aspect_ratio(value)), findings, top=top)
    opened = open_input(picture)
    if opened.error is not None:
        raise opened.error
    assert opened.image is not None, "what has no error has a picture"
    return parts.draw(opened.image, findings, top=top)


def _record(item: Record | str | Path) -> Record:
    if isinstance(item, Record):
        return item
    records = read_records(item)
    if len(records) != 1:
        raise UsageError(f"{item}: holds {len(records)} records; look into one at a time")
    return records[0]


def _open(codec: Coder, image: ImageLike, *, whole: bool) -> Opened:
    """Open a picture large enough for its smallest windows, or whole for boxes of unknown size."""
    side = min_side_of(codec.backbone.preprocessing)
    enough = None if side is None or whole else math.ceil(side / min(parts.SCALES))
    opened = open_input(image, min_side=enough)
    if opened.error is not None:
        raise opened.error
    return opened


def _boxes(opened: Opened, boxes: Boxes | None) -> list[Box]:
    if boxes is None:
        return parts.windows(*opened.size)
    if isinstance(boxes, str | Path):
        return parts.read_boxes(boxes, *opened.size)
    return parts.as_boxes(np.asarray(boxes, np.float64), *opened.size, name="boxes")


def _embed(codec: Coder, opened: Opened, boxes: Sequence[Box] | None) -> Embeddings:
    """Embed the whole picture (1, d), or what its boxes show (m, d)."""
    assert opened.image is not None, "what has no error has a picture"
    if boxes is None:
        return codec.space.embed_images([opened.image])
    rows = [np.zeros((0, codec.profile.dim), np.float32)]
    for start in range(0, len(boxes), _BATCH):
        crops = [parts.crop(opened.image, box) for box in boxes[start : start + _BATCH]]
        rows.append(codec.space.embed_images(crops))
    return np.concatenate(rows)
