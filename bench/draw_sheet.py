"""Draw the contact sheet of `draw`'s card: the demo's photographs, and what their codes of 16 bytes draw.

python bench/draw_sheet.py docs/images/draw.webp
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sememe import api
from sememe.backbones.nano import NanoBackbone
from sememe.bitstream.colours import paint, read_colours
from sememe.cli.demo.photos import copy_photos
from sememe.evaluate.imagecodecs import centre_square
from sememe.generate.own import DrawGenerator
from sememe.profile import load

CELL, EDGE, LEFT = 96, 4, 96
ROWS = (
    "original",
    "16 bytes",
    "another seed",
    "and another",
    "best of 8",
    "colour layout",
    "16 bytes and\nlayout",
)
BEST_OF = 8


def column(path: Path, generator: DrawGenerator, nano: NanoBackbone) -> list[Image.Image]:
    """Return a photograph, and what is drawn from its code."""
    profile = load("nano")
    photo = centre_square(Image.open(path).convert("RGB"))
    x = profile.decode(profile.encode(nano.embed_images([photo]), 16))
    drawn = generator.generate(np.repeat(x, BEST_OF, axis=0))
    best = drawn[int(np.argmax(nano.embed_images(drawn) @ x[0]))]
    layout = api.colour_field(photo).value
    smooth = Image.fromarray(paint(read_colours(layout)[None])[0])
    return [photo, *drawn[:3], best, smooth, *generator.generate(x, colours=layout)]


def main() -> None:
    """Draw it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("output", type=Path)
    args = parser.parse_args()
    generator, nano = DrawGenerator(), NanoBackbone()
    with tempfile.TemporaryDirectory() as folder:
        columns = [column(path, generator, nano) for path in copy_photos(Path(folder)).values()]
    pitch = CELL + EDGE
    sheet = Image.new("RGB", (LEFT + len(columns) * pitch, len(ROWS) * pitch), "#ffffff")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for y, words in enumerate(ROWS):
        pen.text((EDGE, y * pitch + CELL // 3), words, "#1d1b18", font=font)
        for x, pictures in enumerate(columns):
            cell = pictures[y].resize((CELL, CELL), Image.Resampling.BICUBIC)
            sheet.paste(cell, (LEFT + x * pitch, y * pitch))
    sheet.save(args.output, quality=80)


if __name__ == "__main__":
    main()
