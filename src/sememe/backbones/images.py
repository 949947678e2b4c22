"""Any image file as an upright RGB picture, or one clear error.

Orientation, colour model, bit depth, transparency and animation are settled here, so that a backbone sees
eight-bit pixels whatever the camera or the program wrote. Formats that start other programs (EPS) stay shut.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

import numpy as np
from PIL import Image, UnidentifiedImageError

from sememe.errors import ImageTooLargeError, InputError, UnreadableImageError

MAX_PIXELS = 178_000_000
"""Pixels that a picture may hold; Pillow itself refuses a little more than this."""

Source: TypeAlias = "Path | str | bytes | BinaryIO"

_FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "ICO", "JPEG", "JPEG2000", "MPO"),
    *("PCX", "PNG", "PPM", "QOI", "SGI", "TGA", "TIFF", "WEBP"),
)
_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HEADS = {
    b"%!PS": "PostScript is not opened because reading it would start another program; convert it to PNG",
    b"%PDF": "this is a PDF; export the page as PNG or JPEG",
    b"<svg": "this is an SVG drawing; export it as PNG",
    b"<?xml": "this is XML, perhaps an SVG drawing; export it as PNG",
}


class Picture(NamedTuple):
    """A decoded picture, and the upright size in its file (decoding may have been at a smaller scale)."""

    image: Image.Image
    width: int
    height: int


def open_image(source: Source, *, min_side: int | None = None, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode a file as `read_picture` does and return the pixels alone.

    Parameters
    ----------
    source : Path, str, bytes or binary file
        Where the picture is; `bytes` are the file's content.
    min_side : int, optional
        See `read_picture`.
    max_pixels : int
        See `read_picture`.

    Returns
    -------
    PIL.Image.Image
        Upright, mode RGB.

    Raises
    ------
    UnreadableImageError, ImageTooLargeError
        As `read_picture`.
    """
    return read_picture(source, min_side=min_side, max_pixels=max_pixels).image


def read_picture(source: Source, *, min_side: int | None = None, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode the first frame of an image file as an upright RGB picture.

    Parameters
    ----------
    source : Path, str, bytes or binary file
        Where the picture is; `bytes` are the file's content.
    min_side : int, optional
        The caller needs no side longer than this many pixels: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its
        size, which is several times faster, as long as no side becomes shorter than `min_side`.
    max_pixels : int
        Refuse pictures with more pixels than this before decoding them.

    Returns
    -------
    Picture
        The pixels (mode RGB, transparency on white) and the upright width and height stored in the file.

    Raises
    ------
    UnreadableImageError
        The file is missing, empty, truncated, damaged or no image.
    ImageTooLargeError
        The picture holds more than `max_pixels` pixels.
    """
    name = _name_of(source)
    with _foreign_errors_named(name), _opened(source, name) as image:
        width, height = image.size
        _check_size(width, height, max_pixels, name)
        if min_side is not None:
            image.draft(None, (min_side, min_side))
        orientation = _orientation(image)
        image.load()
        pixels = to_rgb(image)
    turn = _UPRIGHT.get(orientation)
    if turn is not None:
        pixels = pixels.transpose(turn)
    return Picture(pixels, *((height, width) if orientation >= 5 else (width, height)))


def image_size(source: Source) -> tuple[int, int]:
    """Return the upright (width, height) of an image file in pixels, reading its header only.

    Raises
    ------
    UnreadableImageError
        The file is missing, empty or no image.
    ImageTooLargeError
        Pillow refuses to look at a picture that large.
    """
    name = _name_of(source)
    with _foreign_errors_named(name), _opened(source, name) as image:
        width, height = image.size
        return (height, width) if _orientation(image) >= 5 else (width, height)


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any Pillow mode to RGB: deep grey scaled to eight bits, transparency composited on white."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I") or image.mode == "F":
        image = _deep_grey(image)
    if image.mode == "La":  # Pillow's only way out of premultiplied grey
        image = image.convert("LA")
    if "transparency" in image.info or image.mode in {"RGBA", "LA", "PA", "RGBa"}:
        layers = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layers.size, "white"), layers).convert("RGB")
    return image.convert("RGB")


def _deep_grey(image: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit or float grey to eight bits by its nominal range, never by its content alone."""
    values = np.asarray(image, dtype=np.float32)
    top = float(np.nanmax(values, initial=0.0))
    if image.mode == "F":
        full = next((f for f in (1.0, 255.0, 65535.0) if top <= f), top)
    else:
        full = 255.0 if image.mode == "I" and top <= 255 else max(65535.0, top)
    grey = np.nan_to_num(np.clip(values / full, 0, 1)) * 255
    return Image.fromarray(np.round(grey).astype(np.uint8))


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation 1 to 8; damaged EXIF data counts as none."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # the parser raises whatever the damage makes it stumble over
        return 1
    return value if value in _UPRIGHT else 1


def _check_size(width: int, height: int, max_pixels: int, name: str) -> None:
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"{name}: {width} x {height} is more than {max_pixels} pixels; scale it down or raise the limit"
        )


