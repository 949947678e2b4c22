"""The codecs, and the two dials of each: quality and the side of a thumbnail."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sememe.errors import MissingExtraError, UnreadableImageError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["FAMILIES", "FORMATS", "Setting", "centre_square", "decode", "encode", "require"]

_Options: TypeAlias = "Mapping[str, int | bool | str]"


@dataclass(frozen=True)
class _Format:
    """A way of writing files.

    Attributes
    ----------
    family
        Formats of one family show the same pixels and differ in bytes only.
    pillow
        Pillow's name; empty for raw pixels.
    options
        What Pillow is asked for besides quality: the smallest files that take no more than some tens of
        milliseconds each.
    """

    family: str
    pillow: str
    options: _Options


FORMATS: Mapping[str, _Format] = {
    "jpeg": _Format("jpeg", "JPEG", {}),
    "jpeg-optimised": _Format("jpeg", "JPEG", {"optimize": True}),
    "jpeg-progressive": _Format("jpeg", "JPEG", {"progressive": True, "optimize": True}),
    "webp": _Format("webp", "WEBP", {"method": 6}),
    "avif": _Format("avif", "AVIF", {"speed": 6, "max_threads": 1, "subsampling": "4:2:0"}),
    "jxl": _Format("jxl", "JXL", {"effort": 9, "num_threads": 0}),
    "pixels": _Format("pixels", "", {}),
}
"""Every format by name; `pixels` are a thumbnail's pixels as they are, two bytes each: no codec at all."""

FAMILIES: Mapping[str, str] = {
    "jpeg": "JPEG",
    "webp": "WebP",
    "avif": "AVIF",
    "jxl": "JPEG XL",
    "pixels": "raw pixels",
}
"""Every family and what people call it."""


@dataclass(frozen=True)
class Setting:
    """A codec with both dials set.

    Attributes
    ----------
    format
        One of `FORMATS`.
    quality
        0 to 100 as the library counts; raw pixels have none.
    side
        Pixels on the short side of the thumbnail; None codes the picture as it is.

    Raises
    ------
    UsageError
        There is no such format, quality or side.
    """

    format: str
    quality: int = 0
    side: int | None = None

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise UsageError(f"no image codec is called {self.format!r}; there are {', '.join(FORMATS)}")
        if not 0 <= self.quality <= 100:
            raise UsageError(f"a quality is in 0..100, not {self.quality}")
        if self.side is not None and self.side < 1:
            raise UsageError(f"a thumbnail has a side of 1 pixel or more, not {self.side}")

    @property
    def family(self) -> str:
        """One of `FAMILIES`."""
        return FORMATS[self.format].family


def require(name: str) -> None:
    """Check that this machine can write and read a format.

    Raises
    ------
    UsageError
        There is none of that name.
    MissingExtraError
        A plug-in is not installed, or this Pillow was built without the codec.
    """
    pillow = FORMATS[Setting(name).format].pillow
    if pillow == "JXL":
        try:
            import_module("pillow_jxl")
        except ImportError as exc:
            raise MissingExtraError("JPEG XL needs pillow-jxl-plugin: pip install 'sememe[eval]'") from exc
    elif pillow in {"WEBP", "AVIF"}:
        from PIL import features

        if not features.check(pillow.lower()):
            raise MissingExtraError(f"this Pillow was built without {pillow}: pip install 'pillow>=11.3'")


def encode(image: Image, setting: Setting) -> bytes:
    """Write a picture as a file.

    Parameters
    ----------
    image
        Any Pillow mode, upright. A thumbnail is never larger than its picture.
    setting
        Which codec, and both of its dials.

    Returns
    -------
    bytes
        The whole file.

    Raises
    ------
    UsageError
        `image` is no picture, or has no pixels.
    MissingExtraError
        See `require`.
    """
    require(setting.format)
    thumbnail = _shrink(_rgb(image), setting.side)
    if setting.family == "pixels":
        return _pack_pixels(thumbnail)
    made = FORMATS[setting.format]
    quality = max(1, setting.quality) if setting.family == "jpeg" else setting.quality
    with io.BytesIO() as file:
        thumbnail.save(file, made.pillow, quality=quality, **made.options)
        return file.getvalue()


def decode(file: bytes, setting: Setting, size: tuple[int, int]) -> Image:
    """Read a file that `encode` wrote, and enlarge the thumbnail.

    Parameters
    ----------
    file
        The whole file.
    setting
        The one it was written with; of its dials nothing is needed.
    size
        (width, height) of the picture. It is not charged: a backbone scales to its own size anyway.

    Returns
    -------
    Image
        Mode RGB.

    Raises
    ------
    UnreadableImageError
        The bytes are no file of this format.
    MissingExtraError
        See `require`.
    """
    from PIL import Image as Images

    require(setting.format)
    thumbnail = _unpack_pixels(file) if setting.family == "pixels" else _read(file, setting.format)
    return thumbnail if thumbnail.size == size else thumbnail.resize(size, Images.Resampling.BICUBIC)


def centre_square(image: Image) -> Image:
    """Cut what CLIP and its kin look at: the largest square in the middle."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _rgb(image: Image) -> Image:
    """Take the pixels alone: Pillow would also store a picture's colour profile, EXIF data and density."""
    from PIL import Image as Images

    from sememe.backbones.images import to_rgb

    if not isinstance(image, Images.Image) or not min(image.size):
        raise UsageError(f"an image codec takes a Pillow image with pixels, not {image!r:.60}")
    return Images.fromarray(np.asarray(to_rgb(image)))


def _shrink(image: Image, side: int | None) -> Image:
    from PIL import Image as Images

    short = min(image.size)
    if side is None or side >= short:
        return image
    width, height = (max(1, round(length * side / short)) for length in image.size)
    return image.resize((width, height), Images.Resampling.LANCZOS)


def _read(file: bytes, name: str) -> Image:
    from PIL import Image as Images

    try:
        with Images.open(io.BytesIO(file), formats=[FORMATS[name].pillow]) as image:
            return image.convert("RGB")
    except Exception as exc:  # each decoder has its own set of errors for damaged files
        detail = " ".join(str(exc).split()) or type(exc).__name__
        raise UnreadableImageError(
            f"{len(file)} bytes are no {name} file ({detail}); encode the picture again"
        ) from exc


def _pack_pixels(image: Image) -> bytes:
    """Write red, green and blue in 5, 6 and 5 bits; only squares, whose side their length tells."""
    if image.width != image.height:
        raise UsageError(f"raw pixels are those of a square, not of {image.width} x {image.height}")
    levels = np.rint(np.asarray(image, np.float64) * np.array([31, 63, 31]) / 255).astype("<u2")
    return bytes((levels[..., 0] << 11 | levels[..., 1] << 5 | levels[..., 2]).tobytes())


def _unpack_pixels(file: bytes) -> Image:
    from PIL import Image as Images

    side = math.isqrt(len(file) // 2)
    if not side or 2 * side * side != len(file):
        raise UnreadableImageError(f"{len(file)} bytes are no square of raw pixels; encode the picture again")
    words = np.frombuffer(file, "<u2").reshape(side, side)
    levels = np.stack([words >> 11, words >> 5 & 63, words & 31], axis=-1)
    pixels = np.rint(levels * 255 / np.array([31, 63, 31])).astype(np.uint8)
    return Images.fromarray(pixels)
