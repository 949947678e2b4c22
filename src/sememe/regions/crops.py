"""The pixels that stand for a box: the square around it, because a backbone sees squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sememe.bitstream import Box

if TYPE_CHECKING:
    from PIL.Image import Image


def crop(image: Image, box: Box) -> Image:
    """Cut the least square that holds a box out of a picture, or as much of it as the picture has.

    A backbone would cut the centre square out of an oblong box and miss its ends; people, too, look at what
    is around a thing. A box that is square but for the steps of its edges is cut as it is.
    """
    left, top, right, bottom = (edge * side for edge, side in zip(box.edges, image.size * 2, strict=True))
    step = (image.width + image.height) / 255
    if abs((right - left) - (bottom - top)) > step:
        side = max(right - left, bottom - top)
        left, right = _widened(left, right, side, image.width)
        top, bottom = _widened(top, bottom, side, image.height)
    x0, y0 = min(round(left), image.width - 1), min(round(top), image.height - 1)
    return image.crop((x0, y0, max(x0 + 1, round(right)), max(y0 + 1, round(bottom))))


def _widened(low: float, high: float, side: float, length: int) -> tuple[float, float]:
    """An interval made `side` long around its middle, and pushed inside the picture."""
    side = min(side, length)
    start = min(max(0.0, (low + high - side) / 2), length - side)
    return start, start + side
