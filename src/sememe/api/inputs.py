"""Whatever a caller calls an image, as an upright picture with its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from sememe.errors import InputError, UnreadableImageError, UsageError
from sememe.types import Json

if TYPE_CHECKING:
    from PIL.Image import Image

ImageLike: TypeAlias = "str | Path | bytes | Image | NDArray[np.uint8]"
"""A path, the bytes of an image file, a Pillow image, or a uint8 array (h, w), (h, w, 3) or (h, w, 4)."""


LARGE = 4_000_000
"""Pixels above which a decoded picture is shrunk at once, if its backbone says how much it needs."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture, or the error that kept it from being one."""

    name: str
    image: Image | None
    size: tuple[int, int] = (0, 0)
    """Upright width and height in pixels of the original; (0, 0) if unknown."""
    error: InputError | None = None


def open_input(image: ImageLike, *, index: int = 0, min_side: int | None = None) -> Opened:
    """Open one image; what is wrong with it is returned, not raised.

    Parameters
    ----------
    image : ImageLike
    index : int
        Position in the caller's list: names an image that has no path.
    min_side : int, optional
        Pixels that the caller needs at least; a JPEG may be decoded smaller than it is, down to this.
    """
    name = str(image) if isinstance(image, str | Path) else f"image {index}"
    try:
        picture, size = _open(image, min_side)
    except InputError as exc:
        reason = str(exc).removeprefix("<bytes>: ")
        named = exc if reason.startswith(name) else type(exc)(f"{name}: {reason}")
        return Opened(name, None, error=named)
    return Opened(name, picture, size)


def batches(images: ImageLike | Iterable[ImageLike], size: int) -> Iterator[list[ImageLike]]:
    """Cut images, or the only one, into lists of at most `size`.

    Raises
    ------
    UsageError
        `size` is not positive.
    """
    if size < 1:
        raise UsageError(f"a batch holds at least 1 image, not {size}")
    one = isinstance(images, str | Path | bytes | np.ndarray) or hasattr(images, "convert")  # Pillow's images
    rest = iter([cast("ImageLike", images)] if one else cast("Iterable[ImageLike]", images))
    while batch := list(islice(rest, size)):
        yield batch


def min_side_of(preprocessing: Mapping[str, Json]) -> int | None:
    """Pixels that a picture needs at least so that smaller decoding changes nothing that matters.

    A backbone says so under ``jpeg_draft_min_side`` of its preprocessing, which is part of the fingerprint;
    without it, pictures are decoded whole.
    """
    side = preprocessing.get("jpeg_draft_min_side")
    return side if isinstance(side, int) else None


def _open(image: ImageLike, min_side: int | None) -> tuple[Image, tuple[int, int]]:
    from sememe.backbones.images import read_picture

    if isinstance(image, str | Path | bytes):
        picture = read_picture(image, min_side=min_side)
        return _shrunk(picture.image, min_side), (picture.width, picture.height)
    upright = _upright(_from_array(image) if isinstance(image, np.ndarray) else image)
    return upright, upright.size


def _shrunk(image: Image, min_side: int | None) -> Image:
    """Shrink a large picture by a whole factor, never below what is needed: a run holds dozens at a time.

    Large JPEGs were decoded small already; this does the same for formats that cannot be.
    """
    factor = min(image.size) // min_side if min_side else 1
    return image.reduce(factor) if factor > 1 and image.width * image.height > LARGE else image


def _from_array(pixels: NDArray[np.uint8]) -> Image:
    from PIL import Image

    shapes = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if pixels.dtype != np.uint8 or not shapes or pixels.size == 0:
        raise UnreadableImageError(
            f"an array of pixels is uint8 (h, w), (h, w, 3) or (h, w, 4), not {pixels.dtype} {pixels.shape}"
        )
    return Image.fromarray(pixels)


def _upright(image: Image) -> Image:
    """Turn a Pillow image as its EXIF data says; reading a lazily opened file can fail only now."""
    from PIL import Image, ImageOps

    if not isinstance(image, Image.Image):
        raise UnreadableImageError(
            f"a {type(image).__name__} is not an image: give a path, bytes, a Pillow image or an array"
        )
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, ValueError, SyntaxError) as exc:
        raise UnreadableImageError(f"the image cannot be read ({exc}); open it again") from exc
