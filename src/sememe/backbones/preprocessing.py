"""A picture as the network was trained to see it: resize, crop, scale, normalise, as its own files say.

::

    any mode ─► RGB ─resize─► shortest edge, or squashed ─centre crop─► (h, w) ─mean, std─► (3, h, w)

Arithmetic and rounding are those of torchvision on Pillow pictures, which OpenAI's CLIP and open_clip use:
the same pixels come out (docs/backbones.md says how near other libraries come).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sememe.types import Json

if TYPE_CHECKING:
    from PIL.Image import Image

FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
"""Resampling by name, and Pillow's number for it, which configuration files use."""

SCALE = 1 / 255

_LONGEST = (
    16  # times its width: of a longer picture only the middle is resized, the rest would be cropped off
)


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """All that happens to a picture before the network.

    Parameters
    ----------
    height, width : int
        Pixels that the network sees.
    shortest : int or None
        Length that the shorter edge is resized to before the centre is cut out; None squashes the whole
        picture to height and width.
    interpolation : str
        One of `FILTERS`.
    mean, std : tuple of float
        Per channel, on values that are already scaled.
    scale : float
        Factor on byte values.
    """

    height: int
    width: int
    shortest: int | None
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float = SCALE

    def __call__(self, image: Image) -> NDArray[np.float32]:
        """Turn a picture (any Pillow mode, upright) into (3, height, width) float32."""
        from sememe.backbones.images import to_rgb

        pixels = np.asarray(self._resized(to_rgb(image)), np.float32)
        scaled = pixels / np.float32(255) if self.scale == SCALE else pixels * np.float32(self.scale)
        normal = (scaled - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1))

    def to_json(self) -> dict[str, Json]:
        """Describe it as canonical JSON, as it enters a profile's fingerprint.

        ``crop`` is ``center`` (the shorter edge is resized to ``size``, or to ``resize`` if that differs) or
        ``none`` (the picture is squashed). A JPEG is decoded at a smaller scale if no side becomes shorter
        than ``jpeg_draft_min_side``. ``scale`` is left out where it is 1/255.
        """
        said: dict[str, Json] = {
            "crop": "none" if self.shortest is None else "center",
            "interpolation": self.interpolation,
            "jpeg_draft_min_side": 2 * (self.shortest or max(self.height, self.width)),
            "mean": list(self.mean),
            "mode": "RGB",
            "size": self.height if self.height == self.width else [self.height, self.width],
            "std": list(self.std),
        }
        if self.shortest not in (None, self.height):
            said["resize"] = self.shortest
        if self.scale != SCALE:
            said["scale"] = self.scale
        return said

    def _resized(self, image: Image) -> Image:
        from PIL.Image import Resampling

        filter_ = Resampling(FILTERS[self.interpolation])
        if self.shortest is None:
            return image.resize((self.width, self.height), filter_)
        image = _middle(image)
        short = min(image.size)
        width, height = (int(self.shortest * side / short) for side in image.size)
        image = image.resize((width, height), filter_)
        left, top = round((width - self.width) / 2), round((height - self.height) / 2)
        return image.crop((left, top, left + self.width, top + self.height))


def _middle(image: Image) -> Image:
    """Cut the ends off a picture so long that resizing it would fill the memory."""
    width, height = image.size
    longest = _LONGEST * min(width, height)
    if max(width, height) <= longest:
        return image
    left, top = (max(0, side - longest) // 2 for side in (width, height))
    return image.crop((left, top, width - left, height - top))
