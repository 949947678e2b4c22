"""What picture codecs need at the least: the smallest file that each makes of one picture."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, features

_SMALLEST: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 1, "optimize": True, "subsampling": "4:2:0"},
    "WebP": {"quality": 0, "method": 6},
    "AVIF": {"quality": 0, "speed": 4, "subsampling": "4:2:0"},
}
"""Codec → the settings of Pillow's encoder that give its smallest files."""

THUMBNAIL_WIDTH = 32


def smallest_files(image: Image.Image) -> dict[str, int]:
    """Bytes of the whole picture at the lowest quality, per codec that this Pillow has."""
    return {codec: len(_encode(image, codec)) for codec in _codecs()}


def smallest_thumbnails(image: Image.Image) -> dict[str, int]:
    """Bytes of a thumbnail 32 pixels wide at the lowest quality, per codec."""
    height = max(1, round(image.height * THUMBNAIL_WIDTH / image.width))
    return smallest_files(image.resize((THUMBNAIL_WIDTH, height), Image.Resampling.LANCZOS))


def thumbnail_jpeg(image: Image.Image, side: int = 384) -> bytes:
    """Make a JPEG to look at, at most `side` pixels wide or high."""
    copy = image.copy()
    copy.thumbnail((side, side))
    buffer = io.BytesIO()
    copy.save(buffer, "JPEG", quality=78, optimize=True)
    return buffer.getvalue()


def _codecs() -> list[str]:
    return [codec for codec in _SMALLEST if codec == "JPEG" or features.check(codec.lower())]


def _encode(image: Image.Image, codec: str) -> bytes:
    bare = Image.new("RGB", image.size)
    bare.paste(image)  # pixels only: a colour profile or EXIF would be counted against the codec
    buffer = io.BytesIO()
    bare.save(buffer, codec, **_SMALLEST[codec])
    return buffer.getvalue()
