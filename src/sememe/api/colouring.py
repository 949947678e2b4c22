"""Where which colours lie in a picture, as a field beside its code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sememe.api.inputs import ImageLike, open_input
from sememe.bitstream import Extension, Record, colour_layout
from sememe.bitstream.colours import measure

__all__ = ["colour_field", "with_colours"]

SIDE = 64
"""Pixels a side that a picture is scaled to before its colours are measured (FORMAT.md)."""


def colour_field(image: ImageLike) -> Extension:
    """Measure the colour layout of an image's centre square.

    Returns
    -------
    Extension
        Some nine bytes, sixteen at most.

    Raises
    ------
    InputError
        The image cannot be read.
    """
    from PIL.Image import Resampling

    from sememe.backbones.images import to_rgb

    opened = open_input(image)
    if opened.image is None:
        raise opened.error or AssertionError("neither an image nor an error")
    picture = to_rgb(opened.image)
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    square = picture.resize((SIDE, SIDE), Resampling.BICUBIC, box=box)
    return colour_layout(measure(np.asarray(square)[None])[0])


def with_colours(record: Record, image: ImageLike) -> Record:
    """Add an image's colour layout to its record; an older one goes.

    Raises
    ------
    InputError
        The image cannot be read.
    """
    field = colour_field(image)
    others = [other for other in record.extensions if other.tag != field.tag]
    return replace(record, extensions=tuple(sorted([*others, field])))