def _name_of(source: Source) -> str:
    if isinstance(source, bytes):
        return "<bytes>"
    return str(source if isinstance(source, (str, Path)) else getattr(source, "name", "<stream>"))


@lru_cache(maxsize=1)
def _formats() -> list[str]:
    """List the allowed formats that this Pillow was built with."""
    Image.init()
    return [f for f in _FORMATS if f in Image.OPEN]


@contextmanager
def _opened(source: Source, name: str) -> Iterator[Image.Image]:
    """Open a picture lazily, and close the file if it was opened here."""
    if isinstance(source, (str, Path)):
        with Path(source).open("rb") as file, _opened(file, name) as image:
            yield image
        return
    stream = _seekable(source)
    head = stream.read(5)
    if not head:
        raise UnreadableImageError(f"{name}: the file is empty; copy or download it again")
    stream.seek(-len(head), io.SEEK_CUR)
    try:
        with Image.open(stream, formats=_formats()) as image:
            yield image
    except UnidentifiedImageError as exc:
        hint = next((h for k, h in _HEADS.items() if head.lower().startswith(k.lower())), None)
        reason = hint or "not an image that can be read; use JPEG or PNG"
        raise UnreadableImageError(f"{name}: {reason}") from exc


def _seekable(source: bytes | BinaryIO) -> BinaryIO:
    """Give a seekable file over bytes or over a stream such as standard input."""
    if isinstance(source, bytes):
        return io.BytesIO(source)
    return source if source.seekable() else io.BytesIO(source.read())


@contextmanager
def _foreign_errors_named(name: str) -> Iterator[None]:
    """Turn whatever Pillow or the system raises into one of our errors, and keep Pillow's warnings quiet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except InputError as exc:
            if str(exc).startswith(name):
                raise
            raise type(exc)(f"{name}: {exc}") from exc
        except MemoryError:
            raise
        except Image.DecompressionBombError as exc:
            raise ImageTooLargeError(f"{name}: the picture is too large to decode; scale it down") from exc
        except Exception as exc:  # each decoder of Pillow has its own set of errors for damaged files
            raise UnreadableImageError(f"{name}: {_reason(exc)}") from exc


_REASONS: tuple[tuple[Callable[[Exception], bool], str], ...] = (
    (lambda e: isinstance(e, FileNotFoundError), "no such file; check the path"),
    (lambda e: isinstance(e, IsADirectoryError), "this is a folder, not an image"),
    (lambda e: isinstance(e, PermissionError), "may not be read; check its permissions"),
    (lambda e: "truncat" in str(e).lower(), "the file is truncated; copy or download it again"),
)


def _reason(error: Exception) -> str:
    """Say in a few words why a file cannot be read, and what to do."""
    for applies, text in _REASONS:
        if applies(error):
            return text
    detail = " ".join(str(error).split()) or type(error).__name__
    return f"damaged image ({detail}); copy or download it again"
