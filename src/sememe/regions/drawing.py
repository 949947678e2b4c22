"""Boxes and words on a picture, or on a blank one of its shape where there is no original."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sememe.bitstream import Box
from sememe.regions.finding import Finding

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")
"""One for each phrase in turn: those of M. Okabe and K. Ito, which colour-blind people tell apart."""

BLANK = 640
"""Longer side of a blank picture in pixels."""

_WIDTHS = {"strong": 5, "weak": 2}


def blank(aspect: float) -> Image:
    """Make a light grey picture whose width / height is `aspect`."""
    from PIL import Image

    size = (BLANK, BLANK / aspect) if aspect >= 1 else (BLANK * aspect, BLANK)
    return Image.new("RGB", (max(1, round(size[0])), max(1, round(size[1]))), "#eeeeee")


def draw(picture: Image, findings: Sequence[Finding], *, top: int = 1) -> Image:
    """Draw what was found: thick frames for strong matches, thin ones for weak, none for none.

    Parameters
    ----------
    picture : PIL.Image.Image
        Not changed.
    findings : sequence of Finding
        Each in a colour of its own.
    top : int
        Matches of each that are drawn at most.

    Returns
    -------
    PIL.Image.Image
        RGB, of the size of `picture`.
    """
    from PIL import ImageDraw

    drawn = picture.convert("RGB")
    pen = ImageDraw.Draw(drawn)
    for number, finding in enumerate(findings):
        colour = COLOURS[number % len(COLOURS)]
        for match in finding.found[:top]:
            _frame(
                pen,
                drawn.size,
                match.box,
                f"{finding.text} ({match.strength})",
                colour,
                _WIDTHS[match.strength],
            )
    return drawn


def _frame(pen: ImageDraw, size: tuple[int, int], box: Box, words: str, colour: str, width: int) -> None:
    """Frame a box and write words into its upper left corner."""
    from PIL import ImageFont

    scale = max(size) / BLANK
    left, top, right, bottom = (edge * (side - 1) for edge, side in zip(box.edges, size * 2, strict=True))
    pen.rectangle((left, top, right, bottom), outline=colour, width=max(1, round(width * scale)))
    font = ImageFont.load_default(max(10, round(16 * scale)))
    label = pen.textbbox((left, top), words, font=font)
    shift = max(0, label[2] + 4 - size[0]), max(0, label[3] + 4 - size[1])
    place = max(0, left - shift[0]), max(0, top - shift[1])
    label = pen.textbbox(place, words, font=font)
    pen.rectangle((place[0], place[1], label[2] + 4, label[3] + 3), fill=colour)
    pen.text((place[0] + 2, place[1]), words, fill="black", font=font)
