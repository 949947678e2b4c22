"""Captions under generated pictures, and several of them on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

__all__ = ["captioned", "contact_sheet"]

SMALLEST = 256
"""Pixels that a captioned picture is wide at least: a caption under fewer cannot be read."""

LARGEST = 512
"""Pixels that the longer side of a picture takes at most on a sheet."""

_PAPER, _INK = "#ffffff", "#1d1b18"
_LETTERS = 13  # pixels
_EDGE = 6


def captioned(image: Image, lines: Sequence[str]) -> Image:
    """Draw words on a strip below a picture; a small picture is enlarged first, by a whole factor.

    Parameters
    ----------
    image : Image
    lines : sequence of str
        Lines that do not fit are broken between words.
    """
    from PIL import Image, ImageDraw

    factor = math.ceil(SMALLEST / image.width)
    picture = image.resize((image.width * factor, image.height * factor), Image.Resampling.BICUBIC)
    font = _font()
    broken = [part for line in lines for part in _broken(line, font, picture.width - 2 * _EDGE)]
    pitch = round(_LETTERS * 1.3)
    sheet = Image.new("RGB", (picture.width, picture.height + len(broken) * pitch + 2 * _EDGE), _PAPER)
    sheet.paste(picture, (0, 0))
    pen = ImageDraw.Draw(sheet)
    for row, part in enumerate(broken):
        pen.text((_EDGE, picture.height + _EDGE + row * pitch), part, _INK, font=font)
    return sheet


def contact_sheet(
    images: Sequence[Image], captions: Sequence[Sequence[str]] | None, *, columns: int | None = None
) -> Image:
    """Put pictures on one sheet, in rows.

    Parameters
    ----------
    images : sequence of n images
        Those with more than 512 pixels a side are shrunk.
    captions : n sequences of lines, optional
        Without, the pictures stand bare.
    columns : int, optional
        As square a sheet as can be if not given.
    """
    from PIL import Image

    cells = [_shrunk(image) for image in images]
    if captions is not None:
        cells = [captioned(cell, lines) for cell, lines in zip(cells, captions, strict=True)]
    columns = columns or math.ceil(math.sqrt(len(cells)))
    width, height = (max(cell.size[axis] for cell in cells) + _EDGE for axis in (0, 1))
    rows = math.ceil(len(cells) / columns)
    sheet = Image.new("RGB", (columns * width + _EDGE, rows * height + _EDGE), _PAPER)
    for place, cell in enumerate(cells):
        row, column = divmod(place, columns)
        sheet.paste(cell, (column * width + _EDGE, row * height + _EDGE))
    return sheet


def _shrunk(image: Image) -> Image:
    if max(image.size) <= LARGEST:
        return image
    small = image.copy()
    small.thumbnail((LARGEST, LARGEST))
    return small


def _font() -> FreeTypeFont | ImageFont:
    from PIL import ImageFont

    return ImageFont.load_default(_LETTERS)


def _broken(line: str, font: FreeTypeFont | ImageFont, width: int) -> list[str]:
    """Break a line between words so that each part fits; a word wider than the strip is cut by its edge."""
    parts = [""]
    for word in line.split():
        longer = f"{parts[-1]} {word}".strip()
        if parts[-1] and font.getlength(longer) > width:
            parts.append(word)
        else:
            parts[-1] = longer
    return parts
