"""How small files of whole photographs get, without thumbnails: what most people call image compression."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import output
from picture_judge import Floats, Row
from sememe import metrics
from sememe.cli.demo.photos import copy_photos
from sememe.errors import MissingExtraError
from sememe.evaluate.imagecodecs import FORMATS, Setting, Sizes, decode, encode

if TYPE_CHECKING:
    from PIL.Image import Image


def measure(embed: Callable[[Sequence[Image]], Floats]) -> Row:
    """Code the demo's twelve photographs at the lowest quality there is, as large as they come."""
    photos = _photos()
    x, found = embed(photos), {}
    for name, made in FORMATS.items():
        if made.family == "pixels":
            continue
        try:
            files = [encode(photo, Setting(name)) for photo in photos]
        except MissingExtraError:
            continue
        decoded = [decode(f, Setting(name), p.size) for f, p in zip(files, photos, strict=True)]
        cosine = float(metrics.cosine(x, embed(decoded)).mean())
        found[name] = output.rounded(asdict(Sizes.of(files)), 1) | {"cosine": round(cosine, 4)}
    pixels = float(np.mean([photo.width * photo.height for photo in photos]))
    return {"photographs": len(photos), "pixels": round(pixels), "lowest_quality": found}


def _photos() -> list[Image]:
    from PIL import Image as Images

    with tempfile.TemporaryDirectory() as folder:
        return [Images.open(path).convert("RGB") for path in copy_photos(Path(folder)).values()]
